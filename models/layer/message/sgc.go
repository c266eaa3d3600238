package message

import (
	"ganglion/engine"
	"ganglion/kernels/random"
)

// SGC is the simplified graph convolution (Wu et al., arXiv 1902.07153, Eq. 8): y = Â^Hops·x·W + b. The paper's graphs
// have a loop at each node: see Edges.Looped.
type SGC struct {
	Out, Hops int
}

// Apply declares W [width, Out] and b [Out] and returns y [nodes, Out].
func (l SGC) Apply(s *engine.Scope, x Features, e Edges) *Node {
	e = e.Normalised(s)
	hops := func(x *Node) *Node {
		for range l.Hops {
			x = e.Propagate(s, x)
		}
		return x
	}
	if x.X != nil && x.Width() < l.Out {
		return linear(s, Dense(hops(x.X)), l.Out, true, nil)
	}
	y := hops(linear(s, x, l.Out, false, nil))
	return add(s, y, s.Param("b", random.Zeros{}, l.Out))
}
