package recurrent

import (
	"math"

	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
)

// LSTMGrad goes back through the steps of LSTM.
// Inputs: LSTM's output, its gradient (that of h alone, [steps, batch, hidden], if Hidden is set), c0, w.  Output:
// [4·steps·batch·hidden + 2·batch·hidden + 4·hidden], one behind another: the gradients of gx, h0, c0 and b.
//
// It has no gradient rule: second derivatives need the layer unrolled step by step.
type LSTMGrad struct{ Hidden bool }

var (
	_ kernels.CPUOp     = LSTMGrad{}
	_ kernels.Scratcher = LSTMGrad{}
)

// Infer checks the shapes.
func (o LSTMGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return checkGrad(o, in, lstmGates, lstmStates, 1, o.Hidden)
}

// Ref goes back step by step, unit by unit.
func (o LSTMGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	q := sizes(in[0].Shape, lstmGates)
	st, w, part, H := in[0].F64, in[3].F64, q.part(), q.hidden
	d := whole(q, in[1].F64)
	clear(out.F64)
	db := out.F64[len(out.F64)-4*H:]
	dh, dc := make([]float64, q.batch*H), make([]float64, q.batch*H)
	for t := q.steps - 1; t >= 0; t-- {
		cell, next := in[2].F64, make([]float64, q.batch*H)
		if t > 0 {
			cell = st[part+(t-1)*q.batch*H:]
		}
		for u := range dh {
			at, s, j := t*q.batch*H+u, u/H, u%H
			of := func(x []float64, k int) float64 { return x[k*part+at] }
			i, f, g, o := of(st, lstmIn), of(st, lstmForget), of(st, lstmNew), of(st, lstmOut)
			c := math.Tanh(of(st, LSTMCell))
			gh := of(d, LSTMHidden) + dh[u]
			gc := of(d, LSTMCell) + dc[u] + gh*o*(1-c*c)
			gates := [lstmGates]float64{
				(gc*g + of(d, lstmIn)) * i * (1 - i), (gc*cell[u] + of(d, lstmForget)) * f * (1 - f),
				(gc*i + of(d, lstmNew)) * (1 - g*g), (gh*c + of(d, lstmOut)) * o * (1 - o),
			}
			dc[u] = gc * f
			for k, v := range gates {
				out.F64[(t*q.batch+s)*q.width()+k*H+j] = v
				db[k*H+j] += v
				for l := range H {
					next[s*H+l] += v * w[(k*H+j)*H+l]
				}
			}
		}
		dh = next
	}
	copy(out.F64[4*part:], dh)
	copy(out.F64[4*part+len(dh):], dc)
}

// Flops counts the products with the weights.
func (o LSTMGrad) Flops(in []kernels.Spec, _ kernels.Spec) float64 { return LSTM{}.Flops(nil, in[0]) }

// Workspace holds the sums of each task, and for each worker the packed weights and the carried gradients.
func (o LSTMGrad) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	q, elem := sizes(in[0].Shape, lstmGates), out.DType.Size()
	return q.sums(elem) + workers*q.carved(elem)
}

// CPU takes blocks of samples back through all steps.
func (o LSTMGrad) CPU(c *kernels.Call) {
	q := sizes(c.In[0].Shape, lstmGates)
	c.ForFloat(q.tasks(), lstmGradBody[float32], lstmGradBody[float64])
	addSums(c, q)
}

func lstmGradBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q := sizes(c.In[0].Shape, lstmGates)
	H, width, part, elem := q.hidden, q.width(), q.part(), c.Out.DType.Size()
	st, w, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[3]), kernels.Of[T](c.Out)
	b := newBack[T](c, q, chunk)
	m := lend[T](q, c.Work[q.sums(elem):], worker, elem)
	packed := gemm.PackB(c.Path, false, H, width, w, H, m.packed)
	dh, dc := m.a[:b.rows*H], m.b[:b.rows*H]
	clear(dh)
	clear(dc)
	for t := q.steps - 1; t >= 0; t-- {
		cell := kernels.Of[T](c.In[2])
		if t > 0 {
			cell = st[part+(t-1)*q.batch*H:]
		}
		cell = cell[b.first*H:]
		at := t*q.batch + b.first
		dgx := out[at*width:]
		clear(m.sums)
		for s := range b.rows {
			gx := dgx[s*width:][:width]
			b.lstm(st[(at+s)*H:], (at+s)*H, cell[s*H:][:H], dh[s*H:][:H], dc[s*H:][:H], m.c[:H], gx)
			b.v.Add(m.sums, m.sums, gx)
		}
		b.v.Add(b.sums, b.sums, m.sums)
		gemm.Multiply(nil, c.Path, nil, gemm.Args[T]{M: b.rows, N: H, K: width, A: dgx, LDA: width, PackedB: packed,
			C: dh, LDC: H, Work: m.gemm})
	}
	copy(out[4*part+b.first*H:], dh)
	copy(out[4*part+(q.batch+b.first)*H:], dc)
}

// lstm is one step of one sample, which is at place at in each part; st begins there. dh and dc come in as gradients
// from later steps, and dc leaves as that of c_{t−1}; tanh is scratch, and gx takes the gradients of gx.
func (b *back[T]) lstm(st []T, at int, cell, dh, dc, tanh, gx []T) {
	H, part, v := b.hidden, b.part(), b.v
	i, f, g, o := st[lstmIn*part:][:H], st[lstmForget*part:][:H], st[lstmNew*part:][:H], st[lstmOut*part:][:H]
	gi, gf, gg, gs := gx[:H], gx[H:2*H], gx[2*H:3*H], gx[3*H:]
	v.Tanh(tanh, st[LSTMCell*part:][:H])
	v.Add(dh, dh, b.d[at:][:H])
	v.Mul(gi, dh, o)
	v.TanhGrad(gi, tanh, gi)
	v.Add(dc, dc, gi)
	b.add(dc, LSTMCell, at)
	v.Mul(gi, dc, g)
	b.add(gi, lstmIn, at)
	v.SigmoidGrad(gi, i, gi)
	v.Mul(gf, dc, cell)
	b.add(gf, lstmForget, at)
	v.SigmoidGrad(gf, f, gf)
	v.Mul(gg, dc, i)
	b.add(gg, lstmNew, at)
	v.TanhGrad(gg, g, gg)
	v.Mul(gs, dh, tanh)
	b.add(gs, lstmOut, at)
	v.SigmoidGrad(gs, o, gs)
	v.Mul(dc, dc, f)
}
