package conv

import (
	"ganglion/internal/asm/direct"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// ReLUPoolGrad is the gradient of MaxPool of ReLU by ReLU's argument, from ReLU's value y: dy of each window at its
// first maximum if that is above 0, and 0 elsewhere; NaN at a maximum that is NaN. The planner makes it from the two
// gradients; where y is 0 it does not look at dy, so that NaN there does not spread.
// Inputs: y float [batch, channels, extents…], dy float [batch, channels, …].  Output: y's shape.
type ReLUPoolGrad struct{ Window Window }

var (
	_ kernels.Differentiable = ReLUPoolGrad{}
	_ kernels.CPUOp          = ReLUPoolGrad{}
	_ kernels.Fused          = ReLUPoolGrad{}
)

// Infer checks that dy is as MaxPool's output.
func (o ReLUPoolGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	y, err := o.Window.output(o, in, in[0])
	if err != nil {
		return kernels.Spec{}, err
	}
	if !y.Equal(in[1]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "the windows give %v", y)
	}
	return in[0], nil
}

// Ref looks at every window.
func (o ReLUPoolGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	g := o.Window.geometry(in[0].Shape)
	for i, v := range in[1].F64 {
		plane := i / g.area() * g.plane()
		at := plane + firstRef(&g, in[0].F64[plane:], i%g.area())
		switch top := in[0].F64[at]; {
		case top > 0:
			out.F64[at] += v
		case top != top:
			out.F64[at] = top
		}
	}
}

// Decompose is the product of the two gradients.
func (o ReLUPoolGrad) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	return binary(b, dense.Mul, b.Apply(MaxPoolGrad(o), in...), b.Apply(dense.Unary{F: act.ReLU, Order: 1}, in[0]))
}

// Grad is that of the decomposition.
func (o ReLUPoolGrad) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	d := binary(b, dense.Mul, dout, b.Apply(dense.Unary{F: act.ReLU, Order: 1}, in[0]))
	return []*kernels.Node{zeros(b, in[0]), b.Apply(MaxPoolAt(o), in[0], d)}
}

// CPU goes through the planes.
func (o ReLUPoolGrad) CPU(c *kernels.Call) {
	g := o.Window.geometry(c.In[0].Shape)
	planes(c, &g, c.Out.Shape, g.pace(c, 1.5), reluPoolBody[float32], reluPoolBody[float64])
}

func reluPoolBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	g := c.Op.(ReLUPoolGrad).Window.geometry(c.In[0].Shape)
	y, dy, dx := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	plane, area := g.plane(), g.area()
	lo, hi := c.Chunk(chunk, c.Out.Shape[0]*c.Out.Shape[1])
	if t := direct.For[T](c.Path); t != nil && g.quarters() && area > 0 {
		if 4*area != plane {
			clear(dx[lo*plane : hi*plane]) // a line or column is in no window
		}
		g.stacks(lo, hi, func(i, n int) {
			t.ReLUPoolGrad(n*g.y[1], g.y[2], dx[i*plane:], y[i*plane:], dy[i*area:], g.x[2])
		})
		return
	}
	for i := lo; i < hi; i++ {
		from, to := y[i*plane:][:plane], dx[i*plane:][:plane]
		clear(to)
		w := g.start()
		for _, v := range dy[i*area:][:area] {
			at := first(&g, w.next(&g), from)
			switch top := from[at]; {
			case top > 0:
				to[at] += v
			case top != top:
				to[at] = top
			}
		}
	}
}
