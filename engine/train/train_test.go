package train

import (
	"math"
	"strings"
	"testing"

	"ganglion/kernels"
)

func TestRate(t *testing.T) {
	for _, c := range []struct {
		schedule       string
		t, warm, total int
		want           float64
	}{
		{"constant", 0, 0, 10, 2}, {"constant", 9, 0, 10, 2}, {"constant", 0, 4, 10, 0.5}, {"constant", 3, 4, 10, 2},
		{"cosine", 0, 0, 10, 2}, {"cosine", 5, 0, 10, 1}, {"cosine", 10, 0, 10, 0}, {"cosine", 99, 0, 10, 0},
		{"cosine", 4, 4, 12, 2},
		{"cosine", 8, 4, 12, 1}, {"linear", 5, 0, 10, 1}, {"linear", 10, 0, 10, 0}, {"linear", 1, 2, 12, 2},
		{"linear", 7, 2, 12, 1},
		{"step", 4, 0, 10, 2}, {"step", 5, 0, 10, 0.2}, {"step", 7, 0, 10, 0.2}, {"step", 8, 0, 10, 0.02},
		{"cosine", 3, 5, 4, 1.6}, {"cosine", 6, 5, 5, 2},
	} {
		if got := Rate(c.schedule, 2, c.t, c.warm, c.total); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s at step %d, warm-up %d of %d: %v, wanted %v", c.schedule, c.t, c.warm, c.total, got, c.want)
		}
	}
}

func TestOptions(t *testing.T) {
	if err := Defaults().Check(); err != nil {
		t.Error(err)
	}
	if o := Defaults(); o.Seed != 1 || o.Epochs != 30 || o.LR != 0.003 || o.Threads != 0 {
		t.Errorf("defaults %+v", o)
	}
	for name, spoil := range map[string]func(*Options){
		"epochs": func(o *Options) { o.Epochs = 0 }, "batch": func(o *Options) { o.Batch = -1 },
		"lr":       func(o *Options) { o.LR = math.NaN() },
		"momentum": func(o *Options) { o.Momentum = 1 }, "weight_decay": func(o *Options) { o.Decay = math.NaN() },
		"clip": func(o *Options) { o.Clip = math.Inf(1) }, "warmup": func(o *Options) { o.Warmup = math.MaxInt },
		"patience": func(o *Options) { o.Patience = -1 }, "save_steps": func(o *Options) { o.Save = -1 },
		"keep_checkpoints": func(o *Options) { o.Keep = 0 }, "threads": func(o *Options) { o.Threads = -1 },
		"optimiser": func(o *Options) { o.Optimiser = "adamm" }, "schedule": func(o *Options) { o.Schedule = "" },
		"non_finite": func(o *Options) { o.NonFinite = "go" }, "dtype": func(o *Options) { o.DType = "f16" },
	} {
		o := Defaults()
		spoil(&o)
		if err := o.Check(); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBatch: rows, labels and targets of both float types land where they belong.
func TestBatch(t *testing.T) {
	rows := []int32{3, 0, 2}
	for _, d := range []kernels.DType{kernels.Float32, kernels.Float64} {
		for _, kind := range []Kind{Classify, Regress} {
			task := Task{Kind: kind, Inputs: 2, Outputs: 2}
			p := Part{X: kernels.New(kernels.S(d, 4, 2))}
			fillCount(p.X)
			if kind == Classify {
				p.Labels = []int32{1, 0, 1, 0}
			} else {
				p.Y = p.X.Clone()
			}
			if err := p.check("test", task, d); err != nil {
				t.Fatal(err)
			}
			b := newBatch(task, d, len(rows))
			b.fill(p, rows)
			want := []float64{6, 7, 0, 1, 4, 5}
			for i, v := range kernels.Convert(b.x, kernels.Float64).F64 {
				if v != want[i] {
					t.Fatalf("%v: features %v, wanted %v", d, b.x, want)
				}
			}
			y := kernels.Convert(b.y, kernels.Float64).F64
			if kind == Classify {
				want = []float64{0, 1, 1}
			}
			for i, v := range y {
				if v != want[i] || len(y) != len(want) || b.row.I32[i%3] != rows[i%3] {
					t.Fatalf("%v: targets %v, wanted %v", d, y, want)
				}
			}
		}
	}
}

func fillCount(t kernels.Tensor) {
	for i := range t.F32 {
		t.F32[i] = float32(i)
	}
	for i := range t.F64 {
		t.F64[i] = float64(i)
	}
}

func TestPartCheck(t *testing.T) {
	x := kernels.New(kernels.S(kernels.Float32, 2, 3))
	task := Task{Inputs: 3, Outputs: 2}
	for name, c := range map[string]struct {
		p    Part
		task Task
		want string
	}{
		"empty": {Part{}, task, "empty"},
		"type": {Part{X: kernels.New(kernels.S(kernels.Float64, 2, 3)), Labels: []int32{0, 1}},
			task, "features"},
		"width":    {Part{X: x, Labels: []int32{0, 1}}, Task{Inputs: 4, Outputs: 2}, "features"},
		"labels":   {Part{X: x, Labels: []int32{0}}, task, "1 labels for 2 samples"},
		"label":    {Part{X: x, Labels: []int32{0, 2}}, task, "sample 1 has label 2, there are 2 classes"},
		"negative": {Part{X: x, Labels: []int32{0, -1}}, task, "label -1"},
		"targets":  {Part{X: x}, Task{Kind: Regress, Inputs: 3, Outputs: 1}, "targets"},
		"no such width": {Part{X: x, Y: kernels.New(kernels.S(kernels.Float32, 2, 2))},
			Task{Kind: Regress, Inputs: 3, Outputs: 1}, "targets"},
	} {
		if err := c.p.check("test", c.task, kernels.Float32); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJudge and the sums of an epoch agree with numbers worked out by hand.
func TestJudge(t *testing.T) {
	set := Set{Task: Task{Outputs: 2}}
	j, err := newJudge(set)
	if err != nil {
		t.Fatal(err)
	}
	out := []float64{2, 0, 0, 1, 1, 1}
	labels := []int32{0, 0, 0}
	if err := addBatch(j, out, nil, labels, 0, 3); err != nil {
		t.Fatal(err)
	}
	s, err := j.scores()
	loss := (math.Log1p(math.Exp(-2)) + math.Log1p(math.E) + math.Ln2) / 3
	if err != nil || math.Abs(s.Metric-2.0/3) > 1e-12 || math.Abs(s.Loss-loss) > 1e-12 {
		t.Errorf("scores %+v, %v, wanted loss %v", s, err, loss)
	}
	if n := countHits(out, 2, labels, []int32{0, 1, 2}); n != 2 {
		t.Errorf("%d hits, wanted 2: the first of equals counts", n)
	}
	set = Set{Task: Task{Kind: Regress, Outputs: 2}, Scale: []float64{10, 1}}
	if j, err = newJudge(set); err != nil {
		t.Fatal(err)
	}
	pred, truth := []float64{1, 0, 2, 3}, []float64{0, 0, 2, 1}
	if err := addBatch(j, pred, truth, nil, 0, 2); err != nil {
		t.Fatal(err)
	}
	if s, err = j.scores(); err != nil || math.Abs(s.Loss-5.0/4) > 1e-12 ||
		math.Abs(s.Metric-math.Sqrt(104.0/4)) > 1e-12 ||
		math.Abs(s.MAE-12.0/4) > 1e-12 {
		t.Errorf("scores %+v, %v", s, err)
	}
	if q := sumSquares(pred, truth, 2, []int32{0, 1}, set.Scale); q != 52 {
		t.Errorf("Σ of mean squared errors %v, wanted 52", q)
	}
}

func TestSolverSums(t *testing.T) {
	var a, b, whole Solver
	one := &kernels.Report{Samples: 3, Failed: 1, Worst: 0.5, Iterations: 7, Total: 12}
	two := &kernels.Report{Samples: 1, Worst: math.NaN(), Iterations: 2, Total: 2}
	a.add(one)
	a.add(&kernels.Report{})
	b.add(two)
	whole.merge(a)
	whole.merge(b)
	if whole.Samples != 4 || whole.Failed != 1 || !math.IsNaN(whole.Worst) || whole.Iterations != 3.5 ||
		whole.Longest != 7 {
		t.Errorf("sums %+v", whole)
	}
	if text := whole.Trouble(); !strings.Contains(text, "1 of 4 solves") || (Solver{Samples: 3}).Trouble() != "" {
		t.Errorf("trouble %q", text)
	}
	nan := math.NaN()
	if !better(1, 2) || better(2, 1) || better(1, 1) || !better(1, nan) || better(nan, 1) || better(nan, nan) {
		t.Error("better is wrong")
	}
}
