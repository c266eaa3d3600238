package message

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels/random"
)

// TAG is the topology adaptive convolution (Du et al., arXiv 1710.10370, Eq. 3): y = Σ_{k ≤ Hops} P^k·x·W_k + b, where
// P has the weights of GCN on edges without added loops.
type TAG struct {
	Out, Hops int
	Raw       bool // the weights of the edges as they are
}

// Apply declares 0/W … Hops/W and b and returns y [nodes, Out].
func (l TAG) Apply(s *engine.Scope, x *Node, e Edges) *Node {
	if !l.Raw {
		e = e.Normalised(s)
	}
	y := linear(s.In("0"), Dense(x), l.Out, false, nil)
	for k := range l.Hops {
		x = e.Propagate(s, x)
		y = add(s, y, linear(s.In(fmt.Sprint(k+1)), Dense(x), l.Out, false, nil))
	}
	return add(s, y, s.Param("b", random.Zeros{}, l.Out))
}
