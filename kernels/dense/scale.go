package dense

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// Scale is y = αx + β with fixed numbers α and β.
// Input: x float [any].  Output: the same shape.
//
// Gradient: dx = α·dy.
type Scale struct{ Alpha, Beta float64 }

var (
	_ kernels.Differentiable = Scale{}
	_ kernels.CPUOp          = Scale{}
	_ kernels.InPlacer       = Scale{}
	_ kernels.CUDAOp         = Scale{}
)

// Infer returns the spec of x. α and β must be numbers.
func (o Scale) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	if o.Alpha != o.Alpha || o.Beta != o.Beta {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "alpha %v and beta %v must be numbers", o.Alpha,
			o.Beta)
	}
	return in[0], nil
}

// Ref evaluates element by element.
func (o Scale) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = o.Alpha*v + o.Beta
	}
}

// Grad scales by α.
func (o Scale) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Scale{Alpha: o.Alpha}, dout)}
}

// CPU runs over chunks.
func (o Scale) CPU(c *kernels.Call) {
	run(c, cut(c, c.Out.Size(), 0.4), scaleBody[float32], scaleBody[float64])
}

// InPlace is true for x.
func (o Scale) InPlace(i int) bool { return i == 0 }

func scaleBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(Scale)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(y))
	x, y = x[lo:hi], y[lo:hi]
	alpha, beta := T(o.Alpha), T(o.Beta)
	if beta == 0 {
		vec.For[T](c.Path).Scale(y, alpha, x)
		return
	}
	for i, v := range x {
		y[i] = alpha*v + beta
	}
}

// CUDA computes an element in a thread.
func (o Scale) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	args := []kernels.Arg{kernels.FloatArg(out.DType, o.Alpha), kernels.FloatArg(out.DType, o.Beta)}
	return elementwise(t, "dense/scale", "scale", out, args, len(in)), nil
}
