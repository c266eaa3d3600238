package sparse

import (
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// pack lays arrays one behind another.
func pack(b kernels.Builder, parts ...*kernels.Node) *kernels.Node {
	return b.Apply(dense.Pack{}, parts...)
}

// apart is the list of nodes that an operator's gradient is written for, each a node of its own: an input that is
// given twice is copied, so that its gradients are told apart.
func apart(b kernels.Builder, in []*kernels.Node) []*kernels.Node {
	list := append([]*kernels.Node(nil), in...)
	seen := map[*kernels.Node]bool{}
	for i, n := range list {
		for seen[n] {
			n = b.Apply(dense.Scale{Alpha: 1, Beta: 0}, n)
		}
		seen[n] = true
		list[i] = n
	}
	return list
}

// backward returns the gradients of out by the float inputs of a composition that was built on them: nil for the
// others, and zeros for those that it does not depend on. It does not look beyond the inputs.
func backward(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	sums, leaf := map[*kernels.Node]*kernels.Node{out: dout}, map[*kernels.Node]bool{}
	for _, n := range in {
		leaf[n] = true
	}
	order := above(out, leaf)
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		if sums[n] == nil || leaf[n] {
			continue
		}
		op, _ := kernels.KernelOf(n)
		ch := kernels.Children(n)
		for k, g := range op.(kernels.Differentiable).Grad(b, ch, n, sums[n]) {
			if g == nil {
				continue
			}
			if sum := sums[ch[k]]; sum != nil {
				g = b.Apply(dense.Binary{Kind: dense.Add}, sum, g)
			}
			sums[ch[k]] = g
		}
	}
	grads := make([]*kernels.Node, len(in))
	for i, n := range in {
		if !kernels.SpecOf(n).DType.IsFloat() {
			continue
		}
		if grads[i] = sums[n]; grads[i] == nil {
			grads[i] = zeros(b, n)
		}
	}
	return grads
}

// above lists the nodes that out is made of down to the leaves, each behind its inputs.
func above(out *kernels.Node, leaf map[*kernels.Node]bool) []*kernels.Node {
	var order []*kernels.Node
	done := map[*kernels.Node]bool{}
	var visit func(n *kernels.Node)
	visit = func(n *kernels.Node) {
		if done[n] {
			return
		}
		done[n] = true
		if !leaf[n] {
			for _, c := range kernels.Children(n) {
				visit(c)
			}
		}
		order = append(order, n)
	}
	visit(out)
	return order
}
