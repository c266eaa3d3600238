package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// run executes a program once and returns an output.
func run(t testing.TB, p *engine.Program, feeds engine.Feeds, name string) kernels.Tensor {
	t.Helper()
	if err := p.Run(context.Background(), feeds); err != nil {
		t.Fatal(err)
	}
	v, err := p.Value(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A step of training gives the same bits for any number of workers and, on one path, in every run.
func TestWorkersGiveTheSameBits(t *testing.T) {
	for _, d := range []kernels.DType{kernels.Float32, kernels.Float64} {
		var want []byte
		for _, workers := range []int{1, 2, 3, 4} {
			p := compile(t, mlp(t, d, 100, true), engine.Options{Seed: 5, Workers: workers})
			feeds := mlpFeeds(t, p, d, 100)
			for range 5 {
				run(t, p, feeds, "loss")
			}
			got := bytes.Clone(p.Store().Params().Memory())
			if workers == 1 {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%v: %d workers give other parameters than 1", d, workers)
			}
		}
	}
}

func TestPathsAgree(t *testing.T) {
	var want kernels.Tensor
	for _, path := range cpu.Paths() {
		p := compile(t, mlp(t, kernels.Float64, 20, true), engine.Options{Seed: 5, Path: &path})
		feeds := mlpFeeds(t, p, kernels.Float64, 20)
		for range 3 {
			run(t, p, feeds, "loss")
		}
		got := p.Store().Params().Clone()
		if path == cpu.Go {
			want = got
		}
		if msg := differ(got, want, 1e-12); msg != "" {
			t.Errorf("%v: %s", path, msg)
		}
		if s := p.Explain().Steps; !strings.Contains(fmt.Sprint(s), "cpu/"+path.String()) {
			t.Errorf("Explain does not name the path %v", path)
		}
	}
}

func TestSteadyRunAllocatesNothing(t *testing.T) {
	for _, workers := range []int{1, 2} {
		p := compile(t, mlp(t, kernels.Float32, 64, true), engine.Options{Workers: workers})
		full, rest := mlpFeeds(t, p, kernels.Float32, 64), mlpFeeds(t, p, kernels.Float32, 10)
		run(t, p, rest, "loss")
		if n := testing.AllocsPerRun(20, func() {
			if p.Run(context.Background(), full) != nil || p.Run(context.Background(), rest) != nil {
				t.Error("run failed")
			}
			if _, err := p.Value("loss"); err != nil {
				t.Error(err)
			}
			p.Reports()
		}); n > 0 {
			t.Errorf("%d workers: %v allocations in two runs of different sizes", workers, n)
		}
	}
}

// Other sizes of batch give what a program compiled for them gives.
func TestOtherSizes(t *testing.T) {
	p := compile(t, mlp(t, kernels.Float64, 8, false), engine.Options{Seed: 3})
	for _, batch := range []int{8, 1, 100, 3, 8, 0, 64, 100} {
		q := compile(t, mlp(t, kernels.Float64, batch, false), engine.Options{Seed: 3})
		for _, name := range []string{"logits", "grad/l1/w"} {
			p.Poison()
			got := run(t, p, mlpFeeds(t, p, kernels.Float64, batch), name)
			want := run(t, q, mlpFeeds(t, q, kernels.Float64, batch), name)
			if msg := differ(got, want, 0); msg != "" && batch > 0 {
				t.Errorf("batch %d: %s: %s", batch, name, msg)
			}
			if !got.Spec.Equal(want.Spec) {
				t.Errorf("batch %d: %s is %v, want %v", batch, name, got.Spec, want.Spec)
			}
		}
	}
	for batch := 1; batch < 60; batch++ {
		run(t, p, mlpFeeds(t, p, kernels.Float64, batch), "loss")
	}
	if n := p.Cached(); n > 16 {
		t.Errorf("%d plans are kept", n)
	}
}

// When the arena grows, no plan keeps the old one.
func TestOldArenaIsReleased(t *testing.T) {
	p := compile(t, mlp(t, kernels.Float64, 8, false), engine.Options{Seed: 3})
	for batch := 8; batch < 13; batch++ {
		run(t, p, mlpFeeds(t, p, kernels.Float64, 500*batch), "loss")
		if n := p.Bound(); n != 1 {
			t.Fatalf("%d plans hold on to an arena that has been replaced", n-1)
		}
	}
}

// A plan that is used again and again stays when many others come and go.
func TestUsedPlansAreKept(t *testing.T) {
	p := compile(t, mlp(t, kernels.Float64, 8, false), engine.Options{Seed: 3})
	run(t, p, mlpFeeds(t, p, kernels.Float64, 8), "loss")
	want := p.Plan()
	for batch := 9; batch < 60; batch++ {
		run(t, p, mlpFeeds(t, p, kernels.Float64, batch), "loss")
		run(t, p, mlpFeeds(t, p, kernels.Float64, 8), "loss")
		if p.Plan() != want {
			t.Fatalf("planned again for batches of 8 after one of %d", batch)
		}
	}
}

// An MLP of gorgonia's own ops follows other sizes too: what its broadcasts and means know of sizes is read from the
// shapes.
func TestOtherSizesOfForeignGraph(t *testing.T) {
	p := compile(t, foreignMLP(t, kernels.Float64, 6), engine.Options{Seed: 3})
	for _, batch := range []int{2, 1, 20} {
		q := compile(t, foreignMLP(t, kernels.Float64, batch), engine.Options{Seed: 3})
		for _, name := range []string{"loss", "grad0", "grad3"} {
			get := func(p *engine.Program) kernels.Tensor {
				var feeds engine.Feeds
				for in, v := range foreignFeeds(kernels.Float64, batch) {
					feeds = append(feeds, engine.Feed{Slot: slotOf(t, p, in), Tensor: v})
				}
				return run(t, p, feeds, name)
			}
			if msg := differ(get(p), get(q), 1e-14); msg != "" {
				t.Errorf("batch %d: %s: %s", batch, name, msg)
			}
		}
	}
}

func feedGraph(t *testing.T) *engine.Graph {
	t.Helper()
	g, err := engine.Build("feeds", kernels.Float64, func(s *engine.Scope) {
		x, y := s.Input("x", kernels.S(kernels.Float64, 2, 3)), s.Input("y", kernels.S(kernels.Float64, 3))
		s.Input("unused", kernels.S(kernels.Int32, 3))
		flat := s.In("flat").Apply(dense.Reshape{To: dense.ShapeOf(6)}, x)
		s.Output("flat", flat)
		s.Output("sum", add(s.In("bias"), x, y))
		w := s.Param("w", nil, 3)
		s.Update(w, s.Apply(dense.Scale{Alpha: 2}, y))
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestFeedErrors(t *testing.T) {
	p := compile(t, feedGraph(t), engine.Options{})
	x, y := slotOf(t, p, "x"), slotOf(t, p, "y")
	good := func(s engine.Slot, shape ...int) engine.Feed {
		return engine.Feed{Slot: s, Tensor: kernels.New(kernels.S(kernels.Float64, shape...))}
	}
	short := good(x, 2, 3)
	short.Tensor.F64 = short.Tensor.F64[:4]
	for _, c := range []struct {
		want  string
		feeds engine.Feeds
	}{
		{"feed y: missing; it is float64(3)", engine.Feeds{good(x, 2, 3)}},
		{"feed x: fed twice", engine.Feeds{good(x, 2, 3), good(x, 2, 3)}},
		{"feed 9: no such slot", engine.Feeds{good(9, 2, 3)}},
		{"feed -1: no such slot", engine.Feeds{good(-1, 2, 3)}},
		{"feed x: want float64(2 3) (sizes may differ), got float64(6) with 6 elements", engine.Feeds{good(x, 6)}},
		{"feed x: want float64(2 3) (sizes may differ), got float32(2 3)",
			engine.Feeds{{Slot: x, Tensor: kernels.New(kernels.S(kernels.Float32, 2, 3))}}},
		{"got float64(2 3) with 4 elements", engine.Feeds{short}},
		{"flat: dense.Reshape[float64(4 3)]: 12 elements do not fill the shape [6]",
			engine.Feeds{good(x, 4, 3), good(y, 3)}},
		{"bias: dense.Binary[float64(3 2), float64(3)]: shapes do not broadcast",
			engine.Feeds{good(x, 3, 2), good(y, 3)}},
		{"state w: shape: has float64(3), its next value has", engine.Feeds{good(x, 6, 1), good(y, 1)}},
	} {
		err := p.Run(context.Background(), c.feeds)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
	run(t, p, engine.Feeds{good(y, 3), good(x, 2, 3)}, "sum")
	if _, err := p.Slot("unused"); !errors.Is(err, engine.ErrUnused) {
		t.Errorf("unused: %v", err)
	}
	if _, err := p.Slot("z"); err == nil || !strings.Contains(err.Error(), `no input "z"; it has ["x" "y" "unused"]`) {
		t.Errorf("z: %v", err)
	}
	if _, err := p.Value("z"); err == nil || !strings.Contains(err.Error(), `no output "z"`) {
		t.Errorf("z: %v", err)
	}
	store, err := p.Store().Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	feeds := engine.Feeds{good(x, 2, 3), {Slot: y, Tensor: store}}
	if err := p.Run(context.Background(), feeds); err == nil || !strings.Contains(err.Error(), "memory of the store") {
		t.Errorf("feeding the store: %v", err)
	}
}

func TestValueBeforeRun(t *testing.T) {
	p := compile(t, feedGraph(t), engine.Options{})
	if _, err := p.Value("sum"); err == nil || !strings.Contains(err.Error(), "has not been run") {
		t.Errorf("value: %v", err)
	}
}

// A cancelled context stops a run before anything is written to a state.
func TestCancel(t *testing.T) {
	p := compile(t, mlp(t, kernels.Float64, 8, true), engine.Options{Seed: 3})
	feeds := mlpFeeds(t, p, kernels.Float64, 8)
	before := p.Store().Params().Clone()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Run(ctx, feeds); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for n := range 40 {
		err := p.Run(&countdown{Context: context.Background(), left: n}, feeds)
		after := p.Store().Params()
		changed := !bytes.Equal(before.Memory(), after.Memory())
		if (err == nil) != changed {
			t.Fatalf("after %d looks at the context: error %v, parameters changed: %v", n, err, changed)
		}
		if err == nil {
			return
		}
	}
	t.Error("the run never ended")
}

// countdown is cancelled after a number of looks at it.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// stubborn is an iterative op whose iteration ends as the first element of its input says.
type stubborn struct{}

func (stubborn) Infer(in []kernels.Spec) (kernels.Spec, error) { return in[0], nil }
func (stubborn) Ref(out kernels.Tensor, in []kernels.Tensor)   { in[0].CopyTo(out) }
func (stubborn) CPU(c *kernels.Call) {
	c.In[0].CopyTo(c.Out)
	c.Report.Samples = len(c.In[0].F64)
	c.Report.Iterations = 7
	if c.In[0].F64[0] > 0 {
		c.Report.Status, c.Report.Failed, c.Report.Worst = kernels.NotConverged, 1, 0.25
	}
}

func TestReportsAndStrict(t *testing.T) {
	g, err := engine.Build("iterative", kernels.Float64, func(s *engine.Scope) {
		x := s.Input("x", vec(2))
		s.Output("y", s.In("solver").Apply(stubborn{}, s.Apply(dense.Unary{F: act.Neg}, x)))
	})
	if err != nil {
		t.Fatal(err)
	}
	bad, good := kernels.FromSlice([]float64{-1, 2}, 2), kernels.FromSlice([]float64{1, 2}, 2)
	p := compile(t, g, engine.Options{})
	run(t, p, engine.Feeds{{Slot: 0, Tensor: bad}}, "y")
	r := p.Reports()
	if len(r) != 1 || r[0].Op != "engine_test.stubborn" || r[0].Path != "solver" ||
		r[0].Report.Status != kernels.NotConverged {
		t.Errorf("reports %+v", r)
	}
	run(t, p, engine.Feeds{{Slot: 0, Tensor: good}}, "y")
	if r := p.Reports(); len(r) != 1 || r[0].Report.Failed != 0 {
		t.Errorf("the report of the run before is left: %+v", r)
	}
	p = compile(t, g, engine.Options{Strict: true})
	err = p.Run(context.Background(), engine.Feeds{{Slot: 0, Tensor: bad}})
	want := "solver: engine_test.stubborn: not converged: not converged: 1 of 2 problems missed the tolerance after " +
		"up to 7 iterations, worst residual 0.25"
	if !errors.Is(err, kernels.ErrNotConverged) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
	run(t, p, engine.Feeds{{Slot: 0, Tensor: good}}, "y")
}

func TestStrictWantsKernels(t *testing.T) {
	g, err := engine.Build("plain", kernels.Float64, func(s *engine.Scope) {
		s.Output("y", s.In("deep").Apply(plain{}, s.Input("x", vec(2))))
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = engine.Compile(g, engine.Options{Strict: true})
	if !errors.Is(err, kernels.ErrNoKernel) || !strings.Contains(err.Error(),
		"deep: engine_test.plain: no kernel: strict") {
		t.Errorf("got %v", err)
	}
	p := compile(t, g, engine.Options{})
	if f := p.Explain().Fallbacks(); len(f) != 1 || !strings.Contains(f[0], "deep: engine_test.plain: no CPU kernel") {
		t.Errorf("fallbacks %q", f)
	}
}

func TestDiagnose(t *testing.T) {
	g, err := engine.Build("diagnose", kernels.Float64, func(s *engine.Scope) {
		x, w := s.Input("x", vec(3)), s.Param("w", nil, 3)
		y := s.In("root").Apply(dense.Unary{F: act.Sqrt}, add(s, x, w))
		s.Output("y", add(s, y, x))
		s.Update(w, s.Apply(dense.Scale{Alpha: 1, Beta: 1}, w))
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{})
	diagnose := func(v ...float64) string {
		t.Helper()
		before := p.Store().Params().Clone()
		f, err := p.Diagnose(context.Background(), engine.Feeds{{Slot: 0, Tensor: kernels.FromSlice(v, len(v))}})
		if err != nil {
			t.Fatal(err)
		}
		if msg := differ(p.Store().Params(), before, 0); msg != "" {
			t.Errorf("the parameters have changed: %s", msg)
		}
		if f == nil {
			return ""
		}
		return f.String()
	}
	if got := diagnose(1, 2, 3); got != "" {
		t.Errorf("finite: %s", got)
	}
	if got := diagnose(1, -2, 3); got != "root: dense.Unary[float64(3)]: element 1 of float64(3) is NaN" {
		t.Errorf("negative root: %s", got)
	}
	if got := diagnose(1, 2, math.Inf(1)); got != "x: input: element 2 of float64(3) is +Inf" {
		t.Errorf("infinite input: %s", got)
	}
	p.Store().Params().F64[0] = math.NaN()
	f, err := p.Diagnose(context.Background(), engine.Feeds{{Slot: 0, Tensor: kernels.New(vec(3))}})
	if err != nil || f == nil || f.String() != "w: parameter: element 0 of float64(3) is NaN" {
		t.Errorf("bad parameter: %v, %v", f, err)
	}
	if _, err := p.Diagnose(context.Background(), nil); !errors.Is(err, engine.ErrFeed) {
		t.Errorf("no feeds: %v", err)
	}
}

func TestRead(t *testing.T) {
	var x, mid, out, dead *engine.Node
	g, err := engine.Build("read", kernels.Float64, func(s *engine.Scope) {
		x = s.Input("x", vec(2))
		mid = s.Apply(dense.Unary{F: act.Neg}, x)
		dead = s.Apply(dense.Unary{F: act.Exp}, x)
		out = s.Apply(dense.Unary{F: act.Abs}, mid)
		s.Output("out", out)
	})
	if err != nil {
		t.Fatal(err)
	}
	feeds := engine.Feeds{{Slot: 0, Tensor: kernels.FromSlice([]float64{1, 2}, 2)}}
	p := compile(t, g, engine.Options{KeepAll: true})
	if _, err := p.Read(mid); err == nil || !strings.Contains(err.Error(), "has not been run") {
		t.Errorf("before a run: %v", err)
	}
	run(t, p, feeds, "out")
	for n, want := range map[*engine.Node]float64{x: 2, mid: -2, out: 2} {
		if v, err := p.Read(n); err != nil || v.F64[1] != want {
			t.Errorf("read %v %v, want %v", v.F64, err, want)
		}
	}
	if _, err := p.Read(dead); err == nil || !strings.Contains(err.Error(), "does not compute") {
		t.Errorf("dead node: %v", err)
	}
	p = compile(t, g, engine.Options{})
	run(t, p, feeds, "out")
	if _, err := p.Read(mid); err == nil || !strings.Contains(err.Error(), "compile with KeepAll") {
		t.Errorf("without KeepAll: %v", err)
	}
	if v, err := p.Read(x); err != nil || v.F64[1] != 2 {
		t.Errorf("input: %v %v", v, err)
	}
}

func TestSharedPool(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	p := compile(t, feedGraph(t), engine.Options{Pool: pool})
	p.Close()
	ran := 0
	pool.Run(1, func(int, int) { ran++ })
	if ran != 1 {
		t.Error("closing a program closed the pool that it was given")
	}
	if _, err := engine.Compile(feedGraph(t), engine.Options{Workers: -1}); err == nil {
		t.Error("-1 workers are accepted")
	}
}
