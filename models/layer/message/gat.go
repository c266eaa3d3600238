package message

import (
	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/sparse"
	"ganglion/models/layer"
)

// GAT is graph attention (Veličković et al., arXiv 1710.10903, Eq. 3–6): h = x·W with Heads parts of Out numbers,
//
//	y_i = Σ α_e·h_j,  α_e = softmax_e leaky(⟨h_j, a_src⟩ + ⟨h_i, a_dst⟩ + ⟨attr_e·W_e, a_edge⟩),
//
// the softmax over the edges into i, for each head. The paper's graphs have a loop at each node: see Edges.Looped.
// Weights of edges are not used.
type GAT struct {
	Heads    int // 0 means 1
	Out      int
	Average  bool    // the mean over the heads instead of all side by side
	Slope    float64 // of the leaky ReLU, from 0 to 1; 0 means 0.2
	Residual bool    // adds x·R
	NoBias   bool
	Dropout  float64 // share of the α that is dropped while training
	Key      *Node   // of the random numbers, see layer.Dropout
}

// Apply declares W [width, Heads·Out], src, dst [Heads, Out] and b, and edge/W, edge/a where edges have attributes,
// res/W with Residual. It returns y [nodes, Heads·Out], or [nodes, Out] with Average.
func (l GAT) Apply(s *engine.Scope, x Features, e Edges) *Node {
	h := l.heads(s, linear(s, x, l.count()*l.Out, false, random.Glorot{}))
	return l.between(s, h, h, x, e)
}

// Attend is Apply that returns α [entries, Heads] too, without what is dropped.
func (l GAT) Attend(s *engine.Scope, x Features, e Edges) (y, alpha *Node) {
	h := l.heads(s, linear(s, x, l.count()*l.Out, false, random.Glorot{}))
	us, ud, extra := l.logits(s, h, h, e)
	return l.attend(s, h, us, ud, extra, x, e)
}

// Between is the layer from the nodes of one side, with features src, to those of another, with dst, each with weights
// of its own: W and W_dst.
func (l GAT) Between(s *engine.Scope, src, dst Features, e Edges) *Node {
	hs := l.heads(s, linear(s, src, l.count()*l.Out, false, random.Glorot{}))
	hd := l.heads(s, linear(s.In("dst"), dst, l.count()*l.Out, false, random.Glorot{}))
	return l.between(s, hs, hd, dst, e)
}

// between is the layer behind h = x·W of sources and destinations. Where α is not needed by itself no array with a row
// of h for each edge is made.
func (l GAT) between(s *engine.Scope, hs, hd *Node, dst Features, e Edges) *Node {
	us, ud, extra := l.logits(s, hs, hd, e)
	if l.drops(s) {
		y, _ := l.attend(s, hs, us, ud, extra, dst, e)
		return y
	}
	in := append([]*Node{hs, us, ud}, e.Structure...)
	if extra != nil {
		in = append(in, extra)
	}
	return l.behind(s, s.Apply(sparse.GAT{Slope: l.slope()}, in...), dst)
}

// drops says whether some of the α are dropped.
func (l GAT) drops(s *engine.Scope) bool { return s.Training() && l.Dropout > 0 }

func (l GAT) count() int { return max(1, l.Heads) }

func (l GAT) slope() float64 {
	if l.Slope == 0 {
		return 0.2
	}
	return l.Slope
}

// heads cuts rows in parts: [n, Heads·Out] becomes [n, Heads, Out].
func (l GAT) heads(s *engine.Scope, h *Node) *Node {
	return s.Apply(dense.Reshape{To: dense.ShapeOf(-1, l.count(), l.Out)}, h)
}

// logits are ⟨h, a_src⟩ and ⟨h, a_dst⟩ of the nodes, [nodes, Heads], and what the attributes of edges add, [entries,
// Heads], nil where there are none.
func (l GAT) logits(s *engine.Scope, hs, hd *Node, e Edges) (us, ud, extra *Node) {
	logit := func(name string, h *Node) *Node {
		return dot(s, h, s.Param(name, random.Glorot{}, l.count(), l.Out))
	}
	us, ud = logit("src", hs), logit("dst", hd)
	if e.Attr != nil { // ⟨attr·W_e, a⟩ = attr·(W_e·a): no row of Heads·Out numbers for an edge
		q, n := s.In("edge"), kernels.SpecOf(e.Attr).Shape[1]
		w := q.Param("W", random.Glorot{}, n, l.count()*l.Out)
		a := q.Param("a", random.Glorot{}, l.count(), l.Out)
		v := dot(q, q.Apply(dense.Reshape{To: dense.ShapeOf(n, l.count(), l.Out)}, w), a)
		extra = q.Apply(dense.GEMM{}, e.Attr, v)
	}
	return us, ud, extra
}

// attend is the layer behind the logits, step by step.
func (l GAT) attend(s *engine.Scope, hs, us, ud, extra *Node, dst Features, e Edges) (y, alpha *Node) {
	z := e.on(s, sparse.SDDMM{Kind: sparse.Plus}, ud, us)
	if extra != nil {
		z = add(s, z, extra)
	}
	alpha = e.on(s, sparse.Softmax{}, leaky(s, l.slope(), z))
	e.Weight = layer.Dropout{Rate: l.Dropout, Key: l.Key}.Apply(s, alpha)
	return l.behind(s, e.Propagate(s, hs), dst), alpha
}

// dot is the inner product of the parts of rows with a [Heads, Out]: [n, Heads].
func dot(s *engine.Scope, h, a *Node) *Node {
	return s.Apply(dense.Reduce{Axes: dense.On(2)}, mul(s, h, a))
}

// behind joins or averages the heads, and adds residual and bias.
func (l GAT) behind(s *engine.Scope, y *Node, dst Features) *Node {
	width := l.count() * l.Out
	if l.Average {
		y, width = s.Apply(dense.Reduce{Kind: dense.Mean, Axes: dense.On(1)}, y), l.Out
	} else {
		y = s.Apply(dense.Reshape{To: dense.ShapeOf(-1, width)}, y)
	}
	if l.Residual {
		y = add(s, y, linear(s.In("res"), dst, width, false, random.Glorot{}))
	}
	if l.NoBias {
		return y
	}
	return add(s, y, s.Param("b", random.Zeros{}, width))
}
