package dense

import "ganglion/kernels"

// SumTo is the transpose of BroadcastTo: it sums x to the shape of like, over the dimensions that BroadcastTo would
// repeat to get from like's shape (with dimensions of size 1 at the axes Drop) to x's. If Mean, it takes the mean.
// Inputs: x float, like (any type; only its shape counts).  Output: like's shape, x's type.
//
// Over nothing the sum is 0 and the mean NaN. Gradient: BroadcastTo with the same attributes.
type SumTo struct {
	Drop Axes
	Mean bool
}

var (
	_ kernels.Differentiable = SumTo{}
	_ kernels.CPUOp          = SumTo{}
	_ kernels.Scratcher      = SumTo{}
	_ kernels.InPlacer       = SumTo{}
	_ kernels.CUDAOp         = SumTo{}
	_ kernels.CUDAScratcher  = SumTo{}
)

// Infer returns like's shape.
func (o SumTo) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantLike(o, in, o.Drop, 1, 0); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(in[0].DType, in[1].Shape...), nil
}

// axes is the set of x's axes to be summed over.
func (o SumTo) axes(x, like []int) Axes {
	var buf [MaxRank]int
	shape := inserted(&buf, like, o.Drop)
	var mask Axes
	for i := range x {
		if j := i - (len(x) - len(shape)); j < 0 || shape[j] == 1 {
			mask |= 1 << i
		}
	}
	return mask
}

// kind is Sum or Mean.
func (o SumTo) kind() Kind {
	if o.Mean {
		return Mean
	}
	return Sum
}

// Ref adds element by element.
func (o SumTo) Ref(out kernels.Tensor, in []kernels.Tensor) {
	reduceRef(o.kind(), out.F64, in[0].F64, in[0].Shape, o.axes(in[0].Shape, in[1].Shape))
}

// Grad repeats dout.
func (o SumTo) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(BroadcastTo{Insert: o.Drop, Mean: o.Mean}, dout, in[0]), zerosFor(b, in[1])}
}

// Workspace holds partial sums.
func (o SumTo) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	return reduceWork(in[0], o.axes(in[0].Shape, in[1].Shape))
}

// InPlace is true for x: where the shapes are equal, nothing is summed.
func (o SumTo) InPlace(i int) bool { return i == 0 }

// CPU reduces in blocks.
func (o SumTo) CPU(c *kernels.Call) {
	reduceCall(c, o.kind(), o.axes(c.In[0].Shape, c.In[1].Shape))
}

// CUDAWorkspace holds partial results.
func (o SumTo) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return devicePlan(in[0].Shape, o.axes(in[0].Shape, in[1].Shape)).bytes(out.DType)
}

// CUDA reduces in parts, and the parts.
func (o SumTo) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return devicePlan(in[0].Shape, o.axes(in[0].Shape, in[1].Shape)).launches(t, o.kind(), out.DType), nil
}
