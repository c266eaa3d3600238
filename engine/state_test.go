package engine_test

import (
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/engine/plan"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// blend is an optimiser's shape: y = 0.5 z + 0.25 [g | g | …], computed over z.
// Inputs: z float [k·n], g float [n].  Output: [k·n].
type blend struct{}

func (o blend) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 1, 1); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], kernels.WantFloats(o, in, 0, 1)
}

func (blend) Ref(out kernels.Tensor, in []kernels.Tensor) {
	n := in[1].Size()
	for i, v := range in[0].F64 {
		out.F64[i] = 0.5*v + 0.25*in[1].F64[i%n]
	}
}

func (blend) InPlace(i int) bool { return i == 0 }

func (o blend) CPU(c *kernels.Call) {
	n := c.In[1].Size()
	for i, v := range c.In[0].F64 {
		c.Out.F64[i] = 0.5*v + 0.25*c.In[1].F64[i%n]
	}
}

func add(s *engine.Scope, a, b *engine.Node) *engine.Node {
	return s.Apply(dense.Binary{Kind: dense.Add}, a, b)
}

func vec(n int) kernels.Spec { return kernels.S(kernels.Float64, n) }

// shake rounds a standard normal tensor to quarters, so that sums are exact.
func shake(seed uint64, s kernels.Spec) kernels.Tensor {
	t := normalTensor(seed, s)
	for i, v := range t.F64 {
		t.F64[i] = float64(int(4*v)) / 4
	}
	return t
}

type quarters struct{}

func (quarters) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	fillNormal(t, seed, stream, 1)
	for i, v := range t.F64 {
		t.F64[i] = float64(int(4*v)) / 4
	}
	return nil
}

// block writes Pack(params, moment) → blend → blend → views, as an optimiser with a regulariser behind it does.
func block(s *engine.Scope, g *engine.Node, n int, states ...*engine.Node) *engine.Node {
	z := s.Apply(dense.Pack{}, states...)
	z1 := s.Apply(blend{}, z, g)
	z2 := s.Apply(blend{}, z1, g)
	at := 0
	for _, p := range states {
		spec := kernels.SpecOf(p)
		s.Update(p, s.Apply(dense.NewView(at, spec.Shape...), z2))
		at += spec.Size()
	}
	return z2
}

// What each graph is made of: a list of states, outputs, and how many copies its plan may have.
var stateGraphs = []struct {
	name  string
	copy  int
	build func(s *engine.Scope, x *engine.Node)
}{
	{"optimiser block", 0, func(s *engine.Scope, x *engine.Node) {
		w := s.Param("w", quarters{}, 4, 3)
		b := s.Param("b", quarters{}, 5)
		m := s.State("m", vec(17), quarters{})
		g := s.Apply(dense.Pack{}, s.Apply(dense.Binary{Kind: dense.Mul}, w, s.Apply(dense.NewView(0), x)),
			add(s, b, b))
		s.Output("before", s.Apply(dense.Reduce{Kind: dense.Sum, Axes: 3}, w))
		block(s, g, 17, w, b, m)
	}},
	{"readers of the old value are ordered before", 0, func(s *engine.Scope, x *engine.Node) {
		w := s.Param("w", quarters{}, 6)
		next := s.Apply(blend{}, w, x)
		s.Update(w, next)
		s.Output("late reader", add(s, add(s, x, x), w))
		s.Output("new", next)
	}},
	{"a reader that needs old and new", 1, func(s *engine.Scope, x *engine.Node) {
		w := s.Param("w", quarters{}, 6)
		next := s.Apply(blend{}, w, x)
		s.Update(w, next)
		s.Output("difference", s.Apply(dense.Binary{Kind: dense.Sub}, next, w))
	}},
	{"a reader of one state's old value and another's new value", 0, func(s *engine.Scope, x *engine.Node) {
		a, b := s.State("a", vec(6), quarters{}), s.State("b", vec(6), quarters{})
		nextA, nextB := s.Apply(blend{}, a, x), s.Apply(blend{}, b, x)
		s.Update(a, nextA)
		s.Update(b, nextB)
		s.Output("new a", nextA)
		s.Output("old a and new b", add(s, nextB, a))
	}},
	{"two states exchanged", 4, func(s *engine.Scope, x *engine.Node) {
		a, b := s.State("a", vec(6), quarters{}), s.State("b", vec(6), quarters{})
		s.Update(a, b)
		s.Update(b, a)
		s.Output("x", add(s, x, a))
	}},
	{"views exchanged inside a block", 2, func(s *engine.Scope, x *engine.Node) {
		a, b := s.State("a", vec(6), quarters{}), s.State("b", vec(6), quarters{})
		z := s.Apply(blend{}, s.Apply(dense.Pack{}, a, b), x)
		s.Update(a, s.Apply(dense.NewView(6, 6), z))
		s.Update(b, s.Apply(dense.NewView(0, 6), z))
	}},
	{"the next value lies across two states", 2, func(s *engine.Scope, x *engine.Node) {
		a, b := s.State("a", vec(6), quarters{}), s.State("b", vec(6), quarters{})
		z := s.Apply(blend{}, s.Apply(dense.Pack{}, a, b), x)
		s.Update(a, s.Apply(dense.NewView(0, 6), z))
		s.Update(b, s.Apply(dense.NewView(3, 6), z))
	}},
	{"part of a block has no update", 1, func(s *engine.Scope, x *engine.Node) {
		a, b := s.Param("a", quarters{}, 6), s.Param("frozen", quarters{}, 6)
		z := s.Apply(blend{}, s.Apply(dense.Pack{}, a, b), x)
		s.Update(a, s.Apply(dense.NewView(0, 6), z))
		s.Output("b", b)
	}},
	{"the old value is an output", 2, func(s *engine.Scope, x *engine.Node) {
		w := s.Param("w", quarters{}, 6)
		s.Output("old", w)
		s.Output("old view", s.Apply(dense.NewView(2, 3), w))
		s.Update(w, s.Apply(blend{}, w, x))
	}},
	{"the next value is an input", 1, func(s *engine.Scope, x *engine.Node) {
		w := s.Param("w", quarters{}, 6)
		s.Output("old plus x", add(s, w, x))
		s.Update(w, x)
	}},
	{"an op that reads its state twice", 1, func(s *engine.Scope, x *engine.Node) {
		w := s.Param("w", quarters{}, 6)
		s.Update(w, s.Apply(mirror{}, w, w))
		y := add(s, x, w)
		s.Output("y", s.Apply(mirror{}, y, y))
	}},
	{"an update that changes nothing", 0, func(s *engine.Scope, x *engine.Node) {
		w := s.Param("w", quarters{}, 6)
		s.Update(w, w)
		s.Output("sum", add(s, w, x))
	}},
	{"one value for two states", 1, func(s *engine.Scope, x *engine.Node) {
		a, b := s.State("a", vec(6), quarters{}), s.State("b", vec(6), quarters{})
		next := s.Apply(blend{}, a, add(s, x, b))
		s.Update(a, next)
		s.Update(b, next)
	}},
	{"the middle of a chain is an output", 2, func(s *engine.Scope, x *engine.Node) {
		w := s.Param("w", quarters{}, 6)
		mid := s.Apply(blend{}, w, x)
		s.Output("mid", mid)
		s.Update(w, s.Apply(blend{}, mid, x))
	}},
	{"a step count", 0, func(s *engine.Scope, x *engine.Node) {
		n := s.State("n", vec(1), nil)
		s.Update(n, s.Apply(dense.Scale{Alpha: 1, Beta: 1}, n))
		s.Output("sum", add(s, n, x))
	}},
	{"separate updates of many parameters", 0, func(s *engine.Scope, x *engine.Node) {
		sum := x
		var all []*engine.Node
		for _, name := range strings.Split("abcdefgh", "") {
			w := s.Param(name, quarters{}, 6)
			sum = add(s, sum, w)
			all = append(all, w)
		}
		for _, w := range all {
			s.Update(w, s.Apply(blend{}, w, sum))
		}
	}},
}

func copies(p *plan.Plan) int {
	n := len(p.Saves) + len(p.Stores)
	for _, s := range p.Steps {
		n += len(s.Moves)
		if _, ok := p.Graph.Nodes[s.Node].Op.(plan.Copy); ok {
			n++
		}
	}
	return n
}

func TestStates(t *testing.T) {
	for _, c := range stateGraphs {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			for _, keep := range []bool{false, true} {
				g, err := engine.Build("states", kernels.Float64, func(s *engine.Scope) {
					c.build(s, s.Input("x", vec(6)))
				})
				if err != nil {
					t.Fatal(err)
				}
				p := compile(t, g, engine.Options{Seed: 3, KeepAll: keep})
				f := newFunctional(t, p)
				for step := range uint64(4) {
					f.check(t, p, map[string]kernels.Tensor{"x": shake(step, vec(6))}, 0)
				}
				if n := copies(p.Plan()); !keep && n != c.copy {
					t.Errorf("%d copies, want %d\n%v\n%v", n, c.copy, p.Plan().Graph, p.Plan())
				}
				if t.Failed() {
					t.Logf("keep=%v\n%v\n%v", keep, p.Plan().Graph, p.Plan())
					return
				}
			}
		})
	}
}
