package dense

import (
	"math"
	"slices"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// CrossEntropyGrad is the gradient of SoftmaxCrossEntropy: (softmax(x)_j − t_j)·dout/batch, with t as there.
// Inputs: logits float [batch, classes], labels int32 [batch], dout float scalar.  Output: [batch, classes].
//
// Rows whose label is out of range are NaN; the report counts them as failed.
//
// Gradient, with g = ∂L/∂output, p = softmax(x): dlogits = p ⊙ (u − Σ_j p_j u_j), u = g·dout/batch; ddout = Σ g ⊙ (p −
// t)/batch.
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
		rowGrad(out.F64[row:row+classes], in[0].F64[row:row+classes], int(in[1].I32[i]), o.Smoothing,
			in[2].F64[0]/float64(n))
	}
}

// rowGrad is y = (softmax(x) − t)·scale.
func rowGrad(y, x []float64, label int, smoothing, scale float64) {
	if label < 0 || label >= len(x) {
		fill(y, math.NaN())
		return
	}
	top, s := slices.Max(x), 0.0
	for _, v := range x {
		s += math.Exp(v - top)
	}
	for j, v := range x {
		t := smoothing / float64(len(x))
		if j == label {
			t += 1 - smoothing
		}
		y[j] = (math.Exp(v-top)/s - t) * scale
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
	run(c, c.Rows(n, 40+3*float64(classes)), entropyGradBody[float32], entropyGradBody[float64])
	reportRange(c, c.In[1].I32, classes)
}

func entropyGradBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(CrossEntropyGrad)
	n, classes := c.Out.Shape[0], c.Out.Shape[1]
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	scale := float64(kernels.Of[T](c.In[2])[0]) / float64(n)
	lo, hi := c.Chunk(chunk, n)
	for i := lo; i < hi; i++ {
		a, b := i*classes, (i+1)*classes
		if label := c.In[1].I32[i]; label < 0 || int(label) >= classes {
			fill(y[a:b], T(math.NaN()))
		} else {
			rowDiff(c.Path, y[a:b], x[a:b], int(label), o.Smoothing, scale)
		}
	}
}

// rowDiff is rowGrad for a label that is in range; y may be x.
func rowDiff[T kernels.Float](path cpu.Path, y, x []T, label int, smoothing, scale float64) {
	t := vec.For[T](path)
	t.ExpSum(y, x, largest(path, x))
	e := float64(y[label])
	y[label] = 0
	rest := sum(path, y)
	total := rest + e
	hit := -rest / total // e/total − 1 without its cancellation
	if smoothing > 0 {
		even := T(smoothing / float64(len(x)) * total)
		t.Shift(y, -even, y)
		hit += smoothing - smoothing/float64(len(x))
	}
	t.Scale(y, T(scale/total), y)
	y[label] = T(hit * scale)
}
