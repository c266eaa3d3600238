package spectral

import (
	"math"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Inverse is the inverse of the matrix of a transform, by elimination with pivoting by rows in float64.
// Input: m float [c, c].  Output: [c, c].
//
// A singular matrix gives NaN everywhere and the status kernels.Singular; one is taken for singular when a pivot is
// below c·2⁻⁵² times the largest entry.
//
// Gradient: dM = −M⁻ᵀ·dY·M⁻ᵀ.
type Inverse struct{}

var (
	_ kernels.Differentiable = Inverse{}
	_ kernels.CPUOp          = Inverse{}
	_ kernels.Scratcher      = Inverse{}
)

// Infer checks that the matrix is square.
func (o Inverse) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	if s := in[0].Shape; s[0] != s[1] {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"the matrix of a transform must be square, is %d×%d", s[0], s[1])
	}
	return in[0], nil
}

// Ref eliminates.
func (o Inverse) Ref(out kernels.Tensor, in []kernels.Tensor) {
	c := out.Shape[0]
	a := append([]float64(nil), in[0].F64...)
	if !invert(c, a, out.F64) {
		nan(out.F64)
	}
}

// nan fills x with NaN.
func nan[T kernels.Float](x []T) {
	for i := range x {
		x[i] = T(math.NaN())
	}
}

// invert is the Gauss–Jordan elimination of a, which it destroys, next to the identity; false for a singular matrix.
func invert(c int, a, inv []float64) bool {
	largest := 0.0
	for _, v := range a {
		largest = max(largest, math.Abs(v))
	}
	clear(inv)
	for i := range c {
		inv[i*c+i] = 1
	}
	for k := range c {
		best := k
		for i := k + 1; i < c; i++ {
			if math.Abs(a[i*c+k]) > math.Abs(a[best*c+k]) {
				best = i
			}
		}
		if !(math.Abs(a[best*c+k]) > float64(c)*0x1p-52*largest) || math.IsInf(largest, 0) {
			return false
		}
		swapRows(a, c, k, best)
		swapRows(inv, c, k, best)
		scale := 1 / a[k*c+k]
		for j := range c {
			a[k*c+j] *= scale
			inv[k*c+j] *= scale
		}
		for i := range c {
			if f := a[i*c+k]; i != k && f != 0 {
				for j := range c {
					a[i*c+j] -= f * a[k*c+j]
					inv[i*c+j] -= f * inv[k*c+j]
				}
			}
		}
	}
	return true
}

func swapRows(a []float64, c, i, j int) {
	if i == j {
		return
	}
	for k := range c {
		a[i*c+k], a[j*c+k] = a[j*c+k], a[i*c+k]
	}
}

// Grad is two products.
func (o Inverse) Grad(b kernels.Builder, _ []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	left := b.Apply(dense.GEMM{TransA: true}, out, dout)
	return []*kernels.Node{b.Apply(dense.Scale{Alpha: -1}, b.Apply(dense.GEMM{TransB: true}, left, out))}
}

// Workspace holds the matrix and its inverse in float64.
func (o Inverse) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	return 2 * kernels.CarveSize(in[0].Size(), 8)
}

// CPU eliminates on the caller: it is done once for a transform, not for each tube.
func (o Inverse) CPU(c *kernels.Call) {
	n := c.Out.Size()
	work := c.Work
	a, inv := kernels.Carve[float64](&work, n), kernels.Carve[float64](&work, n)
	copy(a, c.In[0].F64)
	for i, v := range c.In[0].F32 {
		a[i] = float64(v)
	}
	c.Report.Samples++
	if !invert(c.Out.Shape[0], a, inv) {
		c.Report.Status, c.Report.Failed, c.Report.Worst = kernels.Singular, 1, math.Inf(1)
		nan(inv)
	}
	copy(c.Out.F64, inv)
	for i := range c.Out.F32 {
		c.Out.F32[i] = float32(inv[i])
	}
}
