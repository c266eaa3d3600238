package recurrent

import (
	"math"

	"ganglion/internal/asm/gemm"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// The parts of the output of LSTM.
const (
	LSTMHidden = iota // h
	LSTMCell          // c
	lstmIn
	lstmForget
	lstmNew
	lstmOut
	lstmStates
)

const lstmGates = 4

// LSTM is a layer of long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000,
// in the form of PyTorch) over all steps t, with a = gx + h_{t−1}·Wᵀ + b:
//
//	i = σ(a_i)   f = σ(a_f)   g = tanh(a_g)   o = σ(a_o)
//	c_t = f ⊙ c_{t−1} + i ⊙ g        h_t = o ⊙ tanh(c_t)
//
// Inputs: gx float [steps, batch, 4·hidden] (x_t·W_ihᵀ, gates in the order i, f, g, o), h0, c0 float [batch, hidden], w
// float [4·hidden, hidden], b float [4·hidden], gates in the same order.  Output: [6, steps, batch, hidden]: h, c, i,
// f, g and o; Part{LSTMHidden} is h and Part{LSTMCell} c. There is one step at least.
//
// Gradient: LSTMGrad and Weights.
type LSTM struct{}

var (
	_ kernels.Differentiable = LSTM{}
	_ kernels.CPUOp          = LSTM{}
	_ kernels.Scratcher      = LSTM{}
)

// Infer checks the shapes.
func (o LSTM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return check(o, in, lstmGates, lstmStates, 2)
}

// Ref goes step by step, unit by unit.
func (o LSTM) Ref(out kernels.Tensor, in []kernels.Tensor) {
	q := sizes(out.Shape, lstmGates)
	gx, w, bias, part, H := in[0].F64, in[3].F64, in[4].F64, q.part(), q.hidden
	for t := range q.steps {
		past, cell := in[1].F64, in[2].F64
		if t > 0 {
			past, cell = out.F64[(t-1)*q.batch*H:], out.F64[part+(t-1)*q.batch*H:]
		}
		for s := range q.batch {
			for j := range H {
				var a [lstmGates]float64
				for g := range a {
					a[g] = gx[(t*q.batch+s)*q.width()+g*H+j] + bias[g*H+j]
					for k := range H {
						a[g] += past[s*H+k] * w[(g*H+j)*H+k]
					}
				}
				i, f, g, o := sigmoid(a[0]), sigmoid(a[1]), math.Tanh(a[2]), sigmoid(a[3])
				c := f*cell[s*H+j] + i*g
				for k, v := range [lstmStates]float64{o * math.Tanh(c), c, i, f, g, o} {
					out.F64[k*part+(t*q.batch+s)*H+j] = v
				}
			}
		}
	}
}

// Grad is LSTMGrad, with the gradients of the weights as one product over all steps.
func (o LSTM) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	dout, alone := hiddenAlone(dout)
	all := b.Apply(LSTMGrad{Hidden: alone}, out, dout, in[2], in[3])
	return []*kernels.Node{b.Apply(Section{}, all, in[0]), b.Apply(Section{}, all, in[0], in[1]),
		b.Apply(Section{}, all, in[0], in[1], in[2]), b.Apply(Weights{Gates: lstmGates}, all, out, in[1]),
		b.Apply(Section{}, all, in[0], in[1], in[2], in[4])}
}

// Flops counts the products with the weights.
func (o LSTM) Flops(_ []kernels.Spec, out kernels.Spec) float64 {
	q := sizes(out.Shape, lstmGates)
	return 2 * float64(q.part()) * float64(q.width())
}

// Workspace holds, for each worker, the packed weights and the gates.
func (o LSTM) Workspace(_ []kernels.Spec, out kernels.Spec, workers int) int {
	return workers * sizes(out.Shape, lstmGates).carved(out.DType.Size())
}

// CPU takes blocks of samples through all steps.
func (o LSTM) CPU(c *kernels.Call) {
	c.ForFloat(sizes(c.Out.Shape, lstmGates).tasks(), lstmBody[float32], lstmBody[float64])
}

func lstmBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q, v := sizes(c.Out.Shape, lstmGates), vec.For[T](c.Path)
	H, width, part := q.hidden, q.width(), q.part()
	gx, w, bias, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[3]), kernels.Of[T](c.In[4]), kernels.Of[T](c.Out)
	m := lend[T](q, c.Work, worker, c.Out.DType.Size())
	packed := gemm.PackB(c.Path, true, width, H, w, H, m.packed)
	first := chunk * q.rows()
	rows := min(q.rows(), q.batch-first)
	past, cell := kernels.Of[T](c.In[1])[first*H:], kernels.Of[T](c.In[2])[first*H:]
	for t := range q.steps {
		gemm.Multiply(nil, c.Path, nil, gemm.Args[T]{M: rows, N: width, K: H, A: past, LDA: H, PackedB: packed,
			C: m.gates, LDC: width, Work: m.gemm})
		at := (t*q.batch + first) * H
		for s := range rows {
			a := m.gates[s*width:][:width]
			v.Add(a, a, bias)
			v.Add(a, a, gx[(t*q.batch+first+s)*width:][:width])
			lstmStep(q, v, a, cell[s*H:][:H], out[at+s*H:])
		}
		past, cell = out[at:], out[part+at:]
	}
}

// lstmStep is one step of one sample: a is what the gates are functions of, and out begins at the sample's place in the
// first part.
func lstmStep[T kernels.Float](q sequence, v *vec.Table[T], a, cell, out []T) {
	H, part := q.hidden, q.part()
	h, now, i, f := out[:H], out[LSTMCell*part:][:H], out[lstmIn*part:][:H], out[lstmForget*part:][:H]
	g, o := out[lstmNew*part:][:H], out[lstmOut*part:][:H]
	v.Sigmoid(i, a[:H])
	v.Sigmoid(f, a[H:2*H])
	v.Tanh(g, a[2*H:3*H])
	v.Sigmoid(o, a[3*H:])
	v.Mul(now, f, cell)
	v.MulAdd(now, i, g)
	v.Tanh(h, now)
	v.Mul(h, h, o)
}
