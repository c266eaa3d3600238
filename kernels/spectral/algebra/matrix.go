package algebra

import (
	"errors"
	"fmt"
	"math"
	"math/cmplx"
)

// ErrSingular says that a system has no unique solution.
var ErrSingular = errors.New("singular")

// matrix is a complex matrix, row-major: one slice of a spectrum.
type matrix struct {
	rows, cols int
	a          []complex128
}

func newMatrix(rows, cols int) matrix { return matrix{rows, cols, make([]complex128, rows*cols)} }

func (x matrix) at(i, j int) complex128 { return x.a[i*x.cols+j] }

func (x matrix) clone() matrix {
	x.a = append([]complex128(nil), x.a...)
	return x
}

// adjoint is the conjugate transpose.
func (x matrix) adjoint() matrix {
	y := newMatrix(x.cols, x.rows)
	for i := range x.rows {
		for j := range x.cols {
			y.a[j*y.cols+i] = cmplx.Conj(x.at(i, j))
		}
	}
	return y
}

func mul(x, y matrix) matrix {
	z := newMatrix(x.rows, y.cols)
	for i := range x.rows {
		for k := range x.cols {
			v := x.at(i, k)
			for j := range y.cols {
				z.a[i*z.cols+j] += v * y.at(k, j)
			}
		}
	}
	return z
}

// norm is the Euclidean norm of column j.
func (x matrix) norm(j int) float64 {
	n := 0.0
	for i := range x.rows {
		n = math.Hypot(n, cmplx.Abs(x.at(i, j)))
	}
	return n
}

// inner is the inner product of columns i and j, conjugate in the first.
func (x matrix) inner(i, j int) complex128 {
	sum := complex(0, 0)
	for k := range x.rows {
		sum += cmplx.Conj(x.at(k, i)) * x.at(k, j)
	}
	return sum
}

// qr is the factorisation x = q·r of an m×n matrix with min(m, n) orthonormal columns of q and an upper triangular r
// with a real diagonal that is not negative: Gram-Schmidt, twice. Columns that depend on those before them are replaced
// by others.
func qr(x matrix) (q, r matrix) {
	k := min(x.rows, x.cols)
	q, r = newMatrix(x.rows, k), newMatrix(k, x.cols)
	for j := range x.cols {
		v := make([]complex128, x.rows)
		for i := range v {
			v[i] = x.at(i, j)
		}
		before := length(v)
		for range 2 {
			for c := range min(j, k) {
				p := project(q, c, v)
				r.a[c*r.cols+j] += p
			}
		}
		if j >= k {
			continue
		}
		n := length(v)
		if n <= 1e-14*before || n == 0 {
			v, n = complement(q, j), 0
		} else {
			for i := range v {
				v[i] /= complex(n, 0)
			}
		}
		r.a[j*r.cols+j] = complex(n, 0)
		for i := range v {
			q.a[i*q.cols+j] = v[i]
		}
	}
	return q, r
}

func length(v []complex128) float64 {
	n := 0.0
	for _, z := range v {
		n = math.Hypot(n, cmplx.Abs(z))
	}
	return n
}

// project takes the part along column c of q out of v, and returns it.
func project(q matrix, c int, v []complex128) complex128 {
	p := complex(0, 0)
	for i, z := range v {
		p += cmplx.Conj(q.at(i, c)) * z
	}
	for i := range v {
		v[i] -= p * q.at(i, c)
	}
	return p
}

// complement is a unit vector orthogonal to the first n < rows columns of q: from the unit vector that is farthest from
// them.
func complement(q matrix, n int) []complex128 {
	var best []complex128
	far := -1.0
	for e := range q.rows {
		v := make([]complex128, q.rows)
		v[e] = 1
		for range 2 {
			for c := range n {
				project(q, c, v)
			}
		}
		if l := length(v); l > far+1e-9 {
			best, far = v, l
		}
	}
	for i := range best {
		best[i] /= complex(far, 0)
	}
	return best
}

// maxSweeps bounds the sweeps of Jacobi rotations; they converge in fewer than ten.
const maxSweeps = 60

// svd is x = u·diag(s)·vᴴ with min(m, n) orthonormal columns of u and of v and s descending: one-sided Jacobi rotations
// (M. Hestenes). Of real matrices the factors are real.
func svd(x matrix) (u matrix, s []float64, v matrix) {
	if x.rows < x.cols {
		v, s, u = svd(x.adjoint())
		return u, s, v
	}
	n := x.cols
	w, v := x.clone(), newMatrix(n, n)
	for i := range n {
		v.a[i*n+i] = 1
	}
	for range maxSweeps {
		rotated := false
		for i := range n {
			for j := i + 1; j < n; j++ {
				rotated = orthogonalise(w, v, i, j) || rotated
			}
		}
		if !rotated {
			break
		}
	}
	return sorted(w, v)
}

// orthogonalise rotates columns i and j so that their inner product vanishes.
func orthogonalise(w, v matrix, i, j int) bool {
	a, b := w.norm(i), w.norm(j)
	p := w.inner(i, j)
	size := cmplx.Abs(p)
	if size <= 1e-16*a*b*math.Sqrt(float64(w.rows)) || size == 0 {
		return false
	}
	phase := p / complex(size, 0)
	zeta := (b - a) * (b + a) / (2 * size)
	t := 1 / (math.Abs(zeta) + math.Hypot(1, zeta))
	if zeta < 0 {
		t = -t
	}
	c := 1 / math.Hypot(1, t)
	cos, sin := complex(c, 0), complex(c*t, 0)
	for _, m := range []matrix{w, v} {
		for k := range m.rows {
			x, y := m.at(k, i), m.at(k, j)*cmplx.Conj(phase)
			m.a[k*m.cols+i], m.a[k*m.cols+j] = cos*x-sin*y, sin*x+cos*y
		}
	}
	return true
}

// sorted takes lengths out of the columns of w and puts everything in descending order.
func sorted(w, v matrix) (u matrix, s []float64, out matrix) {
	n := w.cols
	order, all := make([]int, n), make([]float64, n)
	for j := range n {
		order[j], all[j] = j, w.norm(j)
	}
	for i := range n { // by insertion, stable
		for j := i; j > 0 && all[order[j]] > all[order[j-1]]; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	u, out, s = newMatrix(w.rows, n), newMatrix(n, n), make([]float64, n)
	for k, j := range order {
		s[k] = all[j]
		col := make([]complex128, w.rows)
		if s[k] > 1e-15*s[0] {
			for i := range col {
				col[i] = w.at(i, j) / complex(s[k], 0)
			}
		} else {
			col = complement(u, k)
		}
		for i, z := range col {
			u.a[i*n+k] = z
		}
		for i := range n {
			out.a[i*n+k] = v.at(i, j)
		}
	}
	return u, s, out
}

// solve is the solution x of a·x = b for a square a: elimination with row pivots.
func solve(a, b matrix) (matrix, error) {
	a, b = a.clone(), b.clone()
	n := a.rows
	top := 0.0
	for _, v := range a.a {
		top = max(top, cmplx.Abs(v))
	}
	for k := range n {
		pivot := k
		for i := k + 1; i < n; i++ {
			if cmplx.Abs(a.at(i, k)) > cmplx.Abs(a.at(pivot, k)) {
				pivot = i
			}
		}
		if p := cmplx.Abs(a.at(pivot, k)); !(p > 1e-15*top) {
			return matrix{}, fmt.Errorf(
				"%w: pivot %d of %d is %.2g, the largest element %.2g",
				ErrSingular,
				k+1,
				n,
				p,
				top,
			)
		}
		swapRows(a, k, pivot)
		swapRows(b, k, pivot)
		for i := k + 1; i < n; i++ {
			f := a.at(i, k) / a.at(k, k)
			addRow(a, i, k, -f)
			addRow(b, i, k, -f)
		}
	}
	for k := n - 1; k >= 0; k-- {
		for j := range b.cols {
			b.a[k*b.cols+j] /= a.at(k, k)
		}
		for i := range k {
			addRow(b, i, k, -a.at(i, k))
		}
	}
	return b, nil
}

func swapRows(x matrix, i, j int) {
	for c := range x.cols {
		x.a[i*x.cols+c], x.a[j*x.cols+c] = x.at(j, c), x.at(i, c)
	}
}

// addRow adds f times row k to row i.
func addRow(x matrix, i, k int, f complex128) {
	for c := range x.cols {
		x.a[i*x.cols+c] += f * x.at(k, c)
	}
}

// cholesky is the lower triangular l with l·lᴴ = x, of a Hermitian positive definite x.
func cholesky(x matrix) (matrix, error) {
	n := x.rows
	l := newMatrix(n, n)
	for j := range n {
		for i := j; i < n; i++ {
			sum := x.at(i, j)
			for k := range j {
				sum -= l.at(i, k) * cmplx.Conj(l.at(j, k))
			}
			if i > j {
				l.a[i*n+j] = sum / l.at(j, j)
				continue
			}
			if !(real(sum) > 0) || math.Abs(imag(sum)) > 1e-10*real(sum) || math.IsInf(real(sum), 0) {
				return matrix{}, fmt.Errorf(
					"%w: a slice is not positive definite: pivot %d is %.3g",
					ErrSingular,
					j+1,
					sum,
				)
			}
			l.a[j*n+j] = complex(math.Sqrt(real(sum)), 0)
		}
	}
	return l, nil
}
