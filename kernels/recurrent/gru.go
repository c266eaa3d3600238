package recurrent

import (
	"math"

	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// The parts of the output of GRU.
const (
	GRUHidden = iota // h
	gruReset
	gruUpdate
	gruNew
	gruInner // q
	gruStates
)

const gruGates = 3

// GRU is a layer of gated recurrent units (Cho et al., arXiv 1406.1078, in the form of PyTorch) over all steps t:
//
//	r = σ(gx_r + h_{t−1}·W_rᵀ + b_r)      q = h_{t−1}·W_nᵀ + b_n
//	z = σ(gx_z + h_{t−1}·W_zᵀ + b_z)      n = tanh(gx_n + r ⊙ q)
//	h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}
//
// Inputs: gx float [steps, batch, 3·hidden] (x_t·W_ihᵀ + b_ih, gates in the order r, z, n), h0 float [batch, hidden], w
// float [3·hidden, hidden], b float [3·hidden], gates in the same order.  Output: [5, steps, batch, hidden]: h, r, z, n
// and q; Part{GRUHidden} is h. There is one step at least.
//
// Gradient: GRUGrad.
type GRU struct{}

// GRUGrad goes back through the steps of GRU.
// Inputs: GRU's output, its gradient, h0, w.  Output: [5, steps, batch, hidden]: the gradients of the pre-activations
// of r, z and n and of q; the first step of the last part is the gradient of h0, what is behind it is 0.
//
// It has no gradient rule: second derivatives need the layer unrolled step by step.
type GRUGrad struct{}

var (
	_ kernels.Differentiable = GRU{}
	_ kernels.CPUOp          = GRU{}
	_ kernels.Scratcher      = GRU{}
	_ kernels.CPUOp          = GRUGrad{}
	_ kernels.Scratcher      = GRUGrad{}
)

// Infer checks the shapes.
func (o GRU) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return check(o, in, gruGates, gruStates, 1)
}

// Infer checks the shapes.
func (o GRUGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return checkGrad(o, in, gruGates, gruStates, 1)
}

func sigmoid(x float64) float64 { return act.Eval(act.Sigmoid, 0, x) }

// Ref goes step by step, unit by unit.
func (o GRU) Ref(out kernels.Tensor, in []kernels.Tensor) {
	q := sizes(out.Shape, gruGates)
	gx, w, bias, part, H := in[0].F64, in[2].F64, in[3].F64, q.part(), q.hidden
	for t := range q.steps {
		past := in[1].F64
		if t > 0 {
			past = out.F64[(t-1)*q.batch*H:]
		}
		for s := range q.batch {
			for j := range H {
				at := (t*q.batch+s)*H + j
				var pre, x [gruGates]float64
				for g := range gruGates {
					x[g], pre[g] = gx[(t*q.batch+s)*q.width()+g*H+j], bias[g*H+j]
					for k := range H {
						pre[g] += past[s*H+k] * w[(g*H+j)*H+k]
					}
				}
				r, z := sigmoid(x[0]+pre[0]), sigmoid(x[1]+pre[1])
				n := math.Tanh(x[2] + r*pre[2])
				for i, v := range [gruStates]float64{(1-z)*n + z*past[s*H+j], r, z, n, pre[2]} {
					out.F64[i*part+at] = v
				}
			}
		}
	}
}

// Ref goes back step by step, unit by unit.
func (o GRUGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	q := sizes(out.Shape, gruGates)
	st, d, w, part, H := in[0].F64, in[1].F64, in[3].F64, q.part(), q.hidden
	clear(out.F64)
	carry := make([]float64, q.batch*H)
	for t := q.steps - 1; t >= 0; t-- {
		past, next := in[2].F64, make([]float64, q.batch*H)
		if t > 0 {
			past = st[(t-1)*q.batch*H:]
		}
		for i := range carry {
			at := t*q.batch*H + i
			r, z, n := st[gruReset*part+at], st[gruUpdate*part+at], st[gruNew*part+at]
			dh := d[at] + carry[i]
			dn := (dh*(1-z) + d[gruNew*part+at]) * (1 - n*n)
			dr := (dn*st[gruInner*part+at] + d[gruReset*part+at]) * r * (1 - r)
			dz := (dh*(past[i]-n) + d[gruUpdate*part+at]) * z * (1 - z)
			dq := dn*r + d[gruInner*part+at]
			out.F64[at], out.F64[part+at], out.F64[2*part+at], out.F64[3*part+at] = dr, dz, dn, dq
			next[i] += dh * z
			for k := range H {
				for g, v := range [gruGates]float64{dr, dz, dq} {
					next[i/H*H+k] += v * w[(g*H+i%H)*H+k]
				}
			}
		}
		carry = next
	}
	copy(out.F64[4*part:], carry)
}

// Grad is GRUGrad, with the gradients of weights as one product over all steps.
func (o GRU) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	d := b.Apply(GRUGrad{}, out, dout, in[1], in[2])
	part := func(i int) *kernels.Node { return b.Apply(Part{i}, d) }
	join := func(n *kernels.Node) *kernels.Node { return b.Apply(dense.Concat{Axis: -1}, part(0), part(1), n) }
	dw, db := weightGrads(b, join(part(3)), b.Apply(Part{GRUHidden}, out), in[1], in[2])
	return []*kernels.Node{join(part(2)), b.Apply(Part{}, part(4)), dw, db}
}

// Flops counts the products with the weights.
func (o GRU) Flops(_ []kernels.Spec, out kernels.Spec) float64 {
	q := sizes(out.Shape, gruGates)
	return 2 * float64(q.part()) * float64(q.width())
}

// Flops counts the products with the weights.
func (o GRUGrad) Flops(in []kernels.Spec, out kernels.Spec) float64 { return GRU{}.Flops(in, out) }

// Workspace holds the transposed weights, and each worker's gates.
func (o GRU) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	q, elem := sizes(out.Shape, gruGates), out.DType.Size()
	return kernels.CarveSize(in[2].Size(), elem) + workers*q.carved(elem)
}

// Workspace holds each worker's gates.
func (o GRUGrad) Workspace(_ []kernels.Spec, out kernels.Spec, workers int) int {
	q := sizes(out.Shape, gruGates)
	return workers * q.carved(out.DType.Size())
}

// CPU takes blocks of samples through all steps.
func (o GRU) CPU(c *kernels.Call) {
	transpose(c, 2)
	run(c, sizes(c.Out.Shape, gruGates).tasks(), gruBody[float32], gruBody[float64])
}

// CPU takes blocks of samples back through all steps.
func (o GRUGrad) CPU(c *kernels.Call) {
	run(c, sizes(c.Out.Shape, gruGates).tasks(), gruGradBody[float32], gruGradBody[float64])
}

func gruBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q := sizes(c.Out.Shape, gruGates)
	H, width, part := q.hidden, q.width(), q.part()
	gx, bias, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[3]), kernels.Of[T](c.Out)
	work := c.Work
	wt := kernels.Carve[T](&work, H*width)
	m := lend[T](q, work, worker, c.Out.DType.Size())
	first := chunk * q.rows()
	rows := min(q.rows(), q.batch-first)
	past := kernels.Of[T](c.In[1])[first*H:]
	for t := range q.steps {
		multiply(c.Path, gemm.Args[T]{M: rows, N: width, K: H, A: past, LDA: H, B: wt, LDB: width, C: m.gates,
			LDC:  width,
			Work: m.gemm})
		for s := range rows {
			at := (t*q.batch + first + s) * H
			a, x := m.gates[s*width:][:width], gx[(t*q.batch+first+s)*width:][:width]
			r, z := out[gruReset*part+at:][:H], out[gruUpdate*part+at:][:H]
			n, inner, h := out[gruNew*part+at:][:H], out[gruInner*part+at:][:H], out[at:][:H]
			for j := range 2 * H {
				a[j] += bias[j] + x[j]
			}
			act.Apply(c.Path, act.Sigmoid, 0, r, a[:H])
			act.Apply(c.Path, act.Sigmoid, 0, z, a[H:2*H])
			for j, v := range a[2*H:] {
				inner[j] = v + bias[2*H+j]
				n[j] = x[2*H+j] + r[j]*inner[j]
			}
			act.Apply(c.Path, act.Tanh, 0, n, n)
			for j, v := range past[s*H:][:H] {
				h[j] = (1-z[j])*n[j] + z[j]*v
			}
		}
		past = out[(t*q.batch+first)*H:]
	}
}

func gruGradBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q := sizes(c.Out.Shape, gruGates)
	H, width, part := q.hidden, q.width(), q.part()
	st, d, w, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.In[3]), kernels.Of[T](c.Out)
	m := lend[T](q, c.Work, worker, c.Out.DType.Size())
	first := chunk * q.rows()
	rows := min(q.rows(), q.batch-first)
	carry := m.a
	clear(carry)
	for t := q.steps - 1; t >= 0; t-- {
		past := kernels.Of[T](c.In[2])
		if t > 0 {
			past = st[(t-1)*q.batch*H:]
		}
		past = past[first*H:]
		at := (t*q.batch + first) * H
		for s := range rows {
			gruBack(q, st[at+s*H:], d[at+s*H:], past[s*H:][:H], carry[s*H:][:H], m.gates[s*width:][:width],
				out[at+s*H:])
		}
		multiply(c.Path, gemm.Args[T]{M: rows, N: H, K: width, A: m.gates, LDA: width, B: w, LDB: H, C: carry, LDC: H,
			Acc:  true,
			Work: m.gemm})
		if t > 0 {
			clear(out[4*part+at:][:rows*H])
		}
	}
	copy(out[4*part+first*H:][:rows*H], carry)
}

// gruBack is one step of one sample. st, d and out begin at the sample's place in the first part; carry comes in as the
// gradient of h from later steps and leaves as that of h_{t−1}, but for the product with the weights; g takes the
// gradients of the gates.
func gruBack[T kernels.Float](q sequence, st, d, past, carry, g, out []T) {
	H, part := q.hidden, q.part()
	r, z, n := st[gruReset*part:][:H], st[gruUpdate*part:][:H], st[gruNew*part:][:H]
	inner, dr, dz := st[gruInner*part:][:H], d[gruReset*part:][:H], d[gruUpdate*part:][:H]
	dn, dq := d[gruNew*part:][:H], d[gruInner*part:][:H]
	gr, gz, gq := g[:H], g[H:2*H], g[2*H:][:H]
	for j, c := range carry {
		dh := d[j] + c
		a := (dh*(1-z[j]) + dn[j]) * (1 - n[j]*n[j])
		gr[j] = (a*inner[j] + dr[j]) * r[j] * (1 - r[j])
		gz[j] = (dh*(past[j]-n[j]) + dz[j]) * z[j] * (1 - z[j])
		gq[j] = a*r[j] + dq[j]
		out[2*part+j] = a
		carry[j] = dh * z[j]
	}
	copy(out[:H], gr)
	copy(out[part:][:H], gz)
	copy(out[3*part:][:H], gq)
}
