package implicit

import "ganglion/kernels"

// NoDiag is a square matrix with its diagonal set to zero.
// Input: a float [p, p].  Output: float [p, p], in place where the planner so decides.
//
// It is linear and its own gradient.
type NoDiag struct{}

var (
	_ kernels.Differentiable = NoDiag{}
	_ kernels.CPUOp          = NoDiag{}
	_ kernels.InPlacer       = NoDiag{}
)

// Infer wants a square float matrix.
func (o NoDiag) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], wantWeights(o, in, 0)
}

// Ref copies the off-diagonal elements.
func (o NoDiag) Ref(out kernels.Tensor, in []kernels.Tensor) {
	p := in[0].Shape[0]
	for at, v := range in[0].F64 {
		if at/p == at%p {
			v = 0
		}
		out.F64[at] = v
	}
}

// Grad is the same op.
func (o NoDiag) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(o, dout)}
}

// CPU copies unless it runs in place, and clears the diagonal.
func (o NoDiag) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		noDiag(c.Out.F32, c.In[0].F32, c.Out.Shape[0])
	} else {
		noDiag(c.Out.F64, c.In[0].F64, c.Out.Shape[0])
	}
}

func noDiag[T kernels.Float](y, x []T, p int) {
	if p == 0 {
		return
	}
	if &y[0] != &x[0] {
		copy(y, x)
	}
	for i := range p {
		y[i*p+i] = 0
	}
}

// InPlace is true.
func (o NoDiag) InPlace(i int) bool { return i == 0 }
