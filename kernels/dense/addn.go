package dense

import "ganglion/kernels"

// AddN is y = x₁ + x₂ + … + xₙ, added in this order.
// Inputs: one or more float [any], of one shape and type.  Output: the same.
//
// Gradient: dy for every input.
type AddN struct{}

var (
	_ kernels.Differentiable = AddN{}
	_ kernels.CPUOp          = AddN{}
	_ kernels.InPlacer       = AddN{}
)

// Infer checks that all inputs are alike.
func (o AddN) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantSome(o, in); err != nil {
		return kernels.Spec{}, err
	}
	for i, s := range in {
		if !s.Equal(in[0]) {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "inputs 0 and %d differ", i)
		}
	}
	return in[0], nil
}

// Ref adds element by element.
func (o AddN) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i := range out.F64 {
		s := in[0].F64[i]
		for _, t := range in[1:] {
			s += t.F64[i]
		}
		out.F64[i] = s
	}
}

// Grad passes dout to all.
func (o AddN) Grad(_ kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	grads := make([]*kernels.Node, len(in))
	for i := range grads {
		grads[i] = dout
	}
	return grads
}

// CPU adds chunks.
func (o AddN) CPU(c *kernels.Call) {
	run(c, cut(c, c.Out.Size(), 0.3*float64(len(c.In))), addBody[float32], addBody[float64])
}

// InPlace is true for every input: a block is summed in a buffer before it is written.
func (o AddN) InPlace(int) bool { return true }

func addBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	y := kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(y))
	var buf [512]T
	for ; lo < hi; lo += len(buf) {
		n := min(len(buf), hi-lo)
		s := buf[:n]
		copy(s, kernels.Of[T](c.In[0])[lo:])
		for _, t := range c.In[1:] {
			for i, v := range kernels.Of[T](t)[lo : lo+n] {
				s[i] += v
			}
		}
		copy(y[lo:], s)
	}
}
