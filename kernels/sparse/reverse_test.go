package sparse

import (
	"testing"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// scaleOf is an array of one value.
func scaleOf(v float64) kernels.Op { return dense.FillLike{Value: v} }

// sumAll is the sum of all elements of a tensor of three dimensions.
var sumAll = dense.Reduce{Axes: dense.On(0, 1, 2)}

// reverse returns the gradients of Σ dout∘out by the given nodes, zeros where there are none.
func reverse(t *testing.T, b kernels.Builder, out, dout *kernels.Node, wrt ...*kernels.Node) []*kernels.Node {
	t.Helper()
	grads := map[*kernels.Node]*kernels.Node{out: dout}
	order := sorted(out)
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		a, ok := n.Op().(*kernels.Adapter)
		if !ok || grads[n] == nil {
			continue
		}
		in := kernels.Children(n)
		parts, err := a.SymDiff(in, n, grads[n])
		if err != nil {
			t.Fatal(err)
		}
		for k, d := range parts {
			switch {
			case d == nil:
			case grads[in[k]] == nil:
				grads[in[k]] = d
			default:
				grads[in[k]] = b.Apply(dense.Binary{Kind: dense.Add}, grads[in[k]], d)
			}
		}
	}
	list := make([]*kernels.Node, len(wrt))
	for i, n := range wrt {
		if list[i] = grads[n]; list[i] == nil {
			list[i] = zeros(b, n)
		}
	}
	return list
}

// sorted lists the nodes that out depends on, operands first.
func sorted(out *kernels.Node) []*kernels.Node {
	var order []*kernels.Node
	seen := map[*kernels.Node]bool{}
	var visit func(n *kernels.Node)
	visit = func(n *kernels.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, c := range kernels.Children(n) {
			visit(c)
		}
		order = append(order, n)
	}
	visit(out)
	return order
}
