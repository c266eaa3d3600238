package message

import (
	"ganglion/engine"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/sparse"
	"ganglion/models/layer"
)

// GATv2 is the graph attention of Brody et al. (arXiv 2105.14491, Eq. 7): l = x·W_l + b_l at sources, r = x·W_r + b_r
// at destinations, y_i = Σ α_e·l_j with α the softmax over the edges into i of ⟨a, leaky(l_j + r_i + attr_e·W_e)⟩.
type GATv2 struct {
	GAT
	Share bool // r is l: one W and b for both ends
}

// Apply declares left/W, left/b, right/W, right/b (not with Share), a [Heads, Out] and b (no b with NoBias), and edge/W
// where edges have
// attributes, res/W with Residual. It returns what GAT returns.
func (l GATv2) Apply(s *engine.Scope, x Features, e Edges) *Node {
	if e.Attr != nil || l.drops(s) {
		y, _ := l.Attend(s, x, x, e)
		return y
	}
	left, right := l.sides(s, x, x)
	a := s.Param("a", random.Glorot{}, l.count(), l.Out)
	y := s.Apply(sparse.GATv2{Slope: l.slope()}, append([]*Node{left, right, a}, e.Structure...)...)
	return l.behind(s, y, x)
}

// sides are l of the sources and r of the destinations.
func (l GATv2) sides(s *engine.Scope, src, dst Features) (left, right *Node) {
	width := l.count() * l.Out
	left = l.heads(s, linear(s.In("left"), src, width, !l.NoBias, random.Glorot{}))
	if l.Share {
		return left, left
	}
	return left, l.heads(s, linear(s.In("right"), dst, width, !l.NoBias, random.Glorot{}))
}

// Attend is the layer from the nodes of one side, with features src, to those of another, with dst. It returns α
// [entries, Heads] too, without what is dropped.
func (l GATv2) Attend(s *engine.Scope, src, dst Features, e Edges) (y, alpha *Node) {
	width := l.count() * l.Out
	left, right := l.sides(s, src, dst)
	z := e.on(s, sparse.SDDMM{Kind: sparse.Plus}, right, left)
	if e.Attr != nil {
		w := linear(s.In("edge"), Dense(e.Attr), width, false, random.Glorot{})
		z = add(s, z, s.Apply(dense.Reshape{}, w, z))
	}
	logits := dot(s, leaky(s, l.slope(), z), s.Param("a", random.Glorot{}, l.count(), l.Out))
	alpha = e.on(s, sparse.Softmax{}, logits)
	e.Weight = layer.Dropout{Rate: l.Dropout, Key: l.Key}.Apply(s, alpha)
	return l.behind(s, e.Propagate(s, left), dst), alpha
}
