package dense

import (
	"ganglion/internal/asm/gemm"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// GEMM is C = op(A)·op(B), where op transposes if TransA or TransB says so.
// Inputs: a float [m, k] ([k, m] if TransA), b float [k, n] ([n, k] if TransB).  Output: [m, n].
//
// With k = 0 the output is zero. Zeros are not skipped: 0·NaN and 0·Inf are NaN, as the arithmetic says.
type GEMM struct{ TransA, TransB bool }

var (
	_ kernels.Differentiable = GEMM{}
	_ kernels.CPUOp          = GEMM{}
	_ kernels.Scratcher      = GEMM{}
	_ kernels.Preparer       = GEMM{}
)

// Infer checks that the inner dimensions agree.
func (o GEMM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, 2); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 1); err != nil {
		return kernels.Spec{}, err
	}
	m, k := oriented(in[0].Shape, o.TransA)
	k2, n := oriented(in[1].Shape, o.TransB)
	if k != k2 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "inner dimensions differ: %d and %d", k, k2)
	}
	return kernels.S(in[0].DType, m, n), nil
}

// oriented returns rows and columns of the last two dimensions, exchanged if trans.
func oriented(shape []int, trans bool) (rows, cols int) {
	rows, cols = shape[len(shape)-2], shape[len(shape)-1]
	if trans {
		return cols, rows
	}
	return rows, cols
}

// Ref is the triple loop.
func (o GEMM) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m, k := oriented(in[0].Shape, o.TransA)
	_, n := oriented(in[1].Shape, o.TransB)
	gemmRef(o, m, n, k, out.F64, in[0].F64, in[1].F64)
}

func gemmRef(o GEMM, m, n, k int, c, a, b []float64) {
	for i := range m {
		for j := range n {
			s := 0.0
			for p := range k {
				ai, bi := i*k+p, p*n+j
				if o.TransA {
					ai = p*m + i
				}
				if o.TransB {
					bi = j*k + p
				}
				s += a[ai] * b[bi]
			}
			c[i*n+j] = s
		}
	}
}

// Grad is two products.
func (o GEMM) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return productGrad(in[0], in[1], dout, o.TransA, o.TransB, func(ta, tb bool, x, y *kernels.Node) *kernels.Node {
		return b.Apply(GEMM{TransA: ta, TransB: tb}, x, y)
	})
}

// productGrad writes the gradients of C = op(A)·op(B) with the given product.
func productGrad(a, b, dc *kernels.Node, ta, tb bool, mul func(ta, tb bool, x,
	y *kernels.Node) *kernels.Node) []*kernels.Node {
	switch {
	case !ta && !tb:
		return []*kernels.Node{mul(false, true, dc, b), mul(true, false, a, dc)}
	case ta && !tb:
		return []*kernels.Node{mul(false, true, b, dc), mul(false, false, a, dc)}
	case !ta:
		return []*kernels.Node{mul(false, false, dc, b), mul(true, false, dc, a)}
	}
	return []*kernels.Node{mul(true, true, b, dc), mul(true, true, dc, a)}
}

// Flops is 2mnk.
func (o GEMM) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	_, k := oriented(in[0].Shape, o.TransA)
	return 2 * float64(out.Size()) * float64(k)
}

// Prepare makes room for the product.
func (o GEMM) Prepare(c *kernels.Call) { o.linear().Prepare(c) }

// CPU multiplies.
func (o GEMM) CPU(c *kernels.Call) { o.linear().CPU(c) }

// linear is the op in its general form.
func (o GEMM) linear() Linear { return Linear{TransA: o.TransA, TransB: o.TransB} }

// Workspace holds what is packed.
func (o GEMM) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	_, k := oriented(in[0].Shape, o.TransA)
	return gemm.Workspace(out.Shape[0], out.Shape[1], k, out.DType.Size(), workers)
}

// ceil is a/b rounded up.
func ceil(a, b int) int { return (a + b - 1) / b }

// multiply computes a product on the calling worker.
func multiply[T kernels.Float](path cpu.Path, a gemm.Args[T]) { share(nil, path, nil, a) }

// share computes a product on all workers of the pool.
func share[T kernels.Float](p *gemm.Plan, path cpu.Path, pool *par.Pool, a gemm.Args[T]) {
	gemm.Multiply(p, path, pool, a)
}
