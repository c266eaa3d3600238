package message

import (
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

// Apply declares the network below net, and eps [1] with Learn, and returns y.
func (l GIN) Apply(s *engine.Scope, x *Node, e Edges) *Node {
	return l.Net.Apply(s.In("net"), Dense(l.root(s, x, e.Propagate(s, x))))
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
