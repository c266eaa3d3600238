package dense

import (
	"math"
	"slices"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// SoftmaxCrossEntropy is the mean over samples of −Σ_j t_j·log softmax(x)_j, where t is 1 at the label and 0 elsewhere,
// or, with label smoothing ε, 1−ε+ε/C at the label and ε/C elsewhere.
// Inputs: logits float [batch, classes], labels int32 [batch].  Output: a scalar; NaN for an empty batch.
//
// A label outside of 0 … classes−1 makes the loss NaN; the report counts such samples as failed. Loaders check labels
// before.
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
		return kernels.Errorf(op, in, kernels.ErrShape, "%d rows of logits but %d labels", in[0].Shape[0],
			in[1].Shape[0])
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
func sampleLoss(x []float64, label int, smoothing float64) float64 {
	if label < 0 || label >= len(x) {
		return math.NaN()
	}
	top := slices.Max(x)
	exp, plain := 0.0, 0.0
	for _, v := range x {
		exp += math.Exp(v - top)
		plain += v - top
	}
	loss := math.Log(exp) - (1-smoothing)*(x[label]-top)
	if smoothing > 0 {
		loss -= smoothing * plain / float64(len(x))
	}
	return loss
}

// Grad is CrossEntropyGrad.
func (o SoftmaxCrossEntropy) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(CrossEntropyGrad(o), in[0], in[1], dout), nil}
}

// Workspace holds the losses of the samples, and a row for each worker.
func (o SoftmaxCrossEntropy) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return kernels.CarveSize(in[0].Shape[0], 8) + kernels.CarveSize(workers*in[0].Shape[1], in[0].DType.Size())
}

// CPU computes the losses of the samples, and adds them in order.
func (o SoftmaxCrossEntropy) CPU(c *kernels.Call) {
	n, classes := c.In[0].Shape[0], c.In[0].Shape[1]
	run(c, c.Rows(n, 40+3*float64(classes)), lossBody[float32], lossBody[float64])
	work := c.Work
	total := 0.0
	for _, v := range kernels.Carve[float64](&work, n) {
		total += v
	}
	setScalar(c.Out, total/float64(n))
	reportRange(c, c.In[1].I32, classes)
}

func lossBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := c.Op.(SoftmaxCrossEntropy)
	x, classes := kernels.Of[T](c.In[0]), c.In[0].Shape[1]
	work := c.Work
	losses := kernels.Carve[float64](&work, c.In[0].Shape[0])
	row := kernels.Carve[T](&work, c.Pool.Workers()*classes)[worker*classes:][:classes]
	lo, hi := c.Chunk(chunk, len(losses))
	for i := lo; i < hi; i++ {
		losses[i] = rowLoss(c.Path, row, x[i*classes:(i+1)*classes], int(c.In[1].I32[i]), o.Smoothing)
	}
}

// rowLoss is sampleLoss; row is overwritten. Of log Σ e^{x_j} − x_label it takes log(1 + rest), where rest is the sum
// over the other classes relative to the label's: it stays exact when the loss is small.
func rowLoss[T kernels.Float](path cpu.Path, row, x []T, label int, smoothing float64) float64 {
	if label < 0 || label >= len(x) {
		return math.NaN()
	}
	t, top := vec.For[T](path), largest(path, x)
	d, extra := float64(x[label]-top), 0.0
	if smoothing > 0 {
		t.Shift(row, -top, x)
		extra = smoothing * (d - sum(path, row)/float64(len(x)))
	}
	t.ExpSum(row, x, top)
	row[label] = 0
	rest := sum(path, row)
	loss := math.Log1p(rest)
	if d != 0 {
		loss = math.Log(rest+math.Exp(d)) - d
	}
	return loss + extra
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
