package algebra

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"ganglion/internal/philox"
)

// draw is a tensor of numbers in [-1, 1).
func draw(seed uint64, rows, cols int, tube ...int) Tensor {
	a := NewTensor(rows, cols, tube...)
	s := philox.New(seed, uint32(rows), uint32(cols))
	for i := range a.Data {
		a.Data[i] = float64(s.Uint32())/(1<<31) - 1
	}
	return a
}

// must gives up on an error.
func must[T any](t *testing.T) func(x T, err error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// same compares two tensors, relative to the larger norm.
func same(t *testing.T, what string, got, want Tensor) {
	t.Helper()
	d, err := got.Sub(want)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if e := d.Frobenius(); !(e <= 1e-11*(1+want.Frobenius())) {
		t.Errorf("%s: difference %.3g of %.3g", what, e, want.Frobenius())
	}
}

// algebras are the transforms of tests, for the lengths of the specification.
func algebras(t *testing.T) map[string]*Algebra {
	out := map[string]*Algebra{}
	add := func(modes ...Mode) {
		out[fmt.Sprint(modes)] = must[*Algebra](t)(New(modes...))
	}
	for _, c := range []int{1, 2, 3, 4, 5, 8, 9, 28} {
		add(DFT(c))
		add(DCT(c))
		add(Identity(c))
		add(Orthogonal(c, 3))
		if c&(c-1) == 0 {
			add(must[Mode](t)(Haar(c)))
		}
	}
	add(DFT(3), DFT(4))
	add(DFT(4), DCT(3))
	add(DCT(2), must[Mode](t)(Haar(4)), DFT(5))
	add()
	return out
}

func TestIdentities(t *testing.T) {
	for name, g := range algebras(t) {
		product, transpose := must[Tensor](t), must[Tensor](t)
		tube := g.Tube()
		a, b, b2, c := draw(1, 3, 4, tube...), draw(2, 4, 2, tube...), draw(3, 4, 2, tube...), draw(4, 2, 5, tube...)
		ab := product(g.Product(a, b))
		same(t, name+" associativity", product(g.Product(ab, c)), product(g.Product(a, product(g.Product(b, c)))))
		less := must[Tensor](t)(b.Sub(b2))
		same(t, name+" distributivity", product(g.Product(a, less)),
			must[Tensor](t)(ab.Sub(product(g.Product(a, b2)))))
		at, bt := transpose(g.Transpose(a)), transpose(g.Transpose(b))
		same(t, name+" transpose", transpose(g.Transpose(ab)), product(g.Product(bt, at)))
		same(t, name+" identity", product(g.Product(a, g.Identity(4))), a)
		sum := 0.0
		for _, x := range g.to(a) {
			for i := range x.cols {
				sum += x.norm(i) * x.norm(i)
			}
		}
		if want := a.Frobenius() * a.Frobenius() * g.energy(); math.Abs(sum-want) > 1e-11*want {
			t.Errorf("%s: the square of the norm is %v in the domain of the transforms, want %v", name, sum, want)
		}
	}
}

func TestFactorisations(t *testing.T) {
	for name, g := range algebras(t) {
		m := must[Tensor](t)
		tube := g.Tube()
		low := m(g.Product(draw(5, 5, 2, tube...), draw(6, 2, 4, tube...))) // of tubal rank 2
		for _, a := range []Tensor{draw(7, 4, 3, tube...), draw(8, 3, 5, tube...), low, NewTensor(3, 2, tube...)} {
			u, s, v, err := g.SVD(a)
			if err != nil {
				t.Fatal(err)
			}
			k := min(a.Rows, a.Cols)
			same(t, name+" u*s*vᵀ", m(g.Product(m(g.Product(u, s)), m(g.Transpose(v)))), a)
			same(t, name+" uᵀ*u", m(g.Product(m(g.Transpose(u)), u)), g.Identity(k))
			same(t, name+" vᵀ*v", m(g.Product(m(g.Transpose(v)), v)), g.Identity(k))
			q, r, err := g.QR(a)
			if err != nil {
				t.Fatal(err)
			}
			same(t, name+" q*r", m(g.Product(q, r)), a)
			same(t, name+" qᵀ*q", m(g.Product(m(g.Transpose(q)), q)), g.Identity(k))
			p := m(g.Pinv(a))
			pa := m(g.Product(p, a))
			same(t, name+" a*p*a", m(g.Product(a, pa)), a)
			same(t, name+" p*a*p", m(g.Product(pa, p)), p)
			same(t, name+" (p*a)ᵀ", m(g.Transpose(pa)), pa)
			truncations(t, name, g, a)
		}
	}
}

// truncations checks the error of truncation against the singular values left out, and that maps repeat.
func truncations(t *testing.T, name string, g *Algebra, a Tensor) {
	t.Helper()
	m := must[Tensor](t)
	sigma, err := g.Values(a)
	if err != nil {
		t.Fatal(err)
	}
	left := 0.0
	for _, s := range sigma {
		for _, v := range s[1:] {
			left += v * v / g.energy()
		}
	}
	one := m(g.Truncate(a, 1))
	e := m(one.Sub(a)).Frobenius()
	if math.Abs(e*e-left) > 1e-11*(1+left) {
		t.Errorf(
			"%s: the square of the error of truncation is %v, the singular values left out say %v",
			name,
			e*e,
			left,
		)
	}
	same(t, name+" truncation repeats", m(g.Truncate(one, 1)), one)
	same(t, name+" shrinking by 0", m(g.Shrink(a, 0)), a)
	measures, err := g.Measure(one)
	if err != nil {
		t.Fatal(err)
	}
	if measures.TubalRank > 1 || measures.AverageRank > 1 {
		t.Errorf("%s: after truncation to 1 the ranks are %+v", name, measures)
	}
	half, ranks, err := g.TruncateEnergy(a, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	if half.Frobenius() > a.Frobenius()*(1+1e-12) || half.Frobenius() < math.Sqrt(0.5)*a.Frobenius()*(1-1e-12) {
		t.Errorf("%s: ranks %v hold %v of %v", name, ranks, half.Frobenius(), a.Frobenius())
	}
}

func TestSolve(t *testing.T) {
	for name, g := range algebras(t) {
		m := must[Tensor](t)
		tube := g.Tube()
		b := draw(9, 4, 2, tube...)
		r := draw(10, 4, 4, tube...)
		a := m(g.Product(r, m(g.Transpose(r))))
		one := g.Identity(4)
		for i, v := range one.Data {
			a.Data[i] += v // positive definite
		}
		same(t, name+" a*x", m(g.Product(a, m(g.Solve(a, b)))), b)
		same(t, name+" a*a⁻¹", m(g.Product(a, m(g.Inverse(a)))), one)
		same(t, name+" least squares", m(g.LeastSquares(a, b)), m(g.Solve(a, b)))
		l := m(g.Cholesky(a))
		same(t, name+" l*lᵀ", m(g.Product(l, m(g.Transpose(l)))), a)
		same(t, name+" cube", m(g.Power(r, 3)), m(g.Product(r, m(g.Product(r, r)))))
		minus := NewTensor(4, 4, tube...)
		for i, v := range r.Data { // e^|r| is the error's factor
			r.Data[i] = v / float64(r.Slices())
			minus.Data[i] = -r.Data[i]
		}
		same(t, name+" exp", m(g.Product(m(g.Exp(r)), m(g.Exp(minus)))), one)
		if _, err := g.Inverse(NewTensor(2, 2, tube...)); !errors.Is(err, ErrSingular) {
			t.Errorf("%s: the inverse of zeros: %v", name, err)
		}
	}
}

// The product under the DFT is that with the block circulant matrix of A, and of order 4 that with the Kronecker
// product of the transforms.
func TestDefinitions(t *testing.T) {
	m := must[Tensor](t)
	for _, c := range []int{1, 2, 3, 4, 5, 8, 9, 28} {
		g := must[*Algebra](t)(New(DFT(c)))
		a, b := draw(11, 3, 2, c), draw(12, 2, 4, c)
		want := NewTensor(3, 4, c)
		for k := range c {
			for q := range c {
				for i := range 3 {
					for j := range 4 {
						for p := range 2 {
							want.Data[(k*3+i)*4+j] += a.At(i, p, (k-q+c)%c) * b.At(p, j, q)
						}
					}
				}
			}
		}
		same(t, fmt.Sprintf("block circulant %d", c), m(g.Product(a, b)), want)
	}
	first, second := Orthogonal(3, 1), DCT(4)
	kron := make([]float64, 144)
	for i := range 144 {
		k, q := i/12, i%12
		kron[i] = real(first.m[k/4*3+q/4]) * real(second.m[k%4*4+q%4])
	}
	a, b := draw(13, 2, 3, 3, 4), draw(14, 3, 2, 3, 4)
	four := m(must[*Algebra](t)(New(first, second)).Product(a, b))
	a.Tube, b.Tube, four.Tube = []int{12}, []int{12}, []int{12}
	same(t, "order 4", four, m(must[*Algebra](t)(New(must[Mode](t)(Matrix(12, kron)))).Product(a, b)))
}

// Under the transform from data the energy of tubes is in the first slices.
func TestData(t *testing.T) {
	a := draw(15, 6, 5, 4)
	n := 30
	for i := range n { // two directions of tubes
		u, v := a.Data[i], a.Data[n+i]
		a.Data[2*n+i], a.Data[3*n+i] = u+v, u-2*v
	}
	mode := must[Mode](t)(Data(a))
	s := must[*Algebra](t)(New(mode)).to(a)
	for k := 2; k < 4; k++ {
		for _, v := range s[k].a {
			if math.Abs(real(v)) > 1e-7 {
				t.Fatalf("slice %d has %v", k, v)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	g := must[*Algebra](t)(New(DFT(3)))
	a := draw(16, 2, 3, 3)
	_, haar := Haar(6)
	_, matrix := Matrix(2, []float64{1, 1, 1, 1})
	_, short := Matrix(2, []float64{1})
	_, empty := New(DFT(0))
	_, tube := g.Product(a, draw(1, 3, 2, 4))
	_, inner := g.Product(a, a)
	_, square := g.Inverse(a)
	_, rank := g.Truncate(a, -1)
	_, tau := g.Shrink(a, math.NaN())
	_, broken := g.Transpose(Tensor{Rows: 2, Cols: 2, Tube: []int{3}})
	_, negative := g.Cholesky(Tensor{Rows: 1, Cols: 1, Tube: []int{3}, Data: []float64{-1, 0, 0}})
	_, _, share := g.TruncateEnergy(a, 2)
	_, power := g.Power(a, 2)
	_, axes := Data(NewTensor(1, 1, 2, 2))
	for want, err := range map[string]error{
		"want a power of two": haar, "singular": matrix, "1 elements": short, "length 0": empty, "tubes [4]": tube,
		"inner dimensions": inner, "solve": square, "rank -1": rank, "shrinking by NaN": tau, "0 elements": broken,
		"not positive definite": negative, "a share 2": share, "power 2": power, "2 axes": axes,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
