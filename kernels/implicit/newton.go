package implicit

import (
	"math"

	"ganglion/kernels"
	"ganglion/kernels/act"
)

// newton solves the open lanes by Newton's method, group lanes at a time, from several starts: the iterate kept so far, the constant
// part, zero, and half the constant part. The linear systems need one start only, and their second step refines the first.
func (t *task[T]) newton(limit int) {
	starts := 4
	if t.kind != nonlinear {
		starts = 1
	}
	for first := 0; first < t.live; first += group {
		for s := range starts {
			t.compactRange(first, min(t.live, first+group))
			if t.count == 0 {
				break
			}
			t.restart(s)
			t.descend(limit)
		}
	}
}

// compactRange is compact for the open lanes lo … hi-1, at most group of them.
func (t *task[T]) compactRange(lo, hi int) {
	var kept [maxLanes]state
	copy(kept[:], t.state[:])
	for k := range t.live {
		if k < lo || k >= hi {
			t.state[k] = bad
		}
	}
	t.compact(t.z0, group)
	copy(t.state[:], kept[:])
}

// restart replaces the start of the lanes.
func (t *task[T]) restart(s int) {
	x := t.x[:t.n*t.width]
	switch s {
	case 1:
		copy(x, t.c)
	case 2:
		clear(x)
	case 3:
		for i := range x {
			x[i] = t.c[i] / 2
		}
	}
}

// jacobianLen is the number of elements of Newton's matrices.
func jacobianLen(p int, m Method) int {
	if m == Auto || m == Newton {
		return p * p
	}
	return 0
}

// Constants of the line search on ‖F‖²: the least decrease wanted, in parts of the one that the slope promises, and the number of
// halvings of the step.
const (
	armijo   = 1e-4
	halvings = 40
)

// descend runs Newton's method with a backtracking line search on the compact lanes.
func (t *task[T]) descend(limit int) {
	size := t.n * t.width
	x, g, next, image, delta := t.x[:size], t.g[:size], t.y[:size], t.h[:size], t.step[:size]
	left := t.count
	t.eval(g, x)
	for step := 0; left > 0; step++ {
		t.measure(x, g)
		left -= t.settle(x, step >= limit)
		if left == 0 {
			return
		}
		left -= t.drop(x, t.newtonStep(delta, x, g), kernels.Singular)
		left -= t.drop(x, t.lineSearch(next, image, x, g, delta), kernels.NotConverged)
		x, next, g, image = next, x, image, g
	}
}

// settle closes the lanes that pass the test and drops those that are not finite or whose limit is reached; it returns their number.
func (t *task[T]) settle(x []T, last bool) int {
	n := 0
	for k := range t.count {
		if !t.ran[k] {
			continue
		}
		res, norm, l := t.res[k], t.norm[k], t.lane[k]
		t.iters[l]++
		switch {
		case t.passes(res, norm):
			t.put(x, k, res, norm)
			t.state[l] = solved
		case res-res != 0 || norm-norm != 0:
			t.status[l] = kernels.Diverged
		case last:
			t.improve(x, k, res)
			t.status[l] = kernels.NotConverged
		default:
			continue
		}
		t.ran[k] = false
		n++
	}
	return n
}

// drop takes the marked lanes out, keeping their iterates, and returns their number.
func (t *task[T]) drop(x []T, marked uint64, why kernels.Status) int {
	n := 0
	for k := range t.count {
		if t.ran[k] && marked>>k&1 != 0 {
			t.improve(x, k, t.res[k])
			t.status[t.lane[k]] = why
			t.ran[k] = false
			n++
		}
	}
	return n
}

// lineSearch sets next = x + s·delta with the largest s = 1, ½, ¼, … of each lane for which ‖F‖² falls enough, and image = G(next). It
// returns the lanes for which there is none. Lanes that do not run stay where they are.
func (t *task[T]) lineSearch(next, image, x, g, delta []T) (failed uint64) {
	w := t.width
	var step, square [group]T
	waiting := uint64(0)
	for k := range t.count {
		if t.ran[k] {
			waiting |= 1 << k
			step[k] = 1
			square[k] = t.square(x, g, k)
		}
	}
	for range halvings {
		for at := 0; at < len(x); at += w {
			for k, v := range x[at : at+w] {
				next[at+k] = v
				if step[k] != 0 {
					next[at+k] += step[k] * delta[at+k]
				}
			}
		}
		t.eval(image, next)
		for k := range t.count {
			if waiting>>k&1 == 0 {
				continue
			}
			if t.square(next, image, k) <= (1-2*armijo*step[k])*square[k] {
				waiting &^= 1 << k
			} else {
				step[k] /= 2
			}
		}
		if waiting == 0 {
			return 0
		}
	}
	return waiting
}

// square is ‖G(x)-x‖² of one lane; NaN compares as no decrease.
func (t *task[T]) square(x, g []T, k int) T {
	sum := T(0)
	for at := k; at < len(x); at += t.width {
		d := g[at] - x[at]
		sum += d * d
	}
	return sum
}

// newtonStep sets delta to the solution of (I - G′(x))·delta = G(x) - x for every lane, and returns the lanes where that is singular.
func (t *task[T]) newtonStep(delta, x, g []T) (singular uint64) {
	for i, v := range x {
		delta[i] = g[i] - v
	}
	slope := t.slope(x)
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

// slope is f′(x) in every lane.
func (t *task[T]) slope(x []T) []T {
	if t.kind != nonlinear {
		return t.d[:len(x)]
	}
	d := t.d[:len(x)]
	act.Apply(t.call.Path, t.opt.act, 1, d, x)
	return d
}

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
				axpy(row[c+1:], -l, top[c+1:])
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
