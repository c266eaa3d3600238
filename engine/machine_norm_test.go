package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
	"ganglion/kernels"
)

// normed is a batch normalisation of x, its op, and the gradient of a cost.
func normed(d tensor.Dtype, shape ...int) (*example, *gorgonia.BatchNormOp, error) {
	g, s := gorgonia.NewGraph(), new(steps)
	x, scale, shift := in(g, d, "x", 1, 2, shape...), in(g, d, "scale", 2, 1, shape...), in(g, d, "shift", 3, 1,
		shape...)
	e := &example{g: g, learn: gorgonia.Nodes{x, scale, shift}}
	y, _, _, op, err := gorgonia.BatchNorm(x, scale, shift, 0.3, 1e-3)
	cost := s.mean(s.do(gorgonia.Tanh, s.ok(y, err)))
	e.read(y)
	e.read(cost)
	s.grad(cost, e.learn...)
	return e, op, s.err
}

// stats reads the running mean and variance of an op.
func stats(t *testing.T, op *gorgonia.BatchNormOp) record {
	t.Helper()
	mean, variance := op.Stats()
	return record{"running mean and variance", append(flat(t, mean), flat(t, variance)...)}
}

// Batch normalisation runs in kernels of ours and gives gorgonia's values, gradients and running statistics: while it
// trains, when it is switched to evaluation and back between runs of one machine, and with statistics that were set.
func TestMachineBatchNorm(t *testing.T) {
	for _, d := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		for _, shape := range [][]int{{6, 3}, {4, 2, 3, 5}, {5, 2, 1, 1}, {1, 2, 2, 2}, {3, 2, 4}} {
			t.Run(fmt.Sprint(d, shape), func(t *testing.T) {
				var records [2][]record
				for i := range records {
					e, op, err := normed(d, shape...)
					if err != nil {
						t.Fatal(err)
					}
					e.feed = switching(t, op, d, shape[1])
					e.then = func(gorgonia.VM) error {
						records[i] = append(records[i], stats(t, op))
						return nil
					}
					m := machine(e, i == 1)
					if m, ok := m.(*engine.Machine); ok {
						if f := m.Explain().Fallbacks(); len(f) != 0 {
							t.Errorf("fallbacks %q", f)
						}
					}
					records[i] = append(records[i], train(t, e, m, gorgonia.NewVanillaSolver(), 7)...)
				}
				same(t, records[1], records[0], tolerance(kernels.DTypeOf(d)))
			})
		}
	}
}

// switching changes the mode and the statistics of an op between the steps of a run.
func switching(t *testing.T, op *gorgonia.BatchNormOp, d tensor.Dtype, channels int) func(step int) error {
	return func(step int) error {
		switch step {
		case 2, 5:
			return op.SetTraining(false)
		case 3:
			mean := val(d, 9, 1, channels).(*tensor.Dense)
			variance, err := tensor.Square(val(d, 8, 1, channels).(*tensor.Dense))
			if err != nil {
				t.Fatal(err)
			}
			return op.SetStats(mean, variance)
		case 4:
			return op.SetTraining(true) // which forgets the statistics
		}
		return nil
	}
}

// A run that fails leaves the running statistics alone, and so does looking for the op that gave the first value that
// is not finite, which runs the graph again.
func TestMachineBatchNormKeepsStatistics(t *testing.T) {
	e, op, err := normed(tensor.Float64, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	m := engine.NewMachine(e.g, engine.WithNonFiniteWatch())
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	before := stats(t, op)
	x := e.learn[0].Value().Data().([]float64)
	v := x[3]
	x[3] = 1e200 // whose square is infinite
	if err := m.RunAll(); err == nil || !strings.Contains(err.Error(), "Moments") {
		t.Errorf("got %v", err)
	}
	same(t, []record{stats(t, op)}, []record{before}, 0)
	x[3] = v
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	for i, now := range stats(t, op).at {
		if now == before.at[i] {
			t.Errorf("number %d stays %v", i, now)
		}
	}
}

// One op at two nodes has one state: it runs through its own Do.
func TestMachineBatchNormTwice(t *testing.T) {
	build := func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		a, b := in(g, d, "a", 1, 1, 4, 3), in(g, d, "b", 2, 1, 4, 3)
		_, _, _, op, err := gorgonia.BatchNorm(a, b, b, 0.5, 0.1)
		e := &example{g: g}
		s.ok(nil, err)
		if s.err == nil {
			e.read(s.ok(gorgonia.ApplyOp(op, s.ok(gorgonia.Add(a, b)))))
		}
		return e, s.err
	}
	conform(t, build, nil, 2)
	e, err := build(tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	m := engine.NewMachine(e.g)
	defer m.Close()
	if f := m.Explain().Fallbacks(); len(f) != 2 || !strings.Contains(f[0], "BatchNormOp") {
		t.Errorf("fallbacks %q", f)
	}
}

// The projection on the simplex and its gradient run in kernels of ours. A row of one support has a gradient of 0.
func TestMachineSparsemax(t *testing.T) {
	build := func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		x, w := in(g, d, "x", 1, 1, 6, 9), in(g, d, "w", 2, 1, 6, 9)
		e := &example{g: g, learn: gorgonia.Nodes{x}}
		y := s.ok(gorgonia.Sparsemax(x))
		e.read(y)
		cost := s.ok(gorgonia.Sum(s.had(y, w)))
		e.read(s.ok(gorgonia.Sparsemax(in(g, d, "v", 3, 1, 7))))
		s.grad(cost, x)
		return e, s.err
	}
	conform(t, build, nil, 1)
	e, err := build(tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	m := engine.NewMachine(e.g)
	defer m.Close()
	if f := m.Explain().Fallbacks(); len(f) != 0 {
		t.Errorf("fallbacks %q", f)
	}
}

// Dropout in training, and random nodes, draw from generators of gorgonia's that the clock sets: they run through
// their own Do and the explanation says why. The gradient of dropout is a kernel's, that of evaluation included.
func TestMachineRandomOpsExplain(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := in(g, tensor.Float64, "x", 1, 1, 30)
	y := s.ok(gorgonia.Dropout(x, 0.25))
	// Of one shape they would be one node: gorgonia merges random nodes.
	u := gorgonia.UniformRandomNode(g, tensor.Float64, 2, 3, 30)
	n := gorgonia.GaussianRandomNode(g, tensor.Float64, 50, 0.1, 31)
	b := gorgonia.BinomialRandomNode(g, tensor.Float64, 4, 0.5, 32)
	cost := s.ok(gorgonia.Sum(s.had(y, u)))
	e := &example{g: g}
	e.read(n)
	e.read(b)
	s.grad(cost, x)
	if s.err != nil {
		t.Fatal(s.err)
	}
	m := engine.NewMachine(g, engine.Keep(u, n, b))
	defer m.Close()
	f := m.Explain().Fallbacks()
	for _, text := range f {
		if !strings.Contains(text, "set by the clock") {
			t.Errorf("fallback %q", text)
		}
	}
	if len(f) != 4 {
		t.Errorf("fallbacks %q", f)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	limits := [][2]float64{{2, 3}, {49, 51}, {0, 4}}
	for i, node := range []*gorgonia.Node{u, n, b} {
		v := flat(t, node.Value())
		different := false
		for _, e := range v {
			different = different || e != v[0]
			if e < limits[i][0] || e > limits[i][1] {
				t.Errorf("random node %d: %v", i, e)
			}
		}
		if !different || len(v) != 30+i {
			t.Errorf("random node %d: %v", i, v)
		}
	}
}
