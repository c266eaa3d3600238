package message

import "ganglion/engine"

// APPNP spreads rows by personalised PageRank (Gasteiger et al., arXiv 1810.05997, Eq. 4): h = x, and Hops times
// x ← (1−Alpha)·Â·x + Alpha·h. It has no parameters. The paper's graphs have a loop at each node: see Edges.Looped.
type APPNP struct {
	Hops    int
	Alpha   float64 // from 0 to 1
	Dropout float64 // share of the edges that is dropped in each hop while training
	Key     *Node   // of the random numbers, see layer.Dropout
}

// Apply returns the rows after the last hop.
func (l APPNP) Apply(s *engine.Scope, x *Node, e Edges) *Node {
	e = e.Normalised(s)
	root := scale(s, l.Alpha, x)
	for range l.Hops {
		x = add(s, scale(s, 1-l.Alpha, e.dropped(s, l.Dropout, l.Key).Propagate(s, x)), root)
	}
	return x
}
