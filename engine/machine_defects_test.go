package engine_test

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// Cases in which gorgonia itself is wrong or refuses, and what we do instead. The first are values and gradients of its
// own ops, found by random graphs; a machine gives the right ones wherever it has a kernel.

// central is the gradient of cost by central differences in the value of x, by runs of m.
func central(t *testing.T, m *engine.Machine, cost, x *gorgonia.Node) []float64 {
	t.Helper()
	v := x.Value().Data().([]float64)
	at := func() float64 {
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		return flat(t, cost.Value())[0]
	}
	out := make([]float64, len(v))
	for i, old := range v {
		const eps = 1e-5
		v[i] = old + eps
		up := at()
		v[i] = old - eps
		out[i] = (up - at()) / (2 * eps)
		v[i] = old
	}
	at()
	return out
}

// rightHere checks that gorgonia's op is wrong by its own Do (else the case is of no use any more) and right on our
// kernels.
func rightHere(t *testing.T, f func(s *steps, g *gorgonia.ExprGraph) (x, y *gorgonia.Node)) {
	t.Helper()
	for _, own := range []bool{false, true} {
		g, s := gorgonia.NewGraph(), new(steps)
		x, y := f(s, g)
		weights := in(g, tensor.Float64, "weights", 77, 1, y.Shape()...)
		cost := s.ok(gorgonia.Sum(s.had(y, weights)))
		s.grad(cost, x)
		if s.err != nil {
			t.Fatal(s.err)
		}
		opts := []engine.MachineOption{engine.Keep(cost)}
		if own {
			opts = append(opts, engine.AsWritten())
		}
		m := engine.NewMachine(g, opts...)
		want := central(t, m, cost, x)
		d := distance(flat(t, x.Deriv().Value()), want)
		if own && d < 1e-3 {
			t.Errorf("gorgonia's own op is right: off by %.3g", d)
		}
		if !own && d > 1e-8 {
			t.Errorf("off by %.3g: %v, want %v", d, x.Deriv().Value(), want)
		}
		m.Close()
	}
}

func TestMachineIndexGradientOfVector(t *testing.T) {
	rightHere(t, func(s *steps, g *gorgonia.ExprGraph) (x, y *gorgonia.Node) {
		idx := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(3), gorgonia.WithName("idx"),
			gorgonia.WithValue(tensor.New(tensor.WithBacking([]int{0, 1, 0}))))
		x = in(g, tensor.Float64, "x", 1, 1, 2)
		return x, s.ok(gorgonia.ByIndices(x, idx, 0))
	})
}

func TestMachineSoftmaxGradientOfColumn(t *testing.T) {
	rightHere(t, func(s *steps, g *gorgonia.ExprGraph) (x, y *gorgonia.Node) {
		x = in(g, tensor.Float64, "x", 1, 1, 4, 1)
		return x, s.ok(gorgonia.SoftMax(x))
	})
}

// Sums and maxima of four dimensions along an inner axis.
func TestMachineReductionsOfFourDimensions(t *testing.T) {
	g, s := gorgonia.NewGraph(), new(steps)
	x := in(g, tensor.Float64, "x", 1, 1, 2, 3, 4, 3)
	most, sum := s.ok(gorgonia.Max(x, 2)), s.ok(gorgonia.Sum(x, 2))
	if s.err != nil {
		t.Fatal(s.err)
	}
	v, wantMost, wantSum := flat(t, x.Value()), make([]float64, 18), make([]float64, 18)
	for i := range wantSum {
		wantMost[i] = math.Inf(-1)
		for k := range 4 {
			wantMost[i] = max(wantMost[i], v[i/3*12+k*3+i%3])
			wantSum[i] += v[i/3*12+k*3+i%3]
		}
	}
	for _, own := range []bool{false, true} {
		var opts []engine.MachineOption
		if own {
			opts = append(opts, engine.AsWritten())
		}
		m := engine.NewMachine(g, opts...)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		wrong := [2]bool{distance(flat(t, most.Value()), wantMost) > 0, distance(flat(t, sum.Value()), wantSum) > 1e-12}
		if wrong != [2]bool{own, own} {
			t.Errorf("own Do %v, maxima and sums wrong: %v", own, wrong)
		}
		m.Close()
	}
}

// Functions of x [3, 4], positive, whose gradient by gorgonia.Grad is wrong or fails, and by Scope.Grad
// right.
func TestGradCorrectsGorgonia(t *testing.T) {
	idx := kernels.FromSlice([]int32{2, 0, 2}, 3)
	for name, f := range map[string]func(s *engine.Scope, x node) node{
		"log2":         func(s *engine.Scope, x node) node { return must(s)(gorgonia.Log2(x)) },
		"inverse sqrt": func(s *engine.Scope, x node) node { return must(s)(gorgonia.InverseSqrt(x)) },
		"outer product of vectors of two lengths": func(s *engine.Scope, x node) node {
			return must(s)(gorgonia.OuterProd(must(s)(gorgonia.Sum(x, 0)), must(s)(gorgonia.Sum(x, 1))))
		},
		"rows by number along axis 1": func(s *engine.Scope, x node) node {
			turned := s.Apply(dense.NewTranspose(1, 0), x)
			return s.Apply(dense.NewTranspose(1, 0), s.Apply(dense.Gather{}, turned, s.Const(idx)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := engine.Build("defect", kernels.Float64, func(s *engine.Scope) {
				x := s.Param("x", positive{}, 3, 4)
				y := f(s, x)
				loss := must(s)(gorgonia.Sum(must(s)(gorgonia.Cube(y))))
				s.Output("loss", loss)
				s.Output("grad0", s.Grad(loss, x)[0])
			})
			if err != nil {
				t.Fatal(err)
			}
			checkGradients(t, compile(t, g, engine.Options{Seed: 3}), nil, "loss", "grad")
		})
	}
}

// Two losses on one graph, and gradients of a gradient, of gorgonia's own ops: gorgonia.Grad silently adds them up
// wrongly.
func TestGradOfSeveralForeignLosses(t *testing.T) {
	g, err := engine.Build("losses", kernels.Float64, func(s *engine.Scope) {
		x := s.Param("x", positive{}, 3, 2)
		y := must(s)(gorgonia.Tanh(x))
		first := must(s)(gorgonia.Sum(must(s)(gorgonia.Square(y))))
		second := must(s)(gorgonia.Sum(must(s)(gorgonia.Exp(y))))
		inner := s.Grad(first, x)[0]
		third := must(s)(gorgonia.Sum(must(s)(gorgonia.Cube(inner))))
		for i, loss := range []node{first, second, third} {
			s.Output([]string{"first", "second", "third"}[i], loss)
			s.Output([]string{"d first 0", "d second 0", "d third 0"}[i], s.Grad(loss, x)[0])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{Seed: 4})
	for _, loss := range []string{"first", "second", "third"} {
		checkGradients(t, p, nil, loss, "d "+loss+" ")
	}
}

// Nodes that gorgonia takes for one another stay apart when they are written with our ops, inputs without a name
// included.
func TestNothingIsMergedWrongly(t *testing.T) {
	_, err := engine.Build("merges", kernels.Float32, func(s *engine.Scope) {
		x := s.Input("x", kernels.S(kernels.Float32, 300, 3))
		key := s.Input("key", kernels.S(kernels.Int32, 4))
		for what, pair := range map[string][2]node{
			"softmax and its logarithm": {s.Apply(dense.Softmax{}, x), s.Apply(dense.LogSoftmax{}, x)},
			"rates of dropout": {s.Apply(random.Dropout{Rate: 0.1, Stream: 1}, x, key),
				s.Apply(random.Dropout{Rate: 0.9, Stream: 1}, x, key)},
			"streams of dropout": {s.Apply(random.Dropout{Rate: 0.5, Stream: s.Stream()}, x, key),
				s.Apply(random.Dropout{Rate: 0.5, Stream: s.Stream()}, x, key)},
			"slices that agree modulo 256": {s.Apply(dense.Slice{Lo: 0, Hi: 10}, x), s.Apply(dense.Slice{Lo: 256,
				Hi: 266}, x)},
			"inputs of one shape": {s.Input("a", kernels.S(kernels.Float32, 3)), s.Input("b",
				kernels.S(kernels.Float32, 3))},
			"orders of a derivative": {s.Apply(dense.Unary{F: act.Tanh}, x), s.Apply(dense.Unary{F: act.Tanh,
				Order: 1}, x)},
		} {
			if pair[0] == pair[1] {
				t.Errorf("one node for two %s", what)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Ops whose gradients gorgonia has wrong and that cannot be put right are refused, not differentiated.
func TestGradRefusesWrongRules(t *testing.T) {
	for text, f := range map[string]func(s *engine.Scope, x node) node{
		"gorgonia divides by the width": func(s *engine.Scope, x node) node {
			img := must(s)(gorgonia.Reshape(x, tensor.Shape{1, 1, 4, 4}))
			return must(s)(gorgonia.AveragePool2D(img, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
		},
		"wrong along axes other than 0": func(s *engine.Scope, x node) node {
			idx := gorgonia.NewVector(x.Graph(), tensor.Int, gorgonia.WithShape(2), gorgonia.WithName("idx"))
			return must(s)(gorgonia.ByIndices(x, idx, 1))
		},
	} {
		_, err := engine.Build("wrong", kernels.Float64, func(s *engine.Scope) {
			x := s.Param("x", positive{}, 4, 4)
			s.Grad(must(s)(gorgonia.Sum(f(s, x))), x)
		})
		wantError(t, err, text)
	}
}

// What has few random graphs: each op over both types, by our kernel and by its own Do.
func TestMachineOpsAgainstTheirDo(t *testing.T) {
	for name, f := range map[string]func(s *steps, a, b *gorgonia.Node) *gorgonia.Node{
		"element":     func(s *steps, a, _ *gorgonia.Node) *gorgonia.Node { return s.ok(gorgonia.At(a, 1, 3)) },
		"smaller":     func(s *steps, a, b *gorgonia.Node) *gorgonia.Node { return s.ok(gorgonia.MinBetween(a, b)) },
		"larger":      func(s *steps, a, b *gorgonia.Node) *gorgonia.Node { return s.ok(gorgonia.MaxBetween(a, b)) },
		"less, truth": func(s *steps, a, b *gorgonia.Node) *gorgonia.Node { return s.ok(gorgonia.Lt(a, b, false)) },
		"equal":       func(s *steps, a, _ *gorgonia.Node) *gorgonia.Node { return s.ok(gorgonia.Eq(a, a, true)) },
		"not equal":   func(s *steps, a, b *gorgonia.Node) *gorgonia.Node { return s.ok(gorgonia.Ne(a, b, true)) },
		"at least":    func(s *steps, a, b *gorgonia.Node) *gorgonia.Node { return s.ok(gorgonia.Gte(a, b, true)) },
		"column": func(s *steps, a, _ *gorgonia.Node) *gorgonia.Node {
			return s.ok(gorgonia.Slice(a, nil,
				gorgonia.S(2)))
		},
		"logsoftmax": func(s *steps, a, _ *gorgonia.Node) *gorgonia.Node { return s.ok(gorgonia.LogSoftMax(a)) },
		"dot of all": func(s *steps, a, b *gorgonia.Node) *gorgonia.Node {
			return s.ok(gorgonia.Tensordot([]int{0}, []int{0}, a, b))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, d := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
				for seed := range uint64(4) {
					g, s := gorgonia.NewGraph(), new(steps)
					a, b := in(g, d, "a", seed, 1, 3+int(seed), 4), in(g, d, "b", seed+9, 1, 3+int(seed), 4)
					y := f(s, a, b)
					if s.err != nil {
						t.Fatal(s.err)
					}
					var got [2][]float64
					for i, opts := range [][]engine.MachineOption{{engine.Keep(y)}, {engine.Keep(y),
						engine.AsWritten()}} {
						m := engine.NewMachine(g, opts...)
						if err := m.RunAll(); err != nil {
							t.Fatal(err)
						}
						if n := len(m.Explain().Fallbacks()); (n > 0) != (i == 1) {
							t.Errorf("machine %d: %d ops run through their own Do", i, n)
						}
						got[i] = flat(t, y.Value())
						m.Close()
					}
					if d := distance(got[0], got[1]); d > 1e-6 {
						t.Errorf("off by %.3g: %v, want %v", d, got[0], got[1])
					}
				}
			}
		})
	}
}
