package implicit

import (
	"math"

	"ganglion/kernels"
)

// Mask is W_m: W with zeros at the edges that are not kept, and on the diagonal.
// Inputs: W float [p, p], its structure int32 [StructureLen(p)].  Output: float [p, p]; NaN if that is no structure of
// p nodes.
//
// Gradient: that of every off-diagonal entry is passed on, kept or not (see the package's word on gradients).
type Mask struct{}

var (
	_ kernels.Differentiable = Mask{}
	_ kernels.CPUOp          = Mask{}
)

// Infer wants a square float matrix and the structure of as many nodes.
func (o Mask) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, 1); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantWeights(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], wantStructure(o, in, 1, in[0].Shape[0])
}

// Ref keeps the listed edges.
func (o Mask) Ref(out kernels.Tensor, in []kernels.Tensor) {
	copy(out.F64, refMasked(in[0].F64, View(in[1].I32), in[0].Shape[0]))
}

// Grad passes the gradient of all off-diagonal entries on.
func (o Mask) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(NoDiag{}, dout), nil}
}

// CPU clears the output and copies the kept edges.
func (o Mask) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		mask(c, c.Out.F32, c.In[0].F32)
	} else {
		mask(c, c.Out.F64, c.In[0].F64)
	}
}

func mask[T kernels.Float](c *kernels.Call, y, w []T) {
	l, p := View(c.In[1].I32), c.Out.Shape[0]
	if l.Nodes != p || l.Check() != nil {
		nan := T(math.NaN())
		for i := range y {
			y[i] = nan
		}
		c.Report.Status = kernels.Diverged
		return
	}
	clear(y)
	for j := range p {
		for _, i := range l.Destinations(j) {
			y[j*p+int(i)] = w[j*p+int(i)]
		}
	}
}
