package engine_test

import (
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/implicit"
	"ganglion/kernels/optim"
)

// modules is the training step of a small network with an implicit layer: Pack(parameters, moments) → Adam →
// Regularise → views, and the structure of the pruned graph as a state of its own.
func modules(s *engine.Scope) {
	const batch, in, p = 6, 3, 5
	d := s.DType()
	x, y := s.Input("x", kernels.S(d, batch, in)), s.Input("y", kernels.S(d, batch, p))
	hyper := s.Input("hyper", kernels.S(d, 3))
	w1, w2 := s.Param("w1", normal{0.5}, in, p), s.Param("w2", normal{0.3}, p, p)
	b := s.Param("b", normal{0.1}, p)
	structure := s.Apply(implicit.Structure{Keep: 9}, w2)
	c := s.Apply(dense.Binary{Kind: dense.Add}, s.Apply(dense.GEMM{}, x, w1), b)
	out := s.Apply(dense.Unary{F: act.Tanh}, s.In("solve").Apply(implicit.Solve{Act: act.Tanh}, c, w2, structure))
	loss := s.Apply(dense.MSE{}, out, y)
	s.Output("loss", loss)
	params := s.Params()
	g := s.Apply(dense.Pack{}, s.Grad(loss, params...)...)
	ok := s.Apply(optim.Finite{}, g, loss)
	n := kernels.SpecOf(g).Size()
	parts := append(params, s.State("m", kernels.S(d, n), nil), s.State("v", kernels.S(d, n), nil))
	z := s.Apply(optim.Adam{}, s.Apply(dense.Pack{}, parts...), g, hyper, ok)
	z = s.Apply(implicit.Regularise{Offset: in * p, P: p}, z, structure, hyper, ok)
	at := 0
	for _, part := range parts {
		spec := kernels.SpecOf(part)
		s.Update(part, s.Apply(dense.NewView(at, spec.Shape...), z))
		at += spec.Size()
	}
}

// The optimiser's chain runs without copies, and gives the bits of a program that computes nothing in place and the
// values of the references.
func TestOptimiserChain(t *testing.T) {
	g, err := engine.Build("modules", kernels.Float64, modules)
	if err != nil {
		t.Fatal(err)
	}
	p, keep := compile(t, g, engine.Options{Seed: 8}), compile(t, g, engine.Options{Seed: 8, KeepAll: true})
	if e := p.Explain(); e.Copies != 0 {
		t.Errorf("%d copies\n%v", e.Copies, e)
	}
	if f := p.Explain().Fallbacks(); len(f) > 0 {
		t.Errorf("fallbacks %q", f)
	}
	f := newFunctional(t, p)
	for step := range 6 {
		in := map[string]kernels.Tensor{
			"x":     normalTensor(uint64(step), kernels.S(kernels.Float64, 6, 3)),
			"y":     normalTensor(uint64(step)+100, kernels.S(kernels.Float64, 6, 5)),
			"hyper": kernels.FromSlice([]float64{0.01, float64(step + 1), 0.1}, 3),
		}
		f.check(t, p, in, 1e-9)
		feeds := engine.Feeds{}
		for name, v := range in {
			feeds = append(feeds, engine.Feed{Slot: slotOf(t, keep, name), Tensor: v})
		}
		run(t, keep, feeds, "loss")
		if msg := differ(p.Store().Params(), keep.Store().Params(), 0); msg != "" {
			t.Fatalf("step %d: in place and not in place differ: %s", step, msg)
		}
	}
	if r := p.Reports(); len(r) == 0 {
		t.Error("no report of the solver")
	}
}

// Gradients of several losses in one graph, with respect to intermediate values, and of nodes that a loss does not
// reach.
func TestGradOfSeveralLosses(t *testing.T) {
	g, err := engine.Build("losses", kernels.Float64, func(s *engine.Scope) {
		x, unused := s.Param("x", quarters{}, 3), s.Param("unused", quarters{}, 2)
		square := s.Apply(dense.Unary{F: act.Square}, x)
		cube := s.Apply(dense.Binary{Kind: dense.Mul}, square, x)
		sum := func(n *engine.Node) *engine.Node { return s.Apply(dense.Reduce{}, n) }
		a := s.Grad(sum(cube), x, square, unused)
		b := s.Grad(sum(square), x, cube)
		both := s.Grad(cube, x)
		self := s.Grad(square, square)
		second := s.Grad(sum(a[0]), x)
		count := s.Grad(s.Apply(dense.Cast{To: kernels.Float64}, s.Apply(dense.ArgMax{}, x)), x)
		for name, n := range map[string]*engine.Node{"3x²": a[0], "x": a[1], "unused": a[2], "2x": b[0], "zero": b[1],
			"again 3x²": both[0], "ones": self[0], "6x": second[0], "int": count[0]} {
			s.Output(name, n)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{Seed: 1})
	x := p.Store().Params().F64[:3]
	for name, f := range map[string]func(x float64) float64{
		"3x²": func(x float64) float64 { return 3 * x * x }, "x": func(x float64) float64 { return x },
		"2x": func(x float64) float64 { return 2 * x }, "zero": func(float64) float64 { return 0 },
		"again 3x²": func(x float64) float64 { return 3 * x * x }, "ones": func(float64) float64 { return 1 },
		"6x": func(x float64) float64 { return 6 * x }, "int": func(float64) float64 { return 0 },
	} {
		got := run(t, p, nil, name)
		for i, v := range x {
			if got.F64[i] != f(v) {
				t.Errorf("%s at %v: %v, want %v", name, v, got.F64[i], f(v))
			}
		}
	}
	if got := run(t, p, nil, "unused"); !got.Spec.Equal(vec(2)) || got.F64[0] != 0 || got.F64[1] != 0 {
		t.Errorf("gradient of what the loss does not reach: %v", got)
	}
}
