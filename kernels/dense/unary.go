package dense

import (
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// Unary is y = f(x), f′(x) or f″(x), elementwise, for Order 0, 1 or 2.
// Input: x float [any].  Output: the same shape.
//
// Gradient: dx = f⁽ᵒʳᵈᵉʳ⁺¹⁾(x)·dy; there is none for Order 2. Kinks and special values: see act.Eval.
type Unary struct {
	F     act.Func
	Order int
}

var (
	_ kernels.Differentiable = Unary{}
	_ kernels.CPUOp          = Unary{}
	_ kernels.InPlacer       = Unary{}
	_ kernels.CUDAOp         = Unary{}
)

// Infer returns the spec of x.
func (o Unary) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 1); err != nil {
		return kernels.Spec{}, err
	}
	if !act.Valid(o.F, o.Order) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "no order %d of function %s", o.Order,
			act.Name(o.F))
	}
	return in[0], nil
}

// Ref evaluates element by element.
func (o Unary) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = act.Eval(o.F, o.Order, v)
	}
}

// Grad multiplies by the next derivative.
func (o Unary) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	if o.Order+1 >= act.Orders {
		b.Fail(kernels.Errorf(o, specsOf(in), kernels.ErrGradient, "no derivative of order %d of %s", o.Order+1,
			act.Name(o.F)))
	}
	if o.F == act.Identity && o.Order == 0 {
		return []*kernels.Node{dout}
	}
	d := b.Apply(Unary{F: o.F, Order: o.Order + 1}, in[0])
	return []*kernels.Node{b.Apply(Binary{Kind: Mul}, dout, d)}
}

// CPU applies the function to chunks.
func (o Unary) CPU(c *kernels.Call) {
	run(c, cut(c, c.Out.Size(), o.cost(c.Out.DType)), unaryBody[float32], unaryBody[float64])
}

// CUDA applies the function in a thread for each element.
func (o Unary) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	args := []kernels.Arg{kernels.IntArg(int(o.F)), kernels.IntArg(o.Order)}
	return elementwise(t, "dense/unary", "unary", out, args, len(in)), nil
}

// InPlace is true for x.
func (o Unary) InPlace(i int) bool { return i == 0 }

// cost is the estimated time of one element in nanoseconds.
func (o Unary) cost(d kernels.DType) float64 {
	switch o.F {
	case act.Identity, act.ReLU, act.LeakyReLU, act.Square, act.Abs, act.Neg, act.Inv, act.Cube, act.Sqrt:
		return 0.25
	case act.Tanh, act.Sigmoid, act.Exp, act.Log:
		if d == kernels.Float32 && o.Order < 2 {
			return 0.3
		}
		return 1.5
	case act.GELU, act.SiLU:
		if d == kernels.Float32 && o.Order == 0 {
			return 0.3
		}
	case act.Sin, act.Cos, act.Softplus, act.Expm1, act.Log1p:
		if d == kernels.Float32 && o.Order < 2 {
			return 1
		}
	}
	return 15
}

func unaryBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(Unary)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, len(y))
	act.Apply(c.Path, o.F, o.Order, y[lo:hi], x[lo:hi])
}
