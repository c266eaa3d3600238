package conv

import (
	"math"

	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Rows says which elements are normalised together: those of the last Dims dimensions, or, with Groups above 0, those
// of one of Groups equal groups of channels (dimension 1) of one sample.
type Rows struct {
	Dims   int
	Groups int
}

// check refuses rows that x does not have.
func (r Rows) check(op kernels.Op, in []kernels.Spec, x kernels.Spec) error {
	if r.Groups < 0 || r.Groups > 0 && r.Dims != 0 {
		return kernels.Errorf(op, in, kernels.ErrShape,
			"Groups is %d with Dims %d; one of them must be positive and the other 0",
			r.Groups, r.Dims)
	}
	if r.Groups > 0 {
		if x.Rank() < 2 || x.Shape[1]%r.Groups != 0 {
			return kernels.Errorf(op, in, kernels.ErrShape, "dimension 1 of %v is not divided by %d groups", x.Shape,
				r.Groups)
		}
		return nil
	}
	if r.Dims < 1 || r.Dims > x.Rank() {
		return kernels.Errorf(op, in, kernels.ErrShape, "Dims is %d, wants 1 to %d", r.Dims, x.Rank())
	}
	return nil
}

// of returns the number of rows and the elements of each.
func (r Rows) of(shape []int) (rows, n int) {
	if r.Groups > 0 {
		return shape[0] * r.Groups, shape[1] / r.Groups * volume(shape[2:])
	}
	k := len(shape) - r.Dims
	return volume(shape[:k]), volume(shape[k:])
}

// RowMean is the mean of each row at every element of it. It is its own transpose: the gradient is RowMean(dy).
// Input: x float [any].  Output: x's shape.
type RowMean struct{ Rows Rows }

// Standardise is x̂ = (x − mean)/√(variance + Eps) with the mean and the (biased) variance of x's row.
// Input: x float [any].  Output: x's shape.
//
// Gradient: StandardiseGrad.
type Standardise struct {
	Rows Rows
	Eps  float64
}

// StandardiseGrad is the gradient of Standardise: dx = (u − mean(u) − x̂·mean(u·x̂))/√(variance + Eps), with means over
// rows. It is symmetric as a map of u.
// Inputs: x, u float [any].  Output: x's shape.
//
// Gradient: composed of RowMean, Standardise and this op, so derivatives of any order work; the second is not fused.
type StandardiseGrad struct {
	Rows Rows
	Eps  float64
}

var (
	_ kernels.Differentiable = RowMean{}
	_ kernels.Differentiable = Standardise{}
	_ kernels.Differentiable = StandardiseGrad{}
	_ kernels.CPUOp          = RowMean{}
	_ kernels.CPUOp          = Standardise{}
	_ kernels.CPUOp          = StandardiseGrad{}
	_ kernels.InPlacer       = RowMean{}
	_ kernels.InPlacer       = Standardise{}
)

func rowsSpec(op kernels.Op, in []kernels.Spec, n int, r Rows, eps float64) (kernels.Spec, error) {
	if err := wantFloats(op, in, n); err != nil {
		return kernels.Spec{}, err
	}
	if err := r.check(op, in, in[0]); err != nil {
		return kernels.Spec{}, err
	}
	if !(eps >= 0) {
		return kernels.Spec{}, kernels.Errorf(op, in, kernels.ErrShape, "Eps is %v, wants 0 or more", eps)
	}
	return in[0], nil
}

// Infer returns x's spec.
func (o RowMean) Infer(in []kernels.Spec) (kernels.Spec, error) { return rowsSpec(o, in, 1, o.Rows, 0) }

// Infer returns x's spec.
func (o Standardise) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return rowsSpec(o, in, 1, o.Rows, o.Eps)
}

// Infer checks that x and u are alike.
func (o StandardiseGrad) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if len(in) == 2 && !in[0].Equal(in[1]) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "x and u differ")
	}
	return rowsSpec(o, in, 2, o.Rows, o.Eps)
}

func meanRef(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// standardRef writes the standardised row and returns 1/√(variance + eps).
func standardRef(y, x []float64, eps float64) float64 {
	mean, square := meanRef(x), 0.0
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	inv := 1 / math.Sqrt(square/float64(len(x))+eps)
	for i, v := range x {
		y[i] = (v - mean) * inv
	}
	return inv
}

// Ref goes row by row.
func (o RowMean) Ref(out kernels.Tensor, in []kernels.Tensor) {
	rows, n := o.Rows.of(out.Shape)
	for r := range rows {
		m := meanRef(in[0].F64[r*n:][:n])
		for i := range n {
			out.F64[r*n+i] = m
		}
	}
}

// Ref goes row by row.
func (o Standardise) Ref(out kernels.Tensor, in []kernels.Tensor) {
	rows, n := o.Rows.of(out.Shape)
	for r := range rows {
		standardRef(out.F64[r*n:][:n], in[0].F64[r*n:][:n], o.Eps)
	}
}

// Ref goes row by row.
func (o StandardiseGrad) Ref(out kernels.Tensor, in []kernels.Tensor) {
	rows, n := o.Rows.of(out.Shape)
	for r := range rows {
		u, y := in[1].F64[r*n:][:n], out.F64[r*n:][:n]
		inv := standardRef(y, in[0].F64[r*n:][:n], o.Eps)
		both := 0.0
		for i, v := range u {
			both += v * y[i] / float64(n)
		}
		mean := meanRef(u)
		for i, v := range u {
			y[i] = (v - mean - y[i]*both) * inv
		}
	}
}

// Grad is the same op.
func (o RowMean) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(o, dout)}
}

// Grad is StandardiseGrad.
func (o Standardise) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(StandardiseGrad(o), in[0], dout)}
}

// Grad differentiates g·J·u with J = (I − 11ᵀ/n − x̂x̂ᵀ/n)/s, s = √(variance + Eps): by u it is J·g, by x
//
//	−x̂·(mean(g·u) − mean(g)·mean(u) − a·b)/s² − (b·J·u + a·J·g)/s,  a = mean(u·x̂), b = mean(g·x̂).
func (o StandardiseGrad) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	x, u, g := in[0], in[1], dout
	mul := func(x, y *kernels.Node) *kernels.Node { return binary(b, dense.Mul, x, y) }
	sub := func(x, y *kernels.Node) *kernels.Node { return binary(b, dense.Sub, x, y) }
	mean := func(x *kernels.Node) *kernels.Node { return b.Apply(RowMean{o.Rows}, x) }
	du, hat := b.Apply(o, x, g), b.Apply(Standardise(o), x)
	centred := sub(x, mean(x))
	inv := b.Apply(dense.Unary{F: act.InvSqrt}, b.Apply(dense.Scale{Alpha: 1, Beta: o.Eps}, mean(mul(centred,
		centred))))
	p, q := mean(mul(u, hat)), mean(mul(g, hat))
	c := sub(sub(mean(mul(g, u)), mul(mean(g), mean(u))), mul(p, q))
	rest := binary(b, dense.Add, mul(mul(hat, c), inv), binary(b, dense.Add, mul(q, out), mul(p, du)))
	return []*kernels.Node{b.Apply(dense.Scale{Alpha: -1}, mul(rest, inv)), du}
}

// InPlace is true for x.
func (o RowMean) InPlace(i int) bool { return i == 0 }

// InPlace is true for x.
func (o Standardise) InPlace(i int) bool { return i == 0 }

// CPU goes through the rows.
func (o RowMean) CPU(c *kernels.Call) {
	rowsCall(c, o.Rows, 0.4, rowMeanBody[float32], rowMeanBody[float64])
}

// CPU goes through the rows.
func (o Standardise) CPU(c *kernels.Call) {
	rowsCall(c, o.Rows, 1.2, standardBody[float32], standardBody[float64])
}

// CPU goes through the rows.
func (o StandardiseGrad) CPU(c *kernels.Call) {
	rowsCall(c, o.Rows, 2, standardGradBody[float32], standardGradBody[float64])
}

func rowsCall(c *kernels.Call, r Rows, ns float64, f32, f64 func(c *kernels.Call, chunk, worker int)) {
	rows, n := r.of(c.Out.Shape)
	c.ForFloat(c.Rows(rows, 20+ns*float64(n)), f32, f64)
}

func rowMeanBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	rows, n := c.Op.(RowMean).Rows.of(c.Out.Shape)
	x, y, v := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out), vec.For[T](c.Path)
	lo, hi := c.Chunk(chunk, rows)
	for r := lo; r < hi; r++ {
		m := T(total(v, x[r*n:][:n]) / float64(n))
		to := y[r*n:][:n]
		for i := range to {
			to[i] = m
		}
	}
}

// spreadOf returns the mean of a row, in float64 and in its type, and 1/√(variance + eps).
func spreadOf[T kernels.Float](v *vec.Table[T], x []T, eps float64) (mean T, inv float64) {
	n := float64(len(x))
	m := total(v, x) / n
	return T(m), 1 / math.Sqrt(squares(x, T(m), m)/n+eps)
}

func standardBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(Standardise)
	rows, n := o.Rows.of(c.Out.Shape)
	x, y, v := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out), vec.For[T](c.Path)
	lo, hi := c.Chunk(chunk, rows)
	for r := lo; r < hi; r++ {
		from, to := x[r*n:][:n], y[r*n:][:n]
		mean, inv := spreadOf(v, from, o.Eps)
		s := T(inv)
		for i, e := range from {
			to[i] = (e - mean) * s
		}
	}
}

func standardGradBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(StandardiseGrad)
	rows, n := o.Rows.of(c.Out.Shape)
	x, u, y, v := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out), vec.For[T](c.Path)
	lo, hi := c.Chunk(chunk, rows)
	for r := lo; r < hi; r++ {
		from, grad, to := x[r*n:][:n], u[r*n:][:n], y[r*n:][:n]
		mean, inv := spreadOf(v, from, o.Eps)
		var sum, both [2]float64
		for i, e := range grad {
			sum[i&1] += float64(e)
			both[i&1] += float64(e) * float64(from[i]-mean)
		}
		// dx = inv·u − inv·mean(u) − (x − mean)·inv³·mean(u·(x − mean))
		scale, slope := T(inv), T(inv*inv*inv*(both[0]+both[1])/float64(n))
		shift := T((sum[0] + sum[1]) / float64(n))
		for i, e := range grad {
			to[i] = (e-shift)*scale - (from[i]-mean)*slope
		}
	}
}
