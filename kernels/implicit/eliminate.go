package implicit

import "math"

// jacobian sets a = I - G′ for one lane: M scaled by columns (or, for the adjoint, by rows) with f′.
func (t *task[T]) jacobian(a, slope []T, k int) {
	n, w := t.n, t.width
	clear(a)
	at := t.denseAt[t.m]
	for r := range n {
		row := a[r*n:][:n]
		if at >= 0 {
			for j, v := range t.dense[int(at)+r*n:][:n] {
				row[j] = -v
			}
		} else {
			lo, hi := t.rowMid[t.first+r], t.rowPtr[t.first+r+1]
			for e := lo; e < hi; e++ {
				row[t.index[e]] = -t.value[e]
			}
		}
		if t.kind == adjoint {
			scale := slope[r*w+k]
			for j := range row {
				row[j] *= scale
			}
		} else {
			for j := range row {
				row[j] *= slope[j*w+k]
			}
		}
		row[r]++
	}
}

// eliminate solves a·y = b for column k of b, by LU with partial pivoting.
func (t *task[T]) eliminate(a, b []T, k int) bool {
	n, w := t.n, t.width
	for c := range n {
		pivot, most := c, T(0)
		for r := c; r < n; r++ {
			if v := larger(0, a[r*n+c]); v > most {
				pivot, most = r, v
			}
		}
		if !(most > 0) || math.IsInf(float64(most), 0) {
			return false
		}
		if pivot != c {
			p, q := a[pivot*n:][:n], a[c*n:][:n]
			for j := c; j < n; j++ {
				p[j], q[j] = q[j], p[j]
			}
			b[pivot*w+k], b[c*w+k] = b[c*w+k], b[pivot*w+k]
		}
		top := a[c*n:][:n]
		for r := c + 1; r < n; r++ {
			row := a[r*n:][:n]
			if l := row[c] / top[c]; l != 0 {
				t.vec.Axpy(row[c+1:], -l, top[c+1:])
				b[r*w+k] -= l * b[c*w+k]
			}
		}
	}
	for c := n - 1; c >= 0; c-- {
		sum := b[c*w+k]
		for j := c + 1; j < n; j++ {
			sum -= a[c*n+j] * b[j*w+k]
		}
		b[c*w+k] = sum / a[c*n+c]
	}
	return true
}
