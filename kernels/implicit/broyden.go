package implicit

// remembered is the number of rank-one updates after which Broyden's method starts again from the identity.
const remembered = 10

// broyden is the good Broyden method with a limited memory: steps s = H·r with r = G(x)-x and H = I + Σ_i u_i v_iᵀ,
// which after each step with y = r - r′ becomes H + (s - H·y)(sᵀH)/(sᵀH·y). A lane whose denominator vanishes skips the
// update; one whose residual has grown hundredfold goes back to its best iterate and forgets.
func (t *task[T]) broyden(limit int) {
	t.compact(0, t.live)
	if t.count == 0 {
		return
	}
	size := t.n * t.width
	x, g, r, last, s := t.x[:size], t.g[:size], t.y[:size], t.h[:size], t.step[:size]
	w := t.watch(limit, 0)
	used := 0
	for {
		t.eval(g, x)
		t.measure(x, g)
		if t.follow(&w, x, last) == 0 {
			return
		}
		if w.step > 1 {
			if used == remembered {
				used = 0
			}
			t.update(used, x, g, r, s)
			used++
		}
		for i, v := range x {
			r[i] = g[i] - v
		}
		copy(last, x)
		copy(s, r)
		for k := range t.count {
			if t.ran[k] && !(t.res[k] < 100*w.least[k]) {
				t.forget(used, x, s, k)
			}
		}
		t.apply(s, used, r)
		for i := range x {
			x[i] += s[i]
		}
	}
}

// apply adds Σ_i u_i (v_iᵀ·a) to s.
func (t *task[T]) apply(s []T, used int, a []T) {
	dot := t.norm[:t.width]
	for i := range used {
		t.tab.Dots(dot, t.past(remembered+i), a)
		t.tab.Step(s, s, t.past(i), dot)
	}
}

// update stores u and v of the step s that led to x with image g; r is the residual before the step.
func (t *task[T]) update(used int, x, g, r, s []T) {
	w := t.width
	y, u, v, dot := t.fx[:len(x)], t.past(used), t.past(remembered+used), t.norm[:w]
	for i := range x {
		y[i] = r[i] - (g[i] - x[i])
	}
	copy(u, y)
	t.apply(u, used, y) // H·y
	copy(v, s)
	for i := range used { // sᵀH
		t.tab.Dots(dot, t.past(i), s)
		t.tab.Step(v, v, t.past(remembered+i), dot)
	}
	t.tab.Dots(dot, v, y)
	for k := range w {
		inverse := 1 / dot[k]
		if inverse-inverse != 0 || !t.ran[k] {
			inverse = 0
		}
		for at := k; at < len(x); at += w {
			if u[at] = (s[at] - u[at]) * inverse; inverse == 0 {
				u[at], v[at] = 0, 0
			}
		}
	}
}

// forget puts lane k back to its best iterate and clears its updates.
func (t *task[T]) forget(used int, x, s []T, k int) {
	l := int(t.lane[k])
	for r := range t.n {
		at := r*t.width + k
		x[at], s[at] = t.z0[r*t.lanes+l], 0
		for i := range used {
			t.past(i)[at] = 0
		}
	}
}
