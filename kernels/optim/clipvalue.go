package optim

import "ganglion/kernels"

// ClipValue limits every element of a gradient to [−Max, Max]. NaN stays NaN.
// Input: g float [any].  Output: the same shape.
type ClipValue struct {
	Max float64 // above 0
}

var (
	_ kernels.CPUOp    = ClipValue{}
	_ kernels.InPlacer = ClipValue{}
)

// Infer returns the spec of g.
func (o ClipValue) Infer(in []kernels.Spec) (kernels.Spec, error) { return inferClip(o, in, o.Max) }

// Ref limits element by element.
func (o ClipValue) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = max(-o.Max, min(o.Max, v))
	}
}

// InPlace is true for g.
func (o ClipValue) InPlace(i int) bool { return i == 0 }

// CPU limits chunks.
func (o ClipValue) CPU(c *kernels.Call) {
	c.ForFloat(clipBlocks(c.Out.Size()), clipBody[float32], clipBody[float64])
}

func clipBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	limit := T(c.Op.(ClipValue).Max)
	lo := chunk * clipBlock
	hi := min(len(x), lo+clipBlock)
	for i, v := range x[lo:hi] {
		y[lo+i] = max(-limit, min(limit, v))
	}
}
