package dense

import (
	"ganglion/internal/asm/gemm"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// Linear is C = f(op(A)·op(B) + bias + R), where op transposes if TransA or TransB says so, bias is added to every row
// and R is a matrix that is added; without Bias or Residual the term is missing. Over R in place it is R += A·B. The
// planner makes it from a product and the elementwise ops behind it, which are then done while C is in the cache.
// Inputs: a float [m, k] ([k, m] if TransA), b float [k, n] ([n, k] if TransB), bias float [n] if Bias, r float [m, n]
// if Residual.  Output: [m, n].
//
// With k = 0 the product is zero. Zeros are not skipped: 0·NaN and 0·Inf are NaN.
type Linear struct {
	TransA, TransB bool
	Bias, Residual bool
	F              act.Func // the identity by default
}

var (
	_ kernels.Differentiable = Linear{}
	_ kernels.CPUOp          = Linear{}
	_ kernels.Scratcher      = Linear{}
	_ kernels.InPlacer       = Linear{}
	_ kernels.Preparer       = Linear{}
	_ kernels.Fused          = Linear{}
)

// product is the op without what comes behind the product.
func (o Linear) product() GEMM { return GEMM{TransA: o.TransA, TransB: o.TransB} }

// inputs is the number of inputs.
func (o Linear) inputs() int { return 2 + int(one(o.Bias)) + int(one(o.Residual)) }

// bias and residual are the positions of these inputs, or -1.
func (o Linear) bias() int {
	if o.Bias {
		return 2
	}
	return -1
}

func (o Linear) residual() int {
	if o.Residual {
		return o.inputs() - 1
	}
	return -1
}

// Infer checks that the inner dimensions agree and that bias and residual fit the product.
func (o Linear) Infer(in []kernels.Spec) (kernels.Spec, error) {
	none := kernels.Spec{}
	if err := wantFloats(o, in, o.inputs()); err != nil {
		return none, err
	}
	if !act.Valid(o.F, 0) {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "there is no function %s", act.Name(o.F))
	}
	if err := kernels.WantInputs(o, in, []int{2, 2, -1, -1}[:len(in)]...); err != nil {
		return none, err
	}
	m, k := oriented(in[0].Shape, o.TransA)
	k2, n := oriented(in[1].Shape, o.TransB)
	if k != k2 {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "inner dimensions differ: %d and %d", k, k2)
	}
	out := kernels.S(in[0].DType, m, n)
	if i := o.bias(); i >= 0 && !in[i].Equal(kernels.S(out.DType, n)) {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "the bias must be %v(%d), is %v", out.DType, n, in[i])
	}
	if i := o.residual(); i >= 0 && !in[i].Equal(out) {
		return none, kernels.Errorf(o, in, kernels.ErrShape, "the residual must be %v, is %v", out, in[i])
	}
	return out, nil
}

// Ref is the triple loop, and then a loop over the elements.
func (o Linear) Ref(out kernels.Tensor, in []kernels.Tensor) {
	o.product().Ref(out, in[:2])
	n := max(out.Shape[1], 1)
	for i, v := range out.F64 {
		if o.Bias {
			v += in[o.bias()].F64[i%n]
		}
		if o.Residual {
			v += in[o.residual()].F64[i]
		}
		out.F64[i] = act.Eval(o.F, 0, v)
	}
}

// Decompose is the product, two sums and the function.
func (o Linear) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	y := b.Apply(o.product(), in[0], in[1])
	if o.Bias {
		y = b.Apply(Binary{Kind: Add}, y, in[o.bias()])
	}
	if o.Residual {
		y = b.Apply(Binary{Kind: Add}, y, in[o.residual()])
	}
	if o.F != act.Identity {
		y = b.Apply(Unary{F: o.F}, y)
	}
	return y
}

// Grad is that of the decomposition; the argument of the function is computed again.
func (o Linear) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	d := dout
	if o.F != act.Identity {
		before := o
		before.F = act.Identity
		slope := b.Apply(Unary{F: o.F, Order: 1}, b.Apply(before, in...))
		d = b.Apply(Binary{Kind: Mul}, dout, slope)
	}
	grads := o.product().Grad(b, in[:2], nil, d)
	if o.Bias {
		grads = append(grads, b.Apply(SumTo{}, d, in[o.bias()]))
	}
	if o.Residual {
		grads = append(grads, d)
	}
	return grads
}

// Flops is 2mnk.
func (o Linear) Flops(in []kernels.Spec, out kernels.Spec) float64 { return o.product().Flops(in, out) }

// InPlace is true for the residual: each part of C is first set to it.
func (o Linear) InPlace(i int) bool { return i >= 0 && i == o.residual() }

// linearState is what a product keeps from run to run: room, and the function for each type.
type linearState struct {
	plan gemm.Plan
	f32  func(x []float32)
	f64  func(x []float64)
}

// Prepare makes room for the product.
func (o Linear) Prepare(c *kernels.Call) {
	s := new(linearState)
	if o.F != act.Identity {
		f, path := o.F, c.Path
		s.f32 = func(x []float32) { act.Apply(path, f, 0, x, x) }
		s.f64 = func(x []float64) { act.Apply(path, f, 0, x, x) }
	}
	c.State = s
}

// CPU multiplies.
func (o Linear) CPU(c *kernels.Call) {
	s := c.State.(*linearState)
	if c.Out.DType == kernels.Float32 {
		linear(c, o, s, s.f32, operands[float32](c))
	} else {
		linear(c, o, s, s.f64, operands[float64](c))
	}
}

// factors are the operands of a product, the shape of the first, and the scratch memory that is left for it.
type factors[T kernels.Float] struct {
	a, b  []T
	shape []int
	work  []byte
}

// operands are the inputs as they are.
func operands[T kernels.Float](c *kernels.Call) factors[T] {
	return factors[T]{kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), c.In[0].Shape, c.Work}
}

func linear[T kernels.Float](c *kernels.Call, o Linear, s *linearState, f func(x []T), x factors[T]) {
	m, k := oriented(x.shape, o.TransA)
	n := c.Out.Shape[1]
	a := gemm.Args[T]{TransA: o.TransA, TransB: o.TransB, M: m, N: n, K: k, A: x.a, LDA: k, B: x.b, LDB: n,
		C: kernels.Of[T](c.Out), LDC: n, Work: x.work}
	if o.TransA {
		a.LDA = m
	}
	if o.TransB {
		a.LDB = k
	}
	if i := o.bias(); i >= 0 {
		a.Epilogue.Bias = kernels.Of[T](c.In[i])
	}
	if i := o.residual(); i >= 0 {
		a.Init, a.LDI = kernels.Of[T](c.In[i]), n
	}
	a.Epilogue.F = f
	share(&s.plan, c.Path, c.Pool, a)
}

// Workspace holds what is packed.
func (o Linear) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return o.product().Workspace(in, out, workers)
}
