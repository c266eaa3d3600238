package recurrent

import (
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Place is the transpose of Part: x as entry Index along the first dimension, among zeros.
// Inputs: x float, like (any type; only its shape counts) [n, …], x's shape behind a first dimension.  Output: like's
// shape, x's type.
//
// Gradient: Part of dy.
type Place struct{ Index int }

var (
	_ kernels.ShapeReader    = Place{}
	_ kernels.Differentiable = Place{}
	_ kernels.CPUOp          = Place{}
)

// Infer checks the index and that x fits.
func (o Place) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	like := in[1].Shape
	if len(like) < 1 || !kernels.S(in[0].DType, like[1:]...).Equal(in[0]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"input 1 must be of the shape of input 0 behind another dimension")
	}
	if o.Index < 0 || o.Index >= like[0] {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "there is no entry %d along the first dimension",
			o.Index)
	}
	return kernels.S(in[0].DType, like...), nil
}

// Ref copies x into zeros.
func (o Place) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	copy(out.F64[o.Index*in[0].Size():], in[0].F64)
}

// Grad takes the entry out again.
func (o Place) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := []*kernels.Node{b.Apply(Part(o), dout), nil}
	if kernels.SpecOf(in[1]).DType.IsFloat() {
		grads[1] = b.Apply(dense.FillLike{}, in[1])
	}
	return grads
}

// ShapeOnly is true for like.
func (o Place) ShapeOnly(i int) bool { return i == 1 }

// CPU writes the entries, each cut in chunks.
func (o Place) CPU(c *kernels.Call) {
	n := c.In[0].Bytes()
	c.Arg[0] = c.Rows(n, 0.1)
	c.For(c.Arg[0]*c.Out.Shape[0], placeBody)
}

func placeBody(c *kernels.Call, chunk, _ int) {
	x := c.In[0].Memory()
	lo, hi := c.Chunk(chunk%c.Arg[0], len(x))
	entry := chunk / c.Arg[0]
	to := c.Out.Memory()[entry*len(x):][lo:hi]
	if entry == c.Op.(Place).Index {
		copy(to, x[lo:hi])
	} else {
		clear(to)
	}
}
