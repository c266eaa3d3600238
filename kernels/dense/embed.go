package dense

import "ganglion/kernels"

// Embed is the transpose of Slice: x at its place among zeros, from Lo on along an axis; a negative Lo counts from the
// end.
// Inputs: x float, like (any type; only its shape counts), of x's shape but for the axis.  Output: like's shape, x's
// type.
//
// Gradient: the part of dy where x was put.
type Embed struct {
	Axis int // −1 is the last
	Lo   int
}

var (
	_ kernels.Differentiable = Embed{}
	_ kernels.CPUOp          = Embed{}
)

// Infer checks that x fits.
func (o Embed) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if err := kernels.WantInputs(o, in, -1, -1); err != nil {
		return none, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return none, err
	}
	ax, err := axis(o, in, o.Axis, in[1].Rank())
	if err != nil {
		return none, err
	}
	shape := append([]int(nil), in[1].Shape...)
	if in[0].Rank() == len(shape) {
		shape[ax] = in[0].Shape[ax]
	}
	if !kernels.S(in[0].DType, shape...).Equal(in[0]) {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "%v does not fit into %v along axis %d", in[0].Shape,
			in[1].Shape, ax)
	}
	n := in[1].Shape[ax]
	if lo := o.start(n); lo < 0 || lo+shape[ax] > n {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "%d entries from %d on are outside of the %d of axis %d",
			shape[ax], o.Lo, n, ax)
	}
	return kernels.S(in[0].DType, in[1].Shape...), nil
}

// start resolves Lo for n entries.
func (o Embed) start(n int) int {
	if o.Lo < 0 {
		return o.Lo + n
	}
	return o.Lo
}

// Ref copies x into zeros.
func (o Embed) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	copyBox(out, in[0], o.Axis, o.start(out.Shape[fromEnd(o.Axis, out.Rank())]), true, 0, -1)
}

// Grad takes the part out again.
func (o Embed) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Slice{Axis: o.Axis, Lo: o.Lo}, dout, in[0]), zerosFor(b, in[1])}
}

// CPU writes chunks of lines.
func (o Embed) CPU(c *kernels.Call) {
	outer, n, inner := around(c.Out.Shape, fromEnd(o.Axis, c.Out.Rank()))
	c.For(c.Rows(outer, 10+0.3*float64(n*inner)), embedBody)
}

func embedBody(c *kernels.Call, chunk, _ int) {
	o := c.Op.(Embed)
	ax := fromEnd(o.Axis, c.Out.Rank())
	outer, n, inner := around(c.Out.Shape, ax)
	first, last := c.Chunk(chunk, outer)
	line := n * inner * c.Out.DType.Size()
	clear(c.Out.Memory()[first*line : last*line])
	copyBox(c.Out, c.In[0], ax, o.start(n), true, first, last)
}
