package fft

import (
	"math"

	"ganglion/internal/cpu"
)

// Long is a real DFT or an orthonormal DCT of columns of any length: two columns are the parts of a complex one, whose
// transform goes through stages of the radices 2 to 8, or L. Bluestein's convolution where the length has other prime
// factors.
type Long[T float32 | float64] struct {
	kind  Kind
	n     int
	plan  *plan[T]
	table *table[T]
	// factors are those of the real planes and, halved, of the complex ones; of a DCT, of the mean.
	factors [2]T
	roots   []T // DCT: pairs of cos and sin of πk/2n, k ≥ 1, times √(2/n)/2
}

// NewLong returns the transform of columns of length n ≥ 1 on a path; kind is DFT or DCT. The planes of the DFT are
// multiplied with two factors, as those of NewShort.
func NewLong[T float32 | float64](path cpu.Path, kind Kind, n int, real, complex T) *Long[T] {
	l := &Long[T]{kind: kind, n: n, table: tableFor[T](path), factors: [2]T{real, complex / 2}}
	if n > lanesMax {
		one := twin[T](1)
		l.table = &one
	}
	l.plan = newPlan(l.table, n)
	if kind == DCT {
		w := math.Sqrt(2/float64(n)) / 2
		for k := 1; k < n; k++ {
			c, s := turn[float64](k, 4*n)
			l.roots = append(l.roots, T(c*w), T(s*w))
		}
		l.factors[0] = T(math.Sqrt(1 / float64(n)))
	}
	return l
}

// Columns is the number of columns that are transformed together.
func (l *Long[T]) Columns() int { return 2 * l.table.lanes }

// lanesMax is the length up to which all lanes of a path are used; longer columns are transformed two at a time, in Go,
// so that the scratch memory does not grow beyond all bounds.
const lanesMax = 1 << 15

// LongWork is the number of elements, of elem bytes, of scratch memory that a transform of columns of length n needs on
// any path.
func LongWork(n, elem int) int {
	lanes := 1
	if n <= lanesMax {
		lanes = maxLanes * 4 / elem
	}
	return 2 * lanes * (2*longest(n) + 2*n)
}

// Run transforms columns, Columns() or fewer: y = op(x) for x and y of n rows, which are ldx and ldy elements apart and
// do not overlap. The matrix is transposed if back is set: then the factors belong to the rows of x. work has LongWork
// elements.
func (l *Long[T]) Run(back bool, columns int, x []T, ldx int, y []T, ldy int, work []T) {
	if columns < 1 || columns > l.Columns() || ldx < columns || ldy < columns || len(x) < (l.n-1)*ldx+columns ||
		len(y) < (l.n-1)*ldy+columns || len(work) < LongWork(l.n, size[T]()) {
		misfit("Long", l.n, columns, len(x), ldx, len(y), ldy, len(work))
	}
	pitch := l.Columns()
	room, block := longest(l.n)*pitch, l.n*pitch
	b := buffers[T]{work[:room], work[room : 2*room]}
	if columns == pitch {
		l.whole(back, x, ldx, y, ldy, b)
		return
	}
	in, out := work[2*room:][:block], work[2*room+block:][:block] // the columns that are missing are zeros
	for i := range l.n {
		row := in[i*pitch:][:pitch]
		clear(row[copy(row, x[i*ldx:][:columns]):])
	}
	l.whole(back, in, pitch, out, pitch, b)
	for i := range l.n {
		copy(y[i*ldy:][:columns], out[i*pitch:])
	}
}

// whole transforms as many columns as there are lanes for.
func (l *Long[T]) whole(back bool, x []T, ldx int, y []T, ldy int, b buffers[T]) {
	pitch := l.Columns()
	switch {
	case l.kind == DFT && !back:
		l.analyse(l.plan.run(x, ldx, b), y, ldy)
	case l.kind == DFT:
		l.synthesise(x, ldx, b[1])
		l.plan.runTo(b[1], pitch, y, ldy, b)
	case !back:
		for j := range l.n {
			copy(b[1][folded(j, l.n)*pitch:][:pitch], x[j*ldx:])
		}
		l.analyseCosines(l.plan.run(b[1], pitch, b), y, ldy)
	default:
		l.synthesiseCosines(x, ldx, b[1])
		z := l.plan.run(b[1], pitch, b)
		for j := range l.n {
			copy(y[j*ldy:][:pitch], z[folded(j, l.n)*pitch:])
		}
	}
}

// folded is the row at which the DCT has row j of its input: the even ones first, the odd ones backwards behind them.
func folded(j, n int) int {
	if j%2 == 0 {
		return j / 2
	}
	return n - 1 - j/2
}

func scaleInto[T float32 | float64](dst, x []T, a T) {
	for i, v := range x {
		dst[i] = a * v
	}
}

// realPlanes are the numbers of real planes and of complex slices.
func realPlanes(n int) (r, q int) {
	r = 2 - n%2
	return r, (n - r) / 2
}

// analyse takes the spectra z of pairs of columns apart: Z_k = X1_k + iX2_k, and X_{n−k} = conj X_k.
func (l *Long[T]) analyse(z, y []T, ldy int) {
	pitch, n := l.Columns(), l.n
	r, q := realPlanes(n)
	for plane := range r {
		scaleInto(y[plane*ldy:][:pitch], z[plane*(n/2)*pitch:][:pitch], l.factors[0])
	}
	if q > 0 {
		l.table.split(q, data(z[pitch:]), data(z[(n-1)*pitch:]), data(y[r*ldy:]), data(y[(r+q)*ldy:]), ldy*size[T](),
			&l.factors[1])
	}
}

// synthesise puts the spectra of pairs of columns together, in reversed order, in which the DFT is its inverse.
func (l *Long[T]) synthesise(x []T, ldx int, z []T) {
	pitch, n := l.Columns(), l.n
	r, q := realPlanes(n)
	for plane := range r {
		scaleInto(z[plane*(n/2)*pitch:][:pitch], x[plane*ldx:][:pitch], l.factors[0])
	}
	if q > 0 {
		l.table.join(q, data(z[pitch:]), data(z[(n-1)*pitch:]), data(x[r*ldx:]), data(x[(r+q)*ldx:]), ldx*size[T](),
			&l.factors[1])
	}
}

// analyseCosines is y_k = s_k·Re(V_k e^{−iπk/2n}), with V the spectrum of the folded column.
func (l *Long[T]) analyseCosines(z, y []T, ldy int) {
	pitch, n := l.Columns(), l.n
	scaleInto(y[:pitch], z[:pitch], l.factors[0])
	if n > 1 {
		l.table.cosines(n-1, data(z[pitch:]), data(z[(n-1)*pitch:]), data(y[ldy:]), ldy*size[T](), data(l.roots))
	}
}

// synthesiseCosines is V_k = s_k·e^{iπk/2n}(C_k − iC_{n−k}), in reversed order.
func (l *Long[T]) synthesiseCosines(x []T, ldx int, z []T) {
	pitch, n := l.Columns(), l.n
	scaleInto(z[:pitch], x[:pitch], l.factors[0])
	if n > 1 {
		l.table.cosinesBack(n-1, data(z[(n-1)*pitch:]), data(x[ldx:]), data(x[(n-1)*ldx:]), ldx*size[T](),
			data(l.roots))
	}
}
