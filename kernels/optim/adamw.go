package optim

import "ganglion/kernels"

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, in the form of PyTorch): before
// the step of Adam,
//
//	θ ← θ·(1 − rate·WeightDecay).
//
// Inputs: see the package; slots: 2.
type AdamW struct {
	Beta1       float64 // in (0, 1), 0 means 0.9
	Beta2       float64 // in (0, 1), 0 means 0.999
	Eps         float64 // positive, 0 means 1e-8
	WeightDecay float64 // not negative, 0 means none
}

var (
	_ kernels.CPUOp    = AdamW{}
	_ kernels.InPlacer = AdamW{}
)

// adam is the rule without decay.
func (o AdamW) adam() Adam { return Adam{Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps} }

// Infer checks the block and the ranges of the attributes.
func (o AdamW) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := o.adam().check(o, in); err != nil {
		return kernels.Spec{}, err
	}
	if !(o.WeightDecay >= 0) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "weight decay %v must not be negative",
			o.WeightDecay)
	}
	return inferUpdate(o, in, 2)
}

// Ref follows the formulas.
func (o AdamW) Ref(out kernels.Tensor, in []kernels.Tensor) { o.adam().ref(out, in, o.WeightDecay) }

// InPlace is true for the block.
func (o AdamW) InPlace(i int) bool { return i == 0 }

// CPU updates chunks.
func (o AdamW) CPU(c *kernels.Call) { update(c, 3, adamWBody[float32], adamWBody[float64]) }

func adamWBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(AdamW)
	adamStep[T](c, chunk, o.adam(), o.WeightDecay)
}
