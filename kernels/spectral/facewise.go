package spectral

import (
	"ganglion/internal/asm/gemm"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// Facewise is the facewise product of spectra, Ĉ_k = op(Â_k)·op(B̂_k) for every slice k of the DFT, held in planes (see
// the package comment); op is the conjugate transpose if TransA or TransB says so. For real transforms
// dense.BatchedGEMM is the same. Inputs: a float [c, m, k] ([c, k, m] if TransA), b float [c, k, n] ([c, n, k] if
// TransB).  Output: [c, m, n].
//
// The real slices are one product each. A complex one is four, or three if Gauss is set (C.F. Gauss's form: a quarter
// fewer flops, a digit less in the imaginary part).
//
// Gradient: dÂ = dĈ·op(B̂)ᴴ and dB̂ = op(Â)ᴴ·dĈ, transposed as the operands are.
type Facewise struct {
	TransA, TransB bool
	Gauss          bool
}

var (
	_ kernels.Differentiable = Facewise{}
	_ kernels.CPUOp          = Facewise{}
	_ kernels.Scratcher      = Facewise{}
	_ kernels.Preparer       = Facewise{}
)

// Infer checks the lengths of the tubes and the inner dimension.
func (o Facewise) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if err := kernels.WantInputs(o, in, 3, 3); err != nil {
		return none, err
	}
	if err := kernels.WantFloats(o, in, 0, 1); err != nil {
		return none, err
	}
	if in[0].Shape[0] != in[1].Shape[0] {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "tubes differ in length: %d and %d", in[0].Shape[0],
			in[1].Shape[0])
	}
	m, k := oriented(in[0].Shape, o.TransA)
	k2, n := oriented(in[1].Shape, o.TransB)
	if k != k2 {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "inner dimensions differ: %d and %d", k, k2)
	}
	return kernels.S(in[0].DType, in[0].Shape[0], m, n), nil
}

// oriented returns rows and columns of the slices, exchanged if trans.
func oriented(shape []int, trans bool) (rows, cols int) {
	if trans {
		return shape[2], shape[1]
	}
	return shape[1], shape[2]
}

// faces are the sizes of a product.
type faces struct{ c, m, n, k int }

func (o Facewise) sizes(a, out []int) faces {
	_, k := oriented(a, o.TransA)
	return faces{out[0], out[1], out[2], k}
}

// Ref multiplies slice by slice, with complex numbers.
func (o Facewise) Ref(out kernels.Tensor, in []kernels.Tensor) {
	z := o.sizes(in[0].Shape, out.Shape)
	r, q := planes(z.c)
	for s := range r + q {
		for i := range z.m {
			for j := range z.n {
				sum := complex(0, 0)
				for p := range z.k {
					sum += slice(in[0].F64, z, s, z.m, z.k, i, p, o.TransA) *
						slice(in[1].F64, z, s, z.k, z.n, p, j, o.TransB)
				}
				out.F64[(s*z.m+i)*z.n+j] = real(sum)
				if s >= r {
					out.F64[((s+q)*z.m+i)*z.n+j] = imag(sum)
				}
			}
		}
	}
}

// slice is entry (i, j) of op(X) in slice s, op(X) being rows×cols.
func slice(x []float64, z faces, s, rows, cols, i, j int, trans bool) complex128 {
	at, sign := i*cols+j, 1.0
	if trans {
		at, sign = j*rows+i, -1
	}
	r, q := planes(z.c)
	if s < r {
		return complex(x[s*rows*cols+at], 0)
	}
	return complex(x[s*rows*cols+at], sign*x[(s+q)*rows*cols+at])
}

// Grad is two products.
func (o Facewise) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	mul := func(ta, tb bool, x, y *kernels.Node) *kernels.Node {
		return b.Apply(Facewise{TransA: ta, TransB: tb, Gauss: o.Gauss}, x, y)
	}
	return productGrad(in[0], in[1], dout, o.TransA, o.TransB, mul)
}

// productGrad writes the gradients of C = op(A)·op(B) with the given product.
func productGrad(a, b, dc *kernels.Node, ta, tb bool,
	mul func(ta, tb bool, x, y *kernels.Node) *kernels.Node) []*kernels.Node {
	da, db := mul(false, !tb, dc, b), mul(!ta, false, a, dc)
	if ta {
		da = mul(tb, true, b, dc)
	}
	if tb {
		db = mul(true, ta, dc, a)
	}
	return []*kernels.Node{da, db}
}

// Flops is 2mnk for each real product of the plain form: four for a complex slice.
func (o Facewise) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	z := o.sizes(in[0].Shape, out.Shape)
	r, q := planes(z.c)
	return 2 * float64(z.m) * float64(z.n) * float64(z.k) * float64(r+4*q)
}

// facewiseState is the room that a product of all workers needs.
type facewiseState struct{ plan gemm.Plan }

// Prepare makes room for a product.
func (o Facewise) Prepare(c *kernels.Call) { c.State = new(facewiseState) }

// Workspace holds what a product packs and copies of operands, for each worker or for all of them.
func (o Facewise) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	z := o.sizes(in[0].Shape, out.Shape)
	size := out.DType.Size()
	own := kernels.CarveSize(z.m*z.k, size) + kernels.CarveSize(z.k*z.n, size) + kernels.CarveSize(z.m*z.n, size)
	alone := kernels.CarveSize(gemm.Workspace(z.m, z.n, z.k, size, 1)+own, 1)
	return max(workers*alone, gemm.Workspace(z.m, z.n, z.k, size, workers)+own)
}

// Products are shared by all workers if they have sharedWork multiply-adds or more, or fewer by up to as many times as
// there are less than manySlices of them: else there are enough to go round.
const (
	sharedWork = 1 << 23
	manySlices = 16
)

// CPU multiplies slice by slice: in parallel, or large ones one after another. Complex slices come first, as they take
// longest.
func (o Facewise) CPU(c *kernels.Call) {
	z := o.sizes(c.In[0].Shape, c.Out.Shape)
	r, q := planes(z.c)
	if float64(z.m)*float64(z.n)*float64(z.k)*max(1, manySlices/float64(r+q+1)) < sharedWork {
		if c.Out.DType == kernels.Float32 {
			c.For(r+q, facewiseBody[float32])
		} else {
			c.For(r+q, facewiseBody[float64])
		}
		return
	}
	for i := range r + q {
		if c.Out.DType == kernels.Float32 {
			newFace[float32](c, o, i, c.Work, true).multiply()
		} else {
			newFace[float64](c, o, i, c.Work, true).multiply()
		}
	}
}

func facewiseBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	newFace[T](c, c.Op.(Facewise), chunk, workOf(c, worker), false).multiply()
}

// face is the product of one slice.
type face[T kernels.Float] struct {
	o                      Facewise
	call                   *kernels.Call
	shared                 bool // by all workers
	z                      faces
	ar, ai, br, bi, cr, ci []T // the planes; no imaginary parts in a real slice
	a, b, s                []T // scratch of the sizes of A, B and C
	work                   []byte
}

// newFace is the product of slice i, the complex slices counted first.
func newFace[T kernels.Float](c *kernels.Call, o Facewise, i int, work []byte, shared bool) face[T] {
	z := o.sizes(c.In[0].Shape, c.Out.Shape)
	f := face[T]{o: o, call: c, shared: shared, z: z}
	a, b, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	r, q := planes(z.c)
	if i < q {
		at := r + q + i
		f.ai, f.bi, f.ci = plane(a, at, z.m*z.k), plane(b, at, z.k*z.n), plane(out, at, z.m*z.n)
		f.a, f.b = kernels.Carve[T](&work, z.m*z.k), kernels.Carve[T](&work, z.k*z.n)
		f.s = kernels.Carve[T](&work, z.m*z.n)
		i += r
	} else {
		i -= q
	}
	f.ar, f.br, f.cr = plane(a, i, z.m*z.k), plane(b, i, z.k*z.n), plane(out, i, z.m*z.n)
	f.work = work
	return f
}

func plane[T kernels.Float](x []T, i, size int) []T { return x[i*size : (i+1)*size] }

// multiply computes the slice.
func (f face[T]) multiply() {
	switch {
	case f.ci == nil:
		f.product(f.cr, f.ar, f.br, false)
	case f.o.Gauss:
		f.three()
	default:
		f.four()
	}
}

// product is c = op(a)·op(b), or adds that to c.
func (f face[T]) product(c, a, b []T, add bool) {
	args := gemm.Args[T]{TransA: f.o.TransA, TransB: f.o.TransB, M: f.z.m, N: f.z.n, K: f.z.k, A: a, LDA: f.z.k, B: b,
		LDB: f.z.n, C: c, LDC: f.z.n, Acc: add, Work: f.work}
	if f.o.TransA {
		args.LDA = f.z.m
	}
	if f.o.TransB {
		args.LDB = f.z.k
	}
	if f.shared {
		gemm.Multiply(&f.call.State.(*facewiseState).plan, f.call.Path, f.call.Pool, args)
	} else {
		gemm.Multiply(nil, f.call.Path, nil, args)
	}
}

// four is Cr = ArBr − stAiBi, Ci = tArBi + sAiBr, with s and t = −1 for the conjugated operands.
func (f face[T]) four() {
	v := vec.For[T](f.call.Path)
	negative := func(dst, x []T) []T {
		v.Scale(dst, -1, x)
		return dst
	}
	minusA, bi := f.ai, f.bi // minusA is −Ai where a sign needs it
	if f.o.TransA || !f.o.TransB {
		minusA = negative(f.a, f.ai)
	}
	if f.o.TransB {
		bi = negative(f.b, f.bi)
	}
	f.product(f.cr, f.ar, f.br, false)
	f.product(f.ci, f.ar, bi, false)
	if f.o.TransA == f.o.TransB {
		f.product(f.cr, minusA, f.bi, true)
	} else {
		f.product(f.cr, f.ai, f.bi, true)
	}
	if f.o.TransA {
		f.product(f.ci, minusA, f.br, true)
	} else {
		f.product(f.ci, f.ai, f.br, true)
	}
}

// three is Gauss's form: t1 = ArBr, t2 = sAi·tBi, t3 = (Ar+sAi)(Br+tBi); Cr = t1 − t2, Ci = t3 − t1 − t2.
func (f face[T]) three() {
	v := vec.For[T](f.call.Path)
	sum := func(dst, x, y []T, subtract bool) []T {
		if subtract {
			v.Sub(dst, x, y)
		} else {
			v.Add(dst, x, y)
		}
		return dst
	}
	f.product(f.ci, sum(f.a, f.ar, f.ai, f.o.TransA), sum(f.b, f.br, f.bi, f.o.TransB), false)
	f.product(f.cr, f.ar, f.br, false)
	f.product(f.s, f.ai, f.bi, false)
	v.Sub(f.ci, f.ci, f.cr)
	if f.o.TransA == f.o.TransB { // one sign or two
		v.Sub(f.cr, f.cr, f.s)
		v.Sub(f.ci, f.ci, f.s)
	} else {
		v.Add(f.cr, f.cr, f.s)
		v.Add(f.ci, f.ci, f.s)
	}
}
