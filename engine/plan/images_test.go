package plan

import (
	"testing"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
)

// Convolutions take in bias and ReLU, and the gradients of pooling and ReLU become one; what somebody else reads stays.
func TestImages(t *testing.T) {
	w := newWriter(t)
	x, m := w.input("x", 2, 1, 8, 8), w.state("w", 3, 1, 3, 3)
	column := func(name string, n int) *kernels.Node {
		return w.apply(dense.Reshape{To: dense.ShapeOf(-1, 1, 1)}, w.state(name, n))
	}
	convolve := func(pad int32) *kernels.Node {
		return w.apply(conv.Conv{Dims: 2, Pad: [3]int32{pad, pad}}, x, m)
	}
	y := relu(w, add(w, convolve(0), column("b", 3)))
	w.output("y", y)
	w.output("bias alone", unary(w, act.Tanh, 0, add(w, column("c", 3), convolve(1))))
	w.output("no bias", relu(w, convolve(2)))
	w.output("one bias for all", add(w, convolve(3), column("d", 1)))
	twice := convolve(4)
	w.output("read twice", mul(w, add(w, twice, column("e", 3)), twice))
	window := conv.Window{Dims: 2, Kernel: [3]int32{2, 2}}
	grad := w.apply(conv.MaxPoolGrad{Window: window}, y, w.input("dy", 2, 3, 3, 3))
	w.output("pool", mul(w, grad, unary(w, act.ReLU, 1, y)))
	kept := w.apply(conv.MaxPoolGrad{Window: window}, y, w.input("kept", 2, 3, 3, 3))
	w.output("kept", kept)
	w.output("of kept", mul(w, unary(w, act.ReLU, 1, y), kept))
	other := w.apply(conv.MaxPoolGrad{Window: window}, y, w.input("other", 2, 3, 3, 3))
	w.output("another value", mul(w, other, unary(w, act.ReLU, 1, w.input("z", 2, 3, 6, 6))))
	g := w.lower()
	e, to := Images(g)
	dead, _ := Dead(e)
	golden(t, "images", "images", dead.String())
	for id, at := range to {
		if at >= 0 && !e.Nodes[at].Spec.Equal(g.Nodes[id].Spec) {
			t.Errorf("%%%d became %v", id, e.Nodes[at].Spec)
		}
	}
}
