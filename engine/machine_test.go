package engine_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
)

// wantError checks that an error is of the machine's kind and says what it should.
func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want an error with %q", err, text)
	}
}

func TestMachineErrors(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("pixels"))
	y := s.do(gorgonia.Log, x)
	m := engine.NewMachine(g, engine.WithNonFiniteWatch())
	err := m.RunAll()
	wantError(t, err, "input pixels float64(2 3) has no value: bind one with Let")
	if !errors.Is(err, engine.ErrMachine) {
		t.Errorf("%v is not of the machine's kind", err)
	}
	if y.Value() != nil {
		t.Error("a run that failed left a value")
	}
	wantError(t, m.Set(x, y), "has no value")
	if err := m.Let(x, val(tensor.Float64, 1, 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	wantError(t, m.RunAll(), "is NaN")
	other := gorgonia.NewScalar(gorgonia.NewGraph(), tensor.Float64, gorgonia.WithName("other"))
	wantError(t, m.Let(other, 1.0), "is no node of this graph")
	wantError(t, m.Set(other, x), "is no node of this graph")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	wantError(t, m.RunAll(), "run after Close")
}

// A graph that cannot be run is an error of every run, never a panic.
func TestMachineRefuses(t *testing.T) {
	small := func(d tensor.Dtype) *gorgonia.ExprGraph {
		g := gorgonia.NewGraph()
		x := gorgonia.NewVector(g, d, gorgonia.WithShape(3), gorgonia.WithName("x"))
		if _, err := gorgonia.Add(x, x); err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, c := range []struct {
		g    *gorgonia.ExprGraph
		opts []engine.MachineOption
		text string
	}{
		{nil, nil, "no graph"},
		{gorgonia.NewGraph(), nil, "nothing to compute"},
		{small(tensor.Complex64), nil, "input x: dtype: want float32"},
		{small(tensor.Float32), []engine.MachineOption{engine.Keep(gorgonia.NewConstant(1.0))},
			"is no node of this graph"},
		{small(tensor.Float32), []engine.MachineOption{engine.WithOptions(engine.Options{Workers: -1})}, "-1 workers"},
	} {
		m := engine.NewMachine(c.g, c.opts...)
		wantError(t, m.Err(), c.text)
		wantError(t, m.RunAll(), c.text)
		if len(m.Explain().Steps) != 0 || m.Program() != nil || m.Close() != nil {
			t.Error("a machine without a program explains one")
		}
	}
}

// Values of other shapes and types than their nodes are refused by name; the shape may differ in ones.
func TestMachineChecksValues(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(3), gorgonia.WithName("x"))
	y := s.add(x, x)
	m := engine.NewMachine(g)
	defer m.Close()
	for text, v := range map[string]gorgonia.Value{
		"it is float64(3), its value is float64(2)": tensor.New(tensor.WithBacking([]float64{1, 2})),
		"it is float64(3), its value is float32(3)": tensor.New(tensor.WithBacking([]float32{1, 2, 3})),
	} {
		*engine.Bound(x) = v
		wantError(t, m.RunAll(), text)
	}
	*engine.Bound(x) = tensor.New(tensor.WithShape(3, 1), tensor.WithBacking([]float64{1, 2, 3}))
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	if d := distance(flat(t, y.Value()), []float64{2, 4, 6}); d > 0 {
		t.Errorf("%v", y.Value())
	}
}

// What is bound after a run: roots, losses, what is read, derivatives and what is kept; all else has no value.
func TestMachineBinds(t *testing.T) {
	for _, c := range []struct {
		name string
		opts func(inner *gorgonia.Node) []engine.MachineOption
		has  bool
	}{
		{"not kept", func(*gorgonia.Node) []engine.MachineOption { return nil }, false},
		{"kept", func(n *gorgonia.Node) []engine.MachineOption { return []engine.MachineOption{engine.Keep(n)} }, true},
		{"traced", func(*gorgonia.Node) []engine.MachineOption { return []engine.MachineOption{engine.TraceExec()} },
			true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, s := gorgonia.NewGraph(), new(steps)
			x := in(g, tensor.Float64, "x", 1, 1, 4)
			inner := s.do(gorgonia.Exp, x)
			cost := s.ok(gorgonia.Sum(s.do(gorgonia.Square, inner)))
			s.grad(cost, x)
			if s.err != nil {
				t.Fatal(s.err)
			}
			tape := gorgonia.NewTapeMachine(g)
			if err := tape.RunAll(); err != nil {
				t.Fatal(err)
			}
			want := flat(t, x.Deriv().Value())
			m := engine.NewMachine(g, c.opts(inner)...)
			defer m.Close()
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			if (inner.Value() != nil) != c.has {
				t.Errorf("the value of an inner node is %v", inner.Value())
			}
			if c.has && distance(flat(t, inner.Value()), []float64{math.Exp(flat(t, x.Value())[0])}) == 0 {
				t.Error("one number for four")
			}
			if cost.Value() == nil {
				t.Error("the loss has no value")
			}
			grad, err := x.Grad()
			if err != nil {
				t.Fatal(err)
			}
			if d := distance(flat(t, grad), want); d > 1e-12 {
				t.Errorf("gradient %v, want %v", grad, want)
			}
		})
	}
}

// Only computes the nodes it names, and nothing that the rest of the graph would need.
func TestMachineOnly(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := in(g, tensor.Float64, "x", 1, 1, 4)
	missing := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(4), gorgonia.WithName("missing"))
	a, b := s.do(gorgonia.Exp, x), s.do(gorgonia.Exp, missing)
	m := engine.NewMachine(g, engine.Only(a))
	defer m.Close()
	if err := m.RunAll(); err != nil || a.Value() == nil || b.Value() != nil {
		t.Errorf("%v: %v, %v", err, a.Value(), b.Value())
	}
}

// A Read statement fills the value that is there; a Set statement gives an input its next value.
func TestMachineStatements(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := in(g, tensor.Float64, "x", 1, 1, 3)
	y := s.add(x, x)
	n := s.ok(gorgonia.Sum(y))
	var read, number gorgonia.Value
	gorgonia.Read(y, &read)
	gorgonia.Read(n, &number)
	gorgonia.Set(x, y)
	start := flat(t, x.Value())
	m := engine.NewMachine(g)
	defer m.Close()
	var first gorgonia.Value
	for step := range 3 {
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = read
		}
		want, sum := make([]float64, 3), 0.0
		for i, v := range start {
			want[i] = v * math.Pow(2, float64(step+1))
			sum += want[i]
		}
		if read != first || distance(flat(t, read), want) > 1e-14 || distance(flat(t, x.Value()), want) > 1e-14 {
			t.Errorf("step %d: read %v, x %v, want %v", step, read, x.Value(), want)
		}
		if d := distance(flat(t, number), []float64{sum}); d > 1e-14 {
			t.Errorf("sum %v, want %v", number, sum)
		}
	}
}

// Slices that UnsafeLet changes between runs are followed, and so are their gradients.
func TestMachineSlicesMove(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := in(g, tensor.Float64, "x", 1, 1, 6, 2)
	part := s.ok(gorgonia.Slice(x, gorgonia.S(0, 2)))
	cost := s.ok(gorgonia.Sum(s.do(gorgonia.Square, part)))
	var read gorgonia.Value
	gorgonia.Read(part, &read)
	s.grad(cost, x)
	if s.err != nil {
		t.Fatal(s.err)
	}
	m := engine.NewMachine(g)
	defer m.Close()
	all := flat(t, x.Value())
	for _, at := range []int{0, 3, 4, 0} {
		if err := gorgonia.UnsafeLet(part, gorgonia.S(at, at+2)); err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		if d := distance(flat(t, read), all[2*at:2*at+4]); d > 0 {
			t.Errorf("rows from %d: %v", at, read)
		}
		want := make([]float64, 12)
		for i := 2 * at; i < 2*at+4; i++ {
			want[i] = 2 * all[i]
		}
		if d := distance(flat(t, x.Deriv().Value()), want); d > 1e-15 {
			t.Errorf("gradient of rows from %d: %v", at, x.Deriv().Value())
		}
	}
	if f := m.Explain().Fallbacks(); len(f) != 2 {
		t.Errorf("the slice and its gradient run through their own Do; listed are %q", f)
	}
	if err := gorgonia.UnsafeLet(part, gorgonia.S(0, 4)); err != nil {
		t.Fatal(err)
	}
	wantError(t, m.RunAll(), "planned was float64(2 2)")
}

// Integers come from nodes of gorgonia's type int; those that are out of range, of the table or of int32, are errors.
func TestMachineIndices(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := in(g, tensor.Float64, "x", 1, 1, 4, 3)
	idx := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(2), gorgonia.WithName("idx"))
	rows, cols := s.ok(gorgonia.ByIndices(x, idx, 0)), s.ok(gorgonia.ByIndices(x, idx, 1))
	whole := s.ok(gorgonia.ConvType(x, tensor.Float64, tensor.Int))
	m := engine.NewMachine(g, engine.Keep(rows, cols, whole))
	defer m.Close()
	let := func(list ...int) error {
		if err := gorgonia.Let(idx, tensor.New(tensor.WithBacking(list))); err != nil {
			t.Fatal(err)
		}
		return m.RunAll()
	}
	if err := let(2, 1); err != nil {
		t.Fatal(err)
	}
	v := flat(t, x.Value())
	if d := distance(flat(t, rows.Value()), []float64{v[6], v[7], v[8], v[3], v[4], v[5]}); d > 0 {
		t.Errorf("rows %v of %v", rows.Value(), x.Value())
	}
	if d := distance(flat(t, cols.Value()), []float64{v[2], v[1], v[5], v[4], v[8], v[7], v[11], v[10]}); d > 0 {
		t.Errorf("columns %v of %v", cols.Value(), x.Value())
	}
	if got, ok := whole.Value().Data().([]int); !ok || got[0] != int(v[0]) || len(got) != 12 {
		t.Errorf("integers %v of %v", whole.Value(), x.Value())
	}
	wantError(t, let(0, 7), "1 of 2 failed")
	if math.MaxInt > math.MaxInt32 {
		wantError(t, let(0, math.MaxInt), "out of the range of int32")
	}
}

// Truth values come out as gorgonia stores them.
func TestMachineTruthValues(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	a, b := in(g, tensor.Float32, "a", 1, 1, 5), in(g, tensor.Float32, "b", 2, 1, 5)
	less := s.ok(gorgonia.Lt(a, b, false))
	if s.err != nil {
		t.Fatal(s.err)
	}
	m := engine.NewMachine(g)
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	x, y := flat(t, a.Value()), flat(t, b.Value())
	got, ok := less.Value().Data().([]bool)
	if !ok || len(got) != 5 {
		t.Fatalf("%v", less.Value())
	}
	for i := range got {
		if got[i] != (x[i] < y[i]) {
			t.Errorf("%v < %v is %v", x, y, got)
		}
	}
}

// EvalMode switches dropout off; in training the gradient is that of the mask of the same run.
func TestMachineDropout(t *testing.T) {
	for _, eval := range []bool{false, true} {
		g, s := gorgonia.NewGraph(), new(steps)
		x := in(g, tensor.Float64, "x", 1, 1, 200)
		y := s.ok(gorgonia.Dropout(x, 0.5))
		s.grad(s.ok(gorgonia.Sum(y)), x)
		if s.err != nil {
			t.Fatal(s.err)
		}
		opts := []engine.MachineOption{engine.Keep(y)}
		if eval {
			opts = append(opts, engine.EvalMode())
		}
		m := engine.NewMachine(g, opts...)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		v, out, grad := flat(t, x.Value()), flat(t, y.Value()), flat(t, x.Deriv().Value())
		zeros := 0
		for i := range v {
			factor := 2.0
			if eval {
				factor = 1
			}
			if out[i] == 0 {
				factor = 0
				zeros++
			}
			if out[i] != factor*v[i] || !eval && grad[i] != factor {
				t.Fatalf("element %d: %v becomes %v with gradient %v", i, v[i], out[i], grad[i])
			}
		}
		if eval != (zeros == 0) {
			t.Errorf("%d zeros, evaluation %v", zeros, eval)
		}
		m.Close()
	}
}

// A second run of the same graph makes no new tensors.
func TestMachineAllocatesLittle(t *testing.T) {
	e, err := perceptron(tensor.Float32)
	if err != nil {
		t.Fatal(err)
	}
	m := engine.NewMachine(e.g, engine.BindDualValues(e.learn...), engine.WithOptions(engine.Options{Workers: 1}))
	defer m.Close()
	run := func() {
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n > 24 {
		t.Errorf("%v allocations a run, want those of headers of tensors and of numbers only", n)
	}
}
