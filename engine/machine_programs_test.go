package engine_test

import (
	"sync"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
	"ganglion/kernels"
)

func vanilla() gorgonia.Solver {
	return gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.01))
}

// z = x + y, for numbers.
func TestMachineAddsNumbers(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewScalar(g, gorgonia.Float64, gorgonia.WithName("x"))
	y := gorgonia.NewScalar(g, gorgonia.Float64, gorgonia.WithName("y"))
	z := gorgonia.Must(gorgonia.Add(x, y))
	m := engine.NewMachine(g)
	defer m.Close()
	for i := range 3 {
		if err := gorgonia.Let(x, 2.0+float64(i)); err != nil {
			t.Fatal(err)
		}
		if err := gorgonia.Let(y, 2.5); err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		if got := z.Value().Data(); got != 4.5+float64(i) {
			t.Errorf("%v", got)
		}
	}
}

// line is a straight line through points, y = m·x + c with numbers m and c.
func line(d tensor.Dtype) (*example, error) {
	g, s := gorgonia.NewGraph(), new(steps)
	e := &example{g: g}
	x, y := in(g, d, "x", 1, 1, 40), in(g, d, "y", 2, 3, 40)
	m := gorgonia.NewScalar(g, d, gorgonia.WithName("m"), gorgonia.WithValue(val(d, 3, 1)))
	c := gorgonia.NewScalar(g, d, gorgonia.WithName("c"), gorgonia.WithValue(val(d, 4, 1)))
	pred := s.add(s.mul(x, m), c)
	cost := s.mean(s.do(gorgonia.Square, s.ok(gorgonia.Sub(pred, y))))
	e.read(cost)
	e.read(pred)
	e.learn = gorgonia.Nodes{m, c}
	s.grad(cost, m, c)
	return e, s.err
}

func TestMachineLinearRegression(t *testing.T) {
	conform(t, line, vanilla, 20)
}

// lisp is gorgonia's other machine, made anew for every run: a second run of one has no derivatives.
type lisp struct{ g *gorgonia.ExprGraph }

func (l lisp) RunAll() error {
	m := gorgonia.NewLispMachine(l.g)
	defer m.Close()
	return m.RunAll()
}
func (lisp) Reset()       {}
func (lisp) Close() error { return nil }

// The same with the derivatives that gorgonia's other machine makes while it runs.
func TestMachineLinearRegressionAgainstLisp(t *testing.T) {
	for _, d := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		var records [2][]record
		for i := range records {
			g, s := gorgonia.NewGraph(), new(steps)
			x, y := in(g, d, "x", 1, 1, 40, 3), in(g, d, "y", 2, 3, 40)
			w := in(g, d, "w", 3, 1, 3)
			cost := s.mean(s.do(gorgonia.Square, s.ok(gorgonia.Sub(s.mul(x, w), y))))
			e := &example{g: g, learn: gorgonia.Nodes{w}}
			var vm gorgonia.VM
			if i == 0 {
				vm = lisp{g}
			} else {
				s.grad(cost, w)
				vm = engine.NewMachine(g, engine.WithLearnables(e.learn))
			}
			if s.err != nil {
				t.Fatal(s.err)
			}
			records[i] = train(t, e, vm, vanilla(), 10)
		}
		same(t, records[1], records[0], tolerance(kernels.DTypeOf(d)))
	}
}

// All of gorgonia's solvers work on what a machine binds, with accumulated gradients and with plain ones.
func TestMachineSolvers(t *testing.T) {
	for name, s := range map[string]func() gorgonia.Solver{
		"vanilla":  func() gorgonia.Solver { return gorgonia.NewVanillaSolver(gorgonia.WithL2Reg(0.01)) },
		"momentum": func() gorgonia.Solver { return gorgonia.NewMomentum(gorgonia.WithBatchSize(4)) },
		"adam":     func() gorgonia.Solver { return gorgonia.NewAdamSolver(gorgonia.WithClip(0.1)) },
		"rmsprop":  func() gorgonia.Solver { return gorgonia.NewRMSPropSolver() },
		"adagrad":  func() gorgonia.Solver { return gorgonia.NewAdaGradSolver() },
	} {
		t.Run(name, func(t *testing.T) { conform(t, perceptron, s, 6) })
	}
}

// perceptron is a network with a hidden layer of rectifiers, Read statements and a mean of products as its cost.
func perceptron(d tensor.Dtype) (*example, error) {
	g, s := gorgonia.NewGraph(), new(steps)
	e := &example{g: g}
	x := in(g, d, "x", 1, 1, 10, 14)
	y := in(g, d, "y", 2, 1, 10, 5)
	w0, w1 := in(g, d, "w0", 3, 0.3, 14, 12), in(g, d, "w1", 4, 0.3, 12, 5)
	out := s.ok(gorgonia.SoftMax(s.mul(s.do(gorgonia.Rectify, s.mul(x, w0)), w1)))
	e.read(out)
	cost := s.do(gorgonia.Neg, s.mean(s.had(out, y)))
	e.read(cost)
	e.learn = gorgonia.Nodes{w0, w1}
	s.grad(cost, e.learn...)
	e.feed = func(step int) error { return gorgonia.Let(x, val(d, uint64(100+step), 1, 10, 14)) }
	return e, s.err
}

// Gradients accumulate over runs until a solver clears them.
func TestMachineAccumulates(t *testing.T) {
	conform(t, perceptron, nil, 4)
}

// One graph per goroutine.
func TestMachineConcurrentTraining(t *testing.T) {
	e, err := line(tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	want := train(t, e, gorgonia.NewTapeMachine(e.g, gorgonia.BindDualValues(e.learn...)), vanilla(), 15)
	var wg sync.WaitGroup
	records := make([][]record, 4)
	for i := range records {
		e, err := line(tensor.Float64)
		if err != nil {
			t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			records[i] = train(t, e, engine.NewMachine(e.g, engine.BindDualValues(e.learn...)), vanilla(), 15)
		}()
	}
	wg.Wait()
	for _, r := range records {
		same(t, r, want, 1e-10)
	}
}

// functions are programs of a few nodes; each returns what is looked at.
func TestMachineFunctions(t *testing.T) {
	for name, f := range map[string]func(s *steps, g *gorgonia.ExprGraph, d tensor.Dtype) gorgonia.Nodes{
		"broadcast add": func(s *steps, g *gorgonia.ExprGraph, d tensor.Dtype) gorgonia.Nodes {
			a, b := in(g, d, "a", 1, 1, 4), in(g, d, "b", 2, 1, 4, 3)
			c := in(g, d, "c", 3, 1, 2, 3, 4)
			e := in(g, d, "e", 4, 1, 2, 1, 4)
			return gorgonia.Nodes{s.ok(gorgonia.BroadcastAdd(a, b, []byte{1}, nil)),
				s.ok(gorgonia.BroadcastAdd(c, e, nil, []byte{1}))}
		},
		"triangle by comparison": func(s *steps, g *gorgonia.ExprGraph, d tensor.Dtype) gorgonia.Nodes {
			a, b := in(g, d, "a", 1, 1, 4, 1), in(g, d, "b", 1, 1, 1, 4)
			return gorgonia.Nodes{s.ok(gorgonia.BroadcastGte(a, b, true, []byte{1}, []byte{0}))}
		},
		"softmax": func(s *steps, g *gorgonia.ExprGraph, d tensor.Dtype) gorgonia.Nodes {
			a, b := in(g, d, "a", 1, 1, 2, 3, 2), in(g, d, "b", 2, 1, 5)
			return gorgonia.Nodes{s.ok(gorgonia.SoftMax(a)), s.ok(gorgonia.SoftMax(a, 1)), s.ok(gorgonia.SoftMax(b))}
		},
		"concat and unconcat": func(s *steps, g *gorgonia.ExprGraph, d tensor.Dtype) gorgonia.Nodes {
			a, b, c := in(g, d, "a", 1, 1, 2, 2), in(g, d, "b", 2, 1, 2, 3), in(g, d, "c", 3, 1, 2, 1)
			all := s.ok(gorgonia.Concat(1, a, b, c))
			parts, err := gorgonia.Unconcat(all, 1, 3)
			s.ok(nil, err)
			return append(parts, s.ok(gorgonia.Concat(0, all, all)))
		},
		"tensordot": func(s *steps, g *gorgonia.ExprGraph, d tensor.Dtype) gorgonia.Nodes {
			a, b := in(g, d, "a", 1, 1, 2, 3, 4), in(g, d, "b", 2, 1, 4, 3, 5)
			v, w := in(g, d, "v", 3, 1, 6), in(g, d, "w", 4, 1, 6)
			return gorgonia.Nodes{s.ok(gorgonia.Tensordot([]int{2, 1}, []int{0, 1}, a, b)),
				s.ok(gorgonia.Tensordot([]int{0}, []int{0}, v, w)), s.ok(gorgonia.Tensordot([]int{2}, []int{0}, a, b))}
		},
		"identity": func(s *steps, g *gorgonia.ExprGraph, d tensor.Dtype) gorgonia.Nodes {
			a := in(g, d, "a", 1, 1, 3)
			return gorgonia.Nodes{s.ok(gorgonia.ApplyOp(gorgonia.Iop{}, s.do(gorgonia.Exp, a)))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			conform(t, func(d tensor.Dtype) (*example, error) {
				s, e := new(steps), &example{g: gorgonia.NewGraph()}
				for _, n := range f(s, e.g, d) {
					e.read(n)
				}
				return e, s.err
			}, nil, 2)
		})
	}
}

// A product of batches of matrices, and its gradients.
func TestMachineBatchedProduct(t *testing.T) {
	conform(t, func(d tensor.Dtype) (*example, error) {
		g, s := gorgonia.NewGraph(), new(steps)
		a, b := in(g, d, "a", 1, 1, 3, 2, 4), in(g, d, "b", 2, 1, 3, 4, 2)
		c := s.ok(gorgonia.BatchedMatMul(a, b))
		cost := s.ok(gorgonia.Sum(s.do(gorgonia.Square, c)))
		e := &example{g: g, learn: gorgonia.Nodes{a, b}}
		e.read(c)
		e.read(cost)
		s.grad(cost, a, b)
		return e, s.err
	}, vanilla, 4)
}
