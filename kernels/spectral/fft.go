package spectral

import "ganglion/kernels"

// fft is the complex DFT of one length, X_k = Σ_j x_j e^{−2πijk/n}, of several columns at once: a Stockham transform by
// factors of 2, 4 and primes up to maxRadix, or Bluestein's for other lengths.
type fft[T kernels.Float] struct {
	n        int
	radices  []int
	cos, sin []T // e^{−2πij/n} = cos[j] − i·sin[j]

	// Bluestein: x_j w_j is convolved with conj w_j by transforms of a power of two, w_j = e^{−iπj²/n}.
	inner    *fft[T]
	wr, wi   []T // w, of length n
	spr, spi []T // the transform of conj w, wrapped, over its length
}

// maxRadix is the largest prime factor that a stage handles.
const maxRadix = 13

// smooth reports whether a transform of length n ≥ 1 has stages for all of its prime factors.
func smooth(n int) bool {
	for _, r := range [...]int{2, 3, 5, 7, 11, 13} {
		for n%r == 0 {
			n /= r
		}
	}
	return n == 1
}

// factors cuts a smooth n into stages: 4 while it divides, then 2, 3, 5, …
func factors(n int) (radices []int) {
	for _, r := range [...]int{4, 2, 3, 5, 7, 11, 13} {
		for n%r == 0 {
			radices, n = append(radices, r), n/r
		}
	}
	return radices
}

// room is the number of complex elements that a column of length n needs in each of its two buffers.
func room(n int) int {
	if smooth(n) {
		return n
	}
	m := 1
	for m < 2*n-1 {
		m *= 2
	}
	return m
}

func newFFT[T kernels.Float](n int) *fft[T] {
	f := &fft[T]{n: n}
	if !smooth(n) {
		f.bluestein(room(n))
		return f
	}
	f.radices = factors(n)
	f.cos, f.sin = make([]T, n), make([]T, n)
	for j := range n {
		f.cos[j], f.sin[j] = turn[T](j, n)
	}
	return f
}

// turn is the cosine and the sine of 2πj/n, 0 ≤ j < n.
func turn[T kernels.Float](j, n int) (cos, sin T) {
	return T(cosine(4*j, 4*n)), T(cosine((4*j+3*n)%(4*n), 4*n))
}

// bluestein makes the tables for convolutions of length m.
func (f *fft[T]) bluestein(m int) {
	n := f.n
	f.inner = newFFT[T](m)
	f.wr, f.wi = make([]T, n), make([]T, n)
	wide := newFFT[float64](m)
	re, im := make([]float64, m), make([]float64, m)
	for j := range n {
		c, s := turn[float64](j*j%(2*n), 2*n)
		f.wr[j], f.wi[j] = T(c), T(-s)
		re[j], im[j] = c, s
		if j > 0 {
			re[m-j], im[m-j] = c, s
		}
	}
	wide.run(1, re, im, make([]float64, m), make([]float64, m))
	f.spr, f.spi = make([]T, m), make([]T, m)
	for j := range m {
		f.spr[j], f.spi[j] = T(re[j]/float64(m)), T(im[j]/float64(m))
	}
}

// run transforms b columns in place: row j of them is re[j·b:(j+1)·b] and the same of im. tr and ti are scratch. All
// have room for room(n)·b elements.
func (f *fft[T]) run(b int, re, im, tr, ti []T) {
	if f.inner != nil {
		f.convolve(b, re, im, tr, ti)
		return
	}
	n, s := f.n, b
	xr, xi, yr, yi := re[:f.n*b], im[:f.n*b], tr[:f.n*b], ti[:f.n*b]
	for _, r := range f.radices {
		st := stage[T]{m: n / r, s: s, step: f.n / n, cos: f.cos, sin: f.sin, xr: xr, xi: xi, yr: yr, yi: yi}
		switch r {
		case 2:
			st.two()
		case 4:
			st.four()
		default:
			st.odd(r)
		}
		n, s = n/r, s*r
		xr, xi, yr, yi = yr, yi, xr, xi
	}
	if len(f.radices)%2 == 1 {
		copy(re, xr)
		copy(im, xi)
	}
}

func (f *fft[T]) convolve(b int, re, im, tr, ti []T) {
	m := f.inner.n
	for j := range f.n {
		multiplyRow(re[j*b:(j+1)*b], im[j*b:(j+1)*b], f.wr[j], f.wi[j])
	}
	clear(re[f.n*b : m*b])
	clear(im[f.n*b : m*b])
	f.inner.run(b, re, im, tr, ti)
	for j := range m {
		multiplyRow(re[j*b:(j+1)*b], im[j*b:(j+1)*b], f.spr[j], f.spi[j])
	}
	f.inner.run(b, im, re, ti, tr) // with the parts exchanged it is the inverse, times m
	for j := range f.n {
		multiplyRow(re[j*b:(j+1)*b], im[j*b:(j+1)*b], f.wr[j], f.wi[j])
	}
}

// multiplyRow multiplies a row with the number c + is.
func multiplyRow[T kernels.Float](re, im []T, c, s T) {
	im = im[:len(re)]
	for i, u := range re {
		v := im[i]
		re[i], im[i] = u*c-v*s, u*s+v*c
	}
}

// stage is one stage of a Stockham transform: m groups of r rows of s elements, from x to y.
type stage[T kernels.Float] struct {
	m, s, step     int
	cos, sin       []T
	xr, xi, yr, yi []T
}

// two is the stage of radix 2: y_{2p} = x_p + x_{p+m}, y_{2p+1} = (x_p − x_{p+m})·w^p.
func (t *stage[T]) two() {
	s := t.s
	for p := range t.m {
		c, n := t.cos[p*t.step], -t.sin[p*t.step]
		ar, ai := t.xr[p*s:(p+1)*s], t.xi[p*s:(p+1)*s]
		br, bi := t.xr[(p+t.m)*s:(p+t.m+1)*s], t.xi[(p+t.m)*s:(p+t.m+1)*s]
		y0r, y0i := t.yr[2*p*s:(2*p+1)*s], t.yi[2*p*s:(2*p+1)*s]
		y1r, y1i := t.yr[(2*p+1)*s:(2*p+2)*s], t.yi[(2*p+1)*s:(2*p+2)*s]
		ai, br, bi = ai[:len(ar)], br[:len(ar)], bi[:len(ar)]
		y0r, y0i, y1r, y1i = y0r[:len(ar)], y0i[:len(ar)], y1r[:len(ar)], y1i[:len(ar)]
		for i, u := range ar {
			v, w, z := ai[i], br[i], bi[i]
			y0r[i], y0i[i] = u+w, v+z
			dr, di := u-w, v-z
			y1r[i], y1i[i] = dr*c-di*n, dr*n+di*c
		}
	}
}

// rows returns row k of the real and of the imaginary part.
func rows[T kernels.Float](re, im []T, k, s int) (r, i []T) {
	return re[k*s : (k+1)*s : (k+1)*s], im[k*s : (k+1)*s : (k+1)*s]
}

// four is the stage of radix 4.
func (t *stage[T]) four() {
	s, m := t.s, t.m
	for p := range m {
		a := p * t.step
		c1, s1, c2, s2, c3, s3 := t.cos[a], -t.sin[a], t.cos[2*a], -t.sin[2*a], t.cos[3*a], -t.sin[3*a]
		ar, ai := rows(t.xr, t.xi, p, s)
		br, bi := rows(t.xr, t.xi, p+m, s)
		cr, ci := rows(t.xr, t.xi, p+2*m, s)
		dr, di := rows(t.xr, t.xi, p+3*m, s)
		y0r, y0i := rows(t.yr, t.yi, 4*p, s)
		y1r, y1i := rows(t.yr, t.yi, 4*p+1, s)
		y2r, y2i := rows(t.yr, t.yi, 4*p+2, s)
		y3r, y3i := rows(t.yr, t.yi, 4*p+3, s)
		ar = ar[:s]
		ai, br, bi, cr, ci, dr, di = ai[:s], br[:s], bi[:s], cr[:s], ci[:s], dr[:s], di[:s]
		y0r, y0i, y1r, y1i = y0r[:s], y0i[:s], y1r[:s], y1i[:s]
		y2r, y2i, y3r, y3i = y2r[:s], y2i[:s], y3r[:s], y3i[:s]
		for i := range s {
			// e = a+c, f = a−c, g = b+d, h = b−d.
			er, ei, fr, fi := ar[i]+cr[i], ai[i]+ci[i], ar[i]-cr[i], ai[i]-ci[i]
			gr, gi, hr, hi := br[i]+dr[i], bi[i]+di[i], br[i]-dr[i], bi[i]-di[i]
			y0r[i], y0i[i] = er+gr, ei+gi
			ur, ui := fr+hi, fi-hr // f − ih
			y1r[i], y1i[i] = ur*c1-ui*s1, ur*s1+ui*c1
			ur, ui = er-gr, ei-gi
			y2r[i], y2i[i] = ur*c2-ui*s2, ur*s2+ui*c2
			ur, ui = fr-hi, fi+hr // f + ih
			y3r[i], y3i[i] = ur*c3-ui*s3, ur*s3+ui*c3
		}
	}
}

// odd is a stage of an odd radix: rows j and r−j are combined to sums and differences first.
func (t *stage[T]) odd(r int) {
	var cos, sin [maxRadix]T
	n := t.m * r * t.step // the length of the whole transform
	for j := range r {
		cos[j], sin[j] = t.cos[j*n/r], t.sin[j*n/r]
	}
	var sr, si, dr, di [maxRadix/2 + 1]T
	half, s, m := r/2, t.s, t.m
	for p := range m {
		for i := range s {
			zr, zi := t.xr[p*s+i], t.xi[p*s+i]
			y0r, y0i := zr, zi
			for j := 1; j <= half; j++ {
				a, b := (p+j*m)*s+i, (p+(r-j)*m)*s+i
				sr[j], si[j] = t.xr[a]+t.xr[b], t.xi[a]+t.xi[b]
				dr[j], di[j] = t.xr[a]-t.xr[b], t.xi[a]-t.xi[b]
				y0r, y0i = y0r+sr[j], y0i+si[j]
			}
			t.yr[r*p*s+i], t.yi[r*p*s+i] = y0r, y0i
			for k := 1; k <= half; k++ {
				ur, ui := zr, zi
				var vr, vi T
				at := 0
				for j := 1; j <= half; j++ {
					if at += k; at >= r {
						at -= r
					}
					ur, ui = ur+sr[j]*cos[at], ui+si[j]*cos[at]
					vr, vi = vr+di[j]*sin[at], vi-dr[j]*sin[at]
				}
				t.put((r*p+k)*s+i, k*p*t.step, ur+vr, ui+vi)
				t.put((r*p+r-k)*s+i, (r-k)*p*t.step, ur-vr, ui-vi)
			}
		}
	}
}

// put writes the product of a number and a root of unity.
func (t *stage[T]) put(at, root int, ur, ui T) {
	c, s := t.cos[root], -t.sin[root]
	t.yr[at], t.yi[at] = ur*c-ui*s, ur*s+ui*c
}
