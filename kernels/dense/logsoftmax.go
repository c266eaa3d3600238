package dense

import (
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// LogSoftmax is y_i = x_i − log Σ_j e^{x_j} along one axis, by default the last.
// Input: x float [any], one dimension at least.  Output: the same shape.
//
// The largest element is subtracted first, so nothing overflows; a line that holds NaN or +Inf, or only −Inf, gives
// NaN.
//
// Gradient: dx = dy − eʸ·Σ dy.
type LogSoftmax struct {
	FromLast int // the axis, counted from the last: 0 is the last, 1 the one before it
}

var (
	_ kernels.Differentiable = LogSoftmax{}
	_ kernels.CPUOp          = LogSoftmax{}
	_ kernels.InPlacer       = LogSoftmax{}
	_ kernels.Scratcher      = LogSoftmax{}
	_ kernels.CUDAOp         = LogSoftmax{}
)

// Infer returns the spec of x.
func (o LogSoftmax) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return softmaxSpec(o, o.FromLast, in)
}

// Ref computes line by line.
func (o LogSoftmax) Ref(out kernels.Tensor, in []kernels.Tensor) {
	softmaxRef(o.FromLast, true, out, in[0])
}

// Grad follows the formula above.
func (o LogSoftmax) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	sum := b.Apply(Reduce{Axes: On(in[0].Dims() - 1 - o.FromLast), Keep: true}, dout)
	p := b.Apply(Unary{F: act.Exp}, out)
	return []*kernels.Node{b.Apply(Binary{Kind: Sub}, dout, b.Apply(Binary{Kind: Mul}, p, sum))}
}

// InPlace is true for x.
func (o LogSoftmax) InPlace(i int) bool { return i == 0 }

// Workspace holds a line for each worker, or three rows of columns.
func (o LogSoftmax) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	if o.FromLast > 0 {
		return columnsWork(in[0], workers)
	}
	return kernels.CarveSize(workers*in[0].Shape[in[0].Rank()-1], in[0].DType.Size())
}

// CPU computes line by line.
func (o LogSoftmax) CPU(c *kernels.Call) { softmaxCall(c, o.FromLast, true) }

// CUDA takes a warp for each line, or a thread when its elements are not neighbours.
func (o LogSoftmax) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return softmaxLaunch(t, o.FromLast, 1, out), nil
}
