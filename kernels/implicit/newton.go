package implicit

import (
	"math"

	"ganglion/internal/philox"
	"ganglion/kernels"
)

// The number of starts of Newton's method: the iterate kept so far, the constant part, zero, and random ones.
const (
	fewStarts  = 2
	manyStarts = 16
)

// newton solves the open lanes by Newton's method, group lanes at a time, from the iterates kept so far and then from
// the starts skip … starts-1. The linear systems need one start only, and their second step refines the first.
func (t *task[T]) newton(limit, skip, starts int) {
	if t.kind != nonlinear {
		starts = 1
	}
	for first := 0; first < t.live; first += group {
		for s := 0; s < starts; s++ {
			if s > 0 {
				s = max(s, skip)
			}
			t.compact(first, min(t.live, first+group))
			if t.count == 0 {
				break
			}
			t.restart(s)
			t.descend(limit)
		}
	}
}

// restart replaces the start of the lanes. Random starts are c_i + s_i·ξ with s_i = (Σ_j w_ji²)^½ and ξ normal, the
// same for all samples: for f of size 1 that is where solutions lie.
func (t *task[T]) restart(s int) {
	x := t.x[:t.n*t.width]
	switch s {
	case 0:
	case 1:
		copy(x, t.c)
	case 2:
		clear(x)
	default:
		for r := range t.n {
			u := philox.Block([2]uint32{uint32(r), uint32(s)}, [4]uint32{})
			radius := math.Sqrt(-2 * math.Log((float64(u[0])+1)/(1<<32)))
			shift := T(t.rowNorm(r) * radius * math.Cos(2*math.Pi*float64(u[1])/(1<<32)))
			c := t.c[r*t.width:]
			for k := range x[r*t.width:][:t.width] {
				x[r*t.width+k] = c[k] + shift
			}
		}
	}
}

// rowNorm is the Euclidean norm of row r of the module's part of M.
func (t *task[T]) rowNorm(r int) float64 {
	row := t.value[t.rowMid[t.first+r]:t.rowPtr[t.first+r+1]]
	if at := int(t.denseAt[t.m]); at >= 0 {
		row = t.dense[at+r*t.n:][:t.n]
	}
	sum := 0.0
	for _, v := range row {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// Constants of the line search on ‖F‖²: the least decrease wanted, in parts of the one that the slope promises, and the
// number of halvings of the step.
const (
	armijo   = 1e-4
	halvings = 20
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

// settle closes the lanes that pass the test and drops those that are not finite or whose limit is reached; it returns
// their number.
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

// lineSearch sets next = x + s·delta with the largest s = 1, ½, ¼, … of each lane for which ‖F‖² falls enough, and
// image = G(next). It returns the lanes for which there is none. Lanes that do not run stay where they are.
func (t *task[T]) lineSearch(next, image, x, g, delta []T) (failed uint64) {
	w := t.width
	step, square := t.pace[:w], t.square[:w]
	clear(step)
	waiting := uint64(0)
	for k := range t.count {
		if t.ran[k] {
			waiting |= 1 << k
			step[k] = 1
		}
	}
	t.tab.Squares(square, x, g)
	for range halvings {
		t.tab.Step(next, x, delta, step)
		t.eval(image, next)
		t.tab.Squares(t.norm[:w], next, image)
		for k := range t.count {
			if waiting>>k&1 == 0 {
				continue
			}
			if t.norm[k] <= (1-2*armijo*step[k])*square[k] {
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
