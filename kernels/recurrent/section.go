package recurrent

import "ganglion/kernels"

// Section is one of several tensors that stand one behind another in x.
// Inputs: x (any type) [n], and tensors of which only the shapes count: those before the section, and one of the
// section's shape.  Output: that shape, x's type.
//
// The output is x's memory. It has no gradient rule, as the operators whose results it takes apart have none.
type Section struct{}

var (
	_ kernels.ShapeReader = Section{}
	_ kernels.CPUOp       = Section{}
	_ kernels.Viewer      = Section{}
)

// Infer checks that x is long enough.
func (o Section) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) < 2 || in[0].Rank() != 1 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"wants an input of one dimension, and one or more to take shapes from")
	}
	last := in[len(in)-1]
	if end := o.View(in) + last.Size(); end > in[0].Size() {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the section ends at element %d of %d", end,
			in[0].Size())
	}
	return kernels.S(in[0].DType, last.Shape...), nil
}

// Ref copies.
func (o Section) Ref(out kernels.Tensor, in []kernels.Tensor) {
	specs := make([]kernels.Spec, len(in))
	for i, t := range in {
		specs[i] = t.Spec
	}
	copy(out.Memory(), in[0].Memory()[o.View(specs)*in[0].DType.Size():])
}

// View is the size of what stands before.
func (o Section) View(in []kernels.Spec) int {
	n := 0
	for _, s := range in[1 : len(in)-1] {
		n += s.Size()
	}
	return n
}

// ShapeOnly is true for all inputs but x.
func (o Section) ShapeOnly(i int) bool { return i > 0 }

// CPU copies, for when the view cannot be taken.
func (o Section) CPU(c *kernels.Call) {
	n := 0
	for _, t := range c.In[1 : len(c.In)-1] {
		n += t.Size()
	}
	copy(c.Out.Memory(), c.In[0].Memory()[n*c.Out.DType.Size():])
}
