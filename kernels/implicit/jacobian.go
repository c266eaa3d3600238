package implicit

import (
	"ganglion/kernels/act"
)

// interleaved is the largest module whose Jacobians are factored group lanes at a time, element by element side by
// side; larger ones are factored one after another, with matrix products.
const interleaved = 256

// jacobianLen is the number of elements of Newton's matrices.
func jacobianLen(p int, m Method) int {
	if m != Auto && m != Newton {
		return 0
	}
	n := min(p, interleaved)
	return max(n*(n+1)*group, p*p)
}

// newtonStep sets delta to the solution of (I - G′(x))·delta = G(x) - x for every lane, and returns the lanes where
// that is singular.
func (t *task[T]) newtonStep(delta, x, g []T) (singular uint64) {
	slope := t.d[:len(x)]
	if t.kind == nonlinear {
		act.Apply(t.call.Path, t.opt.act, 1, slope, x)
	}
	t.vec.Sub(delta, g, x)
	if t.n <= interleaved {
		t.jacobians(slope, delta)
		singular = t.factor()
		t.substitute(delta)
		return singular
	}
	for k := range t.count {
		if !t.ran[k] {
			continue
		}
		a := t.jac[:t.n*t.n]
		t.jacobian(a, slope, k)
		if !t.eliminate(a, delta, k) {
			singular |= 1 << k
		}
	}
	return singular
}

// jacobians sets the matrices I - G′ of all lanes, with the right-hand side as a last column: element (r, c) of lane k
// is jac[(r·(n+1)+c)·group+k].
func (t *task[T]) jacobians(slope, rhs []T) {
	n := t.n
	at := int(t.denseAt[t.m])
	for r := range n {
		row := t.jac[r*(n+1)*group:][:(n+1)*group]
		entries, own := row[:n*group], slope[r*group:][:group]
		switch {
		case at >= 0 && t.kind == adjoint:
			t.jacs.Scale(entries, t.dense[at+r*n:][:n], own)
		case at >= 0:
			t.jacs.Columns(entries, t.dense[at+r*n:][:n], slope)
		default:
			clear(entries)
			for e := t.rowMid[t.first+r]; e < t.rowPtr[t.first+r+1]; e++ {
				c := int(t.index[e])
				if t.kind != adjoint {
					own = slope[c*group:][:group]
				}
				t.jacs.Scale(entries[c*group:][:group], t.value[e:e+1], own)
			}
		}
		diagonal := row[r*group:][:group]
		for k := range diagonal {
			diagonal[k]++
		}
		copy(row[n*group:], rhs[r*group:][:group])
	}
}

// panel is the number of pivots whose updates of the rest of the matrix are made at once.
const panel = 4

// factor is LU with partial pivoting of all lanes at once, by panels of four columns; the right-hand sides are carried
// along. It returns the lanes that have no pivot left.
func (t *task[T]) factor() (singular uint64) {
	n := t.n
	a, stride := t.jac, n+1
	at := func(r, c int) int { return (r*stride + c) * group }
	for first := 0; first < n; first += panel {
		end := min(n, first+panel)
		for k := first; k < end; k++ {
			singular |= t.pivot(a, first, k)
			inverse := t.pace[:group]
			for r := k + 1; r < n; r++ {
				l := a[at(r, k):][:group]
				t.vec.Mul(l, l, inverse)
				if k+1 < end {
					t.jacs.Eliminate(a[at(r, k+1):at(r, end)], a[at(k, k+1):at(k, end)], l)
				}
			}
		}
		for r := first + 1; r < end; r++ {
			for k := first; k < r; k++ {
				t.jacs.Eliminate(a[at(r, end):at(r, stride)], a[at(k, end):at(k, stride)], a[at(r, k):][:group])
			}
		}
		if end < first+panel {
			continue // the last panel has no rows below it
		}
		for r := end; r < n; r++ {
			t.jacs.Eliminate4(a[at(r, end):at(r, stride)], a[at(first, end):], a[at(r, first):][:panel*group], stride)
		}
	}
	return singular
}

// pivot brings the largest element of column k to row k in every lane, exchanging columns first and up, and leaves its
// reciprocal in pace. It returns the lanes where all are zero or one is not finite.
func (t *task[T]) pivot(a []T, first, k int) (singular uint64) {
	n, stride := t.n, t.n+1
	row, most := t.square[:group], t.norm[:group]
	t.jacs.Pivots(row, most, a[(k*stride+k)*group:], n-k, stride)
	for l, r := range row {
		if !(most[l] > 0) || most[l]-most[l] != 0 {
			singular |= 1 << l
			t.pace[l] = 0
			continue
		}
		if r != 0 {
			p := (k+int(r))*stride*group + l
			q := k*stride*group + l
			for c := first * group; c < stride*group; c += group {
				a[p+c], a[q+c] = a[q+c], a[p+c]
			}
		}
		t.pace[l] = 1 / a[(k*stride+k)*group+l]
	}
	return singular
}

// substitute solves the triangular systems that factor left behind.
func (t *task[T]) substitute(delta []T) {
	n := t.n
	sum := t.norm[:group]
	for r := n - 1; r >= 0; r-- {
		row := t.jac[r*(n+1)*group:][:(n+1)*group]
		t.tab.Dots(sum, row[(r+1)*group:n*group], delta[(r+1)*group:])
		x := delta[r*group:][:group]
		for k := range x {
			x[k] = (row[n*group+k] - sum[k]) / row[r*group+k]
		}
	}
}
