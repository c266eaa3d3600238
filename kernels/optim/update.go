package optim

import (
	"ganglion/kernels"
)

// inferUpdate checks the inputs of an update rule with the given number of slots (see the package comment).
func inferUpdate(op kernels.Op, in []kernels.Spec, slots int) (kernels.Spec, error) {
	none := kernels.Spec{}
	if err := kernels.WantInputs(op, in, 1, 1, 1, 1); err != nil {
		return none, err
	}
	if err := kernels.WantFloats(op, in, 0, 1); err != nil {
		return none, err
	}
	if err := kernels.WantFloats(op, in, 0, 3); err != nil {
		return none, err
	}
	if err := kernels.WantFloats(op, in, 2); err != nil {
		return none, err
	}
	if z, g := in[0].Size(), in[1].Size(); z != (1+slots)*g {
		return none, kernels.Errorf(op, in, kernels.ErrShape,
			"block of %d elements for a gradient of %d: wants %d (parameters and %d slots)", z, g, (1+slots)*g, slots)
	}
	if in[2].Size() < 2 {
		return none, kernels.Errorf(op, in, kernels.ErrShape, "hyper wants 2 elements at least (rate, step), has %d",
			in[2].Size())
	}
	if in[3].Size() != 1 {
		return none, kernels.Errorf(op, in, kernels.ErrShape, "ok wants 1 element, has %d", in[3].Size())
	}
	return in[0], nil
}

// element returns element i of a float tensor.
func element(t kernels.Tensor, i int) float64 {
	if t.DType == kernels.Float32 {
		return float64(t.F32[i])
	}
	return t.F64[i]
}

// or is v, or the default if v is zero.
func or(v, byDefault float64) float64 {
	if v == 0 {
		return byDefault
	}
	return v
}

// update runs an update rule's body over chunks of the parameters, or copies the block where the step is not to be
// applied. The body finds the chunk by kernels.Call.Chunk of the gradient's length.
func update(c *kernels.Call, ns float64, f32, f64 func(c *kernels.Call, chunk, worker int)) {
	if !(element(c.In[3], 0) > 0) {
		c.In[0].CopyTo(c.Out)
		return
	}
	n := c.In[1].Size()
	const grain = 8000
	c.Arg[15] = max(64, int(grain/ns)&^63)
	chunks := (n + c.Arg[15] - 1) / c.Arg[15]
	if c.Out.DType == kernels.Float32 {
		c.For(chunks, f32)
	} else {
		c.For(chunks, f64)
	}
}

// part returns elements lo … hi−1 of slot s (0: the parameters) of a block for n parameters.
func part[T kernels.Float](t kernels.Tensor, s, n, lo, hi int) []T {
	return kernels.Of[T](t)[s*n+lo : s*n+hi]
}

// between reports whether v lies in [lo, hi).
func between(v, lo, hi float64) bool { return v >= lo && v < hi }
