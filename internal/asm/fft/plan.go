package fft

import "math"

// buffers are two arrays of rows between which stages go back and forth.
type buffers[T any] [2][]T

// plan is the complex DFT of one length of several columns: X_k = Σ_j x_j e^{−2πijk/n}. It is a Stockham transform, or
// Bluestein's.
type plan[T float32 | float64] struct {
	table   *table[T]
	n       int
	radices []int
	roots   [][]T // of each stage

	// Bluestein: x_j w_j is convolved with conj w_j by transforms of a longer length, w_j = e^{−iπj²/n}.
	inner    *plan[T]
	chirp    []T // w, as pairs c, s of c − is
	spectrum []T // that of conj w, wrapped, over its length, as pairs c, s of c − is
}

// smooth reports whether there are stages for all prime factors of n ≥ 1.
func smooth(n int) bool {
	for _, r := range [...]int{2, 3, 5, 7} {
		for n%r == 0 {
			n /= r
		}
	}
	return n == 1
}

// factors cuts a smooth n into stages: few ones, and two of 4 rather than 8 and 2.
func factors(n int) (radices []int) {
	twos := 0
	for ; n%2 == 0; n /= 2 {
		twos++
	}
	for ; twos >= 3 && twos != 4; twos -= 3 {
		radices = append(radices, 8)
	}
	for ; twos >= 2; twos -= 2 {
		radices = append(radices, 4)
	}
	if twos > 0 {
		radices = append(radices, 2)
	}
	for _, r := range [...]int{3, 5, 7} {
		for ; n%r == 0; n /= r {
			radices = append(radices, r)
		}
	}
	return radices
}

// longest is the number of rows of the longest complex transform behind one of length n.
func longest(n int) int {
	if smooth(n) {
		return n
	}
	m := 2*n - 1
	for !smooth(m) {
		m++
	}
	return m
}

// turn is the cosine and the sine of 2πj/n.
func turn[T float32 | float64](j, n int) (cos, sin T) {
	j %= n
	return T(cosine(4*j, 4*n)), T(cosine((4*j+3*n)%(4*n), 4*n))
}

// cosine is cos(2πi/n) for 0 ≤ i < n, computed in the first octant, so that roots of unity are exactly symmetric.
func cosine(i, n int) float64 {
	sign := 1.0
	if 2*i > n {
		i = n - i
	}
	if 4*i > n {
		i, sign = n-2*i, -1
	} else {
		i *= 2
	}
	if 4*i <= n { // the angle is now πi/n with 0 ≤ i ≤ n/2
		return sign * math.Cos(math.Pi*float64(i)/float64(n))
	}
	return sign * math.Sin(math.Pi*float64(n-2*i)/float64(2*n))
}

func newPlan[T float32 | float64](t *table[T], n int) *plan[T] {
	f := &plan[T]{table: t, n: n}
	if !smooth(n) {
		f.bluestein()
		return f
	}
	f.radices = factors(n)
	m := n
	for _, r := range f.radices {
		var roots []T
		for p := range m / r {
			for k := 1; k < r; k++ {
				c, s := turn[T](p*k, m)
				roots = append(roots, c, s)
			}
		}
		f.roots = append(f.roots, roots)
		m /= r
	}
	return f
}

// bluestein makes the tables of the convolution.
func (f *plan[T]) bluestein() {
	n, m := f.n, longest(f.n)
	f.inner = newPlan(f.table, m)
	one := twin[float64](1)
	wide := newPlan(&one, m)
	wrapped := make([]float64, 2*m) // one column: pairs of real and imaginary parts
	for j := range n {
		c, s := turn[float64](int(uint64(j)*uint64(j)%uint64(2*n)), 2*n)
		f.chirp = append(f.chirp, T(c), T(s))
		for _, at := range []int{j, (m - j) % m} {
			wrapped[2*at], wrapped[2*at+1] = c, s
		}
	}
	z := wide.run(wrapped, 2, buffers[float64]{make([]float64, 2*m), make([]float64, 2*m)})
	for k := range m {
		f.spectrum = append(f.spectrum, T(z[2*k]/float64(m)), T(-z[2*k+1]/float64(m)))
	}
}

// run transforms columns x, whose n rows are ldx elements apart, and returns their spectra, in one of the buffers; the
// first of these must not be x.
func (f *plan[T]) run(x []T, ldx int, b buffers[T]) []T {
	to := b[1-len(f.radices)%2]
	if f.inner != nil {
		to = b[0]
	}
	f.runTo(x, ldx, to, 2*f.table.lanes, b)
	return to
}

// runTo transforms columns x to y. The first buffer must not be x; y may be the one that run returns, or another array.
func (f *plan[T]) runTo(x []T, ldx int, y []T, ldy int, b buffers[T]) {
	pitch, elem := 2*f.table.lanes, size[T]()
	switch {
	case f.inner != nil:
		f.convolve(x, ldx, y, ldy, b)
		return
	case f.n == 1:
		copy(y[:pitch], x)
		return
	}
	m, s := f.n, 1
	for i, r := range f.radices {
		m /= r
		if i == len(f.radices)-1 {
			f.table.last[r](m, s, data(x), ldx*elem, data(y), ldy*elem, nil)
			return
		}
		f.table.stage[r](m, s, data(x), ldx*elem, data(b[i%2]), pitch*elem, data(f.roots[i]))
		x, ldx, s = b[i%2], pitch, s*r
	}
}

// convolve is Bluestein's transform.
func (f *plan[T]) convolve(x []T, ldx int, y []T, ldy int, b buffers[T]) {
	pitch, elem, n, m := 2*f.table.lanes, size[T](), f.n, f.inner.n
	modulate := f.table.modulate
	modulate(n, data(x), ldx*elem, data(b[0]), pitch*elem, data(f.chirp))
	clear(b[0][n*pitch : m*pitch])
	z := f.inner.run(b[0], pitch, buffers[T]{b[1], b[0]})
	other := b[0]
	if &z[0] == &other[0] {
		other = b[1]
	}
	// In reversed order the next transform is the inverse.
	modulate(1, data(z), pitch*elem, data(other), pitch*elem, data(f.spectrum))
	modulate(m-1, data(z[pitch:]), pitch*elem, data(other[(m-1)*pitch:]), -pitch*elem, data(f.spectrum[2:]))
	z = f.inner.run(other, pitch, buffers[T]{z, other})
	modulate(n, data(z), pitch*elem, data(y), ldy*elem, data(f.chirp))
}
