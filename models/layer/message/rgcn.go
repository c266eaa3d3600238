package message

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// RGCN is the relational graph convolution (Schlichtkrull et al., arXiv 1703.06103, Eq. 2): y_i = Σ_r agg_e x_j·W_r +
// x_i·W_root + b, the aggregate over the edges of relation r into i. Its edges stand in a structure with Relations rows
// a node: an edge j → i of relation r is an entry of row i·Relations + r (see RelationRows).
type RGCN struct {
	Out, Relations int
	Kind           Aggregate // the sum by default; the paper's is Mean
	Bases          int       // W_r = Σ_b c_rb·V_b with this many V, where it is not 0 (Eq. 3)
	Blocks         int       // W_r is block-diagonal with this many blocks, where it is not 0 (Eq. 4)
	NoRoot, NoBias bool
}

// RelationRows returns the row of each edge in the structure of RGCN: target·relations + type.
func RelationRows(target, relation []int32, relations int) []int32 {
	rows := make([]int32, len(target))
	for e, i := range target {
		rows[e] = i*int32(relations) + relation[e]
	}
	return rows
}

// Apply declares W [Relations, width, Out] (with Bases: W [Bases, width, Out] and c [Relations, Bases]; with Blocks: W
// [Relations, Blocks, width/Blocks, Out/Blocks]), root [width, Out] and b, and returns y [nodes, Out].
func (l RGCN) Apply(s *engine.Scope, x *Node, e Edges) *Node {
	in := kernels.SpecOf(x).Shape[1]
	if l.Relations < 1 || l.Bases > 0 && l.Blocks > 0 || l.Blocks > 0 && (in%l.Blocks != 0 || l.Out%l.Blocks != 0) {
		s.Fail(fmt.Errorf("relational convolution: %w: %d relations, %d bases, %d blocks of %d inputs and %d outputs",
			kernels.ErrShape, l.Relations, l.Bases, l.Blocks, in, l.Out))
	}
	h := e.reduce(s, l.Kind, x, false) // [nodes·Relations, in]
	var y *Node
	if l.Blocks > 0 {
		y = l.blocks(s, h, in)
	} else {
		wide := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, l.Relations*in)}, h)
		y = s.Apply(dense.GEMM{}, wide, l.weights(s, in))
	}
	if !l.NoRoot {
		y = add(s, y, s.Apply(dense.GEMM{}, x, s.Param("root", random.Glorot{}, in, l.Out)))
	}
	if l.NoBias {
		return y
	}
	return add(s, y, s.Param("b", random.Zeros{}, l.Out))
}

// weights are the W_r one below the other, [Relations·in, Out].
func (l RGCN) weights(s *engine.Scope, in int) *Node {
	tall := dense.Reshape{To: dense.ShapeOf(l.Relations*in, l.Out)}
	if l.Bases == 0 {
		return s.Apply(tall, s.Param("W", random.Glorot{}, l.Relations, in, l.Out))
	}
	v := s.Apply(dense.Reshape{To: dense.ShapeOf(l.Bases, in*l.Out)}, s.Param("W", random.Glorot{}, l.Bases, in, l.Out))
	return s.Apply(tall, s.Apply(dense.GEMM{}, s.Param("c", random.Glorot{}, l.Relations, l.Bases), v))
}

// blocks is the sum over the relations of block-diagonal products.
func (l RGCN) blocks(s *engine.Scope, h *Node, in int) *Node {
	i, o := in/l.Blocks, l.Out/l.Blocks
	w := s.Param("W", random.Glorot{}, l.Relations, l.Blocks, i, o)
	h = s.Apply(dense.Reshape{To: dense.ShapeOf(-1, l.Relations, l.Blocks, i)}, h)
	y := s.Apply(dense.BatchedGEMM{}, s.Apply(dense.NewTranspose(1, 2, 0, 3), h), w) // [Relations, Blocks, nodes, o]
	y = s.Apply(dense.NewTranspose(1, 0, 2), s.Apply(dense.Reduce{Axes: dense.On(0)}, y))
	return s.Apply(dense.Reshape{To: dense.ShapeOf(-1, l.Out)}, y)
}
