package optim

import (
	"math"

	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// Finite is 1 if every element of every input is a finite number, else 0.
// Inputs: one or more float [any], types may differ (the gradients, the loss).  Output: [1], of the type of the first.
type Finite struct{}

var (
	_ kernels.CPUOp     = Finite{}
	_ kernels.Scratcher = Finite{}
)

// Infer returns the spec of the flag.
func (o Finite) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) == 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "wants one input at least")
	}
	for i := range in {
		if err := kernels.WantFloats(o, in, i); err != nil {
			return kernels.Spec{}, err
		}
	}
	return kernels.S(in[0].DType, 1), nil
}

// Ref looks at every element.
func (o Finite) Ref(out kernels.Tensor, in []kernels.Tensor) {
	out.F64[0] = 1
	for _, t := range in {
		for _, v := range t.F64 {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				out.F64[0] = 0
			}
		}
	}
}

const finiteBlock = 32768

// Workspace holds a flag for each block of an input.
func (o Finite) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	n := 0
	for _, s := range in {
		n = max(n, (s.Size()+finiteBlock-1)/finiteBlock)
	}
	return kernels.CarveSize(n, 1)
}

// CPU looks at blocks, one input after another.
func (o Finite) CPU(c *kernels.Call) {
	flag := float32(1)
	for i, t := range c.In {
		n := (t.Size() + finiteBlock - 1) / finiteBlock
		c.Arg[0] = i
		if t.DType == kernels.Float32 {
			c.For(n, finiteBody[float32])
		} else {
			c.For(n, finiteBody[float64])
		}
		work := c.Work
		for _, bad := range kernels.Carve[byte](&work, n) {
			if bad != 0 {
				flag = 0
			}
		}
	}
	if c.Out.DType == kernels.Float32 {
		c.Out.F32[0] = flag
	} else {
		c.Out.F64[0] = float64(flag)
	}
}

func finiteBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	x := kernels.Of[T](c.In[c.Arg[0]])
	work := c.Work
	flags := kernels.Carve[byte](&work, (len(x)+finiteBlock-1)/finiteBlock)
	x = x[chunk*finiteBlock : min(len(x), (chunk+1)*finiteBlock)]
	flags[chunk] = 1
	if s := vec.For[T](c.Path).Sum(x); s-s == 0 || allFinite(x) {
		flags[chunk] = 0
	}
}

// allFinite looks at every element. A sum that is finite has only finite terms, but finite terms may have a sum that is
// not: this is for those.
func allFinite[T kernels.Float](x []T) bool {
	for _, v := range x {
		if v-v != 0 {
			return false
		}
	}
	return true
}
