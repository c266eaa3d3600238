package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// model declares two parameters and, for training, moments and a step count.
func model(t *testing.T, training bool, more func(s *engine.Scope)) *engine.Graph {
	t.Helper()
	g, err := engine.BuildOptions{Training: training}.Build("model", kernels.Float64, func(s *engine.Scope) {
		x := s.Input("x", kernels.S(kernels.Float64, 2, 3))
		n := s.State("n", kernels.S(kernels.Float64, 1), nil)
		w, b := s.In("l").Param("w", quarters{}, 3, 4), s.In("l").Param("b", quarters{}, 4)
		y := s.Apply(dense.Binary{Kind: dense.Add}, s.Apply(dense.GEMM{}, x, w), b)
		s.Output("y", y)
		if !s.Training() {
			s.Output("n", n)
		} else {
			g := s.Apply(dense.Pack{}, s.Grad(s.Apply(dense.Reduce{Kind: dense.Mean},
				s.Apply(dense.Unary{F: act.Square}, y)), w, b)...)
			block(s, g, 16, w, b, s.State("m", vec(16), nil), s.State("v", vec(16), quarters{}))
			s.Update(n, s.Apply(dense.Scale{Alpha: 1, Beta: 1}, n))
		}
		if more != nil {
			more(s)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestStoreLayout(t *testing.T) {
	p := compile(t, model(t, true, nil), engine.Options{Seed: 4})
	s := p.Store()
	if got := s.Names(); !slices.Equal(got, []string{"l/w", "l/b", "n", "m", "v"}) {
		t.Errorf("names %q", got)
	}
	if !s.IsParam("l/w") || s.IsParam("m") || s.IsParam("z") {
		t.Error("IsParam")
	}
	if n := s.Bytes(); n != 8*(12+4+1+16+16) {
		t.Errorf("%d bytes", n)
	}
	all := s.Params()
	if !all.Spec.Equal(vec(16)) {
		t.Fatalf("parameters are %v", all.Spec)
	}
	at := 0
	for _, name := range []string{"l/w", "l/b", "m", "v"} {
		v, err := s.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		if at < all.Size() && &all.F64[at] != &v.F64[0] {
			t.Errorf("%s is not part of the parameters' block", name)
		}
		at += v.Size()
	}
	if n := copies(p.Plan()); n != 0 {
		t.Errorf("%d copies\n%v", n, p.Plan())
	}
	if _, err := s.Tensor("z"); err == nil || !strings.Contains(err.Error(), `no parameter or state "z"`) {
		t.Errorf("z: %v", err)
	}
}

// A training and an evaluation program work on one store.
func TestSharedStore(t *testing.T) {
	train := compile(t, model(t, true, nil), engine.Options{Seed: 4})
	eval := compile(t, model(t, false, nil), engine.Options{Seed: 99, Store: train.Store()})
	feeds := engine.Feeds{{Slot: 0, Tensor: shake(1, kernels.S(kernels.Float64, 2, 3))}}
	for step := range 3 {
		before := run(t, eval, feeds, "y").Clone()
		got := run(t, train, feeds, "y")
		if msg := differ(got, before, 0); msg != "" {
			t.Errorf("step %d: training and evaluation differ: %s", step, msg)
		}
		if n := run(t, eval, feeds, "n"); n.F64[0] != float64(step+1) {
			t.Errorf("step count is %v after %d steps", n.F64[0], step+1)
		}
	}
	f := newFunctional(t, train)
	f.check(t, train, map[string]kernels.Tensor{"x": feeds[0].Tensor}, 1e-14)
}

func TestStoreErrors(t *testing.T) {
	p := compile(t, model(t, false, nil), engine.Options{})
	other := func(f func(s *engine.Scope)) error {
		g, err := engine.Build("other", kernels.Float64, f)
		if err != nil {
			t.Fatal(err)
		}
		q, err := engine.Compile(g, engine.Options{Store: p.Store()})
		if err == nil {
			q.Close()
		}
		return err
	}
	err := other(func(s *engine.Scope) { s.Output("w", s.Param("l/w", nil, 4, 3)) })
	if !errors.Is(err, kernels.ErrShape) || !strings.Contains(err.Error(),
		"parameter l/w: shape: the store has float64(3 4)") {
		t.Errorf("other shape: %v", err)
	}
	err = other(func(s *engine.Scope) { s.Output("n", s.Param("n", nil, 1)) })
	if err == nil || !strings.Contains(err.Error(), "parameter n") {
		t.Errorf("parameter instead of state: %v", err)
	}
	err = other(func(s *engine.Scope) { s.Output("z", s.Param("z", nil, 1)) })
	if err == nil || !strings.Contains(err.Error(), `another model: it has no parameter "z"`) {
		t.Errorf("other parameter: %v", err)
	}
	if err = other(func(s *engine.Scope) { s.Output("warm", s.State("warm", vec(2), quarters{})) }); err != nil {
		t.Errorf("a new state: %v", err)
	}
	if v, err := p.Store().Tensor("warm"); err != nil || v.Size() != 2 {
		t.Errorf("the new state is not in the store: %v", err)
	}
	g := model(t, false, func(s *engine.Scope) { s.Output("bad", s.State("bad", vec(2), badInit{})) })
	_, err = engine.Compile(g, engine.Options{})
	if !errors.Is(err, errMine) || !strings.Contains(err.Error(), "initial value of bad float64(2): mine") {
		t.Errorf("bad initialiser: %v", err)
	}
}

type badInit struct{}

func (badInit) Fill(kernels.Tensor, uint64, uint32) error { return errMine }

// Initial values depend on the seed and the parameter's own path, not on what else the model has.
func TestInitialValues(t *testing.T) {
	value := func(g *engine.Graph, seed uint64) kernels.Tensor {
		v, err := compile(t, g, engine.Options{Seed: seed}).Store().Tensor("l/w")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	a := value(model(t, false, nil), 1)
	b := value(model(t, true, func(s *engine.Scope) { s.Output("q", s.Param("q", quarters{}, 3, 4)) }), 1)
	if msg := differ(b, a, 0); msg != "" {
		t.Errorf("another model: %s", msg)
	}
	if differ(value(model(t, false, nil), 2), a, 0) == "" {
		t.Error("another seed gives the same values")
	}
}

// Packs that want the same states in other orders cannot both be had; none of them tears memory apart or shares it.
func TestStoreOfOpposedPacks(t *testing.T) {
	g, err := engine.Build("opposed", kernels.Float64, func(s *engine.Scope) {
		a, b, c := s.State("a", vec(4), quarters{}), s.State("b", vec(5), quarters{}), s.State("c", vec(6), quarters{})
		s.Output("ab", s.Apply(dense.Pack{}, a, b, c))
		s.Output("ba", s.Apply(dense.Pack{}, b, c, a))
		s.Output("aa", s.Apply(dense.Pack{}, a, a))
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{Seed: 5})
	f := newFunctional(t, p)
	f.check(t, p, nil, 0)
	same := map[*float64]string{}
	for _, name := range p.Store().Names() {
		v, err := p.Store().Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range v.F64 {
			if other, ok := same[&v.F64[i]]; ok {
				t.Fatalf("%s and %s share memory", name, other)
			}
			same[&v.F64[i]] = name
		}
	}
}

// Many parameters, and updates that each have a chain of their own, compile without copies.
func TestStoreOfManyParameters(t *testing.T) {
	g, err := engine.Build("many", kernels.Float64, func(s *engine.Scope) {
		x := s.Input("x", vec(5))
		var all []*engine.Node
		for i := range 500 {
			all = append(all, s.Param(fmt.Sprint("p", i), quarters{}, 5))
		}
		block(s, x, 5, all...)
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{})
	if n := copies(p.Plan()); n != 0 {
		t.Errorf("%d copies", n)
	}
}
