package sparse

import (
	"math"

	"ganglion/internal/asm/csr"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// GATGrad is the gradient of GAT. With α as there, D_i = ⟨dy_i, y_i⟩ and
// dz_k = α_k·(⟨dy_i, h_{col k}⟩ − D_i)·LeakyReLU′(z_k), each head for itself, it is dh_j = Σ α_k⊗dy_{row k} and
// du_j = Σ dz_k over the entries k of column j, dv_i = Σ dz_k over those of row i, and de = dz.
// Inputs: h, u and v as for GAT, y and dy [rows, heads, channels], the structure (five inputs), and perhaps e.  Output:
// dh, du, dv, and de if e is given, one behind another in a block [n] (see Part).
//
// The slope at 0 is that of negative numbers. α is computed again; the largest arrays in memory are [entries, heads].
//
// Gradient: by the composition that Decompose is.
type GATGrad struct{ Slope float64 }

var (
	_ kernels.Differentiable = GATGrad{}
	_ kernels.Fused          = GATGrad{}
	_ kernels.CPUOp          = GATGrad{}
	_ kernels.Scratcher      = GATGrad{}
	_ kernels.Counter        = GATGrad{}
)

// Infer returns the length of the block.
func (o GATGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	s, err := attention(o, o.Slope, in, 5)
	if err != nil {
		return kernels.Spec{}, err
	}
	for i := 3; i < 5; i++ {
		if want := withRows(in[0], s.rows); !in[i].Equal(want) {
			return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "input %d must be %v, is %v", i, want, in[i])
		}
	}
	n := in[0].Size() + in[1].Size() + in[2].Size()
	if len(in) > 5+parts {
		n += in[5+parts].Size()
	}
	return kernels.S(in[0].DType, n), nil
}

// Ref computes entry by entry.
func (o GATGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m := sideOf(in[5:5+parts], false)
	if !usableRef(out, m, false) {
		return
	}
	clear(out.F64)
	heads, channels := in[0].Shape[1], in[0].Shape[2]
	h, u, v, y, dy := in[0].F64, in[1].F64, in[2].F64, in[3].F64, in[4].F64
	dh, rest := out.F64[:len(h)], out.F64[len(h):]
	du, rest := rest[:len(u)], rest[len(u):]
	dv, de := rest[:len(v)], rest[len(v):]
	e := edgeTerm(in, 5)
	for at := range m.rows * heads {
		i, head := at/heads, at%heads
		alpha, d := attend(o.Slope, m, i, head, heads, u, v, e), 0.0
		for c := range channels {
			d += dy[at*channels+c] * y[at*channels+c]
		}
		for n, a := range alpha {
			k := int(m.ptr[i]) + n
			j := int(m.col[k])*heads + head
			dz, z := -d, u[j]+v[at]
			for c := range channels {
				dz += dy[at*channels+c] * h[j*channels+c]
				dh[j*channels+c] += a * dy[at*channels+c]
			}
			dz *= a
			if e != nil {
				z += e[k*heads+head]
			}
			if !(z > 0) {
				dz *= o.Slope
			}
			du[j] += dz
			dv[at] += dz
			if e != nil {
				de[k*heads+head] = dz
			}
		}
	}
}

// Decompose computes α, inner products for dα, the gradients of softmax and of LeakyReLU, and sums by rows and columns.
func (o GATGrad) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	s, dy := in[5:5+parts], in[4]
	z := logits(b, in, 5)
	alpha := b.Apply(Softmax{}, nodes(s, leakyReLU(b, o.Slope, z))...)
	d := b.Apply(dense.Reduce{Axes: dense.On(2)}, times(b, dy, in[3]))
	g := b.Apply(SDDMM{Heads: true}, nodes(s, dy, in[0])...)
	dz := times(b, alpha, b.Apply(dense.Binary{Kind: dense.Sub}, g, b.Apply(Spread{}, nodes(s, d)...)))
	dz = times(b, dz, slopeOf(b, o.Slope, z))
	block := []*kernels.Node{b.Apply(SpMM{Transposed: true}, append(nodes(s, dy), alpha)...),
		b.Apply(Segment{Source: true}, nodes(s, dz)...), b.Apply(Segment{}, nodes(s, dz)...)}
	if len(in) > 5+parts {
		block = append(block, dz)
	}
	return pack(b, block...)
}

// slopeOf is LeakyReLU′: 1 for z > 0, the slope elsewhere.
func slopeOf(b kernels.Builder, slope float64, z *kernels.Node) *kernels.Node {
	return b.Apply(dense.Scale{Alpha: 1 - slope, Beta: slope}, b.Apply(dense.Unary{F: act.ReLU, Order: 1}, z))
}

// Grad is that of Decompose.
func (o GATGrad) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	list := apart(b, in)
	return backward(b, list, o.Decompose(b, list), dout)
}

// Flops counts two products for each element of each entry.
func (o GATGrad) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	return 4 * float64(in[6].Size()) * float64(length(in[0]))
}

// Workspace holds the records of rows, dz unless it is part of the output, the lanes of heads, the numbers of two
// stretches of entries and bounds for each worker, and the sums of pieces.
func (o GATGrad) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	heads, elem, entries := in[0].Shape[1], out.DType.Size(), in[6].Size()
	n := kernels.CarveSize(in[2].Size()*4, elem) + kernels.CarveSize(length(in[0])*elem/4, 4) +
		kernels.CarveSize(2*workers, 4) + kernels.CarveSize(2*workers*heads, elem) +
		kernels.CarveSize(2*workers*longest(entries)*heads, elem) +
		kernels.CarveSize(extra(entries)*(length(in[0])+heads), elem)
	if len(in) == 5+parts {
		n += kernels.CarveSize(entries*heads, elem)
	}
	return n
}

// gatBack is the memory of GATGrad, laid out.
type gatBack[T kernels.Float] struct {
	dh, du, dv, dz []T
	records        []T // of each row: v, the largest score, 1/(sum + 10⁻¹⁶), D
	lanes          []int32
	bounds         []int32
	row            []T // top and sum of a row that is being joined
	s, g           []T // numbers of the worker's entries
	slots          []T // for each slot: dh and du
	d, heads       int
	m, back        side
}

func gatBackOf[T kernels.Float](c *kernels.Call, worker int) (w gatBack[T]) {
	w.d, w.heads = length(c.In[0].Spec), c.In[0].Shape[1]
	w.m, w.back = sideOf(c.In[5:5+parts], false), sideOf(c.In[5:5+parts], true)
	entries := len(w.m.col)
	out := kernels.Of[T](c.Out)
	w.dh, out = out[:c.In[0].Size()], out[c.In[0].Size():]
	w.du, out = out[:c.In[1].Size()], out[c.In[1].Size():]
	w.dv, out = out[:c.In[2].Size()], out[c.In[2].Size():]
	work := c.Work
	w.records = kernels.Carve[T](&work, 4*w.m.rows*w.heads)
	w.lanes = kernels.Carve[int32](&work, w.d*c.Out.DType.Size()/4)
	w.bounds = kernels.Carve[int32](&work, 2*c.Pool.Workers())[2*worker:][:2]
	w.row = kernels.Carve[T](&work, 2*c.Pool.Workers()*w.heads)[2*worker*w.heads:][:2*w.heads]
	n := longest(entries) * w.heads
	if local := kernels.Carve[T](&work, 2*c.Pool.Workers()*n); n > 0 {
		w.s, w.g = local[2*worker*n:][:n], local[(2*worker+1)*n:][:n]
	}
	w.slots = kernels.Carve[T](&work, extra(entries)*(w.d+w.heads))
	if w.dz = out; len(c.In) == 5+parts {
		w.dz = kernels.Carve[T](&work, entries*w.heads)
	}
	return w
}

// CPU makes the records of rows, then goes through the columns, and adds dz along rows.
func (o GATGrad) CPU(c *kernels.Call) {
	if !usable(c, sideOf(c.In[5:5+parts], false), false) || !usable(c, sideOf(c.In[5:5+parts], true), true) {
		return
	}
	m, back := sideOf(c.In[5:5+parts], false), sideOf(c.In[5:5+parts], true)
	d, heads := float64(length(c.In[0].Spec)), float64(c.In[0].Shape[1])
	if heads == 0 || len(m.col) == 0 {
		clear(c.Out.F32)
		clear(c.Out.F64)
		return
	}
	single := c.Out.DType == kernels.Float32
	if single {
		csr.LanesOf[float32](gatBackOf[float32](c, 0).lanes, int(heads), int(d))
	} else {
		csr.LanesOf[float64](gatBackOf[float64](c, 0).lanes, int(heads), int(d))
	}
	run(c, cut(c, m, 8+3*heads), recordBody[float32], recordBody[float64])
	c.Arg[argRows] = cut(c, back, 8+0.3*d+4*heads)
	run(c, c.Arg[argRows]+extra(len(m.col)), gatBackBody[float32], gatBackBody[float64])
	if single {
		gatBackOf[float32](c, 0).join(c)
	} else {
		gatBackOf[float64](c, 0).join(c)
	}
	run(c, cut(c, m, 3+heads), addBody[float32], addBody[float64])
}

// recordBody makes the records of chunks of rows.
func recordBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	w, u, v := gatBackOf[T](c, worker), kernels.Of[T](c.In[1]), kernels.Of[T](c.In[2])
	h := w.heads
	lo, hi := rowsOf(c, w.m, chunk)
	w.products(c, kernels.Of[T](c.In[3]), kernels.Of[T](c.In[4]), lo, hi)
	score := csr.Score[T]{Col: w.m.col, U: u, StepU: h, StepV: h, Heads: h, Slope: T(c.Op.(GATGrad).Slope), S: w.s}
	if len(c.In) > 5+parts {
		score.E = kernels.Of[T](c.In[5+parts])
	}
	for lo < hi {
		n := min(w.m.together(lo, hi), len(identity)-1)
		for i := lo; i < lo+n; i++ {
			copy(w.records[4*i*h:][:h], v[i*h:])
		}
		score.V = v[lo*h:]
		if w.m.size(lo) > piece {
			w.long(c, &score, lo)
			lo++
			continue
		}
		score.Ptr = w.m.ptr[lo : lo+n+1]
		w.stats(c, &score, w.records[4*lo*h:])
		lo += n
	}
}

// stats puts the largest scores and the inverse sums of rows into their records.
func (w *gatBack[T]) stats(c *kernels.Call, score *csr.Score[T], records []T) {
	t, h := csr.For[T](c.Path), w.heads
	rows := len(score.Ptr) - 1
	n := int(score.Ptr[rows]-score.Ptr[0]) * h
	t.Score(score)
	s := score.S[:n]
	t.Shift(&csr.Shift[T]{Ptr: score.Ptr, Heads: h, From: s, To: s, Top: records[h:], StepTop: 4 * h})
	vec.For[T](c.Path).Exp(s, s)
	t.Share(&csr.Share[T]{Ptr: score.Ptr, Heads: h, X: s, Tiny: tiny, Inverse: records[2*h:], StepInv: 4 * h})
}

// long is stats of one long row, in pieces that are joined in order.
func (w *gatBack[T]) long(c *kernels.Call, score *csr.Score[T], row int) {
	h := w.heads
	record, end := w.records[4*row*h:][:4*h], w.m.ptr[row+1]
	top, sum := record[h:2*h], record[2*h:3*h]
	tops, sums := w.row[:h], w.row[h:]
	for lo := w.m.ptr[row]; lo < end; lo += piece {
		w.bounds[0], w.bounds[1] = lo, min(end, lo+piece)
		score.Ptr = w.bounds
		w.stats(c, score, record)
		for i, inverse := range sum {
			if lo == w.m.ptr[row] {
				tops[i], sums[i] = top[i], 1/inverse
				continue
			}
			t := max(tops[i], top[i])
			sums[i] = sums[i]*T(math.Exp(float64(tops[i]-t))) + 1/inverse*T(math.Exp(float64(top[i]-t)))
			tops[i] = t
		}
	}
	copy(top, tops)
	for i, v := range sums {
		sum[i] = 1 / (v + tiny)
	}
}

// products puts D of the rows [lo, hi) into their records.
func (w *gatBack[T]) products(c *kernels.Call, y, dy []T, lo, hi int) {
	for lo < hi {
		n := min(hi-lo, len(identity)-1, len(w.g)/max(1, w.heads))
		csr.For[T](c.Path).Dots(&csr.Dots[T]{Ptr: identity[:n+1], Col: identity[:n], Q: y[lo*w.d:], X: dy[lo*w.d:],
			StepQ: w.d, StepX: w.d, Heads: w.heads, Width: w.d, Out: w.g})
		for i := range n {
			copy(w.records[(4*(lo+i)+3)*w.heads:][:w.heads], w.g[i*w.heads:])
		}
		lo += n
	}
}

// identity are the numbers from 0 on: a structure of rows with one entry each.
var identity = countUp(stretch + 1)

func countUp(n int) []int32 {
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}

// gatBackBody goes through chunks of columns, or a piece of a long one.
func gatBackBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	w := gatBackOf[T](c, worker)
	if slot := chunk - c.Arg[argRows]; slot >= 0 {
		if col, lo, hi := w.back.pieceAt(slot); lo < hi {
			w.bounds[0], w.bounds[1] = int32(lo), int32(hi)
			at := w.slots[slot*(w.d+w.heads):][:w.d+w.heads]
			w.columns(c, w.bounds, col, at[:w.d], at[w.d:])
		}
		return
	}
	lo, hi := rowsOf(c, w.back, chunk)
	for lo < hi {
		n := w.back.together(lo, hi)
		ptr := w.back.ptr[lo : lo+n+1]
		if w.back.size(lo) > piece {
			w.bounds[0], w.bounds[1] = ptr[0], ptr[0]+piece
			ptr = w.bounds
		}
		w.columns(c, ptr, lo, w.dh[lo*w.d:], w.du[lo*w.heads:])
		lo += n
	}
}

// columns computes dz of the entries that ptr tells, of columns from col on, and the sums of the columns.
func (w *gatBack[T]) columns(c *kernels.Call, ptr []int32, col int, dh, du []T) {
	t, h, n := csr.For[T](c.Path), w.heads, len(ptr)-1
	entries := int(ptr[n]-ptr[0]) * h
	dy := kernels.Of[T](c.In[4])
	t.Dots(&csr.Dots[T]{Ptr: ptr, Col: w.back.col, Q: kernels.Of[T](c.In[0])[col*w.d:], X: dy, StepQ: w.d, StepX: w.d,
		Heads: h, Width: w.d, Out: w.g})
	a := csr.Derive[T]{Rescore: csr.Rescore[T]{Ptr: ptr, Col: w.back.col, Pos: w.back.pos,
		U: kernels.Of[T](c.In[1])[col*h:], Records: w.records, Heads: h, Slope: T(c.Op.(GATGrad).Slope), S: w.s},
		G: w.g, DZ: w.dz, DU: du}
	if len(c.In) > 5+parts {
		a.E = kernels.Of[T](c.In[5+parts])
	}
	t.Rescore(&a.Rescore)
	vec.For[T](c.Path).Exp(w.s[:entries], w.s[:entries])
	t.Derive(&a)
	t.Mix(&csr.Mix[T]{Ptr: ptr, Col: w.back.col, W: w.s, Heads: h, X: dy, Y: dh, StepX: w.d, StepY: w.d, Width: w.d,
		Lanes: w.lanes})
}

// join adds the pieces of long columns.
func (w gatBack[T]) join(c *kernels.Call) {
	t := vec.For[T](c.Path)
	for slot := range extra(len(w.back.col)) {
		col, lo, hi := w.back.pieceAt(slot)
		if lo == hi {
			continue
		}
		at := w.slots[slot*(w.d+w.heads):][:w.d+w.heads]
		dh, du := w.dh[col*w.d:][:w.d], w.du[col*w.heads:][:w.heads]
		t.Add(dh, dh, at[:w.d])
		t.Add(du, du, at[w.d:])
	}
}

// addBody adds dz along chunks of rows.
func addBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	w, t := gatBackOf[T](c, worker), vec.For[T](c.Path)
	lo, hi := rowsOf(c, w.m, chunk)
	for i := lo; i < hi; i++ {
		first, end := int(w.m.ptr[i])*w.heads, int(w.m.ptr[i+1])*w.heads
		reduceRows(t, Sum, w.dv[i*w.heads:(i+1)*w.heads], w.dz[first:end])
	}
}
