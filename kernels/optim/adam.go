package optim

import (
	"math"

	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// Adam is the update of Kingma and Ba (arXiv 1412.6980, Algorithm 1): with step t and slots m, v, at first 0,
//
//	m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  θ ← θ − rate·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε).
//
// Inputs: see the package; slots: 2.
type Adam struct {
	Beta1 float64 // in (0, 1), 0 means the paper's 0.9
	Beta2 float64 // in (0, 1), 0 means the paper's 0.999
	Eps   float64 // ε, positive, 0 means the paper's 1e-8
}

var (
	_ kernels.CPUOp    = Adam{}
	_ kernels.InPlacer = Adam{}
)

// Infer checks the block and the ranges of the attributes.
func (o Adam) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := o.check(o, in); err != nil {
		return kernels.Spec{}, err
	}
	return inferUpdate(o, in, 2)
}

func (o Adam) check(op kernels.Op, in []kernels.Spec) error {
	if !between(o.Beta1, 0, 1) || !between(o.Beta2, 0, 1) || !(o.Eps >= 0) {
		return kernels.Errorf(op, in, kernels.ErrShape,
			"beta1 %v and beta2 %v must be in (0, 1) and eps %v positive; 0 means the default", o.Beta1, o.Beta2, o.Eps)
	}
	return nil
}

// Ref follows the formulas.
func (o Adam) Ref(out kernels.Tensor, in []kernels.Tensor) { o.ref(out, in, 0) }

func (o Adam) ref(out kernels.Tensor, in []kernels.Tensor, decay float64) {
	copy(out.F64, in[0].F64)
	if !(in[3].F64[0] > 0) {
		return
	}
	n, rate, t := in[1].Size(), in[2].F64[0], in[2].F64[1]
	b1, b2, eps := or(o.Beta1, 0.9), or(o.Beta2, 0.999), or(o.Eps, 1e-8)
	z := out.F64
	for i, g := range in[1].F64 {
		z[n+i] = b1*z[n+i] + (1-b1)*g
		z[2*n+i] = b2*z[2*n+i] + (1-b2)*g*g
		m, v := z[n+i]/(1-math.Pow(b1, t)), z[2*n+i]/(1-math.Pow(b2, t))
		z[i] = z[i]*(1-rate*decay) - rate*m/(math.Sqrt(v)+eps)
	}
}

// InPlace is true for the block.
func (o Adam) InPlace(i int) bool { return i == 0 }

// CPU updates chunks.
func (o Adam) CPU(c *kernels.Call) { update(c, 3, adamBody[float32], adamBody[float64]) }

func adamBody[T kernels.Float](c *kernels.Call, chunk, _ int) { adamStep[T](c, chunk, c.Op.(Adam), 0) }

// adamStep updates one chunk.
func adamStep[T kernels.Float](c *kernels.Call, chunk int, o Adam, decay float64) {
	n := c.In[1].Size()
	lo, hi := c.Chunk(chunk, n)
	g := kernels.Of[T](c.In[1])[lo:hi]
	p, toP := part[T](c.In[0], 0, n, lo, hi)[:len(g)], part[T](c.Out, 0, n, lo, hi)[:len(g)]
	m, toM := part[T](c.In[0], 1, n, lo, hi)[:len(g)], part[T](c.Out, 1, n, lo, hi)[:len(g)]
	v, toV := part[T](c.In[0], 2, n, lo, hi)[:len(g)], part[T](c.Out, 2, n, lo, hi)[:len(g)]
	rate, t := element(c.In[2], 0), element(c.In[2], 1)
	b1, b2 := or(o.Beta1, 0.9), or(o.Beta2, 0.999)
	step := T(rate / (1 - math.Pow(b1, t)))
	scale := T(1 / math.Sqrt(1-math.Pow(b2, t)))
	keep, eps := T(1-rate*decay), T(or(o.Eps, 1e-8))
	constants := vec.AdamConstants[T]{Beta1: T(b1), Rest1: T(1 - b1), Beta2: T(b2), Rest2: T(1 - b2),
		Keep: keep, Step: step, Scale: scale, Eps: eps}
	vec.For[T](c.Path).Adam(constants, vec.AdamState[T]{P: toP, M: toM, V: toV}, vec.AdamState[T]{P: p, M: m, V: v}, g)
}
