package dense

import "ganglion/kernels"

var (
	_ kernels.ShapeReader = BroadcastTo{}
	_ kernels.ShapeReader = Embed{}
	_ kernels.ShapeReader = FillLike{}
	_ kernels.ShapeReader = Reshape{}
	_ kernels.ShapeReader = ScatterAdd{}
	_ kernels.ShapeReader = Slice{}
	_ kernels.ShapeReader = SumTo{}
	_ kernels.ShapeReader = Unconcat{}

	_ kernels.Viewer = Slice{}
	_ kernels.Viewer = Unconcat{}
)

// ShapeOnly is true for like.
func (BroadcastTo) ShapeOnly(i int) bool { return i == 1 }

// ShapeOnly is true for like.
func (Embed) ShapeOnly(i int) bool { return i == 1 }

// ShapeOnly is true for like.
func (FillLike) ShapeOnly(i int) bool { return i == 0 }

// ShapeOnly is true for like.
func (Reshape) ShapeOnly(i int) bool { return i == 1 }

// ShapeOnly is true for like.
func (ScatterAdd) ShapeOnly(i int) bool { return i == 2 }

// ShapeOnly is true for like.
func (Slice) ShapeOnly(i int) bool { return i == 1 }

// ShapeOnly is true for like.
func (SumTo) ShapeOnly(i int) bool { return i == 1 }

// ShapeOnly is true for the parts.
func (Unconcat) ShapeOnly(i int) bool { return i > 0 }

// View is where the part begins, if all dimensions before the axis have size 1.
func (o Slice) View(in []kernels.Spec) int {
	shape := in[0].Shape
	ax := fromEnd(o.Axis, len(shape))
	lo, _ := o.bounds(shape[ax])
	return lines(shape, ax, lo)
}

// View is where the part begins, if all dimensions before the axis have size 1.
func (o Unconcat) View(in []kernels.Spec) int {
	shape := in[0].Shape
	ax := fromEnd(o.Axis, len(shape))
	at := 0
	for _, part := range in[1 : 1+o.Part] {
		at += part.Shape[ax]
	}
	return lines(shape, ax, at)
}

// lines is the number of elements before entry lo of axis ax, or -1 when such a part is not contiguous.
func lines(shape []int, ax, lo int) int {
	if product(shape[:ax]) != 1 {
		return -1
	}
	return lo * product(shape[ax+1:])
}
