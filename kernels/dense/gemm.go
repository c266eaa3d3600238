package dense

import (
	"ganglion/internal/asm/gemm"
	"ganglion/internal/cpu"
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

// CPU multiplies blocks of C.
func (o GEMM) CPU(c *kernels.Call) {
	m, k := oriented(c.In[0].Shape, o.TransA)
	n := c.Out.Shape[1]
	bm, bn := blocks(m, n, k)
	run(c, ceil(m, bm)*ceil(n, bn), gemmBody[float32], gemmBody[float64])
}

// Workspace holds what the blocks pack, for each worker.
func (o GEMM) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	m, k := oriented(in[0].Shape, o.TransA)
	n := out.Shape[1]
	bm, bn := blocks(m, n, k)
	return workers * kernels.CarveSize(gemm.Workspace(min(m, bm), min(n, bn), k, out.DType.Size(), 1), 1)
}

// ceil is a/b rounded up.
func ceil(a, b int) int { return (a + b - 1) / b }

// blocks cuts C into parts of 4 million operations, or a 24th of a large product: in columns when it is wide, in rows
// when it is tall, else in both. Each part packs its operands by itself. Against packing together that costs a tenth at
// 512³ (two workers, AVX-512: 267 and 294 GFLOP/s) and gains a fifth at 128×512×784 (262 and 215), for it spares forks
// and joins. The unit is a multiple of the register tiles of all paths.
func blocks(m, n, k int) (bm, bn int) {
	const unit = 192
	area := int(max(2e6/float64(max(k, 1)), float64(m)*float64(n)/24))
	bm, bn = max(m, 1), max(n, 1)
	if m*n <= area {
		return bm, bn
	}
	if bn > unit {
		bn = min(bn, max(unit, ceil(area, min(bm, 2*unit))/unit*unit))
	}
	if bm > unit && bm*bn > 2*area {
		bm = min(bm, max(unit, ceil(area, bn)/unit*unit))
	}
	return bm, bn
}

// gemmBody computes a block of C for GEMM and Linear.
func gemmBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := linearOf(c.Op)
	m, k := oriented(c.In[0].Shape, o.TransA)
	n := c.Out.Shape[1]
	bm, bn := blocks(m, n, k)
	strips := ceil(n, bn)
	i, j := chunk/strips*bm, chunk%strips*bn
	a := gemm.Args[T]{TransA: o.TransA, TransB: o.TransB, M: min(bm, m-i), N: min(bn, n-j), K: k,
		A: kernels.Of[T](c.In[0]), LDA: k, B: kernels.Of[T](c.In[1]), LDB: n, C: kernels.Of[T](c.Out)[i*n+j:], LDC: n}
	if o.TransA {
		a.A, a.LDA = a.A[min(i, len(a.A)):], m
	} else {
		a.A = a.A[i*k:]
	}
	if o.TransB {
		a.B, a.LDB = a.B[j*k:], k
	} else {
		a.B = a.B[min(j, len(a.B)):]
	}
	work := len(c.Work) / c.Pool.Workers()
	a.Work = c.Work[worker*work : (worker+1)*work]
	extend(c, o, &a, i, j)
	multiply(c.Path, a)
	finish(c, o.F, &a, i, j)
}

// multiply computes a product on the calling worker.
func multiply[T kernels.Float](path cpu.Path, a gemm.Args[T]) {
	switch a := any(&a).(type) {
	case *gemm.Args[float32]:
		gemm.F32(nil, path, nil, *a)
	case *gemm.Args[float64]:
		gemm.F64(nil, path, nil, *a)
	}
}
