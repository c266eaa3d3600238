package dense

import (
	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
)

// BatchedGEMM is C_i = op(A_i)·op(B_i) for every index i of the leading dimensions, which a and b share.
// Inputs: a float [..., m, k] ([..., k, m] if TransA), b float [..., k, n] ([..., n, k] if TransB), three dimensions at
// least.  Output: [..., m, n].
//
// Zeros are not skipped: 0·NaN and 0·Inf are NaN.
type BatchedGEMM struct{ TransA, TransB bool }

var (
	_ kernels.Differentiable = BatchedGEMM{}
	_ kernels.CPUOp          = BatchedGEMM{}
	_ kernels.Scratcher      = BatchedGEMM{}
	_ kernels.Preparer       = BatchedGEMM{}
)

// Infer checks the leading dimensions and the inner one.
func (o BatchedGEMM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if err := wantFloats(o, in, 2); err != nil {
		return none, err
	}
	rank := in[0].Rank()
	if rank < 3 || in[1].Rank() != rank {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "wants inputs of the same rank, 3 at least")
	}
	shape := append([]int(nil), in[0].Shape...)
	for i, d := range in[1].Shape[:rank-2] {
		if shape[i] != d {
			return none, kernels.Errorf(o, in, kernels.ErrShape, "leading dimension %d differs: %d and %d", i, shape[i],
				d)
		}
	}
	m, k := oriented(in[0].Shape, o.TransA)
	k2, n := oriented(in[1].Shape, o.TransB)
	if k != k2 {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "inner dimensions differ: %d and %d", k, k2)
	}
	shape[rank-2], shape[rank-1] = m, n
	return kernels.S(in[0].DType, shape...), nil
}

// Ref is the triple loop for each matrix.
func (o BatchedGEMM) Ref(out kernels.Tensor, in []kernels.Tensor) {
	batch, m, n, k := o.sizes(in[0].Shape, out.Shape)
	for i := range batch {
		gemmRef(GEMM(o), m, n, k, out.F64[i*m*n:], in[0].F64[i*m*k:], in[1].F64[i*k*n:])
	}
}

func (o BatchedGEMM) sizes(a, out []int) (batch, m, n, k int) {
	_, k = oriented(a, o.TransA)
	r := len(out)
	return product(out[:r-2]), out[r-2], out[r-1], k
}

// Grad is two products.
func (o BatchedGEMM) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return productGrad(in[0], in[1], dout, o.TransA, o.TransB, func(ta, tb bool, x, y *kernels.Node) *kernels.Node {
		return b.Apply(BatchedGEMM{TransA: ta, TransB: tb}, x, y)
	})
}

// Flops is 2mnk for each matrix.
func (o BatchedGEMM) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	_, k := oriented(in[0].Shape, o.TransA)
	return 2 * float64(out.Size()) * float64(k)
}

// Prepare makes room for a product.
func (o BatchedGEMM) Prepare(c *kernels.Call) { c.State = new(linearState) }

// sharedWork is the number of multiply-adds from which on all workers share each product of a batch.
const sharedWork = 1 << 23

// CPU multiplies chunks of the batch, or large products one after another.
func (o BatchedGEMM) CPU(c *kernels.Call) {
	if n := o.small(c); n > 0 {
		run(c, n, batchBody[float32], batchBody[float64])
		return
	}
	for i := range product(c.Out.Shape[:len(c.Out.Shape)-2]) {
		if c.Out.DType == kernels.Float32 {
			shareOne(c, o, i, operands[float32](c))
		} else {
			shareOne(c, o, i, operands[float64](c))
		}
	}
}

// small is the number of chunks of a batch of small products, 0 if they are large.
func (o BatchedGEMM) small(c *kernels.Call) int {
	batch, m, n, k := o.sizes(c.In[0].Shape, c.Out.Shape)
	if float64(m)*float64(n)*float64(k) >= sharedWork {
		return 0
	}
	return c.Rows(batch, 100+float64(m)*float64(n)*float64(k)/20)
}

// shareOne computes product i of a batch on all workers.
func shareOne[T kernels.Float](c *kernels.Call, o BatchedGEMM, i int, x factors[T]) {
	share(&c.State.(*linearState).plan, c.Path, c.Pool, batchArgs(c, o, i, x))
}

// Workspace holds what a product packs, for each worker or for all of them.
func (o BatchedGEMM) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	_, m, n, k := o.sizes(in[0].Shape, out.Shape)
	size := out.DType.Size()
	return max(workers*kernels.CarveSize(gemm.Workspace(m, n, k, size, 1), 1), gemm.Workspace(m, n, k, size, workers))
}

// batchArgs are the arguments of product i of a batch.
func batchArgs[T kernels.Float](c *kernels.Call, o BatchedGEMM, i int, x factors[T]) gemm.Args[T] {
	_, m, n, k := o.sizes(c.In[0].Shape, c.Out.Shape)
	args := gemm.Args[T]{TransA: o.TransA, TransB: o.TransB, M: m, N: n, K: k, LDA: k, LDB: n, LDC: n, Work: x.work,
		A: x.a[i*m*k : (i+1)*m*k], B: x.b[i*k*n : (i+1)*k*n], C: kernels.Of[T](c.Out)[i*m*n : (i+1)*m*n]}
	if o.TransA {
		args.LDA = m
	}
	if o.TransB {
		args.LDB = k
	}
	return args
}

func batchBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	batchChunk(c, c.Op.(BatchedGEMM), chunk, worker, operands[T](c))
}

// batchChunk computes the products of a chunk of the batch.
func batchChunk[T kernels.Float](c *kernels.Call, o BatchedGEMM, chunk, worker int, x factors[T]) {
	size := len(x.work) / c.Pool.Workers()
	x.work = x.work[worker*size : (worker+1)*size]
	lo, hi := c.Chunk(chunk, product(c.Out.Shape[:len(c.Out.Shape)-2]))
	for i := lo; i < hi; i++ {
		multiply(c.Path, batchArgs(c, o, i, x))
	}
}
