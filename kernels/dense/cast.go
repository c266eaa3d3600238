package dense

import (
	"math"

	"ganglion/kernels"
)

// Cast converts the elements of x to another type.
// Input: x (any type).  Output: the same shape, type To.
//
// To an integer type the fraction is cut off, values out of range go to the nearest end, and NaN becomes 0.
//
// Gradient: dy in x's type, when both types are float.
type Cast struct{ To kernels.DType }

var (
	_ kernels.Differentiable = Cast{}
	_ kernels.CPUOp          = Cast{}
)

// Infer changes the type.
func (o Cast) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	if o.To.Size() == 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrDType, "no type to cast to: %v", o.To)
	}
	return kernels.S(o.To, in[0].Shape...), nil
}

// Ref converts element by element.
func (o Cast) Ref(out kernels.Tensor, in []kernels.Tensor) { castTensor(out, in[0], 0, out.Size()) }

// castTensor converts the elements lo … hi−1.
func castTensor(out, in kernels.Tensor, lo, hi int) {
	switch in.DType {
	case kernels.Float32:
		castFrom(out, in.F32, lo, hi)
	case kernels.Float64:
		castFrom(out, in.F64, lo, hi)
	case kernels.Int32:
		castFrom(out, in.I32, lo, hi)
	case kernels.Byte:
		castFrom(out, in.U8, lo, hi)
	}
}

func castFrom[S kernels.Number](out kernels.Tensor, x []S, lo, hi int) {
	switch out.DType {
	case kernels.Float32:
		convert(out.F32[lo:hi], x[lo:hi])
	case kernels.Float64:
		convert(out.F64[lo:hi], x[lo:hi])
	case kernels.Int32:
		truncate(out.I32[lo:hi], x[lo:hi], math.MinInt32, math.MaxInt32)
	case kernels.Byte:
		truncate(out.U8[lo:hi], x[lo:hi], 0, math.MaxUint8)
	}
}

func convert[D kernels.Float, S kernels.Number](y []D, x []S) {
	for i, v := range x {
		y[i] = D(v)
	}
}

// truncate converts to integers from low to high; float64 holds every value of the types exactly.
func truncate[D int32 | uint8, S kernels.Number](y []D, x []S, low, high float64) {
	for i, v := range x {
		w := float64(v)
		if w != w {
			w = 0
		}
		y[i] = D(max(low, min(high, w)))
	}
}

// Grad casts back.
func (o Cast) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	from := kernels.SpecOf(in[0]).DType
	switch {
	case !from.IsFloat():
		return []*kernels.Node{nil}
	case !o.To.IsFloat():
		return []*kernels.Node{zeros(b, in[0])}
	}
	return []*kernels.Node{b.Apply(Cast{To: from}, dout)}
}

// CPU converts chunks.
func (o Cast) CPU(c *kernels.Call) { c.For(cut(c, c.Out.Size(), 1), castBody) }

func castBody(c *kernels.Call, chunk, _ int) {
	lo, hi := c.Chunk(chunk, c.Out.Size())
	castTensor(c.Out, c.In[0], lo, hi)
}
