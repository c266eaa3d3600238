package spectral

import (
	"ganglion/internal/asm/gemm"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// Transform is y = x ×₁ M along the first axis: y_k = Σ_q M_kq x_q, with the matrix M of a fixed transform, or with
// M⁻¹, Mᵀ or M⁻ᵀ if Inverse and Transposed say so. Input: x float [c, any].  Output: the same shape.
//
// Any length is transformed, Haar only powers of two. The commonest short ones (c ≤ 64, float32) are straight-line
// arithmetic in registers, the other short ones a product with the c×c matrix, 2c² flops a tube; longer ones a fast
// transform: mixed radix, or Bluestein's for lengths with a prime factor above 7.
//
// Gradient: the transform with Mᵀ.
type Transform struct {
	Kind                Kind
	Inverse, Transposed bool
}

var (
	_ kernels.Differentiable = Transform{}
	_ kernels.CPUOp          = Transform{}
	_ kernels.Scratcher      = Transform{}
	_ kernels.Preparer       = Transform{}
)

// Infer checks the length of the tubes.
func (o Transform) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	if in[0].Rank() < 1 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "wants tubes along axis 0, has a scalar")
	}
	if err := wantKind(o, in, o.Kind, in[0].Shape[0]); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], nil
}

// maxLength is the longest tube: products of indices stay far below 2⁶³, and the tables within memory.
const maxLength = 1 << 26

// wantKind checks that the transform exists for tubes of length c.
func wantKind(op kernels.Op, in []kernels.Spec, k Kind, c int) error {
	switch {
	case !k.valid():
		return kernels.Errorf(op, in, kernels.ErrShape, "there is no transform %d", uint8(k))
	case c > maxLength:
		return kernels.Errorf(op, in, kernels.ErrShape, "tubes of length %d, at most %d are supported", c, maxLength)
	case k == Haar && c > 0 && !powerOfTwo(c):
		return kernels.Errorf(op, in, kernels.ErrShape,
			"the haar transform needs tubes whose length is a power of two, has %d", c)
	}
	return nil
}

// Ref is the product with the matrix, entry by entry.
func (o Transform) Ref(out kernels.Tensor, in []kernels.Tensor) {
	c, p := tubes(in[0].Shape)
	e := entriesOf(o.Kind, c)
	for i := range c {
		y := out.F64[i*p : (i+1)*p]
		clear(y)
		for q := range c {
			m := e.entry(o, i, q)
			for j, v := range in[0].F64[q*p : (q+1)*p] {
				y[j] += m * v
			}
		}
	}
}

// tubes are the length and the number of the tubes.
func tubes(shape []int) (c, p int) { return shape[0], product(shape[1:]) }

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// Grad is the transposed transform.
func (o Transform) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	o.Transposed = !o.Transposed
	return []*kernels.Node{b.Apply(o, dout)}
}

// gemmLength is the longest tube that is transformed by a product with the matrix, if there is no faster way.
const gemmLength = 64

// transformState is what a transform keeps from run to run: its tables, made for the length of the last run.
type transformState struct {
	plan gemm.Plan
	f32  table[float32]
	f64  table[float64]
}

// table is the fast form of a transform, or the matrix of a short one that has none.
type table[T kernels.Float] struct {
	c      int
	matrix []T
	fast   *fast[T]
}

// prepare makes the table for tubes of length c, unless it is there.
func (t *table[T]) prepare(o Transform, path cpu.Path, c int) {
	if t.c == c {
		return
	}
	*t = table[T]{c: c, fast: newFast[T](o, path, c)}
	if t.fast == nil && c <= gemmLength {
		t.matrix = matrix[T](o, c)
	}
}

// matrix is the c×c matrix of a transform.
func matrix[T kernels.Float](o Transform, c int) []T {
	e := entriesOf(o.Kind, c)
	m := make([]T, c*c)
	for i := range c {
		for j := range c {
			m[i*c+j] = T(e.entry(o, i, j))
		}
	}
	return m
}

// tableOf is the table of the type T.
func tableOf[T kernels.Float](s *transformState) *table[T] {
	if t, ok := any(&s.f32).(*table[T]); ok {
		return t
	}
	return any(&s.f64).(*table[T])
}

// Prepare makes room for the tables.
func (o Transform) Prepare(c *kernels.Call) { c.State = new(transformState) }

// Workspace holds what a product packs, or the blocks of tubes of each worker.
func (o Transform) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	c, p := tubes(out.Shape)
	size := out.DType.Size()
	if c == 0 || p == 0 || o.Kind == None {
		return 0
	}
	if o.Kind == Haar && c > gemmLength {
		return workers * kernels.CarveSize(c*haarBlock(c), size)
	}
	need := workers * kernels.CarveSize(fastWork(c, size), size)
	if c <= gemmLength {
		need = max(need, gemm.Workspace(c, p, c, size, workers))
	}
	return need
}

// Flops is 2c² a tube: that of the plain product, whatever the method.
func (o Transform) Flops(_ []kernels.Spec, out kernels.Spec) float64 {
	return 2 * float64(out.Size()) * float64(out.Shape[0])
}

// CPU transforms.
func (o Transform) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		transform[float32](c, o, haarBody[float32], fastBody[float32])
	} else {
		transform[float64](c, o, haarBody[float64], fastBody[float64])
	}
}

// transform gets the bodies of its loops: one that a generic function instantiates is allocated each time.
func transform[T kernels.Float](c *kernels.Call, o Transform, haar, fast func(c *kernels.Call, chunk, worker int)) {
	n, p := tubes(c.Out.Shape)
	if n == 0 || p == 0 {
		return
	}
	if o.Kind == None {
		c.In[0].CopyTo(c.Out)
		return
	}
	s := c.State.(*transformState)
	t := tableOf[T](s)
	t.prepare(o, c.Path, n)
	switch {
	case t.fast != nil:
		c.Arg[0] = t.fast.columns(n, p)
		c.For(ceil(p, c.Arg[0]), fast)
	case n <= gemmLength:
		gemm.Multiply(&s.plan, c.Path, c.Pool, gemm.Args[T]{M: n, N: p, K: n, A: t.matrix, LDA: n,
			B: kernels.Of[T](c.In[0]), LDB: p, C: kernels.Of[T](c.Out), LDC: p, Work: c.Work})
	default:
		c.Arg[0] = haarBlock(n)
		c.For(ceil(p, c.Arg[0]), haar)
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// workOf is the part of the scratch memory that belongs to a worker.
func workOf(c *kernels.Call, worker int) []byte {
	n := len(c.Work) / c.Pool.Workers()
	return c.Work[worker*n : (worker+1)*n]
}
