package plan

import (
	"testing"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

func gemm(w *writer, a, b *kernels.Node) *kernels.Node { return w.apply(dense.GEMM{}, a, b) }

func unary(w *writer, f act.Func, order int, x *kernels.Node) *kernels.Node {
	return w.apply(dense.Unary{F: f, Order: order}, x)
}

// Products take in bias, residual and function, in this order; what somebody else reads stays.
func TestEpilogues(t *testing.T) {
	w := newWriter(t)
	x, m, b := w.input("x", 6, 5), w.state("w", 5, 3), w.state("b", 3)
	r := w.input("r", 6, 3)
	w.output("all", unary(w, act.Tanh, 0, add(w, r, add(w, gemm(w, x, m), b))))
	turned := w.apply(dense.GEMM{TransA: true}, w.input("xt", 5, 6), m)
	w.output("residual first", unary(w, act.Mish, 0, add(w, add(w, turned, r), b)))
	w.output("function alone", unary(w, act.ReLU, 0, gemm(w, w.input("y", 2, 5), m)))
	w.output("a row", add(w, gemm(w, w.input("z", 4, 5), m), w.apply(dense.Reshape{To: dense.ShapeOf(1, 3)}, b)))
	twice := gemm(w, w.input("twice", 6, 5), m)
	w.output("read twice", add(w, unary(w, act.Sin, 0, twice), twice))
	wanted := gemm(w, w.input("wanted", 6, 5), m)
	w.output("wanted", wanted)
	w.output("of wanted", unary(w, act.Exp, 0, wanted))
	w.output("slope", unary(w, act.Tanh, 1, gemm(w, w.input("slope", 6, 5), m)))
	w.output("doubled", add(w, gemm(w, w.input("p", 6, 5), m), gemm(w, w.input("q", 6, 5), m)))
	g := w.lower()
	e, to := Epilogues(g)
	golden(t, "epilogues", "graph", g.String(), "epilogues", e.String())
	for id, at := range to {
		if at >= 0 && !e.Nodes[at].Spec.Equal(g.Nodes[id].Spec) {
			t.Errorf("%%%d was %v and became %v", id, g.Nodes[id].Spec, e.Nodes[at].Spec)
		}
	}
}

// With sizes of 1, what is added may be repeated at other sizes, and is no residual; a bias of one element is one only
// if it can have no other size.
func TestEpiloguesOfSizeOne(t *testing.T) {
	w := newWriter(t)
	x := w.input("x", 1, 5)
	w.output("one sample", add(w, gemm(w, x, w.state("w", 5, 3)), w.input("r", 1, 3)))
	w.output("one class", add(w, gemm(w, x, w.state("v", 5, 1)), w.state("b", 1)))
	w.output("one column", add(w, gemm(w, x, w.input("y", 5, 1)), w.state("c", 1)))
	e, _ := Epilogues(w.lower())
	golden(t, "epilogues-one", "epilogues", e.String())
}

// A sum of two products that goes on with a bias belongs to the first of them alone.
func TestEpiloguesOfTwoProducts(t *testing.T) {
	w := newWriter(t)
	p, q := gemm(w, w.input("a", 4, 5), w.state("u", 5, 3)), gemm(w, w.input("c", 4, 5), w.state("v", 5, 3))
	w.output("y", add(w, add(w, p, q), w.state("b", 3)))
	e, _ := Epilogues(w.lower())
	products := 0
	for id := range e.Nodes {
		for _, c := range e.Nodes[id].In {
			if c < 0 || c >= id {
				t.Fatalf("%%%d reads %%%d\n%v", id, c, e)
			}
		}
		if _, ok := e.Nodes[id].Op.(dense.Linear); ok {
			products++
		}
	}
	if products != 1 {
		t.Errorf("%d products have epilogues, want 1\n%v", products, e)
	}
}

// Products among the terms of a sum add to it one after another; who reads the shape of a value that is gone reads it
// of the one that took its place.
func TestSumsOfProducts(t *testing.T) {
	w := newWriter(t)
	a, b, c, d := w.input("a", 4, 5), w.input("b", 5, 3), w.input("c", 4, 3), w.input("d", 4, 3)
	p := func(i float64) *kernels.Node { return gemm(w, w.apply(dense.Scale{Alpha: i}, a), b) }
	w.output("products", w.apply(dense.AddN{}, p(1), p(2), p(3)))
	w.output("with others", w.apply(dense.AddN{}, c, p(4), d))
	w.output("with one", w.apply(dense.AddN{}, c, p(5)))
	w.output("others", w.apply(dense.AddN{}, c, d))
	h := add(w, gemm(w, a, b), w.input("bias", 3))
	y := relu(w, h)
	w.output("shape", w.apply(dense.SumTo{}, w.apply(dense.BroadcastTo{}, w.input("big", 4, 1), y), h))
	w.output("y", y)
	e, _ := Epilogues(w.lower())
	golden(t, "epilogues-sums", "epilogues", e.String())
}

// Slopes come from values where these are computed anyway, in whatever order the two were written.
func TestSlopes(t *testing.T) {
	w := newWriter(t)
	x := w.input("x", 4)
	for _, f := range []act.Func{act.ReLU, act.LeakyReLU, act.Exp, act.Tanh, act.Sigmoid, act.GELU} {
		w.output("slope of "+act.Name(f), unary(w, f, 1, x))
	}
	for _, f := range []act.Func{act.ReLU, act.LeakyReLU, act.Exp, act.Tanh, act.GELU} {
		w.output(act.Name(f), unary(w, f, 0, x))
	}
	z := w.input("z", 4)
	w.output("value first", add(w, unary(w, act.Sigmoid, 0, z), unary(w, act.Sigmoid, 1, z)))
	s, _ := Slopes(w.lower())
	golden(t, "slopes", "slopes", s.String())
}
