package conv

import (
	"ganglion/internal/asm/direct"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Biased is a convolution with a bias for each channel of its output, and ReLU of that if ReLU is set. The planner
// makes it from the three ops; bias and function are done to a strip of the output when it leaves the cache.
// Inputs: x float [batch, channels, extents…], w float [out, channels/Groups, kernel…], bias float [out].  Output: that
// of Of.
type Biased struct {
	Of   Conv
	ReLU bool
}

var (
	_ kernels.Differentiable = Biased{}
	_ kernels.CPUOp          = Biased{}
	_ kernels.Scratcher      = Biased{}
	_ kernels.Fused          = Biased{}
)

// Infer checks the convolution and the bias.
func (o Biased) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 3); err != nil {
		return kernels.Spec{}, err
	}
	if err := o.Of.check(o, in, in[0], in[1]); err != nil {
		return kernels.Spec{}, err
	}
	if want := kernels.S(in[1].DType, in[1].Shape[0]); !in[2].Equal(want) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the bias must be %v", want)
	}
	return o.Of.output(in[0], in[1]), nil
}

// Ref is the convolution, and then a loop over the elements.
func (o Biased) Ref(out kernels.Tensor, in []kernels.Tensor) {
	o.Of.Ref(out, in[:2])
	g := o.Of.geometry(in[0].Shape, in[1].Shape)
	for i, v := range out.F64 {
		v += in[2].F64[i/g.area()%out.Shape[1]]
		if o.ReLU {
			v = act.Eval(act.ReLU, 0, v)
		}
		out.F64[i] = v
	}
}

// Decompose is the convolution, a sum, and ReLU.
func (o Biased) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	y := binary(b, dense.Add, b.Apply(o.Of, in[0], in[1]), b.Apply(dense.Reshape{To: o.column()}, in[2]))
	if o.ReLU {
		y = b.Apply(dense.Unary{F: act.ReLU}, y)
	}
	return y
}

// column is the shape [out, 1, …] in which a bias is added.
func (o Biased) column() dense.Shape {
	to := dense.Shape{Rank: o.Of.Dims + 1}
	for i := range to.Rank {
		to.Dim[i] = 1
	}
	to.Dim[0] = -1
	return to
}

// Grad is that of the decomposition; the slope of ReLU is taken from its value.
func (o Biased) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	d := dout
	if o.ReLU {
		d = binary(b, dense.Mul, dout, b.Apply(dense.Unary{F: act.ReLU, Order: 1}, out))
	}
	bias := b.Apply(dense.SumTo{}, d, b.Apply(dense.Reshape{To: o.column()}, in[2]))
	return append(o.Of.Grad(b, in[:2], nil, d), b.Apply(dense.Reshape{}, bias, in[2]))
}

// Flops is that of the convolution.
func (o Biased) Flops(in []kernels.Spec, out kernels.Spec) float64 { return o.Of.Flops(in[:2], out) }

// Workspace is that of the convolution.
func (o Biased) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return o.Of.Workspace(in[:2], out, workers)
}

// CPU is the convolution, whose strips get bias and function as they are written, or a second pass over the planes.
func (o Biased) CPU(c *kernels.Call) {
	if c.Out.Size() == 0 {
		return
	}
	g := o.Of.geometry(c.In[0].Shape, c.In[1].Shape)
	convolve(c, &g)
	if g.direct() && hasDirect(c) {
		return
	}
	n := c.Out.Shape[0] * c.Out.Shape[1]
	c.ForFloat(c.Rows(n, 20+float64(g.area())/4), biasBody[float32], biasBody[float64])
}

// level is what is added to a channel of the output, and to what the sum is raised.
func level[T kernels.Float](c *kernels.Call, channel int) (bias, floor T) {
	if o, ok := c.Op.(Biased); ok {
		if bias = kernels.Of[T](c.In[2])[channel]; o.ReLU {
			return bias, 0
		}
	}
	return bias, lowest[T]()
}

func biasBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	y, channels := kernels.Of[T](c.Out), c.Out.Shape[1]
	area := len(y) / (c.Out.Shape[0] * channels)
	t := direct.For[T](c.Path)
	lo, hi := c.Chunk(chunk, c.Out.Shape[0]*channels)
	for i := lo; i < hi; i++ {
		bias, floor := level[T](c, i%channels)
		plane := y[i*area:][:area]
		if t != nil {
			t.Move(1, area, plane, area, plane, area, bias, floor)
			continue
		}
		for j, v := range plane {
			plane[j] = max(v+bias, floor)
		}
	}
}
