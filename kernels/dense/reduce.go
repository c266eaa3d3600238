package dense

import (
	"math"

	"ganglion/kernels"
)

// Reduce is y = Σ x, the mean, the largest or the smallest element over a set of axes (Kind Sum, Mean, Max, Min).
// Input: x float [any].  Output: x's shape without the axes, or with size 1 there if Keep.
//
// No axes means all axes. Sums are taken in a fixed order, in blocks, whatever the number of workers. Over nothing, Sum
// is 0, Mean is NaN, and Max and Min are refused by Infer. Max and Min are NaN if any element is.
//
// Gradient: Sum and Mean repeat dy; Max and Min give it in equal parts to the elements that equal the result.
type Reduce struct {
	Kind Kind
	Axes Axes
	Keep bool
}

var (
	_ kernels.Differentiable = Reduce{}
	_ kernels.CPUOp          = Reduce{}
	_ kernels.Scratcher      = Reduce{}
	_ kernels.CUDAOp         = Reduce{}
	_ kernels.CUDAScratcher  = Reduce{}
)

// Infer removes the axes, or makes them 1.
func (o Reduce) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if err := wantFloats(o, in, 1); err != nil {
		return none, err
	}
	if err := wantRank(o, in); err != nil {
		return none, err
	}
	if o.Kind != Sum && o.Kind != Mean && o.Kind != Max && o.Kind != Min {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "%v is not a reduction (sum, mean, max, min)", o.Kind)
	}
	rank := in[0].Rank()
	if o.Axes&^all(rank) != 0 {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "axes %08b name more than the %d dimensions", o.Axes, rank)
	}
	mask, shape, n := o.axes(rank), []int{}, 1
	for i, d := range in[0].Shape {
		switch {
		case !mask.Has(i):
			shape = append(shape, d)
		case o.Keep:
			shape = append(shape, 1)
		}
		if mask.Has(i) {
			n *= d
		}
	}
	if n == 0 && (o.Kind == Max || o.Kind == Min) {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "no elements to take the %v of", o.Kind)
	}
	return kernels.S(in[0].DType, shape...), nil
}

// axes is the set of axes with none replaced by all.
func (o Reduce) axes(rank int) Axes {
	if o.Axes == 0 {
		return all(rank)
	}
	return o.Axes
}

// Ref adds element by element.
func (o Reduce) Ref(out kernels.Tensor, in []kernels.Tensor) {
	shape := in[0].Shape
	reduceRef(o.Kind, out.F64, in[0].F64, shape, o.axes(len(shape)))
}

// reduceRef reduces x of the given shape over the axes of mask into out, which has the other dimensions.
func reduceRef(kind Kind, out, x []float64, shape []int, mask Axes) {
	start := map[Kind]float64{Max: math.Inf(-1), Min: math.Inf(1)}[kind]
	for i := range out {
		out[i] = start
	}
	for i, v := range x {
		j := kept(i, shape, mask)
		if kind == Mean {
			out[j] += v
		} else {
			out[j] = binary(kind, out[j], v)
		}
	}
	if kind == Mean {
		count := 1.0
		for i, d := range shape {
			if mask.Has(i) {
				count *= float64(d)
			}
		}
		for i := range out {
			out[i] /= count
		}
	}
}

// kept is the offset in the result of element i of an array of the given shape that is reduced over the axes of mask.
func kept(i int, shape []int, mask Axes) int {
	offset, step := 0, 1
	for k := len(shape) - 1; k >= 0; k-- {
		c := i % shape[k]
		i /= shape[k]
		if !mask.Has(k) {
			offset += c * step
			step *= shape[k]
		}
	}
	return offset
}

// Grad repeats dy over the axes.
func (o Reduce) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	x := in[0]
	mask := o.axes(x.Shape().Dims())
	if o.Keep {
		mask = 0
	}
	if o.Kind == Sum || o.Kind == Mean {
		return []*kernels.Node{b.Apply(BroadcastTo{Insert: mask, Mean: o.Kind == Mean}, dout, x)}
	}
	at := b.Apply(Binary{Kind: Eq}, x, b.Apply(BroadcastTo{Insert: mask}, out, x))
	ties := b.Apply(Reduce{Axes: o.Axes, Keep: o.Keep}, at)
	share := b.Apply(BroadcastTo{Insert: mask}, b.Apply(Binary{Kind: Div}, dout, ties), x)
	return []*kernels.Node{b.Apply(Binary{Kind: Mul}, at, share)}
}

// Workspace holds partial results.
func (o Reduce) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	return reduceWork(in[0], o.axes(in[0].Rank()))
}

// CPU reduces in blocks.
func (o Reduce) CPU(c *kernels.Call) {
	reduceCall(c, o.Kind, o.axes(c.In[0].Rank()))
}

// CUDAWorkspace holds partial results.
func (o Reduce) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return devicePlan(in[0].Shape, o.axes(in[0].Rank())).bytes(out.DType)
}

// CUDA reduces in parts, and the parts.
func (o Reduce) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return devicePlan(in[0].Shape, o.axes(in[0].Rank())).launches(t, o.Kind, out.DType), nil
}
