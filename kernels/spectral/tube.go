package spectral

import (
	"ganglion/internal/asm/gemm"
	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Tube is x̂ = M·f(M⁻¹ŷ + b) along every tube: from the spectrum back to the tensor, bias and function there, and to
// the spectrum of the result, in one pass (arXiv 2303.00196, eq. of the t-NN layer without its product). Inputs: ŷ
// float [c, n, d], b float [c, d] if Bias.  Output: [c, n, d].
//
// Tubes of at most 64 elements are done block by block in the cache; longer ones by the ops that Decompose names.
//
// Gradient: TubeGrad, and the sum of Mᵀ·TubeGrad over the samples for b.
type Tube struct {
	Kind Kind
	F    act.Func // the identity by default
	Bias bool
}

var (
	_ kernels.Differentiable = Tube{}
	_ kernels.Fused          = Tube{}
	_ kernels.CPUOp          = Tube{}
	_ kernels.Scratcher      = Tube{}
	_ kernels.Preparer       = Tube{}
)

// Infer checks the transform, the function and the bias.
func (o Tube) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return inferTube(o, o, in, 1)
}

// inferTube checks the inputs of op: n tensors, and a bias.
func inferTube(op kernels.Op, o Tube, in []kernels.Spec, n int) (kernels.Spec, error) {
	none := kernels.Spec{}
	ranks := []int{3, 3, 2}[2-n:]
	if !o.Bias {
		ranks = ranks[:n]
	}
	if err := kernels.WantInputs(op, in, ranks...); err != nil {
		return none, err
	}
	for i := range in {
		if err := kernels.WantFloats(op, in, 0, i); err != nil {
			return none, err
		}
	}
	if !act.Valid(o.F, 0) {
		return none, kernels.Errorf(op, in, kernels.ErrShape, "there is no function %s", act.Name(o.F))
	}
	s := in[0].Shape
	if n == 2 && !in[1].Equal(in[0]) {
		return none, kernels.Errorf(op, in, kernels.ErrShape, "inputs 0 and 1 must have one shape")
	}
	if o.Bias && (in[n].Shape[0] != s[0] || in[n].Shape[1] != s[2]) {
		return none, kernels.Errorf(op, in, kernels.ErrShape, "the bias must be (%d %d): tube and features", s[0], s[2])
	}
	if s[0] > gemmLength {
		return none, kernels.Errorf(op, in, kernels.ErrShape,
			"tubes of length %d, at most %d are done in one pass: use Layer, which takes them apart", s[0], gemmLength)
	}
	return in[0], wantKind(op, in, o.Kind, s[0])
}

// Ref transforms there and back.
func (o Tube) Ref(out kernels.Tensor, in []kernels.Tensor) {
	t := o.before(in[0], in[1:])
	for i, v := range t.F64 {
		t.F64[i] = act.Eval(o.F, 0, v)
	}
	Transform{Kind: o.Kind}.Ref(out, []kernels.Tensor{t})
}

// before is M⁻¹ŷ + b.
func (o Tube) before(y kernels.Tensor, bias []kernels.Tensor) kernels.Tensor {
	t := kernels.New(y.Spec)
	Transform{Kind: o.Kind, Inverse: true}.Ref(t, []kernels.Tensor{y})
	if o.Bias {
		n, d := y.Shape[1], y.Shape[2]
		for i := range t.F64 {
			t.F64[i] += bias[0].F64[i/(n*d)*d+i%d]
		}
	}
	return t
}

// Decompose is the inverse transform, the sum, the function, and the transform.
func (o Tube) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	t := o.argument(b, in[0], in[1:])
	if o.F != act.Identity {
		t = b.Apply(dense.Unary{F: o.F}, t)
	}
	return b.Apply(Transform{Kind: o.Kind}, t)
}

// argument writes M⁻¹ŷ + b.
func (o Tube) argument(b kernels.Builder, y *kernels.Node, bias []*kernels.Node) *kernels.Node {
	t := b.Apply(Transform{Kind: o.Kind, Inverse: true}, y)
	if !o.Bias {
		return t
	}
	s := y.Shape()
	wide := b.Apply(dense.Reshape{To: dense.ShapeOf(s[0], 1, s[2])}, bias[0])
	return b.Apply(dense.Binary{Kind: dense.Add}, t, wide)
}

// Grad is TubeGrad, and its sum for the bias.
func (o Tube) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	dy := b.Apply(TubeGrad(o), append([]*kernels.Node{in[0], dout}, in[1:]...)...)
	grads := []*kernels.Node{dy}
	if o.Bias { // M⁻ᵀ of what the bias has
		sum := b.Apply(dense.Reduce{Kind: dense.Sum, Axes: dense.On(1)}, dy)
		grads = append(grads, b.Apply(Transform{Kind: o.Kind, Transposed: true}, sum))
	}
	return grads
}

// Flops is 4c² a tube.
func (o Tube) Flops(_ []kernels.Spec, out kernels.Spec) float64 {
	return 4 * float64(out.Size()) * float64(out.Shape[0])
}

// tubeState keeps the matrices for the length of the last run: M and M⁻¹ as they stand in memory.
type tubeState struct {
	f32 tubeTable[float32]
	f64 tubeTable[float64]
}

type tubeTable[T kernels.Float] struct {
	c             int
	there, back   []T // M and M⁻¹
	thereT, backT []T // Mᵀ and M⁻ᵀ
}

// prepare makes the matrices for tubes of length c, unless they are there.
func (t *tubeTable[T]) prepare(k Kind, c int) {
	if t.c == c {
		return
	}
	of := func(inverse, transposed bool) []T {
		return matrix[T](Transform{Kind: k, Inverse: inverse, Transposed: transposed}, c)
	}
	*t = tubeTable[T]{c: c, there: of(false, false), back: of(true, false), thereT: of(false, true),
		backT: of(true, true)}
}

// matricesOf is the table of the type T.
func matricesOf[T kernels.Float](s *tubeState) *tubeTable[T] {
	if t, ok := any(&s.f32).(*tubeTable[T]); ok {
		return t
	}
	return any(&s.f64).(*tubeTable[T])
}

// Prepare makes room for the matrices.
func (o Tube) Prepare(c *kernels.Call) { c.State = new(tubeState) }

// tubeBlock is the number of tubes that are done together: their 2c·tubeBlock numbers stay in the cache.
const tubeBlock = 96

// Workspace holds blocks of tubes, for each worker.
func (o Tube) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return tubeWorkspace(out, workers, 1)
}

// tubeWorkspace is the room for a number of buffers of a block, and for what a product packs.
func tubeWorkspace(out kernels.Spec, workers, buffers int) int {
	c, size := out.Shape[0], out.DType.Size()
	each := buffers*kernels.CarveSize(c*tubeBlock, size) + gemm.Workspace(c, tubeBlock, c, size, 1)
	return workers * kernels.CarveSize(each, 1)
}

// CPU works block by block.
func (o Tube) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		tubeRun(c, o.Kind, tubeBody[float32])
	} else {
		tubeRun(c, o.Kind, tubeBody[float64])
	}
}

// tubeRun prepares the matrices and runs the body over the blocks.
func tubeRun(c *kernels.Call, k Kind, body func(c *kernels.Call, chunk, worker int)) {
	n, p := tubes(c.Out.Shape)
	if n == 0 || p == 0 {
		return
	}
	s := c.State.(*tubeState)
	if c.Out.DType == kernels.Float32 {
		s.f32.prepare(k, n)
	} else {
		s.f64.prepare(k, n)
	}
	c.For(ceil(p, tubeBlock), body)
}

// tile is a block of tubes [c, w] out of [c, p], from lo on.
type tile struct {
	path        cpu.Path
	c, p, lo, w int
	work        []byte
}

func tileOf(c *kernels.Call, chunk int, work []byte) tile {
	n, p := tubes(c.Out.Shape)
	lo := chunk * tubeBlock
	return tile{path: c.Path, c: n, p: p, lo: lo, w: min(tubeBlock, p-lo), work: work}
}

// along is y = the product of a c×c matrix with x, the rows of x and y being ldx and ldy apart.
func along[T kernels.Float](t *tile, m, x []T, ldx int, y []T, ldy int) {
	share(nil, t.path, nil, gemm.Args[T]{M: t.c, N: t.w, K: t.c, A: m, LDA: t.c, B: x, LDB: ldx, C: y, LDC: ldy,
		Work: t.work})
}

// addBias adds b [c, d] to a block [c, w].
func addBias[T kernels.Float](t *tile, block, b []T, d int) {
	table := vec.For[T](t.path)
	for q := range t.c {
		row, at := block[q*t.w:(q+1)*t.w], t.lo%d
		for len(row) > 0 {
			n := min(len(row), d-at)
			table.Add(row[:n], row[:n], b[q*d+at:q*d+at+n])
			row, at = row[n:], 0
		}
	}
}

func tubeBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := c.Op.(Tube)
	work := workOf(c, worker)
	buf := kernels.Carve[T](&work, c.Out.Shape[0]*tubeBlock)
	t := tileOf(c, chunk, work)
	m := matricesOf[T](c.State.(*tubeState))
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	buf = buf[:t.c*t.w]
	along(&t, m.back, x[t.lo:], t.p, buf, t.w)
	if o.Bias {
		addBias(&t, buf, kernels.Of[T](c.In[1]), c.Out.Shape[2])
	}
	act.Apply(t.path, o.F, 0, buf, buf)
	along(&t, m.there, buf, t.w, y[t.lo:], t.p)
}
