package implicit

import (
	"math"
	"unsafe"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/implicit/lane"
)

// compact copies the constant part, the best iterates and f′ of those of the lanes lo … hi-1 that are open into arrays
// of their own.
func (t *task[T]) compact(lo, hi int) {
	t.count = 0
	for k := lo; k < hi; k++ {
		if t.state[k] == open {
			t.lane[t.count] = int32(k)
			t.ran[t.count] = true
			t.count++
		}
	}
	t.width = max(group, (t.count+group-1)/group*group)
	t.tab = lane.For[T](t.call.Path, t.width)
	t.pick(t.c, t.c0)
	t.pick(t.x, t.z0)
	if t.kind != nonlinear {
		t.pick(t.d, t.d0)
	}
}

// pick copies the lanes in use from an array [n][lanes] to one of [n][width]; idle lanes get 0.
func (t *task[T]) pick(dst, src []T) {
	if t.width == t.lanes && t.count == t.lanes {
		copy(dst[:t.n*t.width], src)
		return
	}
	for r := range t.n {
		to, row := dst[r*t.width:][:t.width], src[r*t.lanes:]
		for k, l := range t.lane[:t.count] {
			to[k] = row[l]
		}
		clear(to[t.count:])
	}
}

// put copies compact lane k of x to the solution, x having the given residual.
func (t *task[T]) put(x []T, k int, res, norm T) {
	l := int(t.lane[k])
	t.best[l], t.worst[l] = res, res/t.scale(norm)
	for r := range t.n {
		t.z0[r*t.lanes+l] = x[r*t.width+k]
	}
}

// scale is what the residual is measured by: 1+‖x‖∞, or ‖u‖∞ for the linear systems.
func (t *task[T]) scale(norm T) T {
	if t.kind == nonlinear {
		return 1 + norm
	}
	return norm + tiny[T]()
}

// tiny is the smallest normal number.
func tiny[T kernels.Float]() T {
	var v T
	if unsafe.Sizeof(v) == 4 {
		return T(math.Float32frombits(1 << 23))
	}
	small := math.Float64frombits(1 << 52)
	return T(small)
}

// passes is the residual test.
func (t *task[T]) passes(res, norm T) bool { return res <= t.tol*t.scale(norm) }

// eval sets g = G(x), for all lanes in use.
func (t *task[T]) eval(g, x []T) {
	size := t.n * t.width
	g, x = g[:size], x[:size]
	seen, base := t.fx[:size], t.c[:size]
	switch t.kind {
	case nonlinear:
		act.Apply(t.call.Path, t.opt.act, 0, seen, x)
	case tangent:
		t.vec.Mul(seen, t.d[:size], x)
	case adjoint:
		seen, base = x, g
		clear(g)
	}
	if at := t.denseAt[t.m]; at >= 0 {
		t.tab.Dense(g, base, t.dense[at:][:t.n*t.n], seen)
	} else {
		t.tab.Rows(g, base, seen, t.rowMid[t.first:][:t.n], t.rowPtr[t.first+1:][:t.n], t.index, t.value)
	}
	if t.kind == adjoint {
		t.tab.FMA(g, t.c[:size], t.d[:size], g)
	}
}

// measure sets res = ‖g-x‖∞ and norm = ‖x‖∞ of every lane; NaN stays NaN.
func (t *task[T]) measure(x, g []T) {
	size := t.n * t.width
	t.tab.Extent(t.res[:t.width], t.norm[:t.width], x[:size], g[:size])
}

// larger is max(a, |v|), NaN if either is.
func larger[T kernels.Float](a, v T) T {
	if v < 0 {
		v = -v
	}
	if v > a || v != v {
		return v
	}
	return a
}
