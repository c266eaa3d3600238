package sparse

import "ganglion/kernels"

// Part is one of the arrays that an operator has laid one behind another in a block. Inputs: block float [n], then the
// nodes whose shapes the parts have, which are not read.  Output: the shape of node Index, its elements in the block.
//
// The output is the block's memory. Gradient: dout at its place among zeros.
type Part struct{ Index int }

var (
	_ kernels.Differentiable = Part{}
	_ kernels.CPUOp          = Part{}
	_ kernels.Viewer         = Part{}
	_ kernels.ShapeReader    = Part{}
)

// Infer checks that the parts make up the block.
func (o Part) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if o.Index < 0 || o.Index >= len(in)-1 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "no part %d among %d", o.Index, len(in)-1)
	}
	for i := range in {
		if err := kernels.WantFloats(o, in, 0, i); err != nil {
			return kernels.Spec{}, err
		}
	}
	n := 0
	for _, s := range in[1:] {
		n += s.Size()
	}
	if in[0].Rank() != 1 || in[0].Shape[0] != n {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the parts make up [%d], not %v", n, in[0].Shape)
	}
	return in[1+o.Index], nil
}

// Ref copies the part.
func (o Part) Ref(out kernels.Tensor, in []kernels.Tensor) {
	at := 0
	for _, t := range in[1 : 1+o.Index] {
		at += t.Size()
	}
	copy(out.Memory(), in[0].Memory()[at*out.DType.Size():])
}

// Grad puts dout among zeros.
func (o Part) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := make([]*kernels.Node, len(in))
	for i, n := range in[1:] {
		grads[i+1] = zeros(b, n)
	}
	parts := append([]*kernels.Node(nil), grads[1:]...)
	parts[o.Index] = dout
	grads[0] = pack(b, parts...)
	return grads
}

// View is the number of elements before the part.
func (o Part) View(in []kernels.Spec) int {
	at := 0
	for _, s := range in[1 : 1+o.Index] {
		at += s.Size()
	}
	return at
}

// ShapeOnly is true for all but the block.
func (o Part) ShapeOnly(i int) bool { return i > 0 }

// CPU copies, for when the view cannot be taken.
func (o Part) CPU(c *kernels.Call) { o.Ref(c.Out, c.In) }

// split returns the parts of a block that have the shapes of the given nodes.
func split(b kernels.Builder, block *kernels.Node, like ...*kernels.Node) []*kernels.Node {
	parts := make([]*kernels.Node, len(like))
	for i := range like {
		parts[i] = b.Apply(Part{Index: i}, append([]*kernels.Node{block}, like...)...)
	}
	return parts
}
