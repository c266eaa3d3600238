package implicit

import (
	"math"

	"ganglion/kernels"
)

// picard is the fixed-point iteration x ← x + β(G(x)-x), at most limit steps a lane. With patience > 0, a lane is left
// open when its contraction says that more than patience steps are still to come.
func (t *task[T]) picard(limit int, beta T, patience float64) {
	t.compact(0, t.live)
	x, g, last := t.x, t.g, t.y
	w := t.watch(limit, patience)
	for t.count > 0 {
		t.eval(g, x)
		t.measure(x, g)
		if t.follow(&w, x, last) == 0 {
			return
		}
		if beta != 1 {
			for i, v := range x[:t.n*t.width] {
				g[i] = v + beta*(g[i]-v)
			}
		}
		x, g, last = g, last, x
	}
}

// watch is what a method remembers about the residuals of its lanes.
type watch[T kernels.Float] struct {
	limit    int
	patience float64
	step     int
	left     int           // lanes that still run
	least    [maxLanes]T   // least residual of the lane
	at       [maxLanes]int // step of the least residual
	mark     [maxLanes]T   // residual when the contraction was measured last
}

func (t *task[T]) watch(limit int, patience float64) watch[T] {
	w := watch[T]{limit: limit, patience: patience, left: t.count}
	for k := range t.count {
		w.least[k] = T(math.Inf(1))
	}
	return w
}

// follow looks at the residuals of x just measured: it closes the lanes that are solved, drops those that are lost, and
// keeps the best iterate of a lane in the solution as soon as it would be overwritten (last is the iterate before x).
// It returns the number of lanes that go on.
func (t *task[T]) follow(w *watch[T], x, last []T) int {
	review := w.step+1 >= w.limit || w.patience > 0 && w.step%window == 0
	for k, res := range t.res[:t.count] {
		if !t.ran[k] {
			continue
		}
		if res < w.least[k] && !review && !t.passes(res, t.norm[k]) {
			w.least[k], w.at[k] = res, w.step // the usual case
		} else if t.close(w, k, x, last) {
			t.iters[t.lane[k]] += w.step + 1
			t.ran[k] = false
			w.left--
		}
	}
	w.step++
	return w.left
}

// close is follow for a lane that may have to end.
func (t *task[T]) close(w *watch[T], k int, x, last []T) bool {
	res, norm, l := t.res[k], t.norm[k], t.lane[k]
	worse := !(res < w.least[k])
	if worse && w.step > 0 && w.at[k] == w.step-1 {
		t.improve(last, k, w.least[k])
	}
	if t.passes(res, norm) {
		t.put(x, k, res, norm)
		t.state[l] = solved
		return true
	}
	if res-res != 0 || norm-norm != 0 {
		t.status[l] = kernels.Diverged
		return true
	}
	if !worse {
		w.least[k], w.at[k] = res, w.step
	}
	if w.step+1 < w.limit && !t.hopeless(w, k, res, norm) {
		return false
	}
	t.improve(x, k, res)
	t.status[l] = kernels.NotConverged
	return true
}

// improve keeps lane k of x when its residual is less than that of the iterate kept so far.
func (t *task[T]) improve(x []T, k int, res T) {
	if l := t.lane[k]; res < t.best[l] {
		norm := T(0)
		for r := range t.n {
			norm = larger(norm, x[r*t.width+k])
		}
		t.put(x, k, res, norm)
	}
}

// window is the number of steps over which the contraction is measured.
const window = 4

// hopeless reports, every few steps, whether the residual will take more than patience further steps to fall below the
// tolerance.
func (t *task[T]) hopeless(w *watch[T], k int, res, norm T) bool {
	if w.patience <= 0 || w.step%window != 0 {
		return false
	}
	before := w.mark[k]
	w.mark[k] = res
	if w.step == 0 {
		return false
	}
	rate, wanted := float64(res/before), float64(t.tol*t.scale(norm)/res)
	if rate >= 0.999 {
		return w.step > window
	}
	if square := rate * rate; square*square <= wanted && 4*window <= w.patience {
		return false // without logarithms: the tolerance is at most four windows away
	}
	return window*math.Log(wanted)/math.Log(rate) > w.patience
}
