package message

import (
	"ganglion/engine"
	"ganglion/kernels/sparse"
)

// Pool gives each graph of a batch the sum, mean or maximum of the rows of its nodes; a graph without nodes has 0. Its
// edges lead from nodes to graphs: rows are graphs, columns nodes.
type Pool struct {
	Kind      Aggregate
	CountZero bool // in the gradient of Max, see kernels/sparse
}

// Apply returns a row for each graph.
func (l Pool) Apply(s *engine.Scope, x *Node, graphs Edges) *Node {
	return graphs.reduce(s, l.Kind, x, l.CountZero)
}

// Attention gives each graph of a batch the sum of x·W + b over its nodes, weighted by the softmax of their gates x·g +
// c (Li et al., arXiv 1511.05493, Eq. 7, without its sigmoid and tanh). Its edges are those of Pool.
type Attention struct {
	Out int // 0 takes x as it is
}

// Apply declares gate/W, gate/b, and net/W and net/b where Out is not 0, and returns a row for each graph.
func (l Attention) Apply(s *engine.Scope, x *Node, graphs Edges) *Node {
	gate := linear(s.In("gate"), Dense(x), 1, true, nil)
	if l.Out > 0 {
		x = linear(s.In("net"), Dense(x), l.Out, true, nil)
	}
	p := graphs.on(s, sparse.Softmax{}, graphs.on(s, sparse.Spread{Source: true}, gate))
	return graphs.on(s, sparse.Segment{}, mul(s, graphs.on(s, sparse.Spread{Source: true}, x), p))
}
