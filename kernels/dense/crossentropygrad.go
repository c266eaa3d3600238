package dense

import (
	"math"

	"ganglion/kernels"
)

// CrossEntropyGrad is the gradient of SoftmaxCrossEntropy: (softmax(x)_j − t_j)·dout/batch, with t as there.
// Inputs: logits float [batch, classes], labels int32 [batch], dout float scalar.  Output: [batch, classes].
//
// Rows whose label is out of range are NaN; the report counts them as failed.
//
// Gradient, with g = ∂L/∂output, p = softmax(x): dlogits = p ⊙ (u − Σ_j p_j u_j), u = g·dout/batch; ddout = Σ g ⊙ (p − t)/batch.
type CrossEntropyGrad struct {
	Smoothing float64 // ε, from 0 to 1
}

var (
	_ kernels.Differentiable = CrossEntropyGrad{}
	_ kernels.CPUOp          = CrossEntropyGrad{}
	_ kernels.InPlacer       = CrossEntropyGrad{}
)

// Infer returns the spec of the logits.
func (o CrossEntropyGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, 1, 0); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantLabels(o, in, o.Smoothing); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 2); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], nil
}

// Ref computes row by row.
func (o CrossEntropyGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	n, classes := in[0].Shape[0], in[0].Shape[1]
	for i := range n {
		row := i * classes
		rowGrad(out.F64[row:row+classes], in[0].F64[row:row+classes], int(in[1].I32[i]), o.Smoothing, in[2].F64[0]/float64(n))
	}
}

// rowGrad is y = (softmax(x) − t)·scale; y may be x.
func rowGrad[T kernels.Float](y, x []T, label int, smoothing, scale float64) {
	if label < 0 || label >= len(x) {
		fill(y, T(math.NaN()))
		return
	}
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	s := 0.0
	for _, v := range x {
		s += math.Exp(float64(v) - float64(top))
	}
	for j, v := range x {
		t := smoothing / float64(len(x))
		if j == label {
			t += 1 - smoothing
		}
		y[j] = T((math.Exp(float64(v)-float64(top))/s - t) * scale)
	}
}

// Grad follows the formula above. dout/batch is dout spread evenly over a column of the batch's length.
func (o CrossEntropyGrad) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	mul := func(x, y *kernels.Node) *kernels.Node { return b.Apply(Binary{Kind: Mul}, x, y) }
	row := On(1)
	column := b.Apply(Reduce{Axes: row, Keep: true}, in[0])
	share := b.Apply(BroadcastTo{Mean: true}, in[2], column)
	dx := softmaxGrad(b, row, b.Apply(Softmax{}, in[0]), mul(dout, share))
	unit := b.Apply(o, in[0], in[1], b.Apply(FillLike{Value: 1}, in[2]))
	return []*kernels.Node{dx, nil, b.Apply(Reduce{}, mul(dout, unit))}
}

// InPlace is true for the logits.
func (o CrossEntropyGrad) InPlace(i int) bool { return i == 0 }

// CPU computes row by row.
func (o CrossEntropyGrad) CPU(c *kernels.Call) {
	n, classes := c.Out.Shape[0], c.Out.Shape[1]
	run(c, c.Rows(n, 20+24*float64(classes)), entropyGradBody[float32], entropyGradBody[float64])
	reportRange(c, c.In[1].I32, classes)
}

func entropyGradBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(CrossEntropyGrad)
	n, classes := c.Out.Shape[0], c.Out.Shape[1]
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	scale := float64(kernels.Of[T](c.In[2])[0]) / float64(n)
	lo, hi := c.Chunk(chunk, n)
	for i := lo; i < hi; i++ {
		row := i * classes
		rowGrad(y[row:row+classes], x[row:row+classes], int(c.In[1].I32[i]), o.Smoothing, scale)
	}
}
