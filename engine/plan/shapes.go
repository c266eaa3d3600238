package plan

import (
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// shapeOnly reports whether node n looks at the shape of its input i, but not at its elements.
func shapeOnly(n *Node, i int) bool {
	op, ok := n.Op.(kernels.ShapeReader)
	return ok && n.Kind == Apply && op.ShapeOnly(i)
}

// ShapeOnly is true for x.
func (SizeOf) ShapeOnly(i int) bool { return i == 0 }

// ShapeOnly is true for like.
func (Repeat) ShapeOnly(i int) bool { return i == 1 }

// shapeSource is an input of n that has n's shape at all sizes, -1 when none is known.
func shapeSource(n *Node) int {
	switch n.Op.(type) {
	case dense.Unary, dense.Scale, dense.FillLike, dense.AddN, dense.Softmax, dense.LogSoftmax, random.Dropout,
		random.Uniform, random.Normal, random.Bernoulli, Copy:
		return n.In[0]
	case dense.BroadcastTo, dense.SumTo, dense.Embed:
		return n.In[1]
	case dense.Reshape:
		if len(n.In) == 2 {
			return n.In[1]
		}
	}
	return -1
}

// Shapes is the pass that spares values of which only the shapes count: where no op looks at their elements, the
// values that they have their shapes from are put in their places.
func Shapes(g *Graph) (*Graph, Map) {
	wanted := make([]bool, len(g.Nodes)) // the elements are looked at
	shape := make([]bool, len(g.Nodes))  // the shape is looked at
	for _, o := range g.Outputs {
		wanted[o.Node] = true
	}
	for _, u := range g.Updates {
		wanted[u.State], wanted[u.Next] = true, true
	}
	source := make([]int, len(g.Nodes))
	for id := len(g.Nodes) - 1; id >= 0; id-- {
		n := &g.Nodes[id]
		source[id] = id
		if shape[id] && !wanted[id] && n.Kind == Apply {
			if s := shapeSource(n); s >= 0 && g.Nodes[s].Spec.Equal(n.Spec) {
				source[id], shape[s] = s, true
				continue
			}
		}
		if !wanted[id] && !shape[id] {
			continue
		}
		for i, c := range n.In {
			if n.Kind == Apply && shapeOnly(n, i) {
				shape[c] = true
			} else {
				wanted[c] = true
			}
		}
	}
	for id := range source {
		source[id] = source[source[id]]
	}
	return g.rewrite(func(r *rewriter, id int, n Node) int {
		for i, c := range g.Nodes[id].In {
			if source[c] != c && shapeOnly(&n, i) {
				n.In[i] = r.to[source[c]]
			}
		}
		return r.add(n)
	})
}

var (
	_ kernels.ShapeReader = SizeOf{}
	_ kernels.ShapeReader = Repeat{}
)
