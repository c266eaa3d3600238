package message

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/sparse"
	"ganglion/models/layer"
)

// GIN is the layer of Xu et al. (arXiv 1810.00826, Eq. 4.1): y_i = net((1 + ε)·x_i + Σ_j x_j).
type GIN struct {
	Net   MLP
	Eps   float64 // ε, at the start where it is learnt
	Learn bool    // whether ε is a parameter
}

// Apply declares the network below net, and eps [1] with Learn, and returns y. The network's first product comes before
// the sum where that makes rows narrower, or x is sparse.
func (l GIN) Apply(s *engine.Scope, x Features, e Edges) *Node {
	if len(l.Net.Widths) == 0 {
		s.Fail(fmt.Errorf("isomorphism network: a network without layers"))
	}
	net := s.In("net")
	if x.X != nil && x.Width() <= l.Net.Widths[0] {
		return l.Net.Apply(net, Dense(l.root(s, x.X, e.Propagate(s, x.X))))
	}
	first, r := net.In("0"), fan(x.Width())
	h := x.Times(first, first.Param("W", r, x.Width(), l.Net.Widths[0]))
	h = add(first, l.root(s, h, e.Propagate(s, h)), first.Param("b", r, l.Net.Widths[0]))
	return l.Net.from(net, 1, l.Net.behind(first, 0, h))
}

// root is (1 + ε)·x + y.
func (l GIN) root(s *engine.Scope, x, y *Node) *Node {
	if !l.Learn {
		return add(s, scale(s, 1+l.Eps, x), y)
	}
	eps := s.Param("eps", random.Constant{Value: l.Eps}, 1)
	return add(s, mul(s, x, s.Apply(dense.Scale{Alpha: 1, Beta: 1}, eps)), y)
}

// GINE is GIN for edges with attributes (Hu et al., arXiv 1905.12265): y_i = net((1 + ε)·x_i + Σ_j relu(x_j + a_e)),
// where a_e are the attributes of the edge, multiplied by W and with b added where they are not as wide as x.
type GINE struct{ GIN }

// Apply declares the network below net, eps with Learn, and edge/W and edge/b where they are needed, and returns y.
func (l GINE) Apply(s *engine.Scope, x *Node, e Edges) *Node {
	attr, width := e.Attr, kernels.SpecOf(x).Shape[1]
	if kernels.SpecOf(attr).Shape[1] != width {
		attr = linear(s.In("edge"), Dense(attr), width, true, nil)
	}
	m := layer.Activation(s, act.ReLU, add(s, e.on(s, sparse.Spread{Source: true}, x), attr))
	return l.Net.Apply(s.In("net"), Dense(l.root(s, x, e.on(s, sparse.Segment{}, m))))
}
