package dense

import "ganglion/kernels"

// Round is y = the number of a format nearest to x, elementwise; the type stays.
// Input: x float [any].  Output: the same shape.
//
// Gradient: dx = dy, as if y were x (the straight-through estimator). The derivative proper is zero almost everywhere.
type Round struct{ To Format }

var (
	_ kernels.Differentiable = Round{}
	_ kernels.CPUOp          = Round{}
	_ kernels.InPlacer       = Round{}
	_ kernels.CUDAOp         = Round{}
)

// Infer returns the spec of x.
func (o Round) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	if !o.To.valid() {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrDType, "there is no format %d", uint8(o.To))
	}
	return in[0], nil
}

// Ref rounds element by element.
func (o Round) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = o.To.Nearest(v)
	}
}

// Grad hands the gradient on.
func (o Round) Grad(_ kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{dout}
}

// roundCost is the estimated time of one element in nanoseconds.
const roundCost = 1

// CPU rounds chunks.
func (o Round) CPU(c *kernels.Call) {
	run(c, cut(c, c.Out.Size(), roundCost), roundBody[float32], roundBody[float64])
}

func roundBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(y))
	nearestRun(c.Op.(Round).To, y[lo:hi], x[lo:hi])
}

// InPlace is true for x.
func (o Round) InPlace(i int) bool { return i == 0 }

// CUDA rounds an element in a thread.
func (o Round) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return []kernels.Launch{roundLaunch(t, out.DType, o.To, out.Size(), kernels.InputArg(0), kernels.OutputArg())}, nil
}

// roundLaunch rounds n elements.
func roundLaunch(t kernels.Target, d kernels.DType, f Format, n int, from, to kernels.Arg) kernels.Launch {
	return t.Sweep("dense/round", kernels.Entry("round", d), n, kernels.IntArg(formats[f].fraction),
		kernels.IntArg(formats[f].exponent), kernels.IntArg(int(one(f == TF32))), kernels.IntArg(n), from, to)
}
