package dense

import "ganglion/kernels"

// View is a part of a block: the elements from Offset on, in the given shape.
// Input: x (any type) [n].  Output: the shape To, x's type.
//
// The output is x's memory. Gradient: dx is dy at its place among zeros.
type View struct {
	Offset int
	To     Shape
}

var (
	_ kernels.Differentiable = View{}
	_ kernels.CPUOp          = View{}
	_ kernels.Viewer         = View{}
)

// NewView is the view of the given shape at an offset, in elements.
func NewView(offset int, shape ...int) View { return View{Offset: offset, To: ShapeOf(shape...)} }

// Infer checks that the part lies in the block.
func (o View) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	if o.To.Rank < 0 || o.To.Rank > MaxRank {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "%d dimensions, at most %d are supported",
			o.To.Rank, MaxRank)
	}
	shape := o.To.ints()
	for _, d := range shape {
		if d < 0 {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "shape %v has a negative dimension", shape)
		}
	}
	if n := product(shape); o.Offset < 0 || o.Offset > in[0].Size()-n {
		return kernels.Spec{},
			kernels.Errorf(o, in, kernels.ErrShape, "%d elements at %d are outside of the %d of the block",
				n, o.Offset, in[0].Size())
	}
	return kernels.S(in[0].DType, shape...), nil
}

// Ref copies.
func (o View) Ref(out kernels.Tensor, in []kernels.Tensor) {
	copy(out.Memory(), in[0].Memory()[o.Offset*out.DType.Size():])
}

// Grad puts dout among zeros.
func (o View) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	flat := b.Apply(Reshape{To: ShapeOf(-1)}, dout)
	return []*kernels.Node{b.Apply(Embed{Lo: o.Offset}, flat, in[0])}
}

// View is the offset.
func (o View) View([]kernels.Spec) int { return o.Offset }

// CPU copies, for when the view cannot be taken.
func (o View) CPU(c *kernels.Call) { o.Ref(c.Out, c.In) }
