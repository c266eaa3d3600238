package recurrent

import (
	"math"

	"ganglion/internal/asm/gemm"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/act"
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
//	r = σ(gx_r + h_{t−1}·W_rᵀ + b_r)      q = h_{t−1}·W_nᵀ + b_q
//	z = σ(gx_z + h_{t−1}·W_zᵀ + b_z)      n = tanh(gx_n + b_n + r ⊙ q)
//	h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}
//
// Inputs: gx float [steps, batch, 3·hidden] (x_t·W_ihᵀ, gates in the order r, z, n), h0 float [batch, hidden], w float
// [3·hidden, hidden], gates in the same order, b float [4·hidden]: b_r, b_z, b_n and b_q.  Output: [5, steps, batch,
// hidden]: h, r, z, n and q; Part{GRUHidden} is h. There is one step at least.
//
// Gradient: GRUGrad and Weights.
type GRU struct{}

var (
	_ kernels.Differentiable = GRU{}
	_ kernels.CPUOp          = GRU{}
	_ kernels.Scratcher      = GRU{}
)

// Infer checks the shapes.
func (o GRU) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return check(o, in, gruGates, gruStates, 1)
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
				x := gx[(t*q.batch+s)*q.width():]
				pre := [gruGates]float64{bias[j], bias[H+j], bias[3*H+j]}
				for g := range gruGates {
					for k := range H {
						pre[g] += past[s*H+k] * w[(g*H+j)*H+k]
					}
				}
				r, z := sigmoid(x[j]+pre[0]), sigmoid(x[H+j]+pre[1])
				n := math.Tanh(x[2*H+j] + bias[2*H+j] + r*pre[2])
				for i, v := range [gruStates]float64{(1-z)*n + z*past[s*H+j], r, z, n, pre[2]} {
					out.F64[i*part+at] = v
				}
			}
		}
	}
}

// Grad is GRUGrad, with the gradients of the weights as one product over all steps.
func (o GRU) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	dout, alone := hiddenAlone(dout)
	all := b.Apply(GRUGrad{Hidden: alone}, out, dout, in[1], in[2])
	h := b.Apply(Part{GRUHidden}, out)
	return []*kernels.Node{b.Apply(Section{}, all, in[0]), b.Apply(Section{}, all, in[0], h, in[1]),
		b.Apply(Weights{Gates: gruGates}, all, out, in[1]), b.Apply(Section{}, all, in[0], h, in[1], in[3])}
}

// Flops counts the products with the weights.
func (o GRU) Flops(_ []kernels.Spec, out kernels.Spec) float64 {
	q := sizes(out.Shape, gruGates)
	return 2 * float64(q.part()) * float64(q.width())
}

// Workspace holds, for each worker, the packed weights and the gates.
func (o GRU) Workspace(_ []kernels.Spec, out kernels.Spec, workers int) int {
	return workers * sizes(out.Shape, gruGates).carved(out.DType.Size())
}

// CPU takes blocks of samples through all steps.
func (o GRU) CPU(c *kernels.Call) {
	c.ForFloat(sizes(c.Out.Shape, gruGates).tasks(), gruBody[float32], gruBody[float64])
}

func gruBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q, v := sizes(c.Out.Shape, gruGates), vec.For[T](c.Path)
	H, width := q.hidden, q.width()
	gx, w, bias, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[2]), kernels.Of[T](c.In[3]), kernels.Of[T](c.Out)
	m := lend[T](q, c.Work, worker, c.Out.DType.Size())
	packed := gemm.PackB(c.Path, true, width, H, w, H, m.packed)
	first := chunk * q.rows()
	rows := min(q.rows(), q.batch-first)
	past := kernels.Of[T](c.In[1])[first*H:]
	for t := range q.steps {
		gemm.Multiply(nil, c.Path, nil, gemm.Args[T]{M: rows, N: width, K: H, A: past, LDA: H, PackedB: packed,
			C: m.gates, LDC: width, Work: m.gemm})
		at := (t*q.batch + first) * H
		for s := range rows {
			gruStep(q, v, m.gates[s*width:][:width], gx[(t*q.batch+first+s)*width:][:width], bias, past[s*H:][:H],
				out[at+s*H:])
		}
		past = out[at:]
	}
}

// gruStep is one step of one sample: a are the products with the weights, and out begins at the sample's place in the
// first part.
func gruStep[T kernels.Float](q sequence, v *vec.Table[T], a, x, bias, past, out []T) {
	H, part := q.hidden, q.part()
	h, r, z := out[:H], out[gruReset*part:][:H], out[gruUpdate*part:][:H]
	n, inner := out[gruNew*part:][:H], out[gruInner*part:][:H]
	gates := a[:2*H]
	v.Add(gates, gates, bias[:2*H])
	v.Add(gates, gates, x[:2*H])
	v.Sigmoid(r, gates[:H])
	v.Sigmoid(z, gates[H:])
	v.Add(inner, a[2*H:], bias[3*H:])
	v.Add(n, x[2*H:], bias[2*H:3*H])
	v.MulAdd(n, r, inner)
	v.Tanh(n, n)
	v.Sub(h, past, n) // n + z·(h_{t−1} − n)
	v.Mul(h, h, z)
	v.Add(h, h, n)
}
