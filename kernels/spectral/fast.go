package spectral

import (
	"math"

	"ganglion/kernels"
)

// fast is a long DFT or DCT, or its inverse: real columns two at a time as the parts of a complex one.
type fast[T kernels.Float] struct {
	fft      *fft[T]
	cos, sin []T // DCT: of πk/2c

	real, complex T // DFT: weights of the real and of the complex planes; DCT: those of the mean and of the others
}

func newFast[T kernels.Float](o Transform, c int) *fast[T] {
	f := &fast[T]{fft: newFFT[T](c), real: 1, complex: 1}
	if o.Kind == DCT {
		f.cos, f.sin = make([]T, c), make([]T, c)
		for k := range c {
			f.cos[k], f.sin[k] = turn[T](k, 4*c)
		}
		f.real, f.complex = T(math.Sqrt(1/float64(c))), T(math.Sqrt(2/float64(c)))
		if o.Inverse != o.Transposed { // y_k/s_k, and 1/c of the inverse DFT
			f.complex /= 2
		}
		return f
	}
	if o.Inverse {
		f.real, f.complex = T(1/float64(c)), T(2/float64(c))
	}
	if o.Inverse != o.Transposed { // both halves of the spectrum are filled
		f.complex /= 2
	}
	return f
}

// blockOf is the number of complex columns that are transformed together: what their four buffers hold stays in the
// cache.
func blockOf(c int) int { return max(1, min(16, 8192/room(c))) }

// block is some columns of a tensor [n, p] and the buffers of their transform.
type block[T kernels.Float] struct {
	n, p, lo     int
	b            int // complex columns: the first b columns are real parts, the others imaginary ones
	w            int // columns
	re, im, t, u []T
}

// fastBody transforms a block of tubes.
func fastBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	o := c.Op.(Transform)
	n, p := tubes(c.Out.Shape)
	f := tableOf[T](c.State.(*transformState)).fast
	work := workOf(c, worker)
	k := block[T]{n: n, p: p, lo: chunk * c.Arg[0]}
	k.w = min(p-k.lo, c.Arg[0])
	k.b = (k.w + 1) / 2
	size := room(n) * k.b
	k.re, k.im = kernels.Carve[T](&work, size), kernels.Carve[T](&work, size)
	k.t, k.u = kernels.Carve[T](&work, size), kernels.Carve[T](&work, size)
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	inverse := o.Inverse != o.Transposed
	switch {
	case o.Kind == DFT && !inverse:
		k.load(x, false)
		f.fft.run(k.b, k.re, k.im, k.t, k.u)
		f.analyse(&k, y)
	case o.Kind == DFT:
		f.synthesise(&k, x)
		f.fft.run(k.b, k.im, k.re, k.u, k.t) // exchanged parts: the inverse
		k.store(y, false)
	case !inverse:
		k.load(x, true)
		f.fft.run(k.b, k.re, k.im, k.t, k.u)
		f.analyseCosines(&k, y)
	default:
		f.synthesiseCosines(&k, x)
		f.fft.run(k.b, k.im, k.re, k.u, k.t)
		k.store(y, true)
	}
}

// folded is the row at which the DCT has row j of its input: the even ones first, the odd ones backwards behind them.
func folded(j, n int) int {
	if j%2 == 0 {
		return j / 2
	}
	return n - 1 - j/2
}

// row is row j of the buffers.
func (k *block[T]) row(j int) (re, im []T) { return rows(k.re, k.im, j, k.b) }

// load copies the columns of x into the buffers.
func (k *block[T]) load(x []T, fold bool) {
	for j := range k.n {
		to := j
		if fold {
			to = folded(j, k.n)
		}
		re, im := k.row(to)
		from := x[j*k.p+k.lo : j*k.p+k.lo+k.w]
		clear(im[copy(im, from[copy(re, from):]):])
	}
}

// store copies the buffers to the columns of y.
func (k *block[T]) store(y []T, fold bool) {
	for j := range k.n {
		from := j
		if fold {
			from = folded(j, k.n)
		}
		re, im := k.row(from)
		to := y[j*k.p+k.lo : j*k.p+k.lo+k.w]
		copy(to[copy(to, re):], im)
	}
}

// columns are the real-part and the imaginary-part columns of row j of a tensor.
func (k *block[T]) columns(x []T, j int) (first, second []T) {
	at := j*k.p + k.lo
	return x[at : at+k.b], x[at+k.b : at+k.w]
}

// analyse takes the spectra Z of pairs of columns apart: Z_k = X1_k + iX2_k, and X_{−k} = conj X_k.
func (f *fast[T]) analyse(k *block[T], y []T) {
	r, q := planes(k.n)
	for plane := range r {
		slice, _ := sliceOf(plane, k.n)
		re, im := k.row(slice)
		first, second := k.columns(y, plane)
		scaleInto(first, re, f.real)
		scaleInto(second, im, f.real)
	}
	w := f.complex / 2
	for s := 1; s <= q; s++ {
		ar, ai := k.row(s)
		br, bi := k.row(k.n - s)
		re1, re2 := k.columns(y, r+s-1)
		im1, im2 := k.columns(y, r+q+s-1)
		for i := range re1 {
			re1[i], im1[i] = (ar[i]+br[i])*w, (ai[i]-bi[i])*w
		}
		for i := range re2 {
			re2[i], im2[i] = (ai[i]+bi[i])*w, (br[i]-ar[i])*w
		}
	}
}

func scaleInto[T kernels.Float](dst, x []T, a T) {
	for i := range dst {
		dst[i] = a * x[i]
	}
}

// synthesise puts the spectra of pairs of columns together: the transpose of analyse.
func (f *fast[T]) synthesise(k *block[T], x []T) {
	r, q := planes(k.n)
	for plane := range r {
		slice, _ := sliceOf(plane, k.n)
		re, im := k.row(slice)
		first, second := k.columns(x, plane)
		scaleInto(re, first, f.real)
		clear(im)
		scaleInto(im[:len(second)], second, f.real)
	}
	for s := 1; s <= q; s++ {
		ar, ai := k.row(s)
		br, bi := k.row(k.n - s)
		re1, re2 := k.columns(x, r+s-1)
		im1, im2 := k.columns(x, r+q+s-1)
		for i := range re1 {
			u, v := re1[i]*f.complex, im1[i]*f.complex
			ar[i], ai[i], br[i], bi[i] = u, v, u, -v
		}
		for i := range re2 {
			u, v := re2[i]*f.complex, im2[i]*f.complex
			ar[i], ai[i], br[i], bi[i] = ar[i]-v, ai[i]+u, br[i]+v, bi[i]+u
		}
	}
}

// scale is the factor of plane j of a DCT.
func (f *fast[T]) scale(j int) T {
	if j == 0 {
		return f.real
	}
	return f.complex
}

// analyseCosines is y_k = s_k·Re(V_k e^{−iπk/2c}), with V the spectrum of the folded column.
func (f *fast[T]) analyseCosines(k *block[T], y []T) {
	for s := range k.n {
		ar, ai := k.row(s)
		br, bi := k.row((k.n - s) % k.n)
		first, second := k.columns(y, s)
		w := f.scale(s) / 2
		c, n := f.cos[s]*w, f.sin[s]*w
		for i := range first {
			first[i] = (ar[i]+br[i])*c + (ai[i]-bi[i])*n
		}
		for i := range second {
			second[i] = (ai[i]+bi[i])*c + (br[i]-ar[i])*n
		}
	}
}

// synthesiseCosines is V_k = e^{iπk/2c}·(C_k − iC_{c−k}) with C_c = 0.
func (f *fast[T]) synthesiseCosines(k *block[T], x []T) {
	for s := range k.n {
		re, im := k.row(s)
		c, n := f.cos[s]*f.scale(s), f.sin[s]*f.scale(s)
		first, second := k.columns(x, s)
		mirror1, mirror2 := k.columns(x, (k.n-s)%k.n)
		if s == 0 {
			scaleInto(re, first, f.real)
			clear(im)
			scaleInto(im[:len(second)], second, f.real)
			continue
		}
		for i := range first {
			u, v := first[i], mirror1[i]
			re[i], im[i] = u*c+v*n, u*n-v*c
		}
		for i := range second {
			u, v := second[i], mirror2[i]
			re[i], im[i] = re[i]-(u*n-v*c), im[i]+u*c+v*n
		}
	}
}
