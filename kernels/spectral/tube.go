package spectral

import (
	"ganglion/internal/asm/fft"
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

// tubeState keeps the factors for the length of the last run.
type tubeState struct {
	f32 tubeTable[float32]
	f64 tubeTable[float64]
}

type tubeTable[T kernels.Float] struct {
	c             int
	there, back   factor[T] // M and M⁻¹
	thereT, backT factor[T] // Mᵀ and M⁻ᵀ
}

// factor is a matrix, or the fast form of its product.
type factor[T kernels.Float] struct {
	matrix []T
	fast   *fast[T]
}

// prepare makes the factors for tubes of length c, unless they are there.
func (t *tubeTable[T]) prepare(k Kind, path cpu.Path, c int) {
	if t.c == c {
		return
	}
	of := func(inverse, transposed bool) factor[T] {
		o := Transform{Kind: k, Inverse: inverse, Transposed: transposed}
		if f := newFast[T](o, path, c); f != nil {
			return factor[T]{fast: f}
		}
		return factor[T]{matrix: matrix[T](o, c)}
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

// Prepare makes room for the factors.
func (o Tube) Prepare(c *kernels.Call) { c.State = new(tubeState) }

// tubeBlock is the number of tubes that are done together, a multiple of the lanes: their 2c·tubeBlock numbers stay in
// the cache.
func tubeBlock(c int) int { return max(64, 4096/max(c, 1)&^63) }

// tubeChunk is the number of tubes in a chunk, a multiple of tubeBlock.
func tubeChunk(c int) int { return tubeBlock(c) * max(1, 16384/(c*tubeBlock(c))) }

// Workspace holds the bias row for row, and blocks of tubes for each worker.
func (o Tube) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return tubeWorkspace(out, workers, 1)
}

// tubeWorkspace is the room for the bias, for a number of buffers of a block, and for what a product packs.
func tubeWorkspace(out kernels.Spec, workers, buffers int) int {
	c, size := out.Shape[0], out.DType.Size()
	if c == 0 {
		return 0
	}
	each := buffers*kernels.CarveSize(c*tubeBlock(c), size) +
		max(gemm.Workspace(c, tubeBlock(c), c, size, 1), kernels.CarveSize(fft.ShortWork, size))
	return kernels.CarveSize(c*biasRow(c, out.Shape[2]), size) + workers*kernels.CarveSize(each, 1)
}

// biasRow is the length of a row of the bias, repeated so that a block finds its part of it in one piece wherever it
// begins; 0 where the rows are so long that pieces will do.
func biasRow(c, d int) int {
	if d == 0 || d > 4*tubeBlock(c) {
		return 0
	}
	return d + tubeBlock(c)
}

// CPU works block by block.
func (o Tube) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		tubeRun[float32](c, o, tubeBody[float32])
	} else {
		tubeRun[float64](c, o, tubeBody[float64])
	}
}

// tubeRun prepares the factors and the bias, which is the last input, and runs the body over the chunks.
func tubeRun[T kernels.Float](c *kernels.Call, o Tube, body func(c *kernels.Call, chunk, worker int)) {
	n, p := tubes(c.Out.Shape)
	if n == 0 || p == 0 {
		return
	}
	matricesOf[T](c.State.(*tubeState)).prepare(o.Kind, c.Path, n)
	if d := c.Out.Shape[2]; o.Bias && biasRow(n, d) > 0 {
		work := c.Work
		wide, b := kernels.Carve[T](&work, n*biasRow(n, d)), kernels.Of[T](c.In[len(c.In)-1])
		for q := range n {
			for row := wide[q*biasRow(n, d) : (q+1)*biasRow(n, d)]; len(row) > 0; {
				row = row[copy(row, b[q*d:(q+1)*d]):]
			}
		}
	}
	c.For(ceil(p, tubeChunk(n)), body)
}

// tile is a block of tubes [c, w] out of [c, p], from lo on.
type tile[T kernels.Float] struct {
	path        cpu.Path
	c, p, lo, w int
	packed      []byte // scratch of a product
	work        []T    // of a codelet
}

// tilesOf stands before the first block of a chunk, with one buffer of a block or two.
func tilesOf[T kernels.Float](c *kernels.Call, chunk, worker int, first, second *[]T) tile[T] {
	n, p := tubes(c.Out.Shape)
	work := c.Work[kernels.CarveSize(n*biasRow(n, c.Out.Shape[2]), c.Out.DType.Size()):]
	each := len(work) / c.Pool.Workers()
	work = work[worker*each : (worker+1)*each]
	*first = kernels.Carve[T](&work, n*tubeBlock(n))
	if second != nil {
		*second = kernels.Carve[T](&work, n*tubeBlock(n))
	}
	t := tile[T]{path: c.Path, c: n, p: p, lo: chunk*tubeChunk(n) - tubeBlock(n), packed: work}
	t.work = kernels.Carve[T](&work, fft.ShortWork)
	return t
}

// next goes to the next block of a chunk.
func (t *tile[T]) next(chunk int) bool {
	t.lo += tubeBlock(t.c)
	end := min(t.p, (chunk+1)*tubeChunk(t.c))
	t.w = min(tubeBlock(t.c), end-t.lo)
	return t.w > 0
}

// along is y = the product of a factor with x, the rows of x and y being ldx and ldy apart.
func (t *tile[T]) along(f factor[T], x []T, ldx int, y []T, ldy int) {
	if f.fast != nil {
		f.fast.run(t.w, x, ldx, y, ldy, t.work)
		return
	}
	gemm.Multiply(nil, t.path, nil, gemm.Args[T]{M: t.c, N: t.w, K: t.c, A: f.matrix, LDA: t.c,
		B: x, LDB: ldx, C: y, LDC: ldy,
		Work: t.packed})
}

// addBias adds the bias [c, d] to a block [c, w].
func (t *tile[T]) addBias(c *kernels.Call, block []T) {
	d, table := c.Out.Shape[2], vec.For[T](t.path)
	at := t.lo % d
	if n := biasRow(t.c, d); n > 0 {
		work := c.Work
		wide := kernels.Carve[T](&work, t.c*n)
		for q := range t.c {
			row := block[q*t.w : (q+1)*t.w]
			table.Add(row, row, wide[q*n+at:][:t.w])
		}
		return
	}
	b := kernels.Of[T](c.In[len(c.In)-1])
	for q := range t.c {
		row := block[q*t.w : (q+1)*t.w]
		n := min(t.w, d-at)
		table.Add(row[:n], row[:n], b[q*d+at:][:n])
		table.Add(row[n:], row[n:], b[q*d:][:t.w-n])
	}
}

func tubeBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := c.Op.(Tube)
	var buf []T
	t := tilesOf(c, chunk, worker, &buf, nil)
	m := matricesOf[T](c.State.(*tubeState))
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	for t.next(chunk) {
		block := buf[:t.c*t.w]
		t.along(m.back, x[t.lo:], t.p, block, t.w)
		if o.Bias {
			t.addBias(c, block)
		}
		act.Apply(t.path, o.F, 0, block, block)
		t.along(m.there, block, t.w, y[t.lo:], t.p)
	}
}
