package message

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
	"ganglion/models/layer"
)

// Node is a node of the model's graph.
type Node = kernels.Node

// Edges are the edges of a graph in a program: rows are destinations, columns are sources.
type Edges struct {
	Structure []*Node // int32 ptr, col, tptr, tcol, tpos: see kernels/sparse
	Weight    *Node   // float [entries]; nil is 1 for all
	Attr      *Node   // float [entries, attributes]; nil for none
}

// Aggregate names how the messages that a node receives become one: none at all give 0.
type Aggregate = sparse.Kind

// The aggregates.
const (
	Sum  = sparse.Sum
	Mean = sparse.Mean
	Max  = sparse.Max
)

// NewEdges declares the five inputs of a structure, with the sizes of one graph, in a scope.
func NewEdges(s *engine.Scope, rows, cols, entries int) Edges {
	ints := func(name string, n int) *Node { return s.Input(name, kernels.S(kernels.Int32, n)) }
	return Edges{Structure: []*Node{ints("ptr", rows+1), ints("col", entries), ints("tptr", cols+1),
		ints("tcol", entries), ints("tpos", entries)}}
}

// on applies an operator to values and the structure.
func (e Edges) on(s *engine.Scope, op kernels.Op, in ...*Node) *Node {
	if len(e.Structure) != len(sparse.Structure{}.Tensors()) {
		s.Fail(fmt.Errorf("edges: %w: a structure has 5 inputs, these are %d", kernels.ErrShape, len(e.Structure)))
	}
	return s.Apply(op, append(in, e.Structure...)...)
}

// ones is 1 for each entry.
func (e Edges) ones(s *engine.Scope) *Node {
	return s.Apply(dense.FillLike{Value: 1}, s.Apply(dense.Cast{To: s.DType()}, e.Structure[1]))
}

// weights are those of the entries, 1 where there are none.
func (e Edges) weights(s *engine.Scope) *Node {
	if e.Weight != nil {
		return e.Weight
	}
	return e.ones(s)
}

// Normalised gives each entry the weight r_i·w·r_j with r = d^{−1/2}, d_i the sum of the weights into node i, and 0
// where d is 0: Â of a graph convolution where each node has a loop. It goes for square structures.
func (e Edges) Normalised(s *engine.Scope) Edges {
	e.Weight = sparse.Normalise(s, e.weights(s), e.Structure...)
	return e
}

// Propagate sums the weighted rows of the sources: y_i = Σ w_e·x_j over the entries j → i. Weights may be [entries], or
// [entries, heads] for x [nodes, heads, ...].
func (e Edges) Propagate(s *engine.Scope, x *Node) *Node { return e.reduce(s, Sum, x, false) }

// reduce aggregates the weighted rows of the sources. Means divide by the number of entries. zero is CountZero of
// kernels/sparse.
func (e Edges) reduce(s *engine.Scope, k Aggregate, x *Node, zero bool) *Node {
	zero = zero && k == Max
	switch {
	case e.Weight == nil:
		return e.on(s, sparse.SpMM{Kind: k, CountZero: zero}, x)
	case k != Max:
		return s.Apply(sparse.SpMM{Kind: k}, append(append([]*Node{x}, e.Structure...), e.Weight)...)
	}
	v := e.on(s, sparse.Spread{Source: true}, x)
	shape := dense.ShapeOf(-1, 1)
	if kernels.SpecOf(e.Weight).Shape[0] == 0 {
		shape = dense.ShapeOf(0, 1)
	}
	v = mul(s, v, s.Apply(dense.Reshape{To: shape}, e.Weight))
	return e.on(s, sparse.Segment{Kind: Max, CountZero: zero}, v)
}

// Looped returns the edges with a loop at each node, from edges of which none is a loop: looped is the structure of
// both, in which the loop of a node is its last entry. from, int32 [entries of looped], says where the values of each
// entry come from: a number below the entries of e is an entry of e, one above them by i stands for the loop of node
// i. Loops have the weight loop, float [nodes], or 1 where it is nil and e has weights, and as attributes the means of
// those of the edges into the node.
func (e Edges) Looped(s *engine.Scope, looped []*Node, from, loop *Node) Edges {
	out := Edges{Structure: looped}
	pick := func(edges, loops *Node) *Node {
		return s.Apply(dense.Gather{}, s.Apply(dense.Concat{}, edges, loops), from)
	}
	if e.Weight != nil || loop != nil {
		w := e.weights(s)
		if loop == nil {
			loop = s.Apply(dense.FillLike{Value: 1}, e.on(s, sparse.Segment{}, w))
		}
		out.Weight = pick(w, loop)
	}
	if e.Attr != nil {
		out.Attr = pick(e.Attr, e.on(s, sparse.Segment{Kind: Mean}, e.Attr))
	}
	return out
}

func add(s *engine.Scope, x, y *Node) *Node { return s.Apply(dense.Binary{Kind: dense.Add}, x, y) }
func mul(s *engine.Scope, x, y *Node) *Node { return s.Apply(dense.Binary{Kind: dense.Mul}, x, y) }
func scale(s *engine.Scope, a float64, x *Node) *Node {
	return s.Apply(dense.Scale{Alpha: a}, x)
}

// leaky is max(slope·x, x): the leaky ReLU for slopes from 0 to 1. Its derivative at 0 is the slope.
func leaky(s *engine.Scope, slope float64, x *Node) *Node {
	return s.Apply(dense.Binary{Kind: dense.Max}, scale(s, slope, x), x)
}

// dropped drops weights of entries while training.
func (e Edges) dropped(s *engine.Scope, rate float64, key *Node) Edges {
	e.Weight = layer.Dropout{Rate: rate, Key: key}.Apply(s, e.Weight)
	return e
}
