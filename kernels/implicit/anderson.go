package implicit

import (
	"math"

	"ganglion/kernels"
)

// mixed is the number of differences that Anderson's method combines.
const mixed = 5

// historyLen is the number of elements of the histories of Anderson (differences of x and of r) and Broyden (factors u
// and v).
func historyLen(p, lanes int, m Method) int {
	switch m {
	case Auto, Anderson:
		return 2*mixed*p*lanes + products
	case Broyden:
		return 2 * remembered * p * lanes
	}
	return 0
}

// mixing is the state of Anderson's method: per lane, the Gram matrix of the differences of residuals, their products
// with the residual, and how many of them count. Rows of lanes, in scratch memory.
type mixing[T kernels.Float] struct {
	gram, rhs, gamma []T
	age              [maxLanes]int
}

// products is the number of elements of a mixing.
const products = (mixed*mixed + 2*mixed) * maxLanes

func newMixing[T kernels.Float](a []T) mixing[T] {
	const n = mixed * maxLanes
	return mixing[T]{gram: a[:mixed*n], rhs: a[mixed*n:][:n], gamma: a[(mixed+1)*n:][:n]}
}

// row is the lanes of one product.
func row[T kernels.Float](a []T, i, width int) []T { return a[i*maxLanes:][:width] }

// anderson is Anderson's method of type II with mixing factor β (Walker and Ni, 2011): x ← x + βr - Σ_i γ_i(Δx_i +
// βΔr_i) with r = G(x)-x and γ minimising ‖r - Σ_i γ_i Δr_i‖² + λ‖γ‖² per lane. A lane forgets its history when its
// Gram matrix is ill-conditioned, and goes back to its best iterate when the residual has grown tenfold.
func (t *task[T]) anderson(limit int, beta T) {
	t.compact(0, t.live)
	if t.count == 0 {
		return
	}
	size := t.n * t.width
	x, g, r, last := t.x[:size], t.g[:size], t.y[:size], t.h[:size]
	before := t.step[:size] // residual of the step before
	w := t.watch(limit, 0)
	mix := newMixing(t.history[2*mixed*t.p*t.lanes:])
	for i := range 2 * mixed {
		clear(t.past(i)) // columns that are not in use have the factor 0
	}
	for {
		t.eval(g, x)
		t.measure(x, g)
		if t.follow(&w, x, last) == 0 {
			return
		}
		for i, v := range x {
			r[i] = g[i] - v
		}
		newest := (w.step - 2 + mixed) % mixed
		if w.step > 1 {
			t.difference(&mix, newest, x, last, r, before)
		}
		copy(last, x)
		copy(before, r)
		t.mix(&mix, newest, x, r, beta)
		for k := range t.count {
			if t.ran[k] && !(t.res[k] < 10*w.least[k]) {
				t.goBack(x, k, &mix)
			}
		}
	}
}

// past returns one of the arrays of the history.
func (t *task[T]) past(i int) []T { return t.history[i*t.p*t.lanes:][:t.n*t.width] }

// difference stores x - last and r - before as the newest column and renews its row of the Gram matrices.
func (t *task[T]) difference(mix *mixing[T], newest int, x, last, r, before []T) {
	dx, dr := t.past(newest), t.past(mixed+newest)
	for i := range x {
		dx[i], dr[i] = x[i]-last[i], r[i]-before[i]
	}
	for k := range t.count {
		mix.age[k] = min(mix.age[k]+1, mixed)
	}
	for j := range mixed {
		dots := row(mix.gram, newest*mixed+j, t.width)
		t.tab.Dots(dots, dr, t.past(mixed+j))
		copy(row(mix.gram, j*mixed+newest, t.width), dots)
	}
}

// mix makes the step.
func (t *task[T]) mix(mix *mixing[T], newest int, x, r []T, beta T) {
	for j := range mixed {
		t.tab.Dots(row(mix.rhs, j, t.width), t.past(mixed+j), r)
	}
	for i := range x {
		x[i] += beta * r[i]
	}
	clear(mix.gamma)
	for k := range t.count {
		if t.ran[k] && mix.age[k] > 0 {
			mix.solve(newest, k)
		}
	}
	for j := range mixed {
		c := row(mix.gamma, j, t.width)
		for k := range c {
			c[k] = -c[k]
		}
		t.tab.Step(x, x, t.past(j), c)
		for k := range c {
			c[k] *= beta
		}
		t.tab.Step(x, x, t.past(mixed+j), c)
	}
}

// solve finds γ of one lane by Cholesky's method with λ = 1e-10 of the trace (1e-6 in float32); a pivot that has lost
// all its digits makes the lane forget.
func (mix *mixing[T]) solve(newest, k int) {
	n := mix.age[k]
	var a [mixed][mixed]float64
	var b [mixed]float64
	at := func(i int) int { return (newest - i + mixed) % mixed }
	trace := 0.0
	for i := range n {
		trace += float64(mix.gram[(at(i)*mixed+at(i))*maxLanes+k])
	}
	lambda, lost := 1e-10*trace, 1e-14
	if T(1)+T(1e-10) == 1 {
		lambda, lost = 1e-6*trace, 1e-7
	}
	for i := range n {
		for j := range n {
			a[i][j] = float64(mix.gram[(at(i)*mixed+at(j))*maxLanes+k])
		}
		a[i][i] += lambda
		b[i] = float64(mix.rhs[at(i)*maxLanes+k])
	}
	for i := range n {
		for j := range i + 1 {
			sum := a[i][j]
			for l := range j {
				sum -= a[i][l] * a[j][l]
			}
			if i > j {
				a[i][j] = sum / a[j][j]
			} else if !(sum > lost*trace) || math.IsInf(sum, 0) {
				mix.age[k] = 0
				return
			} else {
				a[i][i] = math.Sqrt(sum)
			}
		}
		for l := range i {
			b[i] -= a[i][l] * b[l]
		}
		b[i] /= a[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for l := i + 1; l < n; l++ {
			b[i] -= a[l][i] * b[l]
		}
		b[i] /= a[i][i]
		mix.gamma[at(i)*maxLanes+k] = T(b[i])
	}
}

// goBack puts lane k to its best iterate and lets it forget.
func (t *task[T]) goBack(x []T, k int, mix *mixing[T]) {
	l := int(t.lane[k])
	for r := range t.n {
		x[r*t.width+k] = t.z0[r*t.lanes+l]
	}
	mix.age[k] = 0
}
