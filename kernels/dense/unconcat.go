package dense

import "ganglion/kernels"

// Unconcat undoes Concat: it is part number Part of x, where the parts' sizes along the axis are those of the further
// inputs. It needs no size as an attribute.
// Inputs: x (any type), then the parts (only their shapes and type count).  Output: the shape of the part.
//
// Gradient: dx joins zeros and dy as Concat does.
type Unconcat struct {
	Axis int // −1 is the last
	Part int
}

var (
	_ kernels.Differentiable = Unconcat{}
	_ kernels.CPUOp          = Unconcat{}
)

// Infer checks that the parts make up x.
func (o Unconcat) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) < 2 || o.Part < 0 || o.Part >= len(in)-1 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "no part %d among %d", o.Part, len(in)-1)
	}
	whole, err := concatSpec(o, in, in[1:], o.Axis)
	if err != nil {
		return kernels.Spec{}, err
	}
	if !whole.Equal(in[0]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the parts make up %v, not %v", whole, in[0])
	}
	return in[1+o.Part], nil
}

// start is where the part begins along the axis.
func (o Unconcat) start(in []kernels.Tensor) int {
	at := 0
	for _, t := range in[1 : 1+o.Part] {
		at += t.Shape[fromEnd(o.Axis, t.Rank())]
	}
	return at
}

// Ref copies the part.
func (o Unconcat) Ref(out kernels.Tensor, in []kernels.Tensor) {
	copyBox(in[0], out, o.Axis, o.start(in), false, 0, -1)
}

// Grad joins zeros and dout.
func (o Unconcat) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := make([]*kernels.Node, len(in))
	parts := make([]*kernels.Node, len(in)-1)
	for i, n := range in[1:] {
		grads[i+1] = zerosFor(b, n)
		parts[i] = grads[i+1]
	}
	parts[o.Part] = dout
	grads[0] = b.Apply(Concat{Axis: o.Axis}, parts...)
	return grads
}

// CPU copies chunks of lines.
func (o Unconcat) CPU(c *kernels.Call) {
	outer, n, inner := around(c.Out.Shape, fromEnd(o.Axis, c.Out.Rank()))
	c.For(c.Rows(outer, 5+0.2*float64(n*inner)), unconcatBody)
}

func unconcatBody(c *kernels.Call, chunk, _ int) {
	o := c.Op.(Unconcat)
	ax := fromEnd(o.Axis, c.Out.Rank())
	lo, hi := c.Chunk(chunk, product(c.Out.Shape[:ax]))
	copyBox(c.In[0], c.Out, ax, o.start(c.In), false, lo, hi)
}
