package dense

import (
	"math"

	"ganglion/kernels"
	"ganglion/kernels/act"
)

// Binary is z = x ∘ y, elementwise, with the shapes broadcast as in numpy: aligned at the last axis, where a missing
// dimension or one of size 1 is repeated. Comparisons give 0 or 1 in the type of the operands.
// Inputs: x float [any], y float [any], of one type.  Output: the broadcast shape.
//
// Gradient: the usual rules, summed over the repeated dimensions. Where x = y, Max and Min pass the gradient to x
// alone. The gradient of a comparison is zero. Pow: dx = y·xʸ⁻¹ with 0 for y = 0, dy = xʸ·ln x with 0 for x = 0 (y ≥
// 0).
type Binary struct{ Kind Kind }

var (
	_ kernels.Differentiable = Binary{}
	_ kernels.CPUOp          = Binary{}
	_ kernels.InPlacer       = Binary{}
	_ kernels.CUDAOp         = Binary{}
)

// Infer returns the broadcast shape.
func (o Binary) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantFloats(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	if o.Kind > Ne {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "%v is not a binary operation", o.Kind)
	}
	if err := wantRank(o, in); err != nil {
		return kernels.Spec{}, err
	}
	shape, ok := broadcast(in[0].Shape, in[1].Shape)
	if !ok {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"shapes do not broadcast: %v and %v", in[0].Shape, in[1].Shape)
	}
	return kernels.S(in[0].DType, shape...), nil
}

// Ref evaluates element by element.
func (o Binary) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i := range out.F64 {
		x := in[0].F64[source(i, out.Shape, in[0].Shape)]
		y := in[1].F64[source(i, out.Shape, in[1].Shape)]
		out.F64[i] = binary(o.Kind, x, y)
	}
}

// binary is x ∘ y.
func binary[T kernels.Float](k Kind, x, y T) T {
	switch k {
	case Add:
		return x + y
	case Sub:
		return x - y
	case Mul:
		return x * y
	case Div:
		return x / y
	case Pow:
		return T(math.Pow(float64(x), float64(y)))
	case Max:
		return max(x, y)
	case Min:
		return min(x, y)
	}
	return compare(k, x, y)
}

// compare is 1 where the comparison holds, else 0.
func compare[T kernels.Float](k Kind, x, y T) T {
	holds := false
	switch k {
	case Lt:
		holds = x < y
	case Gt:
		holds = x > y
	case Lte:
		holds = x <= y
	case Gte:
		holds = x >= y
	case Eq:
		holds = x == y
	case Ne:
		holds = x != y
	}
	if holds {
		return 1
	}
	return 0
}

// Grad builds the two rules.
func (o Binary) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	x, y := in[0], in[1]
	if o.Kind.comparison() {
		return []*kernels.Node{zeros(b, x), zeros(b, y)}
	}
	mul := func(u, v *kernels.Node) *kernels.Node { return b.Apply(Binary{Kind: Mul}, u, v) }
	neg := func(u *kernels.Node) *kernels.Node { return b.Apply(Scale{Alpha: -1}, u) }
	var dx, dy *kernels.Node
	switch o.Kind {
	case Add:
		dx, dy = sumTo(b, dout, x), sumTo(b, dout, y)
	case Sub:
		dx, dy = sumTo(b, dout, x), neg(sumTo(b, dout, y))
	case Mul:
		dx, dy = sumTo(b, mul(dout, y), x), sumTo(b, mul(dout, x), y)
	case Div:
		dx = b.Apply(Binary{Kind: Div}, dout, y)
		dy = neg(sumTo(b, mul(dx, out), y))
		dx = sumTo(b, dx, x)
	case Pow:
		dx, dy = powGrad(b, x, y, out, dout)
	case Max:
		dx = sumTo(b, mul(dout, b.Apply(Binary{Kind: Gte}, x, y)), x)
		dy = sumTo(b, mul(dout, b.Apply(Binary{Kind: Lt}, x, y)), y)
	case Min:
		dx = sumTo(b, mul(dout, b.Apply(Binary{Kind: Lte}, x, y)), x)
		dy = sumTo(b, mul(dout, b.Apply(Binary{Kind: Gt}, x, y)), y)
	}
	return []*kernels.Node{dx, dy}
}

// powGrad is the rule of z = xʸ. The exponent y − 1 is replaced by y where y is 0, and ln x by 0 where x is 0, so that
// the factor 0 beside them does not become NaN.
func powGrad(b kernels.Builder, x, y, z, dz *kernels.Node) (dx, dy *kernels.Node) {
	do := func(k Kind, u, v *kernels.Node) *kernels.Node { return b.Apply(Binary{Kind: k}, u, v) }
	less := do(Sub, y, do(Ne, y, zeros(b, y)))
	dx = do(Mul, dz, do(Mul, y, do(Pow, x, less)))
	ln := b.Apply(Unary{F: act.Log}, do(Add, x, do(Eq, x, zeros(b, x))))
	dy = do(Mul, dz, do(Mul, z, ln))
	return sumTo(b, dx, x), sumTo(b, dy, y)
}

// sumTo sums d, which has the broadcast shape, to the shape of like. Nothing is to be done where the shapes are equal
// and remain so at any batch size: a dimension that is 1 now may be a batch of one.
func sumTo(b kernels.Builder, d, like *kernels.Node) *kernels.Node {
	from, to := d.Shape(), like.Shape()
	same := len(from) == len(to)
	for i := 0; same && i < len(to); i++ {
		same = from[i] == to[i] && to[i] != 1
	}
	if same {
		return d
	}
	return b.Apply(SumTo{}, d, like)
}

// InPlace is true for both operands.
func (o Binary) InPlace(i int) bool { return i < 2 }

// CPU walks over chunks of the output.
func (o Binary) CPU(c *kernels.Call) {
	ns := 0.5
	if o.Kind == Pow {
		ns = 40
	}
	run(c, cut(c, c.Out.Size(), ns), binaryBody[float32], binaryBody[float64])
}

func binaryBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	k := c.Op.(Binary).Kind
	x, y, z := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	w := newWalk(c.Out.Shape, c.In[0].Shape, c.In[1].Shape)
	lo, hi := c.Chunk(chunk, len(z))
	p := w.seek(lo)
	sx, sy := w.inner()
	for lo < hi {
		n := min(w.left(&p), hi-lo)
		binaryRun(c.Path, k, z[lo:lo+n], x[p.a:p.a+sx*(n-1)+1], y[p.b:p.b+sy*(n-1)+1])
		w.advance(&p, n)
		lo += n
	}
}

// CUDA computes an element in a thread.
func (o Binary) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	w := newWalk(out.Shape, in[0].Shape, in[1].Shape)
	return elementwise(t, "dense/binary", "binary", out, []kernels.Arg{kernels.IntArg(int(o.Kind)), w.arg()}, 2), nil
}
