package dense

import (
	"math"
	"slices"

	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// SoftCrossEntropy is the mean over samples of −Σ_j t′_j·log softmax(x)_j for targets t that are any numbers, usually
// probabilities; with label smoothing ε, t′ = (1−ε)·t + ε/C, else t′ = t.
// Inputs: logits and targets, float [batch, classes].  Output: a scalar; NaN for an empty batch.
//
// Gradient: SoftCrossEntropyGrad by the logits, −(1−ε)·log softmax(x)·dout/batch by the targets.
type SoftCrossEntropy struct {
	Smoothing float64 // ε, from 0 to 1
}

// SoftCrossEntropyGrad is the gradient of SoftCrossEntropy by the logits: (softmax(x)·Σ_j t′_j − t′)·dout/batch.
// Inputs: logits and targets, float [batch, classes], dout float scalar.  Output: the shape of the logits.
type SoftCrossEntropyGrad struct {
	Smoothing float64 // ε, from 0 to 1
}

var (
	_ kernels.Differentiable = SoftCrossEntropy{}
	_ kernels.Differentiable = SoftCrossEntropyGrad{}
	_ kernels.CPUOp          = SoftCrossEntropy{}
	_ kernels.CPUOp          = SoftCrossEntropyGrad{}
	_ kernels.Scratcher      = SoftCrossEntropy{}
	_ kernels.InPlacer       = SoftCrossEntropyGrad{}
	_ kernels.CUDAScratcher  = SoftCrossEntropy{}
	_ kernels.CUDAOp         = SoftCrossEntropyGrad{}
)

// wantTargets checks logits and targets [batch, classes] and the smoothing.
func wantTargets(op kernels.Op, in []kernels.Spec, smoothing float64) error {
	if !in[0].Equal(in[1]) {
		return kernels.Errorf(op, in, kernels.ErrShape, "logits and targets differ")
	}
	if !(smoothing >= 0 && smoothing <= 1) {
		return kernels.Errorf(op, in, kernels.ErrShape, "smoothing %v is not between 0 and 1", smoothing)
	}
	return kernels.WantFloats(op, in, 0, 1)
}

// Infer checks the shapes.
func (o SoftCrossEntropy) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, 2); err != nil {
		return kernels.Spec{}, err
	}
	return kernels.S(in[0].DType), wantTargets(o, in, o.Smoothing)
}

// Infer returns the spec of the logits.
func (o SoftCrossEntropyGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2, 2, 0); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 2); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], wantTargets(o, in, o.Smoothing)
}

// smooth is t′ of a target among n classes.
func smooth(t, smoothing float64, n int) float64 { return (1-smoothing)*t + smoothing/float64(n) }

// Ref adds the losses of the samples.
func (o SoftCrossEntropy) Ref(out kernels.Tensor, in []kernels.Tensor) {
	n, classes := in[0].Shape[0], in[0].Shape[1]
	total := 0.0
	for i := range n {
		x, t := in[0].F64[i*classes:][:classes], in[1].F64[i*classes:][:classes]
		if classes == 0 {
			continue
		}
		top, exp := slices.Max(x), 0.0
		for _, v := range x {
			exp += math.Exp(v - top)
		}
		for j, v := range x {
			total -= smooth(t[j], o.Smoothing, classes) * (v - top - math.Log(exp))
		}
	}
	out.F64[0] = total / float64(n)
}

// Ref computes row by row.
func (o SoftCrossEntropyGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	n, classes := in[0].Shape[0], in[0].Shape[1]
	for i := range n {
		x, t := in[0].F64[i*classes:][:classes], in[1].F64[i*classes:][:classes]
		if classes == 0 {
			continue
		}
		top, exp, mass := slices.Max(x), 0.0, 0.0
		for j, v := range x {
			exp += math.Exp(v - top)
			mass += smooth(t[j], o.Smoothing, classes)
		}
		for j, v := range x {
			out.F64[i*classes+j] = (math.Exp(v-top)/exp*mass - smooth(t[j], o.Smoothing, classes)) * in[2].F64[0] /
				float64(n)
		}
	}
}

// shareOf is dout/batch as a column of the batch's length.
func shareOf(b kernels.Builder, dout, x *kernels.Node) *kernels.Node {
	return b.Apply(BroadcastTo{Mean: true}, dout, b.Apply(Reduce{Axes: On(1), Keep: true}, x))
}

// Grad follows the formulas above.
func (o SoftCrossEntropy) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	dt := b.Apply(Binary{Kind: Mul}, b.Apply(LogSoftmax{}, in[0]), shareOf(b, dout, in[0]))
	return []*kernels.Node{b.Apply(SoftCrossEntropyGrad(o), in[0], in[1], dout),
		b.Apply(Scale{Alpha: o.Smoothing - 1}, dt)}
}

// Grad is, with p = softmax(x), u = dout/batch·g and M = Σ t′: p∘(u·M − Σ u·M·p) by x, (1−ε)·(Σ u·p − u) by t.
func (o SoftCrossEntropyGrad) Grad(b kernels.Builder, in []*kernels.Node, _, g *kernels.Node) []*kernels.Node {
	mul := func(x, y *kernels.Node) *kernels.Node { return b.Apply(Binary{Kind: Mul}, x, y) }
	sum := func(x *kernels.Node) *kernels.Node { return b.Apply(Reduce{Axes: On(1), Keep: true}, x) }
	u, p := mul(g, shareOf(b, in[2], in[0])), b.Apply(Softmax{}, in[0])
	mass := b.Apply(Scale{Alpha: 1 - o.Smoothing, Beta: o.Smoothing}, sum(in[1]))
	dt := b.Apply(Binary{Kind: Sub}, sum(mul(u, p)), u)
	unit := b.Apply(o, in[0], in[1], b.Apply(FillLike{Value: 1}, in[2]))
	return []*kernels.Node{softmaxGrad(b, On(1), p, mul(u, mass)), b.Apply(Scale{Alpha: 1 - o.Smoothing}, dt),
		b.Apply(Reduce{}, mul(g, unit))}
}

// InPlace is true for the logits.
func (o SoftCrossEntropyGrad) InPlace(i int) bool { return i == 0 }

// Workspace holds the losses of the samples, and a row for each worker.
func (o SoftCrossEntropy) Workspace(in []kernels.Spec, _ kernels.Spec, workers int) int {
	return kernels.CarveSize(in[0].Shape[0], 8) + kernels.CarveSize(workers*in[0].Shape[1], in[0].DType.Size())
}

// CPU computes the losses of the samples, and adds them in order.
func (o SoftCrossEntropy) CPU(c *kernels.Call) {
	n, classes := c.In[0].Shape[0], c.In[0].Shape[1]
	c.ForFloat(c.Rows(n, 40+4*float64(classes)), softLossBody[float32], softLossBody[float64])
	work := c.Work
	total := 0.0
	for _, v := range kernels.Carve[float64](&work, n) {
		total += v
	}
	setScalar(c.Out, total/float64(n))
}

// softLossBody takes Σ t′·log Σ e^{x−top} − Σ t′·(x−top) of each row; the logarithm is of 1 + the rest without the
// largest element, so that it stays exact when it is small.
func softLossBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := c.Op.(SoftCrossEntropy)
	x, t, classes := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), c.In[0].Shape[1]
	work := c.Work
	losses := kernels.Carve[float64](&work, c.In[0].Shape[0])
	row := kernels.Carve[T](&work, c.Pool.Workers()*classes)[worker*classes:][:classes]
	lo, hi := c.Chunk(chunk, len(losses))
	for i := lo; i < hi; i++ {
		losses[i] = 0
		if classes == 0 {
			continue
		}
		x, t := x[i*classes:][:classes], t[i*classes:][:classes]
		top := largest(c.Path, x)
		vec.For[T](c.Path).ExpSum(row, x, top)
		at := max(slices.Index(x, top), 0)
		kept := row[at]
		row[at] = 0
		mass, dot := 0.0, 0.0
		for j, v := range x {
			w := smooth(float64(t[j]), o.Smoothing, classes)
			mass += w
			dot += w * (float64(v) - float64(top))
		}
		losses[i] = mass*math.Log1p(sum(c.Path, row)+(float64(kept)-1)) - dot
	}
}

// CPU computes row by row.
func (o SoftCrossEntropyGrad) CPU(c *kernels.Call) {
	n, classes := c.Out.Shape[0], c.Out.Shape[1]
	c.ForFloat(c.Rows(n, 40+4*float64(classes)), softGradBody[float32], softGradBody[float64])
}

func softGradBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(SoftCrossEntropyGrad)
	n, classes := c.Out.Shape[0], c.Out.Shape[1]
	x, t, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	scale := float64(kernels.Of[T](c.In[2])[0]) / float64(n)
	own, even := T((1-o.Smoothing)*scale), T(o.Smoothing/float64(max(classes, 1))*scale)
	lo, hi := c.Chunk(chunk, n)
	for i := lo; i < hi && classes > 0; i++ {
		from, to, want := x[i*classes:][:classes], y[i*classes:][:classes], t[i*classes:][:classes]
		v := vec.For[T](c.Path)
		total := expSum(v, to, from, largest(c.Path, from))
		mass := (1-o.Smoothing)*sum(c.Path, want) + o.Smoothing
		v.Scale(to, T(mass*scale/total), to)
		for j, w := range want {
			to[j] -= own*w + even
		}
	}
}

// CUDAWorkspace holds the losses of the samples.
func (o SoftCrossEntropy) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return partialBytes(out.DType, in[0].Shape[0])
}

// CUDA takes a sample in a warp, and sums.
func (o SoftCrossEntropy) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n, d := in[0].Shape[0], out.DType
	first := t.Sweep("dense/softcrossentropy", kernels.Entry("softlosses", d), n*32, kernels.FloatArg(d, o.Smoothing),
		kernels.IntArg(n), kernels.IntArg(in[0].Shape[1]), kernels.InputArg(0), kernels.InputArg(1),
		kernels.ScratchArg(0))
	return append([]kernels.Launch{first}, partials(t, d, n, float64(n))...), nil
}

// CUDA takes a sample in a warp.
func (o SoftCrossEntropyGrad) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n, d := in[0].Shape[0], out.DType
	return []kernels.Launch{t.Sweep("dense/softcrossentropy", kernels.Entry("softgradient", d), n*32,
		kernels.FloatArg(d, o.Smoothing), kernels.IntArg(n), kernels.IntArg(in[0].Shape[1]), kernels.InputArg(0),
		kernels.InputArg(1), kernels.InputArg(2), kernels.OutputArg())}, nil
}
