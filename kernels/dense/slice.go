package dense

import "ganglion/kernels"

// Slice is the part Lo … Hi−1 of x along an axis. Negative bounds count from the end, and Hi = 0 is the end. With a
// second input the part has that input's extent along the axis, from Lo on, and Hi must be 0.
// Inputs: x (any type), one dimension at least; optionally like (any type; only its shape counts).  Output: x's shape,
// with Hi − Lo along the axis.
//
// Gradient: Embed(dy, x).
type Slice struct {
	Axis   int // −1 is the last
	Lo, Hi int
}

var (
	_ kernels.Differentiable = Slice{}
	_ kernels.CPUOp          = Slice{}
)

// Infer checks the bounds.
func (o Slice) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) != 1 && len(in) != 2 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "wants 1 or 2 inputs, has %d", len(in))
	}
	ax, err := axis(o, in, o.Axis, in[0].Rank())
	if err != nil {
		return kernels.Spec{}, err
	}
	n := in[0].Shape[ax]
	lo, hi := o.bounds(n)
	if len(in) == 2 {
		if in[1].Rank() != in[0].Rank() || o.Hi != 0 {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
				"with a second input that input needs %d dimensions, and Hi must be 0", in[0].Rank())
		}
		hi = lo + in[1].Shape[ax]
	}
	if lo < 0 || hi > n || lo > hi {
		return kernels.Spec{},
			kernels.Errorf(o, in, kernels.ErrShape, "%d to %d is outside of the %d entries of axis %d", lo, hi, n, ax)
	}
	shape := append([]int(nil), in[0].Shape...)
	shape[ax] = hi - lo
	return kernels.S(in[0].DType, shape...), nil
}

// bounds resolves the bounds for n entries.
func (o Slice) bounds(n int) (lo, hi int) {
	lo, hi = o.Lo, o.Hi
	if lo < 0 {
		lo += n
	}
	if hi <= 0 {
		hi += n
	}
	return lo, hi
}

// Ref copies the part.
func (o Slice) Ref(out kernels.Tensor, in []kernels.Tensor) {
	lo, _ := o.bounds(in[0].Shape[fromEnd(o.Axis, out.Rank())])
	copyBox(in[0], out, o.Axis, lo, false, 0, -1)
}

// Grad puts dout among zeros.
func (o Slice) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := make([]*kernels.Node, len(in))
	if kernels.SpecOf(in[0]).DType.IsFloat() {
		grads[0] = b.Apply(Embed{Axis: o.Axis, Lo: o.Lo}, dout, in[0])
	}
	if len(in) == 2 {
		grads[1] = zerosFor(b, in[1])
	}
	return grads
}

// CPU copies chunks of lines.
func (o Slice) CPU(c *kernels.Call) {
	outer, n, inner := around(c.Out.Shape, fromEnd(o.Axis, c.Out.Rank()))
	c.For(c.Rows(outer, 5+0.2*float64(n*inner)), sliceBody)
}

func sliceBody(c *kernels.Call, chunk, _ int) {
	o := c.Op.(Slice)
	ax := fromEnd(o.Axis, c.Out.Rank())
	first, last := c.Chunk(chunk, product(c.Out.Shape[:ax]))
	lo, _ := o.bounds(c.In[0].Shape[ax])
	copyBox(c.In[0], c.Out, ax, lo, false, first, last)
}
