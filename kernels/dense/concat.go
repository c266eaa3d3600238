package dense

import "ganglion/kernels"

// Concat joins its inputs along an axis.
// Inputs: one or more (any type, the same), of one shape but for the axis.  Output: that shape; the axis has the sum of
// the sizes.
//
// Gradient: each input's part of dy (Unconcat).
type Concat struct {
	Axis int // −1 is the last
}

var (
	_ kernels.Differentiable = Concat{}
	_ kernels.CPUOp          = Concat{}
)

// Infer adds up the sizes along the axis.
func (o Concat) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) == 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "wants one input at least")
	}
	return concatSpec(o, in, in, o.Axis)
}

// concatSpec is the spec of the joined parts; in is for messages.
func concatSpec(op kernels.Op, in, parts []kernels.Spec, ax int) (kernels.Spec, error) {
	none := kernels.Spec{}
	ax, err := axis(op, in, ax, parts[0].Rank())
	if err != nil {
		return none, err
	}
	shape := append([]int(nil), parts[0].Shape...)
	shape[ax] = 0
	for i, s := range parts {
		if s.DType != parts[0].DType {
			return none, kernels.Errorf(op, in, kernels.ErrDType, "parts 0 and %d differ in type: %v and %v", i,
				parts[0].DType, s.DType)
		}
		if s.Rank() != len(shape) {
			return none, kernels.Errorf(op, in, kernels.ErrShape, "parts 0 and %d differ in rank", i)
		}
		for k, d := range s.Shape {
			if k != ax && d != shape[k] {
				return none,
					kernels.Errorf(op, in, kernels.ErrShape, "parts 0 and %d differ in dimension %d: %d and %d", i, k,
						shape[k], d)
			}
		}
		shape[ax] += s.Shape[ax]
	}
	return kernels.S(parts[0].DType, shape...), nil
}

// Ref copies part by part.
func (o Concat) Ref(out kernels.Tensor, in []kernels.Tensor) {
	at := 0
	for _, t := range in {
		copyBox(out, t, o.Axis, at, true, 0, -1)
		at += t.Shape[fromEnd(o.Axis, t.Rank())]
	}
}

// fromEnd resolves an axis that passed Infer.
func fromEnd(ax, rank int) int {
	if ax < 0 {
		return ax + rank
	}
	return ax
}

// copyBox copies between a large array and a small one that is a part of it along an axis, from lo on: into the large
// one (put) or out of it. Only the lines first … last−1 (indices before the axis) are copied; last −1 means all.
func copyBox(large, small kernels.Tensor, ax, lo int, put bool, first, last int) {
	ax = fromEnd(ax, large.Rank())
	outer, n, inner := around(large.Shape, ax)
	if last < 0 {
		last = outer
	}
	elem := large.DType.Size()
	width, step := small.Shape[ax]*inner*elem, n*inner*elem
	l, s := large.Memory(), small.Memory()
	for i := first; i < last && width > 0; i++ {
		from := i*step + lo*inner*elem
		if put {
			copy(l[from:from+width], s[i*width:])
		} else {
			copy(s[i*width:(i+1)*width], l[from:])
		}
	}
}

// Grad takes dout apart.
func (o Concat) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	if !kernels.SpecOf(dout).DType.IsFloat() {
		return make([]*kernels.Node, len(in))
	}
	parts := append([]*kernels.Node{dout}, in...)
	grads := make([]*kernels.Node, len(in))
	for i := range in {
		grads[i] = b.Apply(Unconcat{Axis: o.Axis, Part: i}, parts...)
	}
	return grads
}

// CPU copies chunks of lines.
func (o Concat) CPU(c *kernels.Call) {
	outer, n, inner := around(c.Out.Shape, fromEnd(o.Axis, c.Out.Rank()))
	c.For(c.Rows(outer, float64(5*len(c.In))+0.2*float64(n*inner)), concatBody)
}

func concatBody(c *kernels.Call, chunk, _ int) {
	o := c.Op.(Concat)
	ax := fromEnd(o.Axis, c.Out.Rank())
	lo, hi := c.Chunk(chunk, product(c.Out.Shape[:ax]))
	at := 0
	for _, t := range c.In {
		copyBox(c.Out, t, ax, at, true, lo, hi)
		at += t.Shape[ax]
	}
}
