package dense

import (
	"math"

	"ganglion/kernels"
)

// ArgMax is the index of the largest element along an axis; the first one of equals, and the first NaN if there is one.
// Input: x float, at least one element along the axis.  Output: int32, x's shape without the axis.
//
// It has no gradient.
type ArgMax struct {
	Axis int // −1 is the last
}

var _ kernels.CPUOp = ArgMax{}

// Infer removes the axis.
func (o ArgMax) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	ax, err := axis(o, in, o.Axis, in[0].Rank())
	if err != nil {
		return kernels.Spec{}, err
	}
	if in[0].Shape[ax] == 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "no elements along axis %d", ax)
	}
	shape := append([]int(nil), in[0].Shape[:ax]...)
	return kernels.S(kernels.Int32, append(shape, in[0].Shape[ax+1:]...)...), nil
}

// Ref compares element by element.
func (o ArgMax) Ref(out kernels.Tensor, in []kernels.Tensor) {
	_, n, inner := around(in[0].Shape, fromEnd(o.Axis, in[0].Rank()))
	for l := range out.I32 {
		best, at := math.Inf(-1), -1
		for i := range n {
			v := in[0].F64[(l/inner*n+i)*inner+l%inner]
			if at < 0 || v > best || v != v && best == best {
				best, at = v, i
			}
		}
		out.I32[l] = int32(at)
	}
}

// CPU computes line by line.
func (o ArgMax) CPU(c *kernels.Call) {
	_, n, _ := around(c.In[0].Shape, fromEnd(o.Axis, c.In[0].Rank()))
	chunks := c.Rows(c.Out.Size(), 5+float64(n))
	if c.In[0].DType == kernels.Float32 {
		c.For(chunks, argMaxBody[float32])
	} else {
		c.For(chunks, argMaxBody[float64])
	}
}

func argMaxBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x, y := kernels.Of[T](c.In[0]), c.Out.I32
	_, n, inner := around(c.In[0].Shape, fromEnd(c.Op.(ArgMax).Axis, c.In[0].Rank()))
	lo, hi := c.Chunk(chunk, len(y))
	for l := lo; l < hi; l++ {
		first := l/inner*n*inner + l%inner
		best, at := x[first], 0
		for i := 1; i < n && best == best; i++ {
			if v := x[first+i*inner]; !(v <= best) {
				best, at = v, i
			}
		}
		y[l] = int32(at)
	}
}
