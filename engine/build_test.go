package engine_test

import (
	"errors"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// noGrad is y = x without a gradient rule.
type noGrad struct{}

func (noGrad) Infer(in []kernels.Spec) (kernels.Spec, error) { return in[0], nil }
func (noGrad) Ref(out kernels.Tensor, in []kernels.Tensor)   { in[0].CopyTo(out) }

// wrongGrad has a rule that returns what grads says: 0 nothing at all, 1 a nil for a float input, 2 a wrong shape.
type wrongGrad struct{ Grads int }

func (wrongGrad) Infer(in []kernels.Spec) (kernels.Spec, error) { return in[0], nil }
func (wrongGrad) Ref(out kernels.Tensor, in []kernels.Tensor)   { in[0].CopyTo(out) }
func (o wrongGrad) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	switch o.Grads {
	case 0:
		return nil
	case 1:
		return []*kernels.Node{nil}
	}
	return []*kernels.Node{b.Apply(dense.Reduce{}, dout)}
}

func TestBuildErrors(t *testing.T) {
	f64 := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float64, shape...) }
	var other *engine.Node
	_, err := engine.Build("other", kernels.Float64, func(s *engine.Scope) { other = s.Input("x", f64(2)) })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		kind error
		f    func(s *engine.Scope)
	}{
		{"engine: build bad: conv1: dense.GEMM[float64(2 3), float64(2 3)]: inner dimensions differ: 3 and 2",
			kernels.ErrShape,
			func(s *engine.Scope) {
				x := s.Input("x", f64(2, 3))
				s.In("conv1").Apply(dense.GEMM{}, x, x)
			}},
		{"a: the name a/w is taken by another parameter", nil, func(s *engine.Scope) {
			s.In("a").Param("w", nil, 2)
			s.In("a").Param("w", nil, 2)
		}},
		{"the name x is taken by another input", nil, func(s *engine.Scope) {
			s.Input("x", f64(2))
			s.State("x", f64(2), nil)
		}},
		{"a scope needs a name", nil, func(s *engine.Scope) { s.In("") }},
		{"needs a name", nil, func(s *engine.Scope) { s.In("a").Param("", nil, 2) }},
		{"x: dtype: want float32, float64, int32 or byte, got invalid", kernels.ErrDType,
			func(s *engine.Scope) { s.Input("x", kernels.Spec{}) }},
		{"w: shape: negative dimension in float64(2 -1)", kernels.ErrShape,
			func(s *engine.Scope) { s.Param("w", nil, 2, -1) }},
		{"there are two outputs of the name y", nil, func(s *engine.Scope) {
			x := s.Input("x", f64(2))
			s.Output("y", x)
			s.Output("y", x)
		}},
		{"output y is no node of this graph", nil, func(s *engine.Scope) { s.Output("y", other) }},
		{"output y is no node of this graph", nil, func(s *engine.Scope) { s.Output("y", nil) }},
		{`update: "x" float64(2) is no parameter or state`, nil, func(s *engine.Scope) {
			x := s.Input("x", f64(2))
			s.Update(x, x)
		}},
		{"update of w: shape: it is float64(2), the next value is float64(3)", kernels.ErrShape, func(s *engine.Scope) {
			s.Update(s.Param("w", nil, 2), s.Input("x", f64(3)))
		}},
		{"update of w: it has an update already", nil, func(s *engine.Scope) {
			w, x := s.Param("w", nil, 2), s.Input("x", f64(2))
			s.Update(w, x)
			s.Update(w, x)
		}},
		{"update of w: the next value is no node of this graph", nil,
			func(s *engine.Scope) { s.Update(s.Param("w", nil, 2), other) }},
		{"grad: loss is no node of this graph", nil, func(s *engine.Scope) { s.Grad(nil) }},
		{"grad: node 0 of wrt is no node of this graph", nil,
			func(s *engine.Scope) { s.Grad(s.Input("x", f64()), other) }},
		{"grad: gradient: node 0 of wrt has type int32(2)", kernels.ErrGradient, func(s *engine.Scope) {
			s.Grad(s.Input("x", f64()), s.Input("i", kernels.S(kernels.Int32, 2)))
		}},
		{"∂deep: engine_test.noGrad[float64(2)]: has no gradient rule, and a gradient would flow through it",
			kernels.ErrGradient,
			func(s *engine.Scope) {
				w := s.Param("w", nil, 2)
				s.Grad(s.In("deep").Apply(noGrad{}, w), w)
			}},
		{"rule returned 0 nodes for 1 inputs", kernels.ErrGradient, gradOf(wrongGrad{0})},
		{"rule returned nothing for input 0", kernels.ErrGradient, gradOf(wrongGrad{1})},
		{"gives float64() for input 0, which is float64(2)", kernels.ErrGradient, gradOf(wrongGrad{2})},
		{"gradient of At([1])[float64(2)]: gradient: it has no gradient rule", kernels.ErrGradient,
			func(s *engine.Scope) {
				w := s.Param("w", nil, 2)
				s.Grad(must(s)(gorgonia.At(w, 1)), w)
			}},
		{"no derivative of order 3 of tanh", kernels.ErrGradient, func(s *engine.Scope) {
			w := s.Param("w", nil, 2)
			s.Grad(s.Apply(dense.Unary{F: act.Tanh, Order: 2}, w), w)
		}},
		{"mine", errMine, func(s *engine.Scope) { s.Fail(errMine) }},
	} {
		_, err := engine.Build("bad", kernels.Float64, c.f)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
		if c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%v is no %v", err, c.kind)
		}
	}
	if _, err := engine.Build("bad", kernels.Int32, func(*engine.Scope) {}); !errors.Is(err, kernels.ErrDType) {
		t.Errorf("int32 graph: %v", err)
	}
}

var errMine = errors.New("mine")

func gradOf(op kernels.Op) func(s *engine.Scope) {
	return func(s *engine.Scope) {
		w := s.Param("w", nil, 2)
		s.Grad(s.Apply(op, w), w)
	}
}

// Panics that are not errors of the graph pass through Build.
func TestBuildPassesPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the panic is gone")
		}
	}()
	engine.Build("p", kernels.Float64, func(*engine.Scope) { panic("bug") })
}

// Streams depend on the path and on the calls within it, not on the rest of the model.
func TestStreams(t *testing.T) {
	streams := func(f func(s *engine.Scope)) {
		if _, err := engine.Build("s", kernels.Float64, f); err != nil {
			t.Fatal(err)
		}
	}
	var a, b [2]uint32
	streams(func(s *engine.Scope) {
		a = [2]uint32{s.In("drop").Stream(), s.In("drop").Stream()}
	})
	streams(func(s *engine.Scope) {
		s.Stream()
		s.In("other").Stream()
		s.In("drop").In("inner").Stream()
		b = [2]uint32{s.In("drop").Stream(), s.In("drop").Stream()}
	})
	if a != b || a[0] == a[1] {
		t.Errorf("streams %v and %v", a, b)
	}
	seen := map[uint32]bool{}
	streams(func(s *engine.Scope) {
		for range 200000 {
			seen[s.Stream()] = true
		}
	})
	if len(seen) != 200000 {
		t.Errorf("%d different streams of 200000: two of them coincide", len(seen))
	}
}

func TestScope(t *testing.T) {
	g, err := engine.BuildOptions{Training: true}.Build("scope", kernels.Float32, func(s *engine.Scope) {
		deep := s.In("a").In("b")
		if deep.Path() != "a/b" || s.Path() != "" || deep.DType() != kernels.Float32 || !deep.Training() {
			t.Errorf("scope %q %v %v", deep.Path(), deep.DType(), deep.Training())
		}
		w := deep.Param("w", nil, 2, 3)
		v := s.Param("v", nil, 2)
		s.State("m", kernels.S(kernels.Int32, 4), nil)
		if p := s.Params(); len(p) != 2 || p[0] != w || p[1] != v {
			t.Errorf("parameters %v", p)
		}
		deep.Output("y", v)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(g.Outputs(), " "); got != "a/b/y" {
		t.Errorf("outputs %q", got)
	}
	if n := g.Lookup("a/b/w"); n == nil || g.NameOf(n) != "a/b/w" || g.Next(n) != n || len(g.States()) != 1 {
		t.Errorf("lookup %v", n)
	}
	if _, err := g.Output("z"); err == nil || !strings.Contains(err.Error(), `no output "z"`) {
		t.Errorf("output z: %v", err)
	}
	if g.Name() != "scope" || g.DType() != kernels.Float32 || g.ExprGraph() == nil {
		t.Error("graph's attributes")
	}
}

// Constants, inputs with the same beginnings of names and equal ops stay apart or come together as they should.
func TestNodesAreNotMerged(t *testing.T) {
	g, err := engine.Build("merge", kernels.Float64, func(s *engine.Scope) {
		one, two := s.Const(kernels.FromSlice([]float64{1, 2}, 2)), s.Const(kernels.FromSlice([]float64{3, 4}, 2))
		again := s.Const(kernels.FromSlice([]float64{1, 2}, 2))
		if one == two || one == again {
			t.Error("constants are one node")
		}
		first := s.Apply(dense.Unary{F: act.Tanh}, one)
		if s.Apply(dense.Unary{F: act.Tanh}, one) != first {
			t.Error("equal ops over equal inputs are two nodes")
		}
		s.Output("sum", add(s, one, two))
		s.Output("name of a constant", s.Param("const 0", nil, 2))
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{})
	if got := run(t, p, nil, "sum"); got.F64[0] != 4 || got.F64[1] != 6 {
		t.Errorf("sum %v", got.F64)
	}
}
