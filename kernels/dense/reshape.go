package dense

import "ganglion/kernels"

// Reshape gives the elements of x another shape. With one input the shape is To, of which one dimension may be −1: it
// is then as large as the elements demand. With a second input the shape is that input's, and To must be the zero
// value.
// Inputs: x (any type), optionally like (any type; only its shape counts).  Output: the shape, x's type.
//
// The output is x's memory. Gradient: Reshape(dy, x).
type Reshape struct{ To Shape }

var (
	_ kernels.Differentiable = Reshape{}
	_ kernels.CPUOp          = Reshape{}
	_ kernels.Viewer         = Reshape{}
)

// Infer resolves the shape.
func (o Reshape) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if len(in) != 1 && len(in) != 2 {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "wants 1 or 2 inputs, has %d", len(in))
	}
	if o.To.Rank < 0 || o.To.Rank > MaxRank {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "%d dimensions, at most %d are supported", o.To.Rank,
			MaxRank)
	}
	shape := o.To.ints()
	if len(in) == 2 {
		if o.To != (Shape{}) {
			return none,
				kernels.Errorf(o, in, kernels.ErrShape, "has both a shape %v and an input to take the shape from",
					shape)
		}
		shape = in[1].Shape
	} else if err := o.resolve(in, shape); err != nil {
		return none, err
	}
	if n := product(shape); n != in[0].Size() {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "%d elements do not fill the shape %v", in[0].Size(),
			shape)
	}
	return kernels.S(in[0].DType, shape...), nil
}

// resolve replaces a dimension of −1.
func (o Reshape) resolve(in []kernels.Spec, shape []int) error {
	free, n := -1, 1
	for i, d := range shape {
		switch {
		case d >= 0:
			n *= d
		case d == -1 && free < 0:
			free = i
		default:
			return kernels.Errorf(o, in, kernels.ErrShape, "shape %v: one dimension may be −1, the others not negative",
				shape)
		}
	}
	if free < 0 {
		return nil
	}
	if n == 0 || in[0].Size()%n != 0 {
		return kernels.Errorf(o, in, kernels.ErrShape, "%d elements do not fill the shape %v", in[0].Size(), shape)
	}
	shape[free] = in[0].Size() / n
	return nil
}

// Ref copies.
func (o Reshape) Ref(out kernels.Tensor, in []kernels.Tensor) { copy(out.Memory(), in[0].Memory()) }

// Grad gives dout the shape of x.
func (o Reshape) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := []*kernels.Node{b.Apply(Reshape{}, dout, in[0])}
	if len(in) == 2 {
		grads = append(grads, zerosFor(b, in[1]))
	}
	return grads
}

// View is the beginning of x.
func (o Reshape) View([]kernels.Spec) int { return 0 }

// CPU copies, for when the view cannot be taken.
func (o Reshape) CPU(c *kernels.Call) { copy(c.Out.Memory(), c.In[0].Memory()) }
