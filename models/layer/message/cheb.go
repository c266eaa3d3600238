package message

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/sparse"
)

// Laplacian names a Laplacian of weights W with the degrees d_j = Σ of the weights of the edges out of node j.
type Laplacian uint8

// The Laplacians.
const (
	Symmetric  Laplacian = iota // I − D^{−1/2}·W·D^{−1/2}
	RandomWalk                  // I − W·D^{−1}: each weight divided by the degree of its source
	Plain                       // D − W
)

// Cheb is the Chebyshev convolution (Defferrard et al., arXiv 1606.09375, Eq. 5): with L̃ = 2L/λ − I, T₀ = x, T₁ =
// L̃·x, T_k = 2L̃·T_{k−1} − T_{k−2}, it is y = Σ_{k < Terms} T_k·W_k + b. Edges must have no loops.
type Cheb struct {
	Out, Terms int
	Kind       Laplacian
	// Lambda is λ, the largest eigenvalue. 0 means its bound: 2 where the Laplacian is normalised, else twice the
	// largest element.
	Lambda float64
}

// Apply declares 0/W, 1/W, … and b and returns y [nodes, Out].
func (l Cheb) Apply(s *engine.Scope, x *Node, e Edges) *Node {
	if l.Terms < 1 {
		s.Fail(fmt.Errorf("convolution of %d terms, wants 1 at least", l.Terms))
	}
	off, diagonal := l.Scaled(s, e)
	e.Weight = off
	hop := func(t *Node) *Node {
		return add(s, e.Propagate(s, t), mul(s, column(s, diagonal), t))
	}
	term := func(k int, t *Node) *Node {
		return linear(s.In(fmt.Sprint(k)), Dense(t), l.Out, false, random.Glorot{})
	}
	y, last := term(0, x), x
	for k := 1; k < l.Terms; k++ {
		next := hop(x)
		if k > 1 {
			next = s.Apply(dense.Binary{Kind: dense.Sub}, scale(s, 2, next), last)
		}
		last, x = x, next
		y = add(s, y, term(k, x))
	}
	return add(s, y, s.Param("b", random.Zeros{}, l.Out))
}

// Scaled returns L̃: its elements at the edges [entries], and on the diagonal [nodes].
func (l Cheb) Scaled(s *engine.Scope, e Edges) (edges, diagonal *Node) {
	w := e.weights(s)
	degree := e.on(s, sparse.Segment{Source: true}, w)
	switch l.Kind {
	case Symmetric:
		r := s.Apply(sparse.InvSqrt{}, degree)
		edges = mul(s, e.on(s, sparse.SDDMM{Kind: sparse.Multiply}, r, r), w)
	case RandomWalk:
		r := s.Apply(sparse.InvSqrt{}, degree)
		edges = mul(s, e.on(s, sparse.Spread{Source: true}, mul(s, r, r)), w)
	default:
		return l.plain(s, e, w, degree)
	}
	a := 1.0 // 2/λ
	if l.Lambda != 0 {
		a = 2 / l.Lambda
	}
	return scale(s, -a, edges), s.Apply(dense.FillLike{Value: a - 1}, degree)
}

// plain is L̃ of D − W; −I where λ is 0.
func (l Cheb) plain(s *engine.Scope, e Edges, w, degree *Node) (edges, diagonal *Node) {
	top := func(x *Node) *Node { return s.Apply(dense.Reduce{Kind: dense.Max}, x) }
	bound := s.Apply(dense.Binary{Kind: dense.Max}, top(degree),
		top(e.on(s, sparse.Segment{Kind: Max}, scale(s, -1, w))))
	a := s.Apply(sparse.InvSqrt{}, bound) // 2/λ = 1/bound, 0 where the bound is 0
	a = mul(s, a, a)
	if l.Lambda != 0 {
		a = s.Apply(dense.FillLike{Value: 2 / l.Lambda}, a)
	}
	return scale(s, -1, mul(s, w, a)), s.Apply(dense.Scale{Alpha: 1, Beta: -1}, mul(s, degree, a))
}

// column makes a column of a list.
func column(s *engine.Scope, x *Node) *Node {
	return s.Apply(dense.Reshape{To: dense.ShapeOf(-1, 1)}, x)
}
