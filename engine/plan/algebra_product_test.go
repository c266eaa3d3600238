package plan

import (
	"testing"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Three factors are multiplied in the cheaper order, with transposes, as long as nobody else reads the product that
// would be left out, and only if it is worth it.
func TestAssociate(t *testing.T) {
	w := newWriter(t)
	mul := func(op dense.GEMM, a, b *kernels.Node) *kernels.Node { return w.apply(op, a, b) }
	none, ta, tb := dense.GEMM{}, dense.GEMM{TransA: true}, dense.GEMM{TransB: true}
	a, b, v := w.input("a", 30, 20), w.input("b", 20, 40), w.input("v", 40, 2)
	w.output("right", mul(none, mul(none, a, b), v))
	w.output("left", mul(tb, w.input("u", 3, 30), mul(ta, b, w.input("at", 20, 30))))
	w.output("transposed", mul(ta, mul(none, b, v), w.input("c", 20, 50)))
	w.output("good already", mul(none, a, mul(none, b, v)))
	w.output("equal", mul(none, mul(none, w.input("p", 5, 5), w.input("q", 5, 5)), w.input("r", 5, 5)))
	shared := mul(none, w.input("s", 30, 20), b)
	w.output("shared", mul(none, shared, v))
	w.output("shared itself", shared)
	w.output("square", mul(tb, mul(none, w.input("z", 30, 2), w.input("y", 2, 40)), w.input("x", 30, 40)))
	g := w.lower()
	out, _ := Associate(g)
	dead, _ := Dead(out)
	golden(t, "associate", "graph", g.String(), "associate", dead.String())
	in := []kernels.Tensor{}
	for i := range g.Nodes {
		if g.Nodes[i].Kind == Input {
			x := kernels.New(g.Nodes[i].Spec)
			for k := range x.F64 {
				x.F64[k] = float64((k*7+i*5)%9 - 4)
			}
			in = append(in, x)
		}
	}
	want, got := values(t, g, in), values(t, dead, in)
	for i, o := range g.Outputs {
		for k, v := range want[o.Node].F64 {
			if got[dead.Outputs[i].Node].F64[k] != v {
				t.Fatalf("%s: element %d is %v, was %v", o.Name, k, got[dead.Outputs[i].Node].F64[k], v)
			}
		}
	}
}

// values are those of all nodes by their references, for inputs by slot.
func values(t *testing.T, g *Graph, inputs []kernels.Tensor) []kernels.Tensor {
	t.Helper()
	out := make([]kernels.Tensor, len(g.Nodes))
	for id := range g.Nodes {
		n := &g.Nodes[id]
		if n.Kind == Input {
			out[id] = inputs[n.Slot]
			continue
		}
		in := make([]kernels.Tensor, len(n.In))
		for i, c := range n.In {
			in[i] = out[c]
		}
		var err error
		if out[id], err = kernels.RunRef(n.Op, in); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
