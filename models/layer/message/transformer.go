package message

import (
	"math"

	"ganglion/engine"
	"ganglion/kernels/sparse"
)

// Transformer is attention by inner products (Shi et al., arXiv 2009.03509, Eq. 3 and 4) in Heads parts of Out numbers:
// y_i = Σ α_e·v_j + x_i·W_root + b, α the softmax over the edges into i of ⟨q_i, k_j⟩/√Out; q, k and v are linear in x.
// Weights and attributes of edges are not used.
type Transformer struct {
	Heads   int // 0 means 1
	Out     int
	Average bool // the mean over the heads instead of all side by side
	NoRoot  bool // without x_i·W_root + b
}

// Apply declares W and b of query, key, value and root, and returns y [nodes, Heads·Out], or [nodes, Out] with Average.
func (l Transformer) Apply(s *engine.Scope, x Features, e Edges) *Node {
	h := GAT{Heads: l.Heads, Out: l.Out, Average: l.Average, NoBias: true}
	part := func(name string) *Node {
		return h.heads(s, linear(s.In(name), x, h.count()*l.Out, true, nil))
	}
	z := e.on(s, sparse.SDDMM{Kind: sparse.Dot, Heads: true}, part("query"), part("key"))
	e.Weight = e.on(s, sparse.Softmax{}, scale(s, 1/math.Sqrt(float64(l.Out)), z))
	y := h.behind(s, e.Propagate(s, part("value")), x)
	if l.NoRoot {
		return y
	}
	width := h.count() * l.Out
	if l.Average {
		width = l.Out
	}
	return add(s, y, linear(s.In("root"), x, width, true, nil))
}
