package plan

import (
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Fit takes away and adds dimensions of size 1: what gorgonia's Reshape often means. Unlike a reshape it knows no
// sizes, so it follows other sizes of batch.
// Input: x (any type), of size 1 along the axes Drop.  Output: x's shape without these, with ones at the axes Insert
// of the output.
type Fit struct{ Drop, Insert dense.Axes }

var (
	_ kernels.CPUOp  = Fit{}
	_ kernels.Viewer = Fit{}
)

// Infer changes the shape.
func (o Fit) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	var shape []int
	for i, d := range in[0].Shape {
		if i < dense.MaxRank && o.Drop.Has(i) {
			if d != 1 {
				return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "axis %d must have size 1, has %d", i, d)
			}
			continue
		}
		shape = append(shape, d)
	}
	for i := range dense.MaxRank {
		if !o.Insert.Has(i) {
			continue
		}
		if i > len(shape) {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "cannot insert axis %d into %v", i, shape)
		}
		shape = append(shape[:i], append([]int{1}, shape[i:]...)...)
	}
	return kernels.S(in[0].DType, shape...), nil
}

// Ref copies.
func (Fit) Ref(out kernels.Tensor, in []kernels.Tensor) {
	in[0].Shape = out.Shape
	in[0].CopyTo(out)
}

// View is the beginning of x.
func (Fit) View([]kernels.Spec) int { return 0 }

// CPU copies, for when the view cannot be taken.
func (Fit) CPU(c *kernels.Call) { copy(c.Out.Memory(), c.In[0].Memory()) }

// fitting finds the Fit that makes shape to of shape from, if there is one. Where dimensions of size 1 leave a
// choice, those that stand at the same place from the front are taken for the same.
func fitting(from, to []int) (Fit, bool) {
	var o Fit
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		switch {
		case i < len(from) && j < len(to) && from[i] == to[j]:
			i, j = i+1, j+1
		case i < len(from) && from[i] == 1 && i < dense.MaxRank:
			o.Drop |= dense.On(i)
			i++
		case j < len(to) && to[j] == 1 && j < dense.MaxRank:
			o.Insert |= dense.On(j)
			j++
		default:
			return Fit{}, false
		}
	}
	return o, true
}

// SizeOf is the length of an axis as a number.
// Input: x float (only its shape counts).  Output: a scalar of x's type.
type SizeOf struct{ Axis int }

var _ kernels.CPUOp = SizeOf{}

// Infer checks the axis.
func (o SizeOf) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	if o.Axis < 0 || o.Axis >= in[0].Rank() {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "no axis %d", o.Axis)
	}
	return kernels.S(in[0].DType), kernels.WantFloats(o, in, 0)
}

// Ref writes the length.
func (o SizeOf) Ref(out kernels.Tensor, in []kernels.Tensor) {
	out.F64[0] = float64(in[0].Shape[o.Axis])
}

// CPU writes the length.
func (o SizeOf) CPU(c *kernels.Call) {
	n := c.In[0].Shape[o.Axis]
	if c.Out.DType == kernels.Float32 {
		c.Out.F32[0] = float32(n)
	} else {
		c.Out.F64[0] = float64(n)
	}
}

// Repeat is x with every entry along an axis repeated: as often as like is long along axis From or, without like,
// Times times.
// Inputs: x (any type), perhaps like (only its shape counts).  Output: x's shape with the axis longer, x's type.
type Repeat struct{ Axis, From, Times int }

var _ kernels.CPUOp = Repeat{}

// Infer lengthens the axis.
func (o Repeat) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) != 1 && len(in) != 2 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "wants 1 or 2 inputs, has %d", len(in))
	}
	if o.Axis < 0 || o.Axis >= in[0].Rank() || o.Times < 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "no axis %d to repeat %d times", o.Axis, o.Times)
	}
	if len(in) == 2 && (o.From < 0 || o.From >= in[1].Rank()) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "no axis %d to count", o.From)
	}
	shape := append([]int(nil), in[0].Shape...)
	shape[o.Axis] *= o.times(in)
	return kernels.S(in[0].DType, shape...), nil
}

func (o Repeat) times(in []kernels.Spec) int {
	if len(in) == 2 {
		return in[1].Shape[o.From]
	}
	return o.Times
}

// Ref copies.
func (o Repeat) Ref(out kernels.Tensor, in []kernels.Tensor) { o.repeat(out, in[0]) }

// CPU copies.
func (o Repeat) CPU(c *kernels.Call) { o.repeat(c.Out, c.In[0]) }

func (o Repeat) repeat(out, x kernels.Tensor) {
	run := x.DType.Size()
	for _, d := range x.Shape[o.Axis+1:] {
		run *= d
	}
	to, from := out.Memory(), x.Memory()
	if len(from) == 0 {
		return
	}
	times := len(to) / len(from)
	for len(from) > 0 {
		for range times {
			to = to[copy(to, from[:run]):]
		}
		from = from[run:]
	}
}
