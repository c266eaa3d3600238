package plan

import (
	"reflect"

	"ganglion/kernels"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
)

// pair reads two attributes of an op of gorgonia as entries of an array of extents; extra is added to both.
func pair(op any, first, second string, extra int32) [3]int32 {
	v := reflect.Indirect(reflect.ValueOf(op))
	return [3]int32{int32(v.FieldByName(first).Int()) + extra, int32(v.FieldByName(second).Int()) + extra}
}

// unfoldOf reads im2col or its gradient.
func unfoldOf(n *kernels.Node) conv.Unfold {
	op := n.Op()
	return conv.Unfold{Dims: 2, Kernel: pair(op, "h", "w", 0), Stride: pair(op, "strideH", "strideW", 0),
		Pad: pair(op, "padH", "padW", 0), Dilation: pair(op, "dilationH", "dilationW", 0)}
}

func (l *lowering) unfold(n *kernels.Node, in []int) int { return l.apply(n, unfoldOf(n), in...) }

func (l *lowering) fold(n *kernels.Node, in []int) int {
	return l.apply(n, conv.Fold{Of: unfoldOf(n), Extents: pair(n.Op(), "unpaddedH", "unpaddedW", 0)}, in...)
}

// windowOf reads a pooling op or its gradient. Where the padding of the four sides is given, gorgonia puts that of the
// far sides in front.
func windowOf(n *kernels.Node) conv.Window {
	op := n.Op()
	near, far := pair(op, "padNorth", "padWest", 0), pair(op, "padSouth", "padEast", 0)
	if field(op, "explicitPadding").Bool() {
		near, far = far, near
	}
	w := conv.Window{Dims: 2, Kernel: pair(op, "h", "w", 0), Stride: pair(op, "strideH", "strideW", 0), Pad: near}
	for i := range w.Extra {
		w.Extra[i] = far[i] - near[i]
	}
	return w
}

func (l *lowering) maxPool(n *kernels.Node, in []int) int {
	return l.apply(n, conv.MaxPool{Window: windowOf(n)}, in...)
}

// maxPoolDiff has the inputs x, y and the gradient.
func (l *lowering) maxPoolDiff(n *kernels.Node, in []int) int {
	return l.apply(n, conv.MaxPoolGrad{Window: windowOf(n)}, in[0], in[2])
}

// upsample: gorgonia's stride is one less than the factor.
func (l *lowering) upsample(n *kernels.Node, in []int) int {
	return l.apply(n, conv.Upsample{Dims: 2, Factor: pair(n.Op(), "stride", "stride", 1)}, in...)
}

// upsampleDiff has the inputs x, y and the gradient.
func (l *lowering) upsampleDiff(n *kernels.Node, in []int) int {
	return l.apply(n, conv.UpsampleGrad{Dims: 2, Factor: pair(n.Op(), "stride", "stride", 1)}, in[2])
}

func (l *lowering) globalAverage(n *kernels.Node, in []int) int {
	return l.apply(n, dense.Reduce{Kind: dense.Mean, Axes: dense.On(2) | dense.On(3), Keep: true}, in...)
}

// standardise reads a normalisation over groups of channels, or its gradient.
func standardise(n *kernels.Node) conv.Standardise {
	return conv.Standardise{Rows: conv.Rows{Groups: int(field(n.Op(), "numGroups").Int())},
		Eps: field(n.Op(), "epsilon").Float()}
}

func (l *lowering) groupNorm(n *kernels.Node, in []int) int { return l.apply(n, standardise(n), in...) }

// groupNormDiff has the inputs x and the gradient.
func (l *lowering) groupNormDiff(n *kernels.Node, in []int) int {
	return l.apply(n, conv.StandardiseGrad(standardise(n)), in[0], in[1])
}

// diagonal writes the elements of x on the diagonal of zeros: a column beside n columns of zeros, read in rows of n.
func (l *lowering) diagonal(n *kernels.Node, in []int) int {
	spec := SpecOf(n)
	if !spec.DType.IsFloat() || spec.Rank() != 2 {
		return -1
	}
	size := spec.Shape[0]
	zeros := l.add(Node{Kind: Const, Spec: spec, Value: kernels.New(spec)}, n)
	column := l.apply(n, dense.Reshape{To: dense.ShapeOf(size, 1)}, in...)
	all := l.apply(n, dense.Reshape{To: dense.ShapeOf(-1)}, l.apply(n, dense.Concat{Axis: 1}, column, zeros))
	return l.apply(n, dense.Reshape{To: dense.ShapeOf(size, size)},
		l.apply(n, dense.Slice{Axis: 0, Lo: 0, Hi: size * size}, all))
}
