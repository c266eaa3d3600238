package message

import (
	"ganglion/engine"
	"ganglion/kernels/random"
)

// GCN is the graph convolution of Kipf and Welling (arXiv 1609.02907, Eq. 2): y = Â·x·W + b with Â =
// D^{−1/2}·A·D^{−1/2} of the edges as given. The paper's have a loop at each node: see Edges.Looped.
type GCN struct {
	Out    int
	Raw    bool // the weights of the edges as they are, without Â's factors
	NoBias bool
}

// Apply declares W [width, Out] and b [Out] and returns y [nodes, Out].
func (l GCN) Apply(s *engine.Scope, x Features, e Edges) *Node {
	if !l.Raw {
		e = e.Normalised(s)
	}
	w := s.Param("W", random.Glorot{}, x.Width(), l.Out)
	var y *Node
	if x.X != nil && x.Width() < l.Out { // the narrower matrix is propagated
		y = Dense(e.Propagate(s, x.X)).Times(s, w)
	} else {
		y = e.Propagate(s, x.Times(s, w))
	}
	return l.bias(s, y)
}

func (l GCN) bias(s *engine.Scope, y *Node) *Node {
	if l.NoBias {
		return y
	}
	return add(s, y, s.Param("b", random.Zeros{}, l.Out))
}
