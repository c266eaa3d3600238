package dense

import (
	"math"

	"ganglion/kernels"
)

// OneHot turns labels into rows: y_{i,j} = 1 where j is the label of i, else 0.
// Input: labels int32 [any].  Output: the shape of the labels followed by N, float.
//
// A label outside of 0 … N−1 gives a row of NaN; the report counts it as failed.
type OneHot struct {
	N     int           // number of classes
	DType kernels.DType // Float32 or Float64; the zero value means Float32
}

var _ kernels.CPUOp = OneHot{}

// Infer appends N.
func (o OneHot) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantType(o, in, 0, kernels.Int32); err != nil {
		return kernels.Spec{}, err
	}
	if o.N < 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "%d classes", o.N)
	}
	d := o.DType
	if d == kernels.Invalid {
		d = kernels.Float32
	}
	if !d.IsFloat() {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrDType, "the result must be float32 or float64, not %v",
			d)
	}
	return kernels.S(d, append(append([]int(nil), in[0].Shape...), o.N)...), nil
}

// Ref writes row by row.
func (o OneHot) Ref(out kernels.Tensor, in []kernels.Tensor) { oneHot(out.F64, in[0].I32, o.N) }

func oneHot[T kernels.Float](y []T, labels []int32, n int) {
	clear(y)
	for i, l := range labels {
		if l < 0 || int(l) >= n {
			fill(y[i*n:(i+1)*n], T(math.NaN()))
		} else {
			y[i*n+int(l)] = 1
		}
	}
}

// CPU writes chunks of rows.
func (o OneHot) CPU(c *kernels.Call) {
	n := c.In[0].Size()
	run(c, c.Rows(n, 3+0.2*float64(o.N)), oneHotBody[float32], oneHotBody[float64])
	reportRange(c, c.In[0].I32, o.N)
}

func oneHotBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	n := c.Op.(OneHot).N
	lo, hi := c.Chunk(chunk, c.In[0].Size())
	oneHot(kernels.Of[T](c.Out)[lo*n:hi*n], c.In[0].I32[lo:hi], n)
}
