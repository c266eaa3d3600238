package spectral

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// TubeGrad is the gradient of Tube by ŷ: M⁻ᵀ(f′(M⁻¹ŷ + b) ∘ Mᵀ dx̂), with the argument of f computed again.
// Inputs: ŷ float [c, n, d], dx̂ float [c, n, d], b float [c, d] if Bias.  Output: [c, n, d].
//
// Gradient, for e = ∂L/∂output and g = M⁻¹e: dx̂ gets M(g ∘ f′), ŷ gets M⁻ᵀ(g ∘ f″ ∘ Mᵀdx̂).
type TubeGrad struct {
	Kind Kind
	F    act.Func
	Bias bool
}

var (
	_ kernels.Differentiable = TubeGrad{}
	_ kernels.Fused          = TubeGrad{}
	_ kernels.CPUOp          = TubeGrad{}
	_ kernels.Scratcher      = TubeGrad{}
	_ kernels.Preparer       = TubeGrad{}
)

// Infer checks the transform, the function and the shapes.
func (o TubeGrad) Infer(in []kernels.Spec) (kernels.Spec, error) { return inferTube(o, Tube(o), in, 2) }

// Ref transforms there and back.
func (o TubeGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	t := Tube(o).before(in[0], in[2:])
	u := kernels.New(out.Spec)
	Transform{Kind: o.Kind, Transposed: true}.Ref(u, in[1:2])
	for i, v := range t.F64 {
		u.F64[i] *= act.Eval(o.F, 1, v)
	}
	Transform{Kind: o.Kind, Inverse: true, Transposed: true}.Ref(out, []kernels.Tensor{u})
}

// Decompose is two transforms, the slope, a product, and a transform.
func (o TubeGrad) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	u := b.Apply(Transform{Kind: o.Kind, Transposed: true}, in[1])
	return b.Apply(Transform{Kind: o.Kind, Inverse: true, Transposed: true}, o.times(b, in, 1, u))
}

// times writes x times a derivative of the function.
func (o TubeGrad) times(b kernels.Builder, in []*kernels.Node, order int, x *kernels.Node) *kernels.Node {
	t := Tube(o).argument(b, in[0], in[2:])
	return b.Apply(dense.Binary{Kind: dense.Mul}, x, b.Apply(dense.Unary{F: o.F, Order: order}, t))
}

// Grad is written in transforms.
func (o TubeGrad) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	g := b.Apply(Transform{Kind: o.Kind, Inverse: true}, dout)
	u := b.Apply(Transform{Kind: o.Kind, Transposed: true}, in[1])
	dx := b.Apply(Transform{Kind: o.Kind}, o.times(b, in, 1, g))
	dt := o.times(b, in, 2, b.Apply(dense.Binary{Kind: dense.Mul}, g, u))
	grads := []*kernels.Node{b.Apply(Transform{Kind: o.Kind, Inverse: true, Transposed: true}, dt), dx}
	if o.Bias {
		grads = append(grads, b.Apply(dense.Reduce{Kind: dense.Sum, Axes: dense.On(1)}, dt))
	}
	return grads
}

// Flops is 6c² a tube.
func (o TubeGrad) Flops(_ []kernels.Spec, out kernels.Spec) float64 {
	return 6 * float64(out.Size()) * float64(out.Shape[0])
}

// Prepare makes room for the factors.
func (o TubeGrad) Prepare(c *kernels.Call) { c.State = new(tubeState) }

// Workspace holds blocks of tubes, for each worker.
func (o TubeGrad) Workspace(_ []kernels.Spec, out kernels.Spec, workers int) int {
	return tubeWorkspace(out, workers, 2)
}

// CPU works block by block.
func (o TubeGrad) CPU(c *kernels.Call) {
	if c.Out.DType == kernels.Float32 {
		tubeRun[float32](c, Tube(o), tubeGradBody[float32])
	} else {
		tubeRun[float64](c, Tube(o), tubeGradBody[float64])
	}
}

func tubeGradBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := c.Op.(TubeGrad)
	var first, second []T
	t := tilesOf(c, chunk, worker, &first, &second)
	m, table := matricesOf[T](c.State.(*tubeState)), vec.For[T](c.Path)
	y, dx, out := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	for t.next(chunk) {
		block, u := first[:t.c*t.w], second[:t.c*t.w]
		t.along(m.back, y[t.lo:], t.p, block, t.w)
		if o.Bias {
			t.addBias(c, block)
		}
		t.along(m.thereT, dx[t.lo:], t.p, u, t.w)
		if o.F == act.ReLU {
			table.ReLUGrad(u, block, u)
		} else {
			act.Apply(t.path, o.F, 1, block, block)
			table.Mul(u, u, block)
		}
		t.along(m.backT, u, t.w, out[t.lo:], t.p)
	}
}
