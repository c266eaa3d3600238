package run

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ganglion/engine/data"
	"ganglion/engine/train"
	"ganglion/kernels"
)

// TestLearns: each network reaches an accuracy on the validation part within a few epochs, for several seeds. The sets
// are real.
func TestLearns(t *testing.T) {
	for _, c := range []struct {
		data, epochs string
		least        float64
	}{{"gas", "4", 0.97}, {"wine", "25", 0.9}, {"iris", "60", 0.86}} {
		for _, model := range []string{"module/nm", "module/mlp", "module/deq"} {
			for seed := range 2 {
				set := []string{"train.epochs=" + c.epochs, fmt.Sprint("train.seed=", seed+1), "train.batch=32"}
				if model != "module/mlp" {
					set = append(set, "nodes=30")
				}
				s := prepare(t, configure(t, model, c.data, set...))
				out, err := s.Trainer.Fit(context.Background(), train.Hooks{})
				if err != nil {
					t.Fatal(err)
				}
				if got := out.Best.Valid.Metric; got < c.least {
					t.Errorf(
						"%s on %s, seed %d: accuracy %.4f on the validation part, wanted %v",
						model,
						c.data,
						seed+1,
						got,
						c.least,
					)
				}
			}
		}
	}
}

// petals writes the built-in iris data as a table whose last column, the petal's width, is to be predicted from the
// other three.
func petals(t testing.TB) string {
	t.Helper()
	table, err := data.Load(context.Background(), "iris", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]int32, table.N)
	for i := range rows {
		rows[i] = int32(i)
	}
	z, err := data.FitStandardizer(table, rows)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, table.N*table.D)
	data.Transform(x, z, table, rows)
	path := filepath.Join(t.TempDir(), "petals.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := csv.NewWriter(f)
	lines := [][]string{{"a", "b", "c", "width"}}
	for i := range table.N {
		r := x[4*i : 4*i+4]
		lines = append(lines, []string{fmt.Sprint(r[0]), fmt.Sprint(r[1]), fmt.Sprint(r[2]), fmt.Sprint(100 + 7*r[3])})
	}
	if err := w.WriteAll(lines); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLearnsNumbers: a regression explains most of a real target, whose standard deviation is 7 in the data's units.
func TestLearnsNumbers(t *testing.T) {
	path := petals(t)
	for _, model := range []string{"module/nm", "module/mlp", "module/deq"} {
		c := configure(t, model, path, "nodes=20", "train.epochs=40", "train.batch=16")
		c.Data.Target, c.Data.Task = "width", "regress"
		r := trained(t, c, TrainOptions{})
		if v := r.Metric.Valid; r.Metric.Name != "rmse" || !(v < 3) || !(r.Metric.Test < 3.5) {
			t.Errorf(
				"%s: %s %.3f on the validation part, %.3f on the test part",
				model,
				r.Metric.Name,
				v,
				r.Metric.Test,
			)
		}
		if q := r.Extra.R2; q == nil || !(q.Valid > 0.8) || r.Extra.Error != nil {
			t.Errorf("%s: explained variance %+v, error %+v", model, q, r.Extra.Error)
		}
	}
}

// TestRegulariserEvensSizes: at equal kept edges the repulsion leaves a largest module that is clearly smaller, and
// sizes that vary less, than the plain regularisers do or none; at like accuracy.
func TestRegulariserEvensSizes(t *testing.T) {
	for seed := range 3 {
		with := func(set ...string) (*Modules, float64) {
			s := prepare(t, configure(t, "module/nm", "gas", append(set, "nodes=60", "keep=142", "train.epochs=4",
				fmt.Sprint("train.seed=", seed+1))...))
			out, err := s.Trainer.Fit(context.Background(), train.Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			snap, err := s.snapshot()
			if err != nil {
				t.Fatal(err)
			}
			return modulesOf(*snap), out.Best.Valid.Metric
		}
		a, accuracy := with("reg=nm", "alpha=10")
		if a.Cyclic < 2 || accuracy < 0.97 {
			t.Errorf("seed %d: nm leaves %+v at accuracy %.4f", seed+1, a, accuracy)
		}
		for _, set := range [][]string{{"reg=none"}, {"reg=l1", "alpha=0.01"}, {"reg=l2", "alpha=0.01"}} {
			b, _ := with(set...)
			if a.Kept != b.Kept || 3*a.Largest > 2*b.Largest || a.Std >= b.Std {
				t.Errorf("seed %d: nm keeps %d edges, largest module %d, deviation %.2f; %s %d, %d, %.2f", seed+1,
					a.Kept, a.Largest, a.Std, set[0], b.Kept, b.Largest, b.Std)
			}
		}
	}
}

// TestDivergence: a step that would spoil the parameters is not applied, and the error names the op.
func TestDivergence(t *testing.T) {
	for _, model := range []string{"module/mlp", "module/nm"} {
		c := configure(
			t,
			model,
			"iris",
			"nodes=10",
			"activation=relu",
			"train.lr=1e30",
			"train.optimiser=sgd",
			"train.schedule=constant",
			"train.batch=16",
		)
		s := prepare(t, c)
		_, err := s.Trainer.Fit(context.Background(), train.Hooks{})
		if !errors.Is(err, train.ErrNonFinite) || !strings.Contains(err.Error(), "[") ||
			!strings.Contains(err.Error(), "smaller lr") {
			t.Errorf("%s: error %v", model, err)
		}
		if n := s.Trainer.Position().Step; n == 0 {
			t.Errorf("%s: the first step failed: it should have been the second", model)
		}
		for i, v := range s.Trainer.Store().Params().F32 {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Fatalf("%s: parameter %d is %v", model, i, v)
			}
		}
	}
}

// spoiled is a small set one of whose training samples is infinite.
func spoiled() train.Set {
	part := func(n int) train.Part {
		p := train.Part{X: kernels.New(kernels.S(kernels.Float32, n, 3)), Labels: make([]int32, n)}
		for i := range p.X.F32 {
			p.X.F32[i] = float32(math.Sin(float64(7 * i)))
		}
		for i := range p.Labels {
			p.Labels[i] = int32(i % 2)
		}
		return p
	}
	set := train.Set{
		Task:  train.Task{Inputs: 3, Outputs: 2, Examples: 40},
		Train: part(40),
		Valid: part(8),
		Test:  part(8),
	}
	set.Train.X.F32[30] = float32(math.Inf(1))
	return set
}

// TestSkip: with the policy skip a bad batch is left out, counted and told, and the rest is learned from; with stop it
// ends the run.
func TestSkip(t *testing.T) {
	sys, err := System("module/mlp")
	if err != nil {
		t.Fatal(err)
	}
	c := configure(t, "module/mlp", "", "hidden=64", "activation=relu")
	set := spoiled()
	m, err := sys.Build(c.Net, set.Task)
	if err != nil {
		t.Fatal(err)
	}
	o := train.Options{Epochs: 3, Batch: 10, NonFinite: "skip", Seed: 3}
	tr, err := train.New(m, set, o)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var told []string
	out, err := tr.Fit(
		context.Background(),
		train.Hooks{Warn: func(s string) error { told = append(told, s); return nil },
			Epoch: func(e train.Epoch) error {
				if e.Skipped != 1 || math.IsNaN(e.Train.Loss) {
					t.Errorf("epoch %d: %d steps skipped, loss %v", e.Epoch, e.Skipped, e.Train.Loss)
				}
				return nil
			}},
	)
	if err != nil || out.Skipped != 3 || len(told) != 3 || !strings.Contains(told[0], "1 steps were not applied") {
		t.Errorf("error %v, %d steps skipped, told %q", err, out.Skipped, told)
	}
	o.NonFinite = "stop"
	stop, err := train.New(m, set, o)
	if err != nil {
		t.Fatal(err)
	}
	defer stop.Close()
	if _, err := stop.Fit(context.Background(), train.Hooks{}); !errors.Is(err, train.ErrNonFinite) ||
		!strings.Contains(err.Error(), "x: input: element") {
		t.Errorf("policy stop: %v", err)
	}
}

// TestUnsolved: a solver that misses its tolerance ends a strict run, and is counted and told of in others.
func TestUnsolved(t *testing.T) {
	set := []string{"nodes=20", "rho=2", "solver=fixedpoint", "max_iter=1", "train.epochs=2"}
	for _, model := range []string{"module/nm", "module/deq"} {
		if model == "module/nm" {
			set = append(set, "keep=0.5", "reg=none")
		} else {
			set = set[:5]
		}
		s := prepare(t, configure(t, model, "iris", append(set, "train.strict=true")...))
		_, err := s.Trainer.Fit(context.Background(), train.Hooks{})
		if !errors.Is(err, kernels.ErrNotConverged) || !strings.Contains(err.Error(), "worst residual") {
			t.Errorf("%s, strict: %v", model, err)
		}
		l := &notes{}
		dir := filepath.Join(t.TempDir(), "run")
		r := trained(t, configure(t, model, "iris", set...), TrainOptions{Log: l, Dir: dir})
		if v := r.Extra.Solver; v == nil || v.Failed == 0 || v.Failed > v.Samples || !(v.Worst > 0) {
			t.Errorf("%s: solver %+v", model, v)
		}
		text, err := os.ReadFile(filepath.Join(dir, "log.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []string{"epoch 1: ", "solves did not reach the tolerance", "worst residual",
			"of the validation part"} {
			if !strings.Contains(string(text), w) || !strings.Contains(strings.Join(l.texts, "\n"), w) {
				t.Errorf("%s: %q is neither told nor in log.txt:\n%s", model, w, text)
			}
		}
		if told := strings.Join(l.texts, "\n"); !strings.Contains(told, "at the end, test part") {
			t.Errorf("%s: nothing is told of the test part: %s", model, told)
		}
	}
}

// TestPatience: a run that stopped early says why, and one that is resumed stays stopped.
func TestPatience(t *testing.T) {
	c := configure(
		t,
		"module/mlp",
		"iris",
		"hidden=30",
		"train.lr=1",
		"train.schedule=constant",
		"train.patience=2",
		"train.epochs=40",
	)
	dir := filepath.Join(t.TempDir(), "run")
	r := trained(t, c, TrainOptions{Dir: dir})
	if r.Extra.Stopped == "" || r.Epochs >= 40 || r.Epochs != r.Extra.BestEpoch+2 {
		t.Fatalf("stopped %q after %d epochs, best %d", r.Extra.Stopped, r.Epochs, r.Extra.BestEpoch)
	}
	again := trained(t, c, TrainOptions{Dir: dir, Resume: true})
	if again.Epochs != r.Epochs || again.Extra.Stopped != r.Extra.Stopped || again.Metric != r.Metric ||
		again.Loss != r.Loss {
		t.Errorf("resumed: %+v\nbefore: %+v", again, r)
	}
}
