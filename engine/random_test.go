package engine_test

import (
	"fmt"
	"testing"

	"ganglion/engine"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// scratchy is y = x + 1, computed with scratch memory that it fills with rubbish afterwards.
type scratchy struct{}

func (o scratchy) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return in[0], kernels.WantFloats(o, in, 0)
}
func (scratchy) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = v + 1
	}
}
func (scratchy) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return kernels.CarveSize(in[0].Size()+workers, 8)
}
func (scratchy) CPU(c *kernels.Call) {
	work := c.Work
	tmp := kernels.Carve[float64](&work, c.Out.Size())
	copy(tmp, c.In[0].F64)
	for i, v := range tmp {
		c.Out.F64[i] = v + 1
	}
	for i := range c.Work {
		c.Work[i] = 0xff
	}
}

// mirror is yᵢ = xᵢ − z₋ᵢ, where z is read from the end; it may be computed over x, but not over z.
type mirror struct{}

func (o mirror) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return in[0], kernels.WantFloats(o, in, 0, 1)
}
func (mirror) Ref(out kernels.Tensor, in []kernels.Tensor) { mirrored(out.F64, in[0].F64, in[1].F64) }
func (mirror) CPU(c *kernels.Call)                         { mirrored(c.Out.F64, c.In[0].F64, c.In[1].F64) }
func (mirror) InPlace(i int) bool                          { return i == 0 }

func mirrored(y, x, z []float64) {
	for i, v := range x {
		y[i] = v - z[len(z)-1-i]
	}
}

// plain is y = x - 1 without a CPU kernel.
type plain struct{}

func (o plain) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return in[0], kernels.WantFloats(o, in, 0)
}
func (plain) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = v - 1
	}
}

// dice is a seeded source of small numbers.
type dice struct{ s *philox.Stream }

func newDice(seed uint64) dice {
	s := philox.New(seed, 1, 2)
	return dice{&s}
}

func (d dice) below(n int) int { return int(d.s.Uint32() % uint32(n)) }

// grow writes a random graph of n ops over small integers, so that every way to compute it gives the same bits. All
// matrices are [r, c] with r and c from dims; vectors come from packs and views.
func grow(s *engine.Scope, d dice, n int) {
	dims := [...]int{1, 3, 4}
	var pool []*engine.Node
	for i := range 3 {
		pool = append(pool, s.Input(fmt.Sprint("x", i), kernels.S(kernels.Float64, dims[d.below(3)], dims[d.below(3)])))
	}
	var states []*engine.Node
	for i := range 4 {
		p := s.Param(fmt.Sprint("p", i), quarters{}, dims[d.below(3)], dims[d.below(3)])
		states = append(states, p)
	}
	pool = append(pool, states...)
	pool = append(pool, s.Const(shake(5, kernels.S(kernels.Float64, 3, 4))))
	limit := s.Const(kernels.FromSlice([]float64{16}, 1, 1))
	low := s.Const(kernels.FromSlice([]float64{-16}, 1, 1))
	clip := func(x *engine.Node) *engine.Node {
		return s.Apply(dense.Binary{Kind: dense.Max}, s.Apply(dense.Binary{Kind: dense.Min}, x, limit), low)
	}
	for range n {
		a, b := pool[d.below(len(pool))], pool[d.below(len(pool))]
		if y := randomOp(s, d, a, b, clip); y != nil {
			pool = append(pool, y)
		}
	}
	for i := range 1 + d.below(4) {
		s.Output(fmt.Sprint("y", i), pool[d.below(len(pool))])
	}
	s.Output("last", pool[len(pool)-1])
	if d.below(2) == 0 {
		updateBlock(s, d, states, pool)
		return
	}
	for _, p := range states {
		var fits []*engine.Node
		for _, n := range pool {
			if kernels.SpecOf(n).Equal(kernels.SpecOf(p)) {
				fits = append(fits, n)
			}
		}
		if d.below(5) > 0 {
			s.Update(p, fits[d.below(len(fits))])
		}
	}
}

// updateBlock updates some of the states as views of a block over which an op runs.
func updateBlock(s *engine.Scope, d dice, states, pool []*engine.Node) {
	z := s.Apply(dense.Pack{}, states...)
	g := s.Apply(dense.Pack{}, pool[d.below(len(pool))], pool[d.below(len(pool))])
	if kernels.SpecOf(g).Size() == 0 {
		return
	}
	z = s.Apply(dense.Binary{Kind: dense.Max}, s.Apply(dense.Unary{F: act.Neg}, z),
		s.Apply(dense.Reduce{Kind: dense.Max, Axes: 1}, g))
	if d.below(3) == 0 {
		s.Output("block", z)
	}
	z = s.Apply(dense.Unary{F: act.Abs}, z)
	at := 0
	for _, p := range states {
		spec := kernels.SpecOf(p)
		if d.below(6) > 0 {
			s.Update(p, s.Apply(dense.NewView(at, spec.Shape...), z))
		}
		at += spec.Size()
	}
}

// randomOp writes one op over a and perhaps b; nil when they do not fit.
func randomOp(s *engine.Scope, d dice, a, b *engine.Node, clip func(*engine.Node) *engine.Node) *engine.Node {
	as, bs := a.Shape(), b.Shape()
	same := as[0] == bs[0] && as[1] == bs[1]
	switch d.below(18) {
	case 0:
		return s.Apply(dense.Unary{F: [...]act.Func{act.Neg, act.ReLU, act.Abs, act.Sign}[d.below(4)]}, a)
	case 1:
		if as[1] == bs[0] {
			return clip(s.Apply(dense.GEMM{}, a, b))
		}
	case 2:
		if as[1] == bs[1] {
			return clip(s.Apply(dense.GEMM{TransB: true}, a, b))
		}
	case 3, 4, 5:
		if same {
			kind := [...]dense.Kind{dense.Add, dense.Sub, dense.Mul, dense.Max, dense.Lt}[d.below(5)]
			return clip(s.Apply(dense.Binary{Kind: kind}, a, b))
		}
		return clip(s.Apply(dense.Binary{Kind: dense.Add}, a,
			s.Apply(dense.Reduce{Kind: dense.Sum, Axes: 3, Keep: true}, b)))
	case 6:
		return s.Apply(dense.NewTranspose(1, 0), a)
	case 7:
		if same {
			return clip(s.Apply(dense.AddN{}, a, b, a))
		}
	case 8:
		return s.Apply(dense.Reshape{To: dense.ShapeOf(as[1], as[0])}, a)
	case 9:
		z := s.Apply(dense.Pack{}, a, b, a)
		if d.below(2) == 0 {
			z = s.Apply(dense.Unary{F: act.Neg}, z)
		}
		return s.Apply(dense.NewView(d.below(2), bs[0], bs[1]), z)
	case 10:
		return s.Apply(scratchy{}, a)
	case 11:
		return s.Apply(plain{}, a)
	case 12:
		return clip(s.Apply(dense.Scale{Alpha: 2, Beta: -1}, a))
	case 17:
		if same {
			return clip(s.Apply(mirror{}, a, [...]*engine.Node{a, b}[d.below(2)]))
		}
	case 14:
		return s.Apply(dense.FillLike{Value: 3}, a)
	case 15:
		sum := s.Apply(dense.Reduce{Axes: 3, Keep: true}, a)
		return clip(s.Apply(dense.BroadcastTo{}, sum, b))
	case 16:
		if as[1] == bs[1] {
			row := s.Apply(dense.Reduce{Axes: 1}, b)
			return clip(s.Apply(dense.Binary{Kind: dense.Sub}, clip(s.Apply(dense.SumTo{}, a, row)), a))
		}
	case 13:
		if as[1] == bs[1] {
			y := s.Apply(dense.Concat{}, a, b)
			return s.Apply(dense.Slice{Axis: 0, Lo: 0, Hi: bs[0]}, y)
		}
	}
	return nil
}

// Random graphs give the same bits as the functional semantics, with memory shared and with every value kept.
func TestRandomGraphs(t *testing.T) {
	graphs := 300
	if testing.Short() {
		graphs = 60
	}
	for seed := range uint64(graphs) {
		g, err := engine.Build("random", kernels.Float64, func(s *engine.Scope) {
			d := newDice(seed)
			grow(s, d, 5+d.below(60))
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []engine.Options{{Workers: 1}, {Workers: 3}, {Workers: 1, KeepAll: true}} {
			o.Seed = seed
			p, err := engine.Compile(g, o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			f := newFunctional(t, p)
			for step := range uint64(3) {
				in := map[string]kernels.Tensor{}
				for i, n := range g.Inputs() {
					in[g.NameOf(n)] = shake(seed<<8+step<<4+uint64(i), kernels.SpecOf(n))
				}
				f.check(t, p, in, 0)
			}
			if t.Failed() {
				t.Fatalf("seed %d, %+v\n%v\n%v", seed, o, p.Plan().Graph, p.Plan())
			}
			p.Close()
		}
	}
}
