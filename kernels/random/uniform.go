package random

import (
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// Uniform is an array of numbers spread evenly over [Lo, Hi) (up to rounding): Lo + (Hi−Lo)·u.
// Inputs: like float [any] (only its shape and type count), key int32 [4] (see the package).  Output: like's shape.
//
// It is an initialiser too. Gradient: zero.
type Uniform struct {
	Lo, Hi float64
	Stream uint32
}

var (
	_ kernels.Differentiable = Uniform{}
	_ kernels.CPUOp          = Uniform{}
)

func (o Uniform) stream() uint32 { return o.Stream }

func (o Uniform) draw(w [4]uint32) (v [4]float64) {
	for i := range v {
		v[i] = o.Lo + (o.Hi-o.Lo)*unit(w[i])
	}
	return v
}

// Infer returns the spec of like.
func (o Uniform) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if !(o.Lo <= o.Hi) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "no range: %v to %v", o.Lo, o.Hi)
	}
	return inferKeyed(o, in)
}

// Ref draws block by block.
func (o Uniform) Ref(out kernels.Tensor, in []kernels.Tensor) {
	fill(cpu.Go, out.F64, newSource(in[1].I32, o.Stream), o, 0)
}

// Grad is zero.
func (o Uniform) Grad(b kernels.Builder, in []*kernels.Node, _, _ *kernels.Node) []*kernels.Node {
	return noGrad(b, in)
}

// CPU draws chunks.
func (o Uniform) CPU(c *kernels.Call) { over(c, drawBody[float32], drawBody[float64]) }

// Fill draws t at step 0 of the given stream; the attribute Stream is not used. The error says that t is not float.
func (o Uniform) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	return fillTensor(t, o, seed, stream)
}
