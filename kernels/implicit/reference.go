package implicit

import (
	"math"

	"ganglion/kernels/act"
)

// refMasked is W with zeros at the edges that are not kept, and NaN for an array that is no structure of p nodes.
func refMasked(w []float64, l Layout, p int) []float64 {
	m := make([]float64, p*p)
	if l.Nodes != p || l.Check() != nil {
		for i := range m {
			m[i] = math.NaN()
		}
		return m
	}
	for at, kept := range l.Mask() {
		if kept != 0 {
			m[at] = w[at]
		}
	}
	return m
}

// refEliminate solves a·x = b by Gaussian elimination with partial pivoting; b becomes x, and a is destroyed. A
// singular system gives infinities or NaN.
func refEliminate(a, b []float64) {
	n := len(b)
	for k := range n {
		pivot := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[pivot*n+k]) {
				pivot = i
			}
		}
		for j := range n {
			a[k*n+j], a[pivot*n+j] = a[pivot*n+j], a[k*n+j]
		}
		b[k], b[pivot] = b[pivot], b[k]
		for i := k + 1; i < n; i++ {
			l := a[i*n+k] / a[k*n+k]
			for j := k; j < n; j++ {
				a[i*n+j] -= l * a[k*n+j]
			}
			b[i] -= l * b[k]
		}
	}
	for k := n - 1; k >= 0; k-- {
		for j := k + 1; j < n; j++ {
			b[k] -= a[k*n+j] * b[j]
		}
		b[k] /= a[k*n+k]
	}
}

// refSolve finds x = c + f(x)·m by Newton's method with a line search on ‖F‖², from start, from c, from zero and from
// half of c. If none of them leads to a solution, x is NaN.
func refSolve(x []float64, f act.Func, c, m, start []float64) {
	for _, scale := range []float64{math.NaN(), 1, 0, 0.5} {
		for i := range x {
			if x[i] = scale * c[i]; scale != scale {
				x[i] = start[i]
			}
		}
		if refNewton(x, f, c, m) {
			return
		}
	}
	for i := range x {
		x[i] = math.NaN()
	}
}

func refResidual(r, x []float64, f act.Func, c, m []float64) (norm, size, square float64) {
	p := len(x)
	for i := range p {
		r[i] = c[i] - x[i]
		for j := range p {
			if w := m[j*p+i]; w != 0 {
				r[i] += act.Eval(f, 0, x[j]) * w
			}
		}
		norm = max(norm, math.Abs(r[i]))
		size = max(size, math.Abs(x[i]))
		square += r[i] * r[i]
	}
	return norm, size, square
}

// refNewton iterates to the limit of rounding and reports whether the residual is below 1e-11·(1+‖x‖∞).
func refNewton(x []float64, f act.Func, c, m []float64) bool {
	p := len(x)
	r, next, jac, delta := make([]float64, p), make([]float64, p), make([]float64, p*p), make([]float64, p)
	norm, size, square := refResidual(r, x, f, c, m)
	for range 200 {
		if !(norm > 1e-15*(1+size)) {
			break
		}
		for i := range p {
			for j := range p {
				jac[i*p+j] = -m[j*p+i] * act.Eval(f, 1, x[j])
			}
			jac[i*p+i]++
		}
		copy(delta, r)
		refEliminate(jac, delta)
		better := false
		for t := 1.0; t > 1e-9 && !better; t /= 2 {
			for i := range p {
				next[i] = x[i] + t*delta[i]
			}
			n, s, q := refResidual(r, next, f, c, m)
			if better = q < (1-1e-4*t)*square; better {
				copy(x, next)
				norm, size, square = n, s, q
			}
		}
		if !better {
			break
		}
	}
	return norm <= 1e-11*(1+size)
}
