package dense

import (
	"math"

	"ganglion/kernels"
)

// SoftmaxCrossEntropy is the mean over samples of −Σ_j t_j·log softmax(x)_j, where t is 1 at the label and 0 elsewhere, or, with label
// smoothing ε, 1−ε+ε/C at the label and ε/C elsewhere.
// Inputs: logits float [batch, classes], labels int32 [batch].  Output: a scalar; NaN for an empty batch.
//
// A label outside of 0 … classes−1 makes the loss NaN; the report counts such samples as failed. Loaders check labels before.
//
// Gradient: CrossEntropyGrad.
type SoftmaxCrossEntropy struct {
	Smoothing float64 // ε, from 0 to 1
}

var (
	_ kernels.Differentiable = SoftmaxCrossEntropy{}
	_ kernels.CPUOp          = SoftmaxCrossEntropy{}
	_ kernels.Scratcher      = SoftmaxCrossEntropy{}
)

// Infer checks the shapes.
func (o SoftmaxCrossEntropy) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, 1); err != nil {
		return kernels.Spec{}, err
	}
	if err := wantLabels(o, in, o.Smoothing); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(in[0].DType), nil
}

// wantLabels checks logits [batch, classes], labels int32 [batch] and the smoothing.
func wantLabels(op kernels.Op, in []kernels.Spec, smoothing float64) error {
	if err := kernels.WantFloats(op, in, 0); err != nil {
		return err
	}
	if err := kernels.WantType(op, in, 1, kernels.Int32); err != nil {
		return err
	}
	if in[0].Shape[0] != in[1].Shape[0] {
		return kernels.Errorf(op, in, kernels.ErrShape, "%d rows of logits but %d labels", in[0].Shape[0], in[1].Shape[0])
	}
	if !(smoothing >= 0 && smoothing <= 1) {
		return kernels.Errorf(op, in, kernels.ErrShape, "smoothing %v is not between 0 and 1", smoothing)
	}
	return nil
}

// Ref adds the losses of the samples.
func (o SoftmaxCrossEntropy) Ref(out kernels.Tensor, in []kernels.Tensor) {
	n, classes := in[0].Shape[0], in[0].Shape[1]
	total := 0.0
	for i := range n {
		total += sampleLoss(in[0].F64[i*classes:(i+1)*classes], int(in[1].I32[i]), o.Smoothing)
	}
	out.F64[0] = total / float64(n)
}

// sampleLoss is log Σ eˣ − (1−ε)·x_label − ε·mean(x), NaN for a label out of range.
func sampleLoss[T kernels.Float](x []T, label int, smoothing float64) float64 {
	if label < 0 || label >= len(x) {
		return math.NaN()
	}
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	exp, plain := 0.0, 0.0
	for _, v := range x {
		d := float64(v) - float64(top)
		exp += math.Exp(d)
		plain += d
	}
	loss := math.Log(exp) - (1-smoothing)*(float64(x[label])-float64(top))
	if smoothing > 0 {
		loss -= smoothing * plain / float64(len(x))
	}
	return loss
}

// Grad is CrossEntropyGrad.
func (o SoftmaxCrossEntropy) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(CrossEntropyGrad{Smoothing: o.Smoothing}, in[0], in[1], dout), nil}
}

// Workspace holds the losses of the samples.
func (o SoftmaxCrossEntropy) Workspace(in []kernels.Spec, _ kernels.Spec, _ int) int {
	return kernels.CarveSize(in[0].Shape[0], 8)
}

// CPU computes the losses of the samples, and adds them in order.
func (o SoftmaxCrossEntropy) CPU(c *kernels.Call) {
	n, classes := c.In[0].Shape[0], c.In[0].Shape[1]
	run(c, c.Rows(n, 20+12*float64(classes)), lossBody[float32], lossBody[float64])
	work := c.Work
	total := 0.0
	for _, v := range kernels.Carve[float64](&work, n) {
		total += v
	}
	setScalar(c.Out, total/float64(n))
	reportRange(c, c.In[1].I32, classes)
}

func lossBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(SoftmaxCrossEntropy)
	x, classes := kernels.Of[T](c.In[0]), c.In[0].Shape[1]
	work := c.Work
	losses := kernels.Carve[float64](&work, c.In[0].Shape[0])
	lo, hi := c.Chunk(chunk, len(losses))
	for i := lo; i < hi; i++ {
		losses[i] = sampleLoss(x[i*classes:(i+1)*classes], int(c.In[1].I32[i]), o.Smoothing)
	}
}

// setScalar writes the only element of a float tensor.
func setScalar(t kernels.Tensor, v float64) {
	if t.DType == kernels.Float32 {
		t.F32[0] = float32(v)
	} else {
		t.F64[0] = v
	}
}

// reportRange reports how many indices are outside of 0 … n−1, if there are any.
func reportRange(c *kernels.Call, indices []int32, n int) {
	bad := 0
	for _, v := range indices {
		if v < 0 || int(v) >= n {
			bad++
		}
	}
	if bad > 0 {
		c.Report.Status, c.Report.Samples, c.Report.Failed = kernels.Diverged, len(indices), bad
	}
}
