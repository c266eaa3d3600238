package spectral

import (
	"math"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Identity is the t-matrix I of which every slice of the transform is the identity matrix, so that I * A = A: the tubes
// on the diagonal are M⁻¹·1, the others 0. For the DFT slice 0 is the identity matrix and the others are 0. Input: like
// float [c, n, n] (only its shape and type count).  Output: the same shape.
//
// With Kind None every slice is the identity matrix.
type Identity struct{ Kind Kind }

var (
	_ kernels.Differentiable = Identity{}
	_ kernels.CPUOp          = Identity{}
	_ kernels.ShapeReader    = Identity{}
)

// Infer checks that slices are square.
func (o Identity) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if err := kernels.WantInputs(o, in, 3); err != nil {
		return none, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return none, err
	}
	if s := in[0].Shape; s[1] != s[2] {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "slices must be square, are %d×%d", s[1], s[2])
	}
	return in[0], wantKind(o, in, o.Kind, in[0].Shape[0])
}

// ShapeOnly is true: the output does not depend on the input's elements.
func (o Identity) ShapeOnly(int) bool { return true }

// Ref writes the tube M⁻¹·1 along the diagonal.
func (o Identity) Ref(out kernels.Tensor, _ []kernels.Tensor) {
	clear(out.F64)
	c, n := out.Shape[0], out.Shape[1]
	e := entriesOf(o.Kind, c)
	for q := range c {
		v := 0.0
		for k := range c {
			if _, imaginary := sliceOf(k, c); o.Kind != DFT || !imaginary { // Î has no imaginary part
				v += e.entry(Transform{Kind: o.Kind, Inverse: true}, q, k)
			}
		}
		for i := range n {
			out.F64[(q*n+i)*n+i] = v
		}
	}
}

// Grad is zero.
func (o Identity) Grad(b kernels.Builder, in []*kernels.Node, _, _ *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(dense.FillLike{}, in[0])}
}

// CPU writes the tube along the diagonal.
func (o Identity) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		identity(o, c.Out.Shape, c.Out.F32)
	} else {
		identity(o, c.Out.Shape, c.Out.F64)
	}
}

func identity[T kernels.Float](o Identity, shape []int, out []T) {
	clear(out)
	c, n := shape[0], shape[1]
	for q := range c {
		v := T(unit(o.Kind, q, c))
		for i := range n {
			out[(q*n+i)*n+i] = v
		}
	}
}

// unit is entry q of M⁻¹·1 for tubes of length c.
func unit(k Kind, q, c int) float64 {
	switch {
	case k == DFT && q > 0:
		return 0
	case k == DFT || k == None:
		return 1
	case k == DCT:
		return unitDCT(q, c)
	}
	v := haarEntry(0, q, c)
	for row := 1; row < c; row *= 2 {
		v += haarEntry(row+q*row/c, q, c)
	}
	return v
}

// unitDCT is √(1/c) + √(2/c)·Σ_{k=1}^{c−1} cos kθ with θ = π(2q+1)/2c, by the Dirichlet kernel: sin((c−½)θ) over
// 2·sin(θ/2), less ½.
func unitDCT(q, c int) float64 {
	// In turns of 1/8c: θ/2 = 2π(2q+1)/8c and (c−½)θ = 2π(2c−1)(2q+1)/8c; a sine is a cosine a quarter turn back.
	n, a := 8*c, 2*q+1
	sine := func(i int) float64 { return cosine((i+3*n/4)%n, n) }
	sum := sine((2*c-1)*a%n)/(2*sine(a)) - 0.5
	return math.Sqrt(1/float64(c)) + math.Sqrt(2/float64(c))*sum
}
