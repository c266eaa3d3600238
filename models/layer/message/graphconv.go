package message

import "ganglion/engine"

// GraphConv is the layer of Morris et al. (arXiv 1810.02244): y_i = agg_j(w_e·x_j)·W + b + x_i·W_root. Means divide by
// the number of edges, not by the sum of their weights.
type GraphConv struct {
	Out       int
	Kind      Aggregate
	NoBias    bool
	CountZero bool // in the gradient of Max, see kernels/sparse
}

// Apply declares neighbours/W, neighbours/b and root/W and returns y [nodes, Out].
func (l GraphConv) Apply(s *engine.Scope, x *Node, e Edges) *Node { return l.Between(s, x, x, e) }

// Between is the layer from the nodes of one side, with features src, to those of another, with dst.
func (l GraphConv) Between(s *engine.Scope, src, dst *Node, e Edges) *Node {
	y := linear(s.In("neighbours"), Dense(e.reduce(s, l.Kind, src, l.CountZero)), l.Out, !l.NoBias, nil)
	return add(s, y, linear(s.In("root"), Dense(dst), l.Out, false, nil))
}
