package optim

import "ganglion/kernels"

// Keep is the next value of a state that follows the data, such as running moments: next when the step is applied, and
// the state as it was when it is not.
// Inputs: state, next float [any], alike; ok float [1], 0 when the step is not applied.  Output: as state.
type Keep struct{}

var (
	_ kernels.CPUOp    = Keep{}
	_ kernels.InPlacer = Keep{}
)

// Infer returns the spec of the state.
func (o Keep) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1, -1, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 1, 2); err != nil {
		return kernels.Spec{}, err
	}
	if !in[0].Equal(in[1]) || in[2].Size() != 1 {
		return kernels.Spec{}, kernels.Errorf(
			o,
			in,
			kernels.ErrShape,
			"wants a state, a next value like it, and a flag",
		)
	}
	return in[0], nil
}

// Ref copies the one or the other.
func (Keep) Ref(out kernels.Tensor, in []kernels.Tensor) {
	if in[2].F64[0] == 0 {
		in[0].CopyTo(out)
	} else {
		in[1].CopyTo(out)
	}
}

// InPlace is true for the state and for its next value.
func (Keep) InPlace(i int) bool { return i < 2 }

// CPU copies chunks.
func (Keep) CPU(c *kernels.Call) {
	c.ForFloat(clipBlocks(c.Out.Size()), keepBody[float32], keepBody[float64])
}

func keepBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	from := kernels.Of[T](c.In[1])
	if flag := c.In[2]; flag.DType == kernels.Float32 && flag.F32[0] == 0 ||
		flag.DType == kernels.Float64 && flag.F64[0] == 0 {
		from = kernels.Of[T](c.In[0])
	}
	lo := chunk * clipBlock
	hi := min(len(from), lo+clipBlock)
	copy(kernels.Of[T](c.Out)[lo:hi], from[lo:hi])
}
