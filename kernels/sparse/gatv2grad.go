package sparse

import (
	"math"

	"ganglion/internal/asm/csr"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// GATv2Grad is the gradient of GATv2. With α and z = l_{col k} + r_i as there, D_i = ⟨dy_i, y_i⟩ and
// ds_k = α_k·(⟨dy_i, l_{col k}⟩ − D_i), each head for itself, and q_k = ds_k⊗a⊙LeakyReLU′(z_k), it is
// dl_j = Σ α_k⊗dy_{row k} + q_k over the entries k of column j, dr_i = Σ q_k over those of row i, and
// da = Σ ds_k⊗LeakyReLU(z_k) over all.
// Inputs: l, r and a as for GATv2, y and dy [rows, heads, channels], the structure (five inputs).  Output: dl, dr and
// da one behind another in a block [n] (see Part).
//
// The slope at 0 is that of negative numbers. The largest arrays in memory are [entries, heads].
//
// Gradient: by the composition that Decompose is.
type GATv2Grad struct{ Slope float64 }

var (
	_ kernels.Differentiable = GATv2Grad{}
	_ kernels.Fused          = GATv2Grad{}
	_ kernels.CPUOp          = GATv2Grad{}
	_ kernels.Scratcher      = GATv2Grad{}
	_ kernels.Counter        = GATv2Grad{}
)

// Infer returns the length of the block.
func (o GATv2Grad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := dynamic(o, o.Slope, in, 5); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(in[0].DType, in[0].Size()+in[1].Size()+in[2].Size()), nil
}

// Ref computes entry by entry.
func (o GATv2Grad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m := sideOf(in[5:], false)
	if !usableRef(out, m, false) {
		return
	}
	clear(out.F64)
	heads, channels := in[0].Shape[1], in[0].Shape[2]
	l, r, a, y, dy := in[0].F64, in[1].F64, in[2].F64, in[3].F64, in[4].F64
	dl, dr, da := out.F64[:len(l)], out.F64[len(l):len(l)+len(r)], out.F64[len(l)+len(r):]
	for at := range m.rows * heads {
		i, h := at/heads, at%heads
		for n, alpha := range GATv2(o).attend(m, i, h, in) {
			j, ds := int(m.col[int(m.ptr[i])+n])*heads+h, 0.0
			for c := range channels {
				ds += dy[at*channels+c] * (l[j*channels+c] - y[at*channels+c])
			}
			ds *= alpha
			for c := range channels {
				z, slope := l[j*channels+c]+r[at*channels+c], 1.0
				if !(z > 0) {
					slope = o.Slope
				}
				q := ds * a[h*channels+c] * slope
				dl[j*channels+c] += alpha*dy[at*channels+c] + q
				dr[at*channels+c] += q
				da[h*channels+c] += ds * slope * z
			}
		}
	}
}

// Decompose computes α, its gradient, and those of the scores.
func (o GATv2Grad) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	s, a, dy := in[5:], in[2], in[4]
	alpha, z := GATv2(o).weights(b, in[0], in[1], a, s)
	d := b.Apply(dense.Reduce{Axes: dense.On(2)}, times(b, dy, in[3]))
	g := b.Apply(SDDMM{Heads: true}, nodes(s, dy, in[0])...)
	ds := times(b, alpha, b.Apply(dense.Binary{Kind: dense.Sub}, g, b.Apply(Spread{}, nodes(s, d)...)))
	n := kernels.SpecOf(ds).Shape
	wide := b.Apply(dense.Reshape{To: dense.ShapeOf(-1, n[1], 1)}, ds)
	if n[0] == 0 {
		wide = b.Apply(dense.Reshape{To: dense.ShapeOf(0, n[1], 1)}, ds)
	}
	each := times(b, wide, slopeOf(b, o.Slope, z))
	q := times(b, each, spreadA(b, a))
	dl := b.Apply(dense.Binary{Kind: dense.Add}, b.Apply(SpMM{Transposed: true}, append(nodes(s, dy), alpha)...),
		b.Apply(Segment{Source: true}, nodes(s, q)...))
	da := b.Apply(dense.Reduce{Axes: dense.On(0)}, times(b, each, z))
	return pack(b, dl, b.Apply(Segment{}, nodes(s, q)...), da)
}

// Grad is that of Decompose.
func (o GATv2Grad) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	list := apart(b, in)
	return backward(b, list, o.Decompose(b, list), dout)
}

// Flops counts four products for each element of each entry.
func (o GATv2Grad) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	return 10 * float64(in[6].Size()) * float64(length(in[0]))
}

// cost is the time of an entry in either of the two passes, in nanoseconds.
func (o GATv2Grad) cost(in []int) float64 { return 20 + 0.7*float64(in[1]*in[2]) }

// Workspace holds α and ds of all entries; the lanes of heads; for each worker the numbers of three stretches of
// entries, statistics of a row, bounds and a row; and what each chunk adds to da.
func (o GATv2Grad) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	d, heads, elem, entries := length(in[0]), in[0].Shape[1], out.DType.Size(), in[6].Size()
	_, n := chunksOf(entries, in[1].Shape[0], o.cost(in[0].Shape))
	_, m := chunksOf(entries, in[0].Shape[0], o.cost(in[0].Shape))
	return kernels.CarveSize(2*entries*heads, elem) + kernels.CarveSize(d*elem/4, 4) +
		kernels.CarveSize(2*workers, 4) + kernels.CarveSize(workers*(3*longest(entries)*heads+6*heads+d), elem) +
		kernels.CarveSize((n+m)*d, elem)
}

// v2Back is the memory of GATv2Grad, laid out.
type v2Back[T kernels.Float] struct {
	dl, dr, da []T
	weights    []T // of each entry: α, then ds
	lanes      []int32
	bounds     []int32
	s, g, ds   []T // numbers of the worker's entries
	stats      []T // of a row: tops, inverse sums, D; and tops and sums while they are joined
	line       []T // a row
	sums       []T // what each chunk adds to da
	d, heads   int
	m, back    side
	slope      T
}

func v2BackOf[T kernels.Float](c *kernels.Call, worker int) (w v2Back[T]) {
	w.d, w.heads, w.slope = length(c.In[0].Spec), c.In[0].Shape[1], T(c.Op.(GATv2Grad).Slope)
	w.m, w.back = sideOf(c.In[5:], false), sideOf(c.In[5:], true)
	entries, out, workers := len(w.m.col), kernels.Of[T](c.Out), c.Pool.Workers()
	w.dl, out = out[:c.In[0].Size()], out[c.In[0].Size():]
	w.dr, w.da = out[:c.In[1].Size()], out[c.In[1].Size():]
	work := c.Work
	w.weights = kernels.Carve[T](&work, 2*entries*w.heads)
	w.lanes = kernels.Carve[int32](&work, w.d*c.Out.DType.Size()/4)
	w.bounds = kernels.Carve[int32](&work, 2*workers)[2*worker:][:2]
	n := longest(entries) * w.heads
	each := 3*n + 6*w.heads + w.d
	mine := kernels.Carve[T](&work, workers*each)[worker*each:][:each]
	w.s, w.g, w.ds, mine = mine[:n], mine[n:2*n], mine[2*n:3*n], mine[3*n:]
	w.stats, w.line = mine[:6*w.heads], mine[6*w.heads:]
	_, rows := chunksOf(entries, w.m.rows, c.Op.(GATv2Grad).cost(c.In[0].Shape))
	_, cols := chunksOf(entries, w.back.rows, c.Op.(GATv2Grad).cost(c.In[0].Shape))
	w.sums = kernels.Carve[T](&work, (rows+cols)*w.d)
	return w
}

// CPU goes through the rows, then through the columns, and adds what the chunks have for da.
func (o GATv2Grad) CPU(c *kernels.Call) {
	m, back := sideOf(c.In[5:], false), sideOf(c.In[5:], true)
	if !usable(c, m, false) || !usable(c, back, true) {
		return
	}
	if len(m.col) == 0 || c.In[0].Size() == 0 {
		clear(c.Out.F32)
		clear(c.Out.F64)
		return
	}
	single := c.Out.DType == kernels.Float32
	if single {
		csr.LanesOf[float32](v2BackOf[float32](c, 0).lanes, c.In[0].Shape[1], length(c.In[0].Spec))
	} else {
		csr.LanesOf[float64](v2BackOf[float64](c, 0).lanes, c.In[0].Shape[1], length(c.In[0].Spec))
	}
	cost := o.cost(c.In[0].Shape)
	c.Arg[argRows] = cut(c, m, cost)
	run(c, c.Arg[argRows], v2Rows[float32], v2Rows[float64])
	n := cut(c, back, cost)
	run(c, n, v2Columns[float32], v2Columns[float64])
	if single {
		v2BackOf[float32](c, 0).add(c, c.Arg[argRows]+n)
	} else {
		v2BackOf[float64](c, 0).add(c, c.Arg[argRows]+n)
	}
}

// add sums what the chunks have for da, in order.
func (w v2Back[T]) add(c *kernels.Call, chunks int) {
	t := vec.For[T](c.Path)
	clear(w.da)
	for n := range chunks {
		t.Add(w.da, w.da, w.sums[n*w.d:(n+1)*w.d])
	}
}

// v2Rows computes α, ds and dr of chunks of rows, and their part of da.
func v2Rows[T kernels.Float](c *kernels.Call, chunk, worker int) {
	w := v2BackOf[T](c, worker)
	sum := w.sums[chunk*w.d:][:w.d]
	clear(sum)
	lo, hi := rowsOf(c, w.m, chunk)
	for i := lo; i < hi; i++ {
		w.row(c, i, sum)
	}
}

// row is v2Rows of one row, in pieces if it is long.
func (w *v2Back[T]) row(c *kernels.Call, i int, sum []T) {
	h, first, end := w.heads, int(w.m.ptr[i]), int(w.m.ptr[i+1])
	dr := w.dr[i*w.d:][:w.d]
	clear(dr)
	if first == end {
		return
	}
	a, r, v := kernels.Of[T](c.In[2]), kernels.Of[T](c.In[1])[i*w.d:][:w.d], vec.For[T](c.Path)
	top, inverse, tops, sums := w.stats[:h], w.stats[h:2*h], w.stats[3*h:4*h], w.stats[4*h:5*h]
	for lo := first; lo < end; lo += piece {
		n := min(end, lo+piece) - lo
		w.score(c, i, lo, n, top, inverse)
		for k := range h {
			if lo == first {
				tops[k], sums[k] = top[k], 1/inverse[k]
				continue
			}
			t := max(tops[k], top[k])
			sums[k] = sums[k]*T(math.Exp(float64(tops[k]-t))) + 1/inverse[k]*T(math.Exp(float64(top[k]-t)))
			tops[k] = t
		}
	}
	for lo := first; lo < end; lo += piece {
		n := min(end, lo+piece) - lo
		if end-first > piece {
			w.score(c, i, lo, n, top, inverse)
			for k := range h { // shares of the piece become shares of the row
				inverse[k] = T(math.Exp(float64(top[k]-tops[k]))) / (inverse[k] * (sums[k] + tiny))
			}
			for k := range n * h {
				w.s[k] *= inverse[k%h]
			}
		}
		w.slopes(c, i, lo, n, w.line)
		v.MulAdd(sum, r, w.line)
		v.MulAdd(dr, a, w.line)
	}
}

// score computes, for n entries from lo on of row i, their shares, the largest score and the inverse of the sum.
func (w *v2Back[T]) score(c *kernels.Call, i, lo, n int, top, inverse []T) {
	t, h := csr.For[T](c.Path), w.heads
	w.bounds[0], w.bounds[1] = int32(lo), int32(lo+n)
	l, r, a := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1])[i*w.d:], kernels.Of[T](c.In[2])
	s := w.s[:n*h]
	t.Dots(&csr.Dots[T]{Ptr: w.bounds, Col: w.m.col, Q: r, X: l, StepQ: w.d, StepX: w.d, Heads: h, Width: w.d, Out: s,
		A: a, Slope: w.slope})
	t.Shift(&csr.Shift[T]{Ptr: w.bounds, Heads: h, From: s, To: s, Top: top, StepTop: h})
	vec.For[T](c.Path).Exp(s, s)
	t.Share(&csr.Share[T]{Ptr: w.bounds, Heads: h, X: s, Tiny: tiny, Inverse: inverse, StepInv: h})
}

// slopes computes ds of n entries from lo on of row i, whose shares stand in w.s, and Σ ds⊗LeakyReLU′(z) in y.
func (w *v2Back[T]) slopes(c *kernels.Call, i, lo, n int, y []T) {
	t, h := csr.For[T](c.Path), w.heads
	w.bounds[0], w.bounds[1] = int32(lo), int32(lo+n)
	l, r := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1])[i*w.d:]
	dy, out := kernels.Of[T](c.In[4])[i*w.d:], kernels.Of[T](c.In[3])[i*w.d:]
	t.Dots(&csr.Dots[T]{Ptr: w.bounds, Col: w.m.col, Q: dy, X: l, StepQ: w.d, StepX: w.d, Heads: h, Width: w.d,
		Out: w.g})
	d := w.stats[2*h : 3*h]
	t.Dots(&csr.Dots[T]{Ptr: identity[:2], Col: identity[:1], Q: dy, X: out, StepQ: w.d, StepX: w.d, Heads: h,
		Width: w.d, Out: d})
	for k := range n {
		at := w.weights[2*(lo+k)*h:][:2*h]
		for x := range h {
			alpha := w.s[k*h+x]
			ds := alpha * (w.g[k*h+x] - d[x])
			at[x], at[h+x], w.ds[k*h+x] = alpha, ds, ds
		}
	}
	t.Slopes(&csr.Slopes[T]{Ptr: w.bounds, Col: w.m.col, Q: r, X: l, Y: y, StepQ: w.d, StepX: w.d, StepY: w.d, W: w.ds,
		Heads: h, Width: w.d, Slope: w.slope, Lanes: w.lanes})
}

// v2Columns computes dl of chunks of columns, and their part of da.
func v2Columns[T kernels.Float](c *kernels.Call, chunk, worker int) {
	w, v, t := v2BackOf[T](c, worker), vec.For[T](c.Path), csr.For[T](c.Path)
	sum := w.sums[(c.Arg[argRows]+chunk)*w.d:][:w.d]
	clear(sum)
	h, a, dy, l, r := w.heads, kernels.Of[T](c.In[2]), kernels.Of[T](c.In[4]), kernels.Of[T](c.In[0]),
		kernels.Of[T](c.In[1])
	lo, hi := rowsOf(c, w.back, chunk)
	for j := lo; j < hi; j++ {
		dl := w.dl[j*w.d:][:w.d]
		clear(dl)
		for at, end := int(w.back.ptr[j]), int(w.back.ptr[j+1]); at < end; at += piece {
			n := min(end, at+piece) - at
			for k, e := range w.back.pos[at : at+n] {
				pair := w.weights[2*int(e)*h:][:2*h]
				copy(w.s[k*h:][:h], pair)
				copy(w.ds[k*h:][:h], pair[h:])
			}
			w.bounds[0], w.bounds[1] = int32(at), int32(at+n)
			t.Mix(&csr.Mix[T]{Ptr: w.bounds, Col: w.back.col, W: w.s, Heads: h, X: dy, Y: w.line, StepX: w.d,
				StepY: w.d, Width: w.d, Lanes: w.lanes})
			v.Add(dl, dl, w.line)
			t.Slopes(&csr.Slopes[T]{Ptr: w.bounds, Col: w.back.col, Q: l[j*w.d:], X: r, Y: w.line, StepQ: w.d,
				StepX: w.d, StepY: w.d, W: w.ds, Heads: h, Width: w.d, Slope: w.slope, Lanes: w.lanes})
			v.MulAdd(dl, a, w.line)
			v.MulAdd(sum, l[j*w.d:(j+1)*w.d], w.line)
		}
	}
}
