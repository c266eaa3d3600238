package recurrent

import "ganglion/kernels"

// Part is entry Index of x along its first dimension: y = x[Index].
// Input: x (any type) [n, …].  Output: x's shape without the first dimension.
//
// The output is x's memory. Gradient: Place.
type Part struct{ Index int }

var (
	_ kernels.Differentiable = Part{}
	_ kernels.CPUOp          = Part{}
	_ kernels.Viewer         = Part{}
)

// Infer checks the index.
func (o Part) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	if in[0].Rank() < 1 || o.Index < 0 || o.Index >= in[0].Shape[0] {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "there is no entry %d along the first dimension",
			o.Index)
	}
	return kernels.S(in[0].DType, in[0].Shape[1:]...), nil
}

// Ref copies.
func (o Part) Ref(out kernels.Tensor, in []kernels.Tensor) {
	copy(out.Memory(), in[0].Memory()[o.Index*out.Bytes():])
}

// Grad puts dout among zeros.
func (o Part) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	if !kernels.SpecOf(in[0]).DType.IsFloat() {
		return []*kernels.Node{nil}
	}
	return []*kernels.Node{b.Apply(Place(o), dout, in[0])}
}

// View is the offset.
func (o Part) View(in []kernels.Spec) int { return o.Index * in[0].Size() / max(1, in[0].Shape[0]) }

// CPU copies, for when the view cannot be taken.
func (o Part) CPU(c *kernels.Call) { o.Ref(c.Out, c.In) }
