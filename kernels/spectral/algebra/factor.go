package algebra

import (
	"fmt"
	"math"
)

// SVD is the t-SVD a = u * s * vᵀ of an m×n tensor, with k = min(m, n): u is m×k and v n×k, t-orthogonal (uᵀ*u = I),
// and the slices of the k×k tensor s are diagonal in the domain of the transforms, their elements not negative and
// descending.
func (g *Algebra) SVD(a Tensor) (u, s, v Tensor, err error) {
	if err = g.check("t-SVD", a); err != nil {
		return u, s, v, err
	}
	k := min(a.Rows, a.Cols)
	x, left, middle, right := g.to(a), g.blank(a.Rows, k), g.blank(k, k), g.blank(a.Cols, k)
	_ = g.each(len(x), func(t int) error {
		var values []float64
		left[t], values, right[t] = svd(x[t])
		for i, v := range values {
			middle[t].a[i*k+i] = complex(v, 0)
		}
		return nil
	})
	return g.from(left, a.Rows, k), g.from(middle, k, k), g.from(right, a.Cols, k), nil
}

// QR is the t-QR factorisation a = q * r of an m×n tensor: q is m×k with k = min(m, n), t-orthogonal, and r k×n, upper
// triangular in the domain of the transforms with a diagonal that is not negative.
func (g *Algebra) QR(a Tensor) (q, r Tensor, err error) {
	if err = g.check("t-QR", a); err != nil {
		return q, r, err
	}
	k := min(a.Rows, a.Cols)
	x, left, right := g.to(a), g.blank(a.Rows, k), g.blank(k, a.Cols)
	_ = g.each(len(x), func(t int) error { left[t], right[t] = qr(x[t]); return nil })
	return g.from(left, a.Rows, k), g.from(right, k, a.Cols), nil
}

// Cholesky is the l with l * lᵀ = a for a whose slices are positive definite in the domain of the transforms; those of
// l are lower triangular. Others are ErrSingular.
func (g *Algebra) Cholesky(a Tensor) (Tensor, error) {
	if err := g.check("t-Cholesky", a); err != nil {
		return Tensor{}, err
	}
	if a.Rows != a.Cols {
		return Tensor{}, fmt.Errorf("algebra: t-Cholesky of %v", a.shape())
	}
	x, out := g.to(a), g.blank(a.Rows, a.Rows)
	if err := g.each(len(x), func(t int) (err error) {
		out[t], err = cholesky(x[t])
		return err
	}); err != nil {
		return Tensor{}, err
	}
	return g.from(out, a.Rows, a.Rows), nil
}

// singular maps the singular values of every slice by f and puts the slices together again.
func (g *Algebra) singular(what string, a Tensor, f func(t int, s []float64)) (Tensor, error) {
	if err := g.check(what, a); err != nil {
		return Tensor{}, err
	}
	x, out := g.to(a), g.blank(a.Rows, a.Cols)
	_ = g.each(len(x), func(t int) error {
		u, s, v := svd(x[t])
		f(t, s)
		for i := range u.rows {
			for j, w := range s {
				u.a[i*u.cols+j] *= complex(w, 0)
			}
		}
		out[t] = mul(u, v.adjoint())
		return nil
	})
	return g.from(out, a.Rows, a.Cols), nil
}

// rankTolerance is the share of the largest singular value of all slices below which one counts as zero.
const rankTolerance = 1e-9

// Pinv is the Moore-Penrose inverse, slice by slice; singular values below 1e-9 of the largest of all slices are taken
// as zeros.
func (g *Algebra) Pinv(a Tensor) (Tensor, error) {
	t, err := g.Transpose(a)
	if err != nil {
		return Tensor{}, err
	}
	sigma, err := g.Values(a)
	if err != nil {
		return Tensor{}, err
	}
	least := rankTolerance * largest(sigma)
	return g.singular("pseudo-inverse", t, func(_ int, s []float64) {
		for i, v := range s {
			if v > least {
				s[i] = 1 / v
			} else {
				s[i] = 0
			}
		}
	})
}

// LeastSquares is the x of least norm among those that minimise the norm of a * x − b.
func (g *Algebra) LeastSquares(a, b Tensor) (Tensor, error) {
	p, err := g.Pinv(a)
	if err != nil {
		return Tensor{}, err
	}
	return g.Product(p, b)
}

// Truncate is the best approximation of a by tensors of tubal rank r at most: the r largest singular values of each
// slice are kept.
func (g *Algebra) Truncate(a Tensor, r int) (Tensor, error) {
	if r < 0 {
		return Tensor{}, fmt.Errorf("algebra: tubal rank %d", r)
	}
	return g.singular("truncation", a, func(_ int, s []float64) { clear(s[min(r, len(s)):]) })
}

// TruncateEnergy keeps as few singular values of each slice as hold a share of its Σσ², and returns their numbers: the
// multi-rank.
func (g *Algebra) TruncateEnergy(a Tensor, share float64) (Tensor, []int, error) {
	if !(share >= 0 && share <= 1) {
		return Tensor{}, nil, fmt.Errorf("algebra: a share %v of the energy", share)
	}
	ranks := make([]int, count(g.Tube()))
	out, err := g.singular("truncation", a, func(t int, s []float64) {
		total, kept, r := 0.0, 0.0, 0
		for _, v := range s {
			total += v * v
		}
		for r < len(s) && kept < share*total {
			kept += s[r] * s[r]
			r++
		}
		clear(s[r:])
		ranks[t], ranks[g.mirror(t)] = r, r
	})
	return out, ranks, err
}

// Shrink is the proximal map of the tubal nuclear norm: σ ← max(σ − tau, 0) for every singular value of every slice, as
// they stand in the domain of the transforms.
func (g *Algebra) Shrink(a Tensor, tau float64) (Tensor, error) {
	if !(tau >= 0) {
		return Tensor{}, fmt.Errorf("algebra: shrinking by %v", tau)
	}
	return g.singular("shrinking", a, func(_ int, s []float64) {
		for i := range s {
			s[i] = max(s[i]-tau, 0)
		}
	})
}

// largest is the largest singular value of all slices.
func largest(sigma [][]float64) float64 {
	top := 0.0
	for _, s := range sigma {
		for _, v := range s {
			if v > top || math.IsNaN(v) {
				top = v
			}
		}
	}
	return top
}
