package random

import (
	"math"

	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// Normal is an array of normal numbers with the given mean and standard deviation.
// Inputs: like float [any] (only its shape and type count), key int32 [4] (see the package).  Output: like's shape.
//
// It is an initialiser too. Gradient: zero.
type Normal struct {
	Mean, Std float64
	Stream    uint32
}

var (
	_ kernels.Differentiable = Normal{}
	_ kernels.CPUOp          = Normal{}
)

func (o Normal) stream() uint32 { return o.Stream }

func (o Normal) draw(w [4]uint32) (v [4]float64) {
	for i := 0; i < 4; i += 2 {
		r := o.Std * math.Sqrt(-2*math.Log((float64(w[i])+0.5)/(1<<32)))
		sin, cos := math.Sincos(2 * math.Pi * float64(w[i+1]) / (1 << 32))
		v[i], v[i+1] = o.Mean+r*cos, o.Mean+r*sin
	}
	return v
}

// Infer returns the spec of like.
func (o Normal) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if !(o.Std >= 0) || o.Mean != o.Mean {
		return kernels.Spec{},
			kernels.Errorf(o, in, kernels.ErrShape, "mean %v must be a number, and std %v not negative", o.Mean, o.Std)
	}
	return inferKeyed(o, in)
}

// Ref draws block by block.
func (o Normal) Ref(out kernels.Tensor, in []kernels.Tensor) {
	fill(cpu.Go, out.F64, newSource(in[1].I32, o.Stream), o, 0)
}

// Grad is zero.
func (o Normal) Grad(b kernels.Builder, in []*kernels.Node, _, _ *kernels.Node) []*kernels.Node {
	return noGrad(b, in)
}

// CPU draws chunks.
func (o Normal) CPU(c *kernels.Call) { over(c, drawBody[float32], drawBody[float64]) }

// Fill draws t at step 0 of the given stream; the attribute Stream is not used. The error says that t is not float.
func (o Normal) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	return fillTensor(t, o, seed, stream)
}
