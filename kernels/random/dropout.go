package random

import (
	"math"

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
	drop(out.F64, in[0].F64, newSource(in[1].I32, o.Stream), o.Rate, 0)
}

// drop works on the elements from lo (a multiple of 4) on. u < rate is the comparison of integers below, and the result
// is looked up: a branch on a random number is guessed wrong too often.
func drop[T kernels.Float](y, x []T, s source, rate float64, lo int) {
	scale := T(1 / (1 - rate))
	least := uint32(math.Ceil(rate * (1 << 24)))
	for b := lo / 4; len(x) > 0; b++ {
		w := s.words(b)
		n := min(4, len(x))
		for j, v := range x[:n] {
			kept := 0
			if w[j]>>8 >= least {
				kept = 1
			}
			y[j] = [2]T{0, v * scale}[kept&1]
		}
		x, y = x[n:], y[n:]
	}
}

// Grad drops the same elements of dout.
func (o Dropout) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(o, dout, in[1]), nil}
}

// InPlace is true for x.
func (o Dropout) InPlace(i int) bool { return i == 0 }

// CPU drops chunks.
func (o Dropout) CPU(c *kernels.Call) { over(c, dropBody[float32], dropBody[float64]) }

func dropBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(Dropout)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	lo, hi := span(chunk, len(x))
	drop(y[lo:hi], x[lo:hi], newSource(c.In[1].I32, o.Stream), o.Rate, lo)
}
