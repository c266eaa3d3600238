package random

import (
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// Bernoulli is an array of zeros and ones; each is 1 with probability P, where u < P.
// Inputs: like float [any] (only its shape and type count), key int32 [4] (see the package).  Output: like's shape.
//
// Gradient: zero.
type Bernoulli struct {
	P      float64 // from 0 to 1
	Stream uint32
}

var (
	_ kernels.Differentiable = Bernoulli{}
	_ kernels.CPUOp          = Bernoulli{}
)

func (o Bernoulli) stream() uint32 { return o.Stream }

func (o Bernoulli) draw(w [4]uint32) (v [4]float64) {
	for i := range v {
		if unit(w[i]) < o.P {
			v[i] = 1
		}
	}
	return v
}

// Infer returns the spec of like.
func (o Bernoulli) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if !(o.P >= 0 && o.P <= 1) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the probability %v is not between 0 and 1", o.P)
	}
	return inferKeyed(o, in)
}

// Ref draws block by block.
func (o Bernoulli) Ref(out kernels.Tensor, in []kernels.Tensor) {
	fill(cpu.Go, out.F64, newSource(in[1].I32, o.Stream), o, 0)
}

// Grad is zero.
func (o Bernoulli) Grad(b kernels.Builder, in []*kernels.Node, _, _ *kernels.Node) []*kernels.Node {
	return noGrad(b, in)
}

// CPU draws chunks.
func (o Bernoulli) CPU(c *kernels.Call) { over(c, drawBody[float32], drawBody[float64]) }
