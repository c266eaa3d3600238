package recurrent

import (
	"math"

	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
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
// Inputs: gx float [steps, batch, 4·hidden] (x_t·W_ihᵀ + b_ih, gates in the order i, f, g, o), h0, c0 float [batch,
// hidden], w float [4·hidden, hidden], b float [4·hidden], gates in the same order.  Output: [6, steps, batch, hidden]:
// h, c, i, f, g and o; Part{LSTMHidden} is h and Part{LSTMCell} c. There is one step at least.
//
// Gradient: LSTMGrad.
type LSTM struct{}

// LSTMGrad goes back through the steps of LSTM.
// Inputs: LSTM's output, its gradient, c0, w.  Output: [6, steps, batch, hidden]: the gradients of the pre-activations
// of i, f, g and o; the first steps of the last two parts are the gradients of h0 and c0, what is behind them is 0.
//
// It has no gradient rule: second derivatives need the layer unrolled step by step.
type LSTMGrad struct{}

var (
	_ kernels.Differentiable = LSTM{}
	_ kernels.CPUOp          = LSTM{}
	_ kernels.Scratcher      = LSTM{}
	_ kernels.CPUOp          = LSTMGrad{}
	_ kernels.Scratcher      = LSTMGrad{}
)

// Infer checks the shapes.
func (o LSTM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return check(o, in, lstmGates, lstmStates, 2)
}

// Infer checks the shapes.
func (o LSTMGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return checkGrad(o, in, lstmGates, lstmStates, 1)
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

// Ref goes back step by step, unit by unit.
func (o LSTMGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	q := sizes(out.Shape, lstmGates)
	st, d, w, part, H := in[0].F64, in[1].F64, in[3].F64, q.part(), q.hidden
	clear(out.F64)
	dh, dc := make([]float64, q.batch*H), make([]float64, q.batch*H)
	for t := q.steps - 1; t >= 0; t-- {
		cell, next := in[2].F64, make([]float64, q.batch*H)
		if t > 0 {
			cell = st[part+(t-1)*q.batch*H:]
		}
		for u := range dh {
			at := t*q.batch*H + u
			of := func(x []float64, k int) float64 { return x[k*part+at] }
			i, f, g, o, c := of(st, lstmIn), of(st, lstmForget), of(st, lstmNew), of(st, lstmOut), math.Tanh(of(st,
				LSTMCell))
			gh := of(d, LSTMHidden) + dh[u]
			gc := of(d, LSTMCell) + dc[u] + gh*o*(1-c*c)
			gates := [lstmGates]float64{
				(gc*g + of(d, lstmIn)) * i * (1 - i), (gc*cell[u] + of(d, lstmForget)) * f * (1 - f),
				(gc*i + of(d, lstmNew)) * (1 - g*g), (gh*c + of(d, lstmOut)) * o * (1 - o),
			}
			dc[u] = gc * f
			for k, v := range gates {
				out.F64[k*part+at] = v
				for j := range H {
					next[u/H*H+j] += v * w[(k*H+u%H)*H+j]
				}
			}
		}
		dh = next
	}
	copy(out.F64[4*part:], dh)
	copy(out.F64[5*part:], dc)
}

// Grad is LSTMGrad, with the gradients of weights as one product over all steps.
func (o LSTM) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	d := b.Apply(LSTMGrad{}, out, dout, in[2], in[3])
	part := func(i int) *kernels.Node { return b.Apply(Part{i}, d) }
	all := b.Apply(dense.Concat{Axis: -1}, part(0), part(1), part(2), part(3))
	dw, db := weightGrads(b, all, b.Apply(Part{LSTMHidden}, out), in[1], in[3])
	return []*kernels.Node{all, b.Apply(Part{}, part(4)), b.Apply(Part{}, part(5)), dw, db}
}

// Flops counts the products with the weights.
func (o LSTM) Flops(_ []kernels.Spec, out kernels.Spec) float64 {
	q := sizes(out.Shape, lstmGates)
	return 2 * float64(q.part()) * float64(q.width())
}

// Flops counts the products with the weights.
func (o LSTMGrad) Flops(in []kernels.Spec, out kernels.Spec) float64 { return LSTM{}.Flops(in, out) }

// Workspace holds the transposed weights, and each worker's gates.
func (o LSTM) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	q, elem := sizes(out.Shape, lstmGates), out.DType.Size()
	return kernels.CarveSize(in[3].Size(), elem) + workers*q.carved(elem)
}

// Workspace holds each worker's gates.
func (o LSTMGrad) Workspace(_ []kernels.Spec, out kernels.Spec, workers int) int {
	q := sizes(out.Shape, lstmGates)
	return workers * q.carved(out.DType.Size())
}

// CPU takes blocks of samples through all steps.
func (o LSTM) CPU(c *kernels.Call) {
	transpose(c, 3)
	run(c, sizes(c.Out.Shape, lstmGates).tasks(), lstmBody[float32], lstmBody[float64])
}

// CPU takes blocks of samples back through all steps.
func (o LSTMGrad) CPU(c *kernels.Call) {
	run(c, sizes(c.Out.Shape, lstmGates).tasks(), lstmGradBody[float32], lstmGradBody[float64])
}

func lstmBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q := sizes(c.Out.Shape, lstmGates)
	H, width, part := q.hidden, q.width(), q.part()
	gx, bias, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[4]), kernels.Of[T](c.Out)
	work := c.Work
	wt := kernels.Carve[T](&work, H*width)
	m := lend[T](q, work, worker, c.Out.DType.Size())
	first := chunk * q.rows()
	rows := min(q.rows(), q.batch-first)
	past, cell := kernels.Of[T](c.In[1])[first*H:], kernels.Of[T](c.In[2])[first*H:]
	for t := range q.steps {
		multiply(c.Path, gemm.Args[T]{M: rows, N: width, K: H, A: past, LDA: H, B: wt, LDB: width, C: m.gates,
			LDC:  width,
			Work: m.gemm})
		for s := range rows {
			at := (t*q.batch + first + s) * H
			a, x := m.gates[s*width:][:width], gx[(t*q.batch+first+s)*width:][:width]
			for j := range a {
				a[j] += bias[j] + x[j]
			}
			gate := func(k int) []T { return out[k*part+at:][:H] }
			i, f, g, o, h, now := gate(lstmIn), gate(lstmForget), gate(lstmNew), gate(lstmOut), gate(LSTMHidden),
				gate(LSTMCell)
			act.Apply(c.Path, act.Sigmoid, 0, i, a[:H])
			act.Apply(c.Path, act.Sigmoid, 0, f, a[H:2*H])
			act.Apply(c.Path, act.Tanh, 0, g, a[2*H:3*H])
			act.Apply(c.Path, act.Sigmoid, 0, o, a[3*H:])
			for j, v := range cell[s*H:][:H] {
				now[j] = f[j]*v + i[j]*g[j]
			}
			act.Apply(c.Path, act.Tanh, 0, h, now)
			for j, v := range o {
				h[j] *= v
			}
		}
		past, cell = out[(t*q.batch+first)*H:], out[part+(t*q.batch+first)*H:]
	}
}

func lstmGradBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	q := sizes(c.Out.Shape, lstmGates)
	H, width, part := q.hidden, q.width(), q.part()
	st, d, w, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.In[3]), kernels.Of[T](c.Out)
	m := lend[T](q, c.Work, worker, c.Out.DType.Size())
	first := chunk * q.rows()
	rows := min(q.rows(), q.batch-first)
	dh, dc := m.a, m.b
	clear(dh)
	clear(dc)
	for t := q.steps - 1; t >= 0; t-- {
		cell := kernels.Of[T](c.In[2])
		if t > 0 {
			cell = st[part+(t-1)*q.batch*H:]
		}
		cell = cell[first*H:]
		at := (t*q.batch + first) * H
		act.Apply(c.Path, act.Tanh, 0, m.c[:rows*H], st[part+at:][:rows*H])
		for s := range rows {
			lstmBack(q, st[at+s*H:], d[at+s*H:], cell[s*H:], m.c[s*H:], dh[s*H:][:H], dc[s*H:][:H],
				m.gates[s*width:][:width])
			for k := range lstmGates {
				copy(out[k*part+at+s*H:][:H], m.gates[s*width+k*H:])
			}
		}
		multiply(c.Path, gemm.Args[T]{M: rows, N: H, K: width, A: m.gates, LDA: width, B: w, LDB: H, C: dh, LDC: H,
			Work: m.gemm})
		if t > 0 {
			clear(out[4*part+at:][:rows*H])
			clear(out[5*part+at:][:rows*H])
		}
	}
	copy(out[4*part+first*H:][:rows*H], dh)
	copy(out[5*part+first*H:][:rows*H], dc)
}

// lstmBack is one step of one sample. st and d begin at the sample's place in the first part; tanh is that of its cell;
// dh and dc come in as gradients from later steps, and dc leaves as that of c_{t−1}; a takes the gradients of the
// gates.
func lstmBack[T kernels.Float](q sequence, st, d, cell, tanh, dh, dc, a []T) {
	H, part := q.hidden, q.part()
	i, f, g, o := st[lstmIn*part:][:H], st[lstmForget*part:][:H], st[lstmNew*part:][:H], st[lstmOut*part:][:H]
	di, df, dg, do := d[lstmIn*part:][:H], d[lstmForget*part:][:H], d[lstmNew*part:][:H], d[lstmOut*part:][:H]
	more := d[LSTMCell*part:][:H]
	ai, af, ag, ao := a[:H], a[H:2*H], a[2*H:3*H], a[3*H:][:H]
	for j, v := range dh {
		c := tanh[j]
		gh := d[j] + v
		gc := more[j] + dc[j] + gh*o[j]*(1-c*c)
		ai[j] = (gc*g[j] + di[j]) * i[j] * (1 - i[j])
		af[j] = (gc*cell[j] + df[j]) * f[j] * (1 - f[j])
		ag[j] = (gc*i[j] + dg[j]) * (1 - g[j]*g[j])
		ao[j] = (gh*c + do[j]) * o[j] * (1 - o[j])
		dc[j] = gc * f[j]
	}
}
