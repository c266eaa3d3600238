package sparse

import (
	"math"

	"ganglion/internal/asm/csr"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// GAT is the weighted mean of graph attention (arXiv 1710.10903, Eq. 1–4): y_i = Σ_k α_k⊗h_{col k} over the entries k
// of row i, with α the softmax over the row of LeakyReLU(u_{col k} + v_i + e_k), each head for itself. No array with a
// row of h for each entry is made.
// Inputs: h float [cols, heads, channels], u float [cols, heads], v float [rows, heads], the structure (five inputs),
// and perhaps e float [entries, heads].  Output: [rows, heads, channels]; 0 for rows without entries.
//
// As in Softmax, 10⁻¹⁶ is added to the sums. Slope, that of LeakyReLU, is at most 1; 0.2 in the paper.
//
// Gradient: GATGrad.
type GAT struct{ Slope float64 }

var (
	_ kernels.Differentiable = GAT{}
	_ kernels.Fused          = GAT{}
	_ kernels.CPUOp          = GAT{}
	_ kernels.Scratcher      = GAT{}
	_ kernels.ShapeReader    = GAT{}
	_ kernels.Counter        = GAT{}
)

// Infer returns the shape of h with the rows of the structure.
func (o GAT) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if _, err := attention(o, o.Slope, in, 3); err != nil {
		return kernels.Spec{}, err
	}
	return withRows(in[0], in[2].Shape[0]), nil
}

// attention checks the inputs of attention: h, u and v, then others, a structure at the given place, and perhaps the
// numbers of entries. It returns the sizes of the structure.
func attention(o kernels.Op, slope float64, in []kernels.Spec, at int) (sizes, error) {
	if len(in) != at+parts+1 {
		if err := wantCount(o, in, at+parts); err != nil {
			return sizes{}, err
		}
	}
	if !(slope <= 1) {
		return sizes{}, kernels.Errorf(o, in, kernels.ErrShape, "a slope of %v: it must be at most 1", slope)
	}
	if err := kernels.WantFloats(o, in, 0, 1, 2); err != nil {
		return sizes{}, err
	}
	s, err := wantStructure(o, in, at)
	if err != nil {
		return s, err
	}
	if in[0].Rank() != 3 || in[0].Shape[0] != s.cols {
		return s, kernels.Errorf(o, in, kernels.ErrShape, "input 0 must be [%d, heads, channels], is %v", s.cols,
			in[0].Shape)
	}
	d, heads := in[0].DType, in[0].Shape[1]
	want := []kernels.Spec{1: kernels.S(d, s.cols, heads), 2: kernels.S(d, s.rows, heads)}
	for i := 1; i <= 2; i++ {
		if !in[i].Equal(want[i]) {
			return s, kernels.Errorf(o, in, kernels.ErrShape, "input %d must be %v, is %v", i, want[i], in[i])
		}
	}
	if last := at + parts; len(in) > last && !in[last].Equal(kernels.S(d, s.entries, heads)) {
		return s, kernels.Errorf(o, in, kernels.ErrShape, "input %d must be %v, is %v", last,
			kernels.S(d, s.entries, heads), in[last])
	}
	return s, nil
}

// Ref computes row by row.
func (o GAT) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m := sideOf(in[3:3+parts], false)
	if !usableRef(out, m, false) {
		return
	}
	heads, channels := out.Shape[1], out.Shape[2]
	clear(out.F64)
	for i := range m.rows {
		for h := range heads {
			alpha := attend(o.Slope, m, i, h, heads, in[1].F64, in[2].F64, edgeTerm(in, 3))
			for n, k := 0, int(m.ptr[i]); k < int(m.ptr[i+1]); n, k = n+1, k+1 {
				for c := range channels {
					out.F64[(i*heads+h)*channels+c] += alpha[n] * in[0].F64[(int(m.col[k])*heads+h)*channels+c]
				}
			}
		}
	}
}

// edgeTerm is the input behind the structure at the given place, nil if there is none.
func edgeTerm(in []kernels.Tensor, at int) []float64 {
	if len(in) > at+parts {
		return in[at+parts].F64
	}
	return nil
}

// attend is α of the entries of row i for head h: the reference.
func attend(slope float64, m side, i, h, heads int, u, v, e []float64) []float64 {
	var alpha []float64
	top, sum := math.Inf(-1), 0.0
	for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
		z := u[int(m.col[k])*heads+h] + v[i*heads+h]
		if e != nil {
			z += e[k*heads+h]
		}
		z = max(z, slope*z)
		alpha, top = append(alpha, z), max(top, z)
	}
	for n, z := range alpha {
		alpha[n] = math.Exp(z - top)
		sum += alpha[n]
	}
	for n := range alpha {
		alpha[n] /= sum + tiny
	}
	return alpha
}

// Decompose is the sum of the two ends, LeakyReLU, softmax and the product.
func (o GAT) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	s := in[3 : 3+parts]
	alpha := b.Apply(Softmax{}, nodes(s, leakyReLU(b, o.Slope, logits(b, in, 3)))...)
	return b.Apply(SpMM{}, append(nodes(s, in[0]), alpha)...)
}

// logits is u_{col k} + v_i + e_k.
func logits(b kernels.Builder, in []*kernels.Node, at int) *kernels.Node {
	z := b.Apply(SDDMM{Kind: Plus}, nodes(in[at:at+parts], in[2], in[1])...)
	if len(in) > at+parts {
		z = b.Apply(dense.Binary{Kind: dense.Add}, z, in[at+parts])
	}
	return z
}

// leakyReLU is max(z, slope·z).
func leakyReLU(b kernels.Builder, slope float64, z *kernels.Node) *kernels.Node {
	return b.Apply(dense.Binary{Kind: dense.Max}, z, b.Apply(dense.Scale{Alpha: slope}, z))
}

// Grad is GATGrad.
func (o GAT) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	list := append([]*kernels.Node{in[0], in[1], in[2], out, dout}, in[3:]...)
	block := b.Apply(GATGrad(o), list...)
	if len(in) == 3+parts {
		return gradients(split(b, block, in[0], in[1], in[2])...)
	}
	e := in[3+parts]
	grads := split(b, block, in[0], in[1], in[2], e)
	return append(gradients(grads[:3]...), grads[3])
}

// ShapeOnly is true for the transpose.
func (o GAT) ShapeOnly(i int) bool { return i >= 5 && i < 3+parts }

// Flops counts a multiplication and an addition for each element of each entry.
func (o GAT) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	return 2 * float64(in[4].Size()) * float64(length(in[0]))
}

// stretch is the number of entries that attention looks at together, in rows that are not longer.
const stretch = 512

// Workspace holds, for each worker, the numbers of a stretch of entries and bounds of a piece; and for each piece of a
// long row its sums, its statistics, and those of the first piece of its row.
func (o GAT) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return attentionWork(in, out, workers)
}

func attentionWork(in []kernels.Spec, out kernels.Spec, workers int) int {
	heads, elem := in[0].Shape[1], out.DType.Size()
	entries := in[4].Size()
	return kernels.CarveSize(length(out)*elem/4, 4) + kernels.CarveSize(2*workers, 4) +
		kernels.CarveSize(workers*longest(entries)*heads, elem) + kernels.CarveSize(2*heads, elem) +
		kernels.CarveSize(extra(entries)*(length(out)+4*heads), elem)
}

// longest is the largest number of entries that are looked at together.
func longest(entries int) int { return min(entries, max(piece, stretch)) }

// gatWork is the workspace of GAT, laid out.
type gatWork[T kernels.Float] struct {
	lanes  []int32
	bounds []int32 // of the worker
	local  []T     // numbers of the worker's entries
	row    []T     // top and sum of a row that is being joined
	slots  []T     // for each slot: y, top, sum; top and sum of the first piece of the row
}

func gatWorkOf[T kernels.Float](c *kernels.Call, worker int) (w gatWork[T]) {
	d, heads, entries := length(c.Out.Spec), c.Out.Shape[1], len(c.In[4].I32)
	work := c.Work
	w.lanes = kernels.Carve[int32](&work, d*c.Out.DType.Size()/4)
	w.bounds = kernels.Carve[int32](&work, 2*c.Pool.Workers())[2*worker:][:2]
	n := longest(entries) * heads
	if local := kernels.Carve[T](&work, c.Pool.Workers()*n); n > 0 {
		w.local = local[worker*n:][:n]
	}
	w.row = kernels.Carve[T](&work, 2*heads)
	w.slots = kernels.Carve[T](&work, extra(entries)*(d+4*heads))
	return w
}

// CPU computes stretches of rows, and pieces of long ones.
func (o GAT) CPU(c *kernels.Call) { attendRows(c, 2*float64(c.Out.Shape[1])) }

// attendRows is CPU of GAT and GATv2; cost is the time that the scores of an entry take, in nanoseconds.
func attendRows(c *kernels.Call, cost float64) {
	m := sideOf(c.In[3:3+parts], false)
	if !usable(c, m, false) {
		return
	}
	if c.Out.Size() == 0 {
		return
	}
	c.Arg[argRows] = cut(c, m, 8+0.15*float64(length(c.Out.Spec))+cost)
	n := c.Arg[argRows] + extra(len(m.col))
	if c.Out.DType == kernels.Float32 {
		csr.LanesOf[float32](gatWorkOf[float32](c, 0).lanes, c.Out.Shape[1], length(c.Out.Spec))
		c.For(n, gatBody[float32])
		gatJoin[float32](c, m)
		return
	}
	csr.LanesOf[float64](gatWorkOf[float64](c, 0).lanes, c.Out.Shape[1], length(c.Out.Spec))
	c.For(n, gatBody[float64])
	gatJoin[float64](c, m)
}

// attentionRun is what GAT, or GATv2, does to a stretch of entries.
type attentionRun[T kernels.Float] struct {
	score csr.Score[T]
	dots  csr.Dots[T] // of GATv2; without A it is not used
	mix   csr.Mix[T]
}

// scores computes the scores of the entries of rows, of which at is the first.
func (a *attentionRun[T]) scores(t *csr.Table[T], ptr []int32, at int) {
	if a.dots.A == nil {
		a.score.Ptr = ptr
		b := a.score
		b.V = a.score.V[at*b.StepV:]
		t.Score(&b)
		return
	}
	a.dots.Ptr = ptr
	b := a.dots
	b.Q = a.dots.Q[at*b.StepQ:]
	t.Dots(&b)
}

// run computes weights of the entries of rows, of which at is the first: e to the power of the scores less the largest
// of the row; and sums of h with them. top is nil, or where the largest goes.
func (a *attentionRun[T]) run(c *kernels.Call, ptr []int32, at int, y, top []T) {
	t, heads := csr.For[T](c.Path), a.mix.Heads
	s := a.mix.W[:int(ptr[len(ptr)-1]-ptr[0])*heads]
	a.scores(t, ptr, at)
	t.Shift(&csr.Shift[T]{Ptr: ptr, Heads: heads, From: s, To: s, Top: top, StepTop: heads})
	vec.For[T](c.Path).Exp(s, s)
	a.mix.Ptr, a.mix.Y = ptr, y
	t.Mix(&a.mix)
}

// attentionOf is what a worker needs to run GAT or GATv2.
func attentionOf[T kernels.Float](c *kernels.Call, w gatWork[T]) (a attentionRun[T]) {
	d, heads, col := length(c.Out.Spec), c.Out.Shape[1], c.In[4].I32
	x := kernels.Of[T](c.In[0])
	a.mix = csr.Mix[T]{Col: col, W: w.local, Heads: heads, X: x, StepX: d, StepY: d, Width: d, Tiny: tiny,
		Lanes: w.lanes}
	if o, ok := c.Op.(GATv2); ok {
		a.dots = csr.Dots[T]{Col: col, Q: kernels.Of[T](c.In[1]), X: x, StepQ: d, StepX: d, Heads: heads, Width: d,
			Out: w.local, A: kernels.Of[T](c.In[2]), Slope: T(o.Slope)}
		return a
	}
	a.score = csr.Score[T]{Col: col, U: kernels.Of[T](c.In[1]), V: kernels.Of[T](c.In[2]), StepU: heads, StepV: heads,
		Heads: heads, Slope: T(c.Op.(GAT).Slope), S: w.local}
	if len(c.In) > 3+parts {
		a.score.E = kernels.Of[T](c.In[3+parts])
	}
	return a
}

func gatBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	m, d, heads := sideOf(c.In[3:3+parts], false), length(c.Out.Spec), c.Out.Shape[1]
	w, y := gatWorkOf[T](c, worker), kernels.Of[T](c.Out)
	a := attentionOf(c, w)
	if slot := chunk - c.Arg[argRows]; slot >= 0 {
		if row, lo, hi := m.pieceAt(slot); lo < hi {
			at := w.slots[slot*(d+4*heads):][:d+4*heads]
			a.piece(c, w.bounds, lo, hi, row, at, at[d:d+2*heads])
		}
		return
	}
	lo, hi := rowsOf(c, m, chunk)
	for lo < hi {
		if m.size(lo) > piece {
			first := int(m.ptr[lo])
			slot := first / piece // of the second piece
			a.piece(c, w.bounds, first, first+piece, lo, y[lo*d:], w.slots[slot*(d+4*heads)+d+2*heads:][:2*heads])
			lo++
			continue
		}
		n := m.together(lo, hi)
		a.mix.Mean = true
		a.run(c, m.ptr[lo:lo+n+1], lo, y[lo*d:], nil)
		lo += n
	}
}

// together is the number of rows from lo on that make up a stretch, one at least, none of them long.
func (m side) together(lo, hi int) int {
	n := 1
	for lo+n < hi && int(m.ptr[lo+n+1]-m.ptr[lo]) <= stretch {
		n++
	}
	return n
}

// piece is run for the entries [lo, hi) of one row, not divided by the sums; stats gets the tops and the sums.
func (a *attentionRun[T]) piece(c *kernels.Call, bounds []int32, lo, hi, row int, y, stats []T) {
	heads := a.mix.Heads
	bounds[0], bounds[1] = int32(lo), int32(hi)
	a.mix.Mean = false
	a.run(c, bounds, row, y, stats[:heads])
	sum := stats[heads:]
	clear(sum)
	for at := 0; at < (hi-lo)*heads; at += heads {
		for h, w := range a.mix.W[at : at+heads] {
			sum[h] += w
		}
	}
}

// gatJoin puts the pieces of long rows together.
func gatJoin[T kernels.Float](c *kernels.Call, m side) {
	d, heads, y := length(c.Out.Spec), c.Out.Shape[1], kernels.Of[T](c.Out)
	w, last := gatWorkOf[T](c, 0), -1
	for slot := range extra(len(m.col)) {
		row, lo, hi := m.pieceAt(slot)
		if lo == hi {
			continue
		}
		at, line := w.slots[slot*(d+4*heads):][:d+4*heads], y[row*d:(row+1)*d]
		if row != last {
			copy(w.row, at[d+2*heads:])
			last = row
		}
		joinPiece(line, w.row, at[:d], at[d:d+2*heads])
		if hi == int(m.ptr[row+1]) {
			for i := range line {
				line[i] /= w.row[heads+i*heads/d] + tiny
			}
		}
	}
}

// joinPiece adds a piece to what has been put together of its row: sums to sums, each with the tops and sums of the
// weights that they were made with.
func joinPiece[T kernels.Float](y, stats, add, more []T) {
	heads, d := len(stats)/2, len(y)
	for h := range heads {
		top := max(stats[h], more[h])
		mine, its := T(math.Exp(float64(stats[h]-top))), T(math.Exp(float64(more[h]-top)))
		for i := h * d / heads; i < (h+1)*d/heads; i++ {
			y[i] = y[i]*mine + add[i]*its
		}
		stats[h], stats[heads+h] = top, stats[heads+h]*mine+more[heads+h]*its
	}
}
