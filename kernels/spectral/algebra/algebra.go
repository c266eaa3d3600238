package algebra

import (
	"fmt"
	"math"
	"math/cmplx"
)

// Algebra is a product of tensors: one transform for each axis of their tubes.
type Algebra struct{ modes []Mode }

// New returns the algebra of the given transforms, in the order of the tube's axes.
func New(modes ...Mode) (*Algebra, error) {
	for i, m := range modes {
		if m.c < 1 {
			return nil, fmt.Errorf("algebra: transform %d has length %d", i, m.c)
		}
	}
	return &Algebra{modes: append([]Mode(nil), modes...)}, nil
}

// Tube are the extents of the tubes.
func (g *Algebra) Tube() []int {
	var tube []int
	for _, m := range g.modes {
		tube = append(tube, m.c)
	}
	return tube
}

// energy is ‖Â‖²/‖A‖² of a spectrum, NaN if it is not the same for all tensors.
func (g *Algebra) energy() float64 {
	e := 1.0
	for _, m := range g.modes {
		e *= m.energy
	}
	return e
}

// mirror is the slice of the spectrum that is the conjugate of slice t for real tensors; of real transforms it is t.
func (g *Algebra) mirror(t int) int {
	out, unit := 0, 1
	for i := len(g.modes) - 1; i >= 0; i-- {
		c := g.modes[i].c
		out += g.modes[i].mirror(t%c) * unit
		t, unit = t/c, unit*c
	}
	return out
}

// spectrum are the slices of a tensor in the domain of the transforms.
type spectrum []matrix

// check reports an error unless a has the algebra's tubes.
func (g *Algebra) check(what string, all ...Tensor) error {
	for _, a := range all {
		if err := a.valid(); err != nil {
			return err
		}
		tube := g.Tube()
		if len(a.Tube) != len(tube) {
			return fmt.Errorf("algebra: %s: tubes %v, the algebra has %v", what, a.Tube, g.modes)
		}
		for i, c := range tube {
			if a.Tube[i] != c {
				return fmt.Errorf("algebra: %s: tubes %v, the algebra has %v", what, a.Tube, g.modes)
			}
		}
	}
	return nil
}

// along multiplies axis i of tubes [slices, n] with its matrix, or the inverse.
func (g *Algebra) along(x []complex128, n, axis int, back bool) []complex128 {
	m := g.modes[axis]
	f := m.m
	if back {
		f = m.back
	}
	inner := n
	for _, k := range g.modes[axis+1:] {
		inner *= k.c
	}
	y := make([]complex128, len(x))
	for from := 0; from < len(x); from += m.c * inner {
		for k := range m.c {
			for q := range m.c {
				w := f[k*m.c+q]
				for i := range inner {
					y[from+k*inner+i] += w * x[from+q*inner+i]
				}
			}
		}
	}
	return y
}

// to is the spectrum of a tensor; mirrored slices are conjugates, and those that are their own mirrors real.
func (g *Algebra) to(a Tensor) spectrum {
	x := make([]complex128, len(a.Data))
	for i, v := range a.Data {
		x[i] = complex(v, 0)
	}
	n := a.Rows * a.Cols
	for axis := range g.modes {
		x = g.along(x, n, axis, false)
	}
	out := make(spectrum, count(a.Tube))
	for t := range out {
		out[t] = matrix{a.Rows, a.Cols, x[t*n : (t+1)*n]}
	}
	g.mirrored(out)
	return out
}

// mirrored makes the conjugate symmetry of a spectrum exact.
func (g *Algebra) mirrored(s spectrum) {
	for t, x := range s {
		switch m := g.mirror(t); {
		case m == t:
			for i, v := range x.a {
				x.a[i] = complex(real(v), 0)
			}
		case m < t:
			s[t] = matrix{x.rows, x.cols, make([]complex128, len(x.a))}
			for i, v := range s[m].a {
				s[t].a[i] = cmplx.Conj(v)
			}
		}
	}
}

// from is the tensor of a spectrum of rows × cols slices.
func (g *Algebra) from(s spectrum, rows, cols int) Tensor {
	g.mirrored(s)
	a := NewTensor(rows, cols, g.Tube()...)
	x := make([]complex128, 0, len(a.Data))
	for _, m := range s {
		x = append(x, m.a...)
	}
	for axis := range g.modes {
		x = g.along(x, rows*cols, axis, true)
	}
	for i, v := range x {
		a.Data[i] = real(v)
	}
	return a
}

// each computes the slices that are not mirrors of others.
func (g *Algebra) each(n int, do func(t int) error) error {
	for t := range n {
		if g.mirror(t) < t {
			continue
		}
		if err := do(t); err != nil {
			return fmt.Errorf("algebra: slice %d: %w", t, err)
		}
	}
	return nil
}

// blank is a spectrum of zeros of the algebra's tubes.
func (g *Algebra) blank(rows, cols int) spectrum {
	s := make(spectrum, count(g.Tube()))
	for t := range s {
		s[t] = newMatrix(rows, cols)
	}
	return s
}

// Product is the t-product a * b of tensors m×n and n×p.
func (g *Algebra) Product(a, b Tensor) (Tensor, error) {
	if err := g.check("product", a, b); err != nil {
		return Tensor{}, err
	}
	if a.Cols != b.Rows {
		return Tensor{}, fmt.Errorf("algebra: product of %v and %v: inner dimensions differ", a.shape(), b.shape())
	}
	x, y, out := g.to(a), g.to(b), g.blank(a.Rows, b.Cols)
	_ = g.each(len(out), func(t int) error { out[t] = mul(x[t], y[t]); return nil })
	return g.from(out, a.Rows, b.Cols), nil
}

// Transpose is the tensor whose slices are the (conjugate) transposed ones in the domain of the transforms.
func (g *Algebra) Transpose(a Tensor) (Tensor, error) {
	if err := g.check("transpose", a); err != nil {
		return Tensor{}, err
	}
	s := g.to(a)
	for t, x := range s {
		s[t] = x.adjoint()
	}
	return g.from(s, a.Cols, a.Rows), nil
}

// Identity is the n×n tensor of which every slice is the identity in the domain of the transforms.
func (g *Algebra) Identity(n int) Tensor {
	s := g.blank(n, n)
	for _, x := range s {
		for i := range n {
			x.a[i*n+i] = 1
		}
	}
	return g.from(s, n, n)
}

// Solve is the solution x of a * x = b, for a square a. A slice without a unique solution is ErrSingular.
func (g *Algebra) Solve(a, b Tensor) (Tensor, error) {
	if err := g.check("solve", a, b); err != nil {
		return Tensor{}, err
	}
	if a.Rows != a.Cols || a.Rows != b.Rows {
		return Tensor{}, fmt.Errorf("algebra: solve %v with right sides %v", a.shape(), b.shape())
	}
	x, y, out := g.to(a), g.to(b), g.blank(b.Rows, b.Cols)
	if err := g.each(len(out), func(t int) (err error) {
		out[t], err = solve(x[t], y[t])
		return err
	}); err != nil {
		return Tensor{}, err
	}
	return g.from(out, b.Rows, b.Cols), nil
}

// Inverse is the tensor whose product with a is the identity.
func (g *Algebra) Inverse(a Tensor) (Tensor, error) { return g.Solve(a, g.Identity(a.Rows)) }

// Power is a * … * a, n ≥ 0 times; a is square.
func (g *Algebra) Power(a Tensor, n int) (Tensor, error) {
	if err := g.check("power", a); err != nil {
		return Tensor{}, err
	}
	if a.Rows != a.Cols || n < 0 {
		return Tensor{}, fmt.Errorf("algebra: power %d of %v", n, a.shape())
	}
	x, out := g.to(a), g.to(g.Identity(a.Rows))
	_ = g.each(len(out), func(t int) error {
		for base, k := x[t], n; k > 0; k >>= 1 {
			if k&1 == 1 {
				out[t] = mul(out[t], base)
			}
			base = mul(base, base)
		}
		return nil
	})
	return g.from(out, a.Rows, a.Rows), nil
}

// Exp is Σ aⁿ/n! for a square a: slice by slice, by scaling and squaring.
func (g *Algebra) Exp(a Tensor) (Tensor, error) {
	if err := g.check("exponential", a); err != nil {
		return Tensor{}, err
	}
	if a.Rows != a.Cols {
		return Tensor{}, fmt.Errorf("algebra: exponential of %v", a.shape())
	}
	x, out := g.to(a), g.blank(a.Rows, a.Rows)
	if err := g.each(len(out), func(t int) (err error) {
		out[t], err = exponential(x[t])
		return err
	}); err != nil {
		return Tensor{}, err
	}
	return g.from(out, a.Rows, a.Rows), nil
}

// exponential halves x until it is below 1/2, sums the series, and squares.
func exponential(x matrix) (matrix, error) {
	top := 0.0
	for i := range x.rows {
		sum := 0.0
		for j := range x.cols {
			sum += cmplx.Abs(x.at(i, j))
		}
		top = max(top, sum)
	}
	if math.IsNaN(top) || top > 700 {
		return matrix{}, fmt.Errorf("the exponential of a matrix of norm %.3g is beyond the range of numbers", top)
	}
	halves := 0
	for ; top > 0.5; top /= 2 {
		halves++
	}
	x = x.clone()
	for i := range x.a {
		x.a[i] = complex(math.Ldexp(real(x.a[i]), -halves), math.Ldexp(imag(x.a[i]), -halves))
	}
	term, sum := newMatrix(x.rows, x.rows), newMatrix(x.rows, x.rows)
	for i := range x.rows {
		term.a[i*x.rows+i], sum.a[i*x.rows+i] = 1, 1
	}
	const terms = 20 // 2⁻²⁰/20! is far below rounding
	for n := 1; n <= terms; n++ {
		term = mul(term, x)
		for i := range term.a {
			term.a[i] /= complex(float64(n), 0)
			sum.a[i] += term.a[i]
		}
	}
	for range halves {
		sum = mul(sum, sum)
	}
	return sum, nil
}
