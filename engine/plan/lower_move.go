package plan

import (
	"gorgonia.org/tensor"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// same is the identity.
func (l *lowering) same(_ *kernels.Node, in []int) int { return in[0] }

func (l *lowering) concat(n *kernels.Node, in []int) int {
	return l.apply(n, dense.Concat{Axis: int(field(n.Op(), "axis").Int())}, in...)
}

// size is the length of an axis; that of a scalar is 1.
func (l *lowering) size(n *kernels.Node, in []int) int {
	if spec := l.g.Nodes[in[0]].Spec; spec.Rank() == 0 && spec.DType.IsFloat() {
		return l.apply(n, dense.FillLike{Value: 1}, in...)
	}
	return l.apply(n, SizeOf{int(field(n.Op(), "axis").Int())}, in...)
}

// cut describes a slice of gorgonia: the part [lo, hi) along an axis. all means everything. It is no cut of ours when
// it has steps; the part of one entry loses its axis.
type cut struct {
	axis, lo, hi int
	all, ok      bool
}

func cutOf(n *kernels.Node, rank int) cut {
	s := n.Op().(interface{ IsSlice() tensor.Slice }).IsSlice()
	c := cut{axis: int(field(n.Op(), "along").Int())}
	if s == nil || s.End() <= s.Start() {
		c.all, c.ok = true, true
		return c
	}
	c.lo, c.hi = s.Start(), s.End()
	c.ok = c.lo >= 0 && c.axis < rank && rank <= dense.MaxRank && (s.Step() == 1 || c.hi-c.lo == 1)
	return c
}

func (l *lowering) slice(n *kernels.Node, in []int) int {
	c := cutOf(n, l.g.Nodes[in[0]].Spec.Rank())
	switch {
	case !c.ok:
		return -1
	case c.all:
		return in[0]
	}
	part := l.apply(n, dense.Slice{Axis: c.axis, Lo: c.lo, Hi: c.hi}, in...)
	if c.hi-c.lo == 1 {
		return l.apply(n, Fit{Drop: dense.On(c.axis)}, part)
	}
	return part
}

// sliceIncr is the gradient of a slice: the gradient (input 1) at its place among zeros of the shape of input 0.
func (l *lowering) sliceIncr(n *kernels.Node, in []int) int {
	c := cutOf(n, l.g.Nodes[in[0]].Spec.Rank())
	if !c.ok {
		return -1
	}
	grad := in[1]
	if c.all {
		c.axis, c.lo = 0, 0
	} else if c.hi-c.lo == 1 && l.g.Nodes[grad].Spec.Rank() < l.g.Nodes[in[0]].Spec.Rank() {
		grad = l.apply(n, Fit{Insert: dense.On(c.axis)}, grad)
	}
	return l.apply(n, dense.Embed{Axis: c.axis, Lo: c.lo}, grad, in[0])
}

// element is one element of an array.
func (l *lowering) element(n *kernels.Node, in []int) int {
	at, shape := intsOf(field(n.Op(), "coordinates")), l.g.Nodes[in[0]].Spec.Shape
	if len(at) != len(shape) {
		return -1
	}
	offset := 0
	for i, c := range at {
		if c < 0 || c >= shape[i] {
			return -1
		}
		offset = offset*shape[i] + c
	}
	return l.apply(n, dense.NewView(offset), l.apply(n, dense.Reshape{To: dense.ShapeOf(-1)}, in...))
}

// byIndices takes rows; along another axis than the first it is turned to the front for that.
func (l *lowering) byIndices(n *kernels.Node, in []int) int {
	axis, rank := int(field(n.Op(), "axis").Int()), l.g.Nodes[in[0]].Spec.Rank()
	if axis >= rank || rank > dense.MaxRank {
		return -1
	}
	idx := l.apply(n, dense.Reshape{To: dense.ShapeOf(-1)}, in[1])
	if axis == 0 {
		return l.apply(n, dense.Gather{}, in[0], idx)
	}
	front, back := []int{axis}, make([]int, rank)
	for i := range rank {
		if i != axis {
			front = append(front, i)
		}
	}
	for i, a := range front {
		back[a] = i
	}
	rows := l.apply(n, dense.Gather{}, l.apply(n, dense.NewTranspose(front...), in[0]), idx)
	return l.apply(n, dense.NewTranspose(back...), rows)
}

// byIndicesDiff scatters rows; along other axes gorgonia's rule is wrong, and is left as it is.
func (l *lowering) byIndicesDiff(n *kernels.Node, in []int) int {
	if field(n.Op(), "axis").Int() != 0 {
		return -1
	}
	idx := l.apply(n, dense.Reshape{To: dense.ShapeOf(-1)}, in[2])
	return l.apply(n, dense.ScatterAdd{}, in[1], idx, in[0])
}

// convert changes the type of floats, or of integers to floats. The other way runs through gorgonia, since integers
// that do not fit into ours are an error there.
func (l *lowering) convert(n *kernels.Node, in []int) int {
	to := SpecOf(n).DType
	if !to.IsFloat() {
		return -1
	}
	return l.apply(n, dense.Cast{To: to}, in...)
}

func (l *lowering) minBetween(n *kernels.Node, in []int) int {
	return l.apply(n, dense.Binary{Kind: dense.Min}, in...)
}

func (l *lowering) maxBetween(n *kernels.Node, in []int) int {
	return l.apply(n, dense.Binary{Kind: dense.Max}, in...)
}

// tensordot is a product of matrices: of both operands the axes that are summed over are turned to the side of the
// other.
func (l *lowering) tensordot(n *kernels.Node, in []int) int {
	sumA, sumB := intsOf(field(n.Op(), "aAxes")), intsOf(field(n.Op(), "bAxes"))
	a, b := l.g.Nodes[in[0]].Spec.Shape, l.g.Nodes[in[1]].Spec.Shape
	keepA, okA := others(len(a), sumA)
	keepB, okB := others(len(b), sumB)
	if !okA || !okB || len(sumA) != len(sumB) {
		return -1
	}
	rows, inner, cols := volume(a, keepA), volume(a, sumA), volume(b, keepB)
	left := l.apply(n, dense.NewTranspose(append(keepA, sumA...)...), in[0])
	right := l.apply(n, dense.NewTranspose(append(append([]int(nil), sumB...), keepB...)...), in[1])
	left = l.apply(n, dense.Reshape{To: dense.ShapeOf(rows, inner)}, left)
	right = l.apply(n, dense.Reshape{To: dense.ShapeOf(inner, cols)}, right)
	return l.apply(n, dense.Reshape{To: dense.ShapeOf(SpecOf(n).Shape...)}, l.apply(n, dense.GEMM{}, left, right))
}

// others lists the axes that are not in list, which must be axes without repeats.
func others(rank int, list []int) (rest []int, ok bool) {
	if rank > dense.MaxRank {
		return nil, false
	}
	in := make([]bool, rank)
	for _, a := range list {
		if a < 0 || a >= rank || in[a] {
			return nil, false
		}
		in[a] = true
	}
	for a, listed := range in {
		if !listed {
			rest = append(rest, a)
		}
	}
	return rest, true
}

// volume is the product of some dimensions.
func volume(shape, axes []int) int {
	v := 1
	for _, a := range axes {
		v *= shape[a]
	}
	return v
}
