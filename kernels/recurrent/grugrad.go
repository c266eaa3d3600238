package recurrent

import (
	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
)

// GRUGrad goes back through the steps of GRU.
// Inputs: GRU's output, its gradient (that of h alone, [steps, batch, hidden], if Hidden is set), h0, w.  Output:
// [4·steps·batch·hidden + batch·hidden + 4·hidden], one behind another: the gradients of gx, of q [steps, batch,
// hidden], of h0 and of b.
//
// It has no gradient rule: second derivatives need the layer unrolled step by step.
type GRUGrad struct{ Hidden bool }

var (
	_ kernels.CPUOp     = GRUGrad{}
	_ kernels.Scratcher = GRUGrad{}
)

// Infer checks the shapes.
func (o GRUGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return checkGrad(o, in, gruGates, gruStates, 1, o.Hidden)
}

// Ref goes back step by step, unit by unit.
func (o GRUGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	q := sizes(in[0].Shape, gruGates)
	st, w, part, H := in[0].F64, in[3].F64, q.part(), q.hidden
	d := whole(q, in[1].F64)
	clear(out.F64)
	db := out.F64[len(out.F64)-4*H:]
	carry := make([]float64, q.batch*H)
	for t := q.steps - 1; t >= 0; t-- {
		past, next := in[2].F64, make([]float64, q.batch*H)
		if t > 0 {
			past = st[(t-1)*q.batch*H:]
		}
		for i := range carry {
			at, s, j := t*q.batch*H+i, i/H, i%H
			r, z, n := st[gruReset*part+at], st[gruUpdate*part+at], st[gruNew*part+at]
			dh := d[at] + carry[i]
			dn := (dh*(1-z) + d[gruNew*part+at]) * (1 - n*n)
			dr := (dn*st[gruInner*part+at] + d[gruReset*part+at]) * r * (1 - r)
			dz := (dh*(past[i]-n) + d[gruUpdate*part+at]) * z * (1 - z)
			dq := dn*r + d[gruInner*part+at]
			for g, v := range [gruGates]float64{dr, dz, dn} {
				out.F64[(t*q.batch+s)*q.width()+g*H+j] = v
				db[g*H+j] += v
			}
			out.F64[3*part+at] = dq
			db[3*H+j] += dq
			next[i] += dh * z
			for k := range H {
				for g, v := range [gruGates]float64{dr, dz, dq} {
					next[s*H+k] += v * w[(g*H+j)*H+k]
				}
			}
		}
		carry = next
	}
	copy(out.F64[4*part:], carry)
}

// Flops counts the products with the weights.
func (o GRUGrad) Flops(in []kernels.Spec, _ kernels.Spec) float64 { return GRU{}.Flops(nil, in[0]) }

// Workspace holds the sums of each task, and for each worker the packed weights and the carried gradients.
func (o GRUGrad) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	q, elem := sizes(in[0].Shape, gruGates), out.DType.Size()
	return q.sums(elem) + workers*q.carved(elem)
}

// CPU takes blocks of samples back through all steps.
func (o GRUGrad) CPU(c *kernels.Call) {
	q := sizes(c.In[0].Shape, gruGates)
	c.ForFloat(q.tasks(), gruGradBody[float32], gruGradBody[float64])
	addSums(c, q)
}

func gruGradBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q := sizes(c.In[0].Shape, gruGates)
	H, width, part, elem := q.hidden, q.width(), q.part(), c.Out.DType.Size()
	st, w, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[3]), kernels.Of[T](c.Out)
	b := newBack[T](c, q, chunk)
	m := lend[T](q, c.Work[q.sums(elem):], worker, elem)
	gates := gemm.PackB(c.Path, false, H, 2*H, w, H, m.packed)
	inner := gemm.PackB(c.Path, false, H, H, w[2*H*H:], H, m.packed[gemm.PackedLen(H, 2*H):])
	carry := m.a[:b.rows*H]
	clear(carry)
	for t := q.steps - 1; t >= 0; t-- {
		past := kernels.Of[T](c.In[2])
		if t > 0 {
			past = st[(t-1)*q.batch*H:]
		}
		past = past[b.first*H:]
		at := t*q.batch + b.first
		dgx, dq := out[at*width:], out[3*part+at*H:]
		clear(m.sums)
		for s := range b.rows {
			gx, gq := dgx[s*width:][:width], dq[s*H:][:H]
			b.gru(st[(at+s)*H:], (at+s)*H, past[s*H:][:H], carry[s*H:][:H], m.b[:H], gx, gq)
			b.v.Add(m.sums[:3*H], m.sums[:3*H], gx)
			b.v.Add(m.sums[3*H:], m.sums[3*H:], gq)
		}
		b.v.Add(b.sums, b.sums, m.sums)
		gemm.Multiply(nil, c.Path, nil, gemm.Args[T]{M: b.rows, N: H, K: 2 * H, A: dgx, LDA: width, PackedB: gates,
			C: carry, LDC: H, Acc: true, Work: m.gemm})
		gemm.Multiply(nil, c.Path, nil, gemm.Args[T]{M: b.rows, N: H, K: H, A: dq, LDA: H, PackedB: inner,
			C: carry, LDC: H, Acc: true, Work: m.gemm})
	}
	copy(out[4*part+b.first*H:][:b.rows*H], carry)
}

// gru is one step of one sample, which is at place at in each part; st begins there. carry comes in as the gradient of
// h from later steps and leaves as that of h_{t−1}, but for the products with the weights; dh is scratch, and gx and gq
// take the gradients of gx and q.
func (b *back[T]) gru(st []T, at int, past, carry, dh, gx, gq []T) {
	H, part, v := b.hidden, b.part(), b.v
	r, z, n := st[gruReset*part:][:H], st[gruUpdate*part:][:H], st[gruNew*part:][:H]
	gr, gz, gn := gx[:H], gx[H:2*H], gx[2*H:3*H]
	v.Add(dh, carry, b.d[at:][:H])
	v.Mul(carry, dh, z)
	v.Sub(gn, dh, carry)
	b.add(gn, gruNew, at)
	v.TanhGrad(gn, n, gn)
	v.Mul(gr, gn, st[gruInner*part:][:H])
	b.add(gr, gruReset, at)
	v.SigmoidGrad(gr, r, gr)
	v.Sub(gz, past, n)
	v.Mul(gz, gz, dh)
	b.add(gz, gruUpdate, at)
	v.SigmoidGrad(gz, z, gz)
	v.Mul(gq, gn, r)
	b.add(gq, gruInner, at)
}
