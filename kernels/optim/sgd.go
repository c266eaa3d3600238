package optim

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// SGD is stochastic gradient descent, with momentum in the form of PyTorch:
//
//	d = g + WeightDecay·θ,  m ← Momentum·m + d,  θ ← θ − rate·m,  or  θ ← θ − rate·(d + Momentum·m) if Nesterov.
//
// Without momentum there is no slot and θ ← θ − rate·d; else the slot holds m, at first 0.
// Inputs: see the package.
type SGD struct {
	Momentum    float64 // from 0 (none, the default) to below 1
	Nesterov    bool    // needs momentum
	WeightDecay float64 // λ of the penalty λ/2·‖θ‖², 0 by default
}

var (
	_ kernels.CPUOp    = SGD{}
	_ kernels.InPlacer = SGD{}
)

// slots is the number of slots.
func (o SGD) slots() int {
	if o.Momentum == 0 {
		return 0
	}
	return 1
}

// Infer checks the block and the ranges of the attributes.
func (o SGD) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if !between(o.Momentum, 0, 1) || !(o.WeightDecay >= 0) || o.Nesterov && o.Momentum == 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"momentum %v must be in [0, 1), and above 0 for nesterov; weight decay %v must not be negative", o.Momentum,
			o.WeightDecay)
	}
	return inferUpdate(o, in, o.slots())
}

// Ref follows the formulas.
func (o SGD) Ref(out kernels.Tensor, in []kernels.Tensor) {
	copy(out.F64, in[0].F64)
	if !(in[3].F64[0] > 0) {
		return
	}
	n, rate := in[1].Size(), in[2].F64[0]
	for i, g := range in[1].F64 {
		d := g + o.WeightDecay*out.F64[i]
		step := d
		if o.Momentum > 0 {
			m := o.Momentum*out.F64[n+i] + d
			out.F64[n+i] = m
			if step = m; o.Nesterov {
				step = d + o.Momentum*m
			}
		}
		out.F64[i] -= rate * step
	}
}

// InPlace is true for the block.
func (o SGD) InPlace(i int) bool { return i == 0 }

// CPU updates chunks.
func (o SGD) CPU(c *kernels.Call) { update(c, 0.5, sgdBody[float32], sgdBody[float64]) }

// sgdBlock is the number of parameters that are updated at a time: what several passes go over stays in the first-level
// cache.
const sgdBlock = 1024

func sgdBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o, n := c.Op.(SGD), c.In[1].Size()
	t := vec.For[T](c.Path)
	rate, decay, mu := element(c.In[2], 0), o.WeightDecay, o.Momentum
	lo, hi := c.Chunk(chunk, n)
	for ; lo < hi; lo += sgdBlock {
		end := min(hi, lo+sgdBlock)
		g, from, to := kernels.Of[T](c.In[1])[lo:end], part[T](c.In[0], 0, n, lo, end), part[T](c.Out, 0, n, lo, end)
		step := g // θ − rate·step, without the decay
		if mu > 0 {
			m := part[T](c.Out, 1, n, lo, end)
			t.Scale(m, T(mu), part[T](c.In[0], 1, n, lo, end))
			t.Add(m, m, g)
			if decay > 0 {
				t.Axpy(m, T(decay), from)
			}
			step = m
		}
		keep := 1.0
		if mu == 0 || o.Nesterov {
			keep = 1 - rate*decay
		}
		t.Scale(to, T(keep), from)
		if o.Nesterov {
			t.Axpy(to, T(-rate), g)
			t.Axpy(to, T(-rate*mu), step)
		} else {
			t.Axpy(to, T(-rate), step)
		}
	}
}
