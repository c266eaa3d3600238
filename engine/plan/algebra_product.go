package plan

import (
	"slices"

	"ganglion/kernels/dense"
)

// Associate is the pass that chooses between (AB)C and A(BC) by the number of multiplications, at the sizes the graph
// was written with. A product that others read too is computed anyway: then the other way has to be cheaper than the
// second product alone. The two ways differ by rounding.
func Associate(g *Graph) (*Graph, Map) {
	readers := make([]int, len(g.Nodes))
	for id := range g.Nodes {
		for _, c := range g.Nodes[id].In {
			readers[c]++
		}
	}
	for _, o := range g.Outputs {
		readers[o.Node] += 2
	}
	for _, u := range g.Updates {
		readers[u.Next] += 2
	}
	single := map[int]bool{} // products of the new graph that one node reads
	return g.rewrite(func(r *rewriter, id int, n Node) int {
		op, ok := n.Op.(dense.GEMM)
		if !ok || n.Kind != Apply {
			return r.add(n)
		}
		at := -1
		for side := range 2 {
			if at < 0 {
				at = regroup(r, &n, op, side, single)
			}
		}
		if at < 0 {
			at = r.add(n)
		}
		single[at] = readers[id] == 1
		return at
	})
}

// factor is a matrix or its transpose.
type factor struct {
	node  int
	trans bool
}

// dims are rows and columns.
func (f factor) dims(r *rewriter) (rows, cols float64) {
	s := r.node(f.node).Spec.Shape
	if f.trans {
		return float64(s[1]), float64(s[0])
	}
	return float64(s[0]), float64(s[1])
}

// factors are the two operands of a product, or, in the other order and turned round, those of its transpose.
func factors(n *Node, op dense.GEMM, trans bool) []factor {
	f := []factor{{n.In[0], op.TransA}, {n.In[1], op.TransB}}
	if trans {
		slices.Reverse(f)
		f[0].trans, f[1].trans = !f[0].trans, !f[1].trans
	}
	return f
}

// regroup computes the product n, whose operand on one side (0 or 1) is a product, the other way if that is cheaper;
// else it returns -1.
func regroup(r *rewriter, n *Node, op dense.GEMM, side int, single map[int]bool) int {
	own := factors(n, op, false)
	inner, ok := r.node(own[side].node).Op.(dense.GEMM)
	if !ok {
		return -1
	}
	three := factors(r.node(own[side].node), inner, own[side].trans)
	if side == 0 {
		three = append(three, own[1])
	} else {
		three = append(own[:1:1], three...)
	}
	m, k := three[0].dims(r)
	l, q := three[2].dims(r)
	left, right := m*k*l+m*l*q, k*l*q+m*k*q
	if side == 1 {
		left, right = right, left
	}
	if !single[own[side].node] {
		rows, cols := own[side].dims(r)
		_, inner := three[side].dims(r)
		left -= rows * inner * cols
	}
	if right > 0.9*left {
		return -1
	}
	multiply := func(a, b factor) int {
		return r.apply(n, dense.GEMM{TransA: a.trans, TransB: b.trans}, a.node, b.node)
	}
	if side == 0 {
		part := multiply(three[1], three[2])
		single[part] = true
		return multiply(three[0], factor{part, false})
	}
	part := multiply(three[0], three[1])
	single[part] = true
	return multiply(factor{part, false}, three[2])
}
