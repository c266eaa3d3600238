package recurrent

import (
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Steps gives the rows of x, one for each sample of each step, back their steps.
// Inputs: x (any type) [steps·batch, n], like (any type; only its shape counts) [steps, batch, …].  Output: [steps,
// batch, n], x's type.
//
// The output is x's memory. Gradient: dy in x's shape.
type Steps struct{}

var (
	_ kernels.ShapeReader    = Steps{}
	_ kernels.Differentiable = Steps{}
	_ kernels.CPUOp          = Steps{}
	_ kernels.Viewer         = Steps{}
)

// Infer checks the number of rows.
func (o Steps) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, -1); err != nil {
		return kernels.Spec{}, err
	}
	if in[1].Rank() < 2 || in[0].Shape[0] != in[1].Shape[0]*in[1].Shape[1] {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"the rows of input 0 must be as many as the first two dimensions of input 1 have elements")
	}
	return kernels.S(in[0].DType, in[1].Shape[0], in[1].Shape[1], in[0].Shape[1]), nil
}

// Ref copies.
func (o Steps) Ref(out kernels.Tensor, in []kernels.Tensor) { copy(out.Memory(), in[0].Memory()) }

// Grad is dout in x's shape.
func (o Steps) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := make([]*kernels.Node, 2)
	if kernels.SpecOf(in[0]).DType.IsFloat() {
		grads[0] = b.Apply(dense.Reshape{}, dout, in[0])
	}
	if kernels.SpecOf(in[1]).DType.IsFloat() {
		grads[1] = b.Apply(dense.FillLike{}, in[1])
	}
	return grads
}

// View is 0: the memory is the same.
func (o Steps) View([]kernels.Spec) int { return 0 }

// ShapeOnly is true for like.
func (o Steps) ShapeOnly(i int) bool { return i == 1 }

// CPU copies, for when the view cannot be taken.
func (o Steps) CPU(c *kernels.Call) { o.Ref(c.Out, c.In) }
