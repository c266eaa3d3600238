package sparse

import (
	"math"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// InvSqrt is y = x^{−1/2}, and 0 for x = 0: the factor of a node of degree x. Negative numbers give NaN.
// Input: x float [any].  Output: the same shape.
//
// Gradient: dx = −½·y³·dy.
type InvSqrt struct{}

var (
	_ kernels.Differentiable = InvSqrt{}
	_ kernels.CPUOp          = InvSqrt{}
	_ kernels.InPlacer       = InvSqrt{}
)

// Infer returns the spec of x.
func (o InvSqrt) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantCount(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], kernels.WantFloats(o, in, 0)
}

// Ref computes element by element.
func (o InvSqrt) Ref(out kernels.Tensor, in []kernels.Tensor) { invSqrt(out.F64, in[0].F64) }

func invSqrt[T kernels.Float](y, x []T) {
	for i, v := range x {
		if y[i] = T(1 / math.Sqrt(float64(v))); v == 0 {
			y[i] = 0
		}
	}
}

// Grad follows the formula above.
func (o InvSqrt) Grad(b kernels.Builder, _ []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	cube := times(b, out, times(b, out, out))
	return []*kernels.Node{b.Apply(dense.Scale{Alpha: -0.5}, times(b, cube, dout))}
}

// InPlace is true for x.
func (o InvSqrt) InPlace(i int) bool { return i == 0 }

// CPU computes chunks of elements.
func (o InvSqrt) CPU(c *kernels.Call) {
	run(c, c.Rows(c.Out.Size(), 3), invSqrtBody[float32], invSqrtBody[float64])
}

func invSqrtBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	lo, hi := c.Chunk(chunk, c.Out.Size())
	invSqrt(kernels.Of[T](c.Out)[lo:hi], kernels.Of[T](c.In[0])[lo:hi])
}
