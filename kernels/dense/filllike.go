package dense

import "ganglion/kernels"

// FillLike is an array of one value: y = Value everywhere.
// Input: x float [any], of which only the shape and type count.  Output: the same shape.
//
// Gradient: zero.
type FillLike struct{ Value float64 }

var (
	_ kernels.Differentiable = FillLike{}
	_ kernels.CPUOp          = FillLike{}
	_ kernels.InPlacer       = FillLike{}
	_ kernels.CUDAOp         = FillLike{}
)

// Infer returns the spec of x. The value must be a number.
func (o FillLike) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	if o.Value != o.Value {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the value must be a number")
	}
	return in[0], nil
}

// Ref writes the value.
func (o FillLike) Ref(out kernels.Tensor, _ []kernels.Tensor) {
	for i := range out.F64 {
		out.F64[i] = o.Value
	}
}

// Grad is zero.
func (o FillLike) Grad(b kernels.Builder, in []*kernels.Node, _, _ *kernels.Node) []*kernels.Node {
	return []*kernels.Node{zeros(b, in[0])}
}

// CPU writes the value.
func (o FillLike) CPU(c *kernels.Call) {
	run(c, cut(c, c.Out.Size(), 0.2), fillBody[float32], fillBody[float64])
}

// InPlace is true for x.
func (o FillLike) InPlace(i int) bool { return i == 0 }

func fillBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	y := kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(y))
	fill(y[lo:hi], T(c.Op.(FillLike).Value))
}

func fill[T kernels.Number](y []T, v T) {
	for i := range y {
		y[i] = v
	}
}

// CUDA writes an element in a thread.
func (o FillLike) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return elementwise(t, "dense/filllike", "fill", out, []kernels.Arg{kernels.FloatArg(out.DType, o.Value)}, 0), nil
}
