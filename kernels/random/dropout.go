package random

import (
	"math"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// Dropout sets elements to 0 with probability Rate, where u < Rate, and divides the others by 1 − Rate, so that the
// expected value stays (Srivastava et al., JMLR 15, 2014; inverted form). It is for training graphs only.
// Inputs: x float [any], key int32 [4] (see the package).  Output: x's shape.
//
// Gradient: the same operator, with the same key, on dy.
type Dropout struct {
	Rate   float64 // from 0 to below 1
	Stream uint32
}

var (
	_ kernels.Differentiable = Dropout{}
	_ kernels.CPUOp          = Dropout{}
	_ kernels.InPlacer       = Dropout{}
)

// Infer returns the spec of x.
func (o Dropout) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if !(o.Rate >= 0 && o.Rate < 1) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the rate %v is not in [0, 1)", o.Rate)
	}
	return inferKeyed(o, in)
}

// Ref drops block by block.
func (o Dropout) Ref(out kernels.Tensor, in []kernels.Tensor) {
	drop(cpu.Go, out.F64, in[0].F64, newSource(in[1].I32, o.Stream), o.Rate, 0)
}

// drop works on the elements from lo (a multiple of 4) on. u < rate is a comparison of integers.
func drop[T kernels.Float](path cpu.Path, y, x []T, s source, rate float64, lo int) {
	least := uint32(math.Ceil(rate * (1 << 24)))
	vec.Drop(path, y, x, s.key, s.counter(lo/4), least, T(1/(1-rate)))
}

// Grad drops the same elements of dout.
func (o Dropout) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(o, dout, in[1]), nil}
}

// InPlace is true for x.
func (o Dropout) InPlace(i int) bool { return i == 0 }

// CPU drops chunks.
func (o Dropout) CPU(c *kernels.Call) {
	n := (c.Out.Size() + dropChunk - 1) / dropChunk
	if c.Out.DType == kernels.Float32 {
		c.For(n, dropBody[float32])
	} else {
		c.For(n, dropBody[float64])
	}
}

// dropChunk is the number of elements of a chunk, a multiple of 4; an element takes about half a nanosecond.
const dropChunk = 16 << 10

func dropBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(Dropout)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	lo := chunk * dropChunk
	hi := min(len(x), lo+dropChunk)
	drop(c.Path, y[lo:hi], x[lo:hi], newSource(c.In[1].I32, o.Stream), o.Rate, lo)
}
