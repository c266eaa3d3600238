package diagram

import (
	"ganglion/kernels"
)

// Map is the map z = Σ_π λ_π·s_π·D_π v of the package comment, without its constants μ.
// Inputs: v float [batch, Cin, n…] with K axes of length n, λ float [diagrams, Cout, Cin].
// Output: [batch, Cout, n…] with L axes.
//
// Gradient: of v the map of the flipped diagrams with turned weights (Turn), of λ the inner products (Inner).
type Map struct {
	Family
	Scale Scaling
}

var (
	_ kernels.Differentiable = Map{}
	_ kernels.CPUOp          = Map{}
	_ kernels.Scratcher      = Map{}
	_ kernels.Preparer       = Map{}
	_ kernels.Counter        = Map{}
)

// Infer checks orders, axes and weights.
func (o Map) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, o.K+2, 3); err != nil {
		return kernels.Spec{}, err
	}
	count, err := o.check(o, in)
	if err != nil {
		return kernels.Spec{}, err
	}
	batch, channels, err := o.wantSignal(o, in, 0, o.K)
	if err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 1); err != nil {
		return kernels.Spec{}, err
	}
	if w := in[1].Shape; w[0] != count || w[2] != channels {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "weights must be [%d, channels of the output, "+
			"%d], are %v", count, channels, w)
	}
	return o.signal(in[0].DType, batch, in[1].Shape[1], o.L), nil
}

// Ref multiplies by the matrix of every diagram.
func (o Map) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	rows, columns := power(o.N, o.L), power(o.N, o.K)
	batch, from, to := in[0].Shape[0], in[0].Shape[1], out.Shape[1]
	o.each(o.Scale, func(d int, m []float64) {
		for b := range batch {
			for co := range to {
				z := out.F64[(b*to+co)*rows:][:rows]
				for ci := range from {
					v := in[0].F64[(b*from+ci)*columns:][:columns]
					w := in[1].F64[(d*to+co)*from+ci]
					for i := range z {
						for j, x := range v {
							z[i] += w * m[i*columns+j] * x
						}
					}
				}
			}
		}
	})
}

// each calls visit with the scaled matrix of every diagram.
func (f Family) each(s Scaling, visit func(d int, m []float64)) {
	for i, d := range f.diagrams() {
		m, err := d.Matrix(f.N)
		if err != nil {
			panic("diagram: Family.each: " + err.Error())
		}
		scale := f.scale(d, s)
		for j := range m {
			m[j] *= scale
		}
		visit(i, m)
	}
}

// Grad is the transposed map and the inner products.
func (o Map) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	back := Map{o.flip(), o.Scale.transposed()}
	return []*kernels.Node{b.Apply(back, dout, b.Apply(Turn{o.Family}, in[1])),
		b.Apply(Inner(o), in[0], dout)}
}

// Inner is the gradient of Map to its weights, ⟨dz[·, co], s_π·D_π v[·, ci]⟩ summed over the batch.
// Inputs: v float [batch, Cin, n…] with K axes, dz float [batch, Cout, n…] with L axes.
// Output: [diagrams, Cout, Cin].
//
// Gradient: it is linear in both inputs, and so Map of one with the gradient as weights.
type Inner struct {
	Family
	Scale Scaling
}

var (
	_ kernels.Differentiable = Inner{}
	_ kernels.CPUOp          = Inner{}
	_ kernels.Scratcher      = Inner{}
	_ kernels.Preparer       = Inner{}
	_ kernels.Counter        = Inner{}
)

// Infer checks orders and axes.
func (o Inner) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, o.K+2, o.L+2); err != nil {
		return kernels.Spec{}, err
	}
	count, err := o.check(o, in)
	if err != nil {
		return kernels.Spec{}, err
	}
	batch, from, err := o.wantSignal(o, in, 0, o.K)
	if err != nil {
		return kernels.Spec{}, err
	}
	other, to, err := o.wantSignal(o, in, 1, o.L)
	if err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 1); err != nil {
		return kernels.Spec{}, err
	}
	if batch != other {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "batches of %d and %d samples", batch, other)
	}
	return kernels.S(in[0].DType, count, to, from), nil
}

// Ref multiplies by the matrix of every diagram.
func (o Inner) Ref(out kernels.Tensor, in []kernels.Tensor) {
	clear(out.F64)
	rows, columns := power(o.N, o.L), power(o.N, o.K)
	batch, from, to := in[0].Shape[0], in[0].Shape[1], in[1].Shape[1]
	o.each(o.Scale, func(d int, m []float64) {
		for co := range to {
			for ci := range from {
				sum := 0.0
				for b := range batch {
					v := in[0].F64[(b*from+ci)*columns:][:columns]
					for i, dz := range in[1].F64[(b*to+co)*rows:][:rows] {
						for j, x := range v {
							sum += dz * m[i*columns+j] * x
						}
					}
				}
				out.F64[(d*to+co)*from+ci] = sum
			}
		}
	})
}

// Grad is two maps.
func (o Inner) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	back := Map{o.flip(), o.Scale.transposed()}
	return []*kernels.Node{b.Apply(back, in[1], b.Apply(Turn{o.Family}, dout)), b.Apply(Map(o), in[0], dout)}
}
