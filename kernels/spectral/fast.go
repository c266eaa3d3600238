package spectral

import (
	"ganglion/internal/asm/fft"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// fast is a transform of columns without a matrix: a codelet for a short length, or stages.
type fast[T kernels.Float] struct {
	back  bool // the matrix of the transform is transposed
	short *fft.Short
	long  *fft.Long[T]
}

// newFast returns the fast form of a transform of tubes of length c, or nil if there is none.
func newFast[T kernels.Float](o Transform, path cpu.Path, c int) *fast[T] {
	f := &fast[T]{back: o.Inverse != o.Transposed}
	real, complex := T(1), T(1)
	if o.Kind == DFT && o.Inverse { // the weights of the planes
		e := entriesOf(o.Kind, 0)
		e.c = c
		real, complex = T(e.weight(0)), T(e.weight(c-1))
	}
	kind, ok := map[Kind]fft.Kind{DFT: fft.DFT, DCT: fft.DCT, Haar: fft.Haar}[o.Kind]
	switch {
	case !ok:
		return nil
	case c <= gemmLength:
		if _, single := any(real).(float32); single {
			f.short = fft.NewShort(path, kind, c, float32(real), float32(complex))
		}
		if f.short == nil {
			return nil
		}
	case o.Kind == Haar:
		return nil
	default:
		f.long = fft.NewLong(path, kind, c, real, complex)
	}
	return f
}

// fastWork is the number of elements of scratch memory of a worker.
func fastWork(c, elem int) int {
	if c <= gemmLength {
		return fft.ShortWork + c*stagedColumns
	}
	return fft.LongWork(c, elem)
}

// Of tensors above stagedBytes, which come from beyond the second-level cache, stagedColumns of a row are copied in one
// go: the processor follows a row that it reads at length, but not as many rows as there are at once. 168 to 138 µs for
// 32 × 16384.
const (
	stagedBytes   = 1 << 20
	stagedColumns = 1024
)

// staged reports whether tubes of length c are copied.
func (f *fast[T]) staged(c, tubes int) bool {
	return f.short != nil && 4*c*tubes > stagedBytes && c >= 8
}

// columns is the number of columns of a chunk: some ten thousand elements.
func (f *fast[T]) columns(c, tubes int) int {
	switch {
	case f.staged(c, tubes):
		return stagedColumns
	case f.short != nil:
		return max(64, 16384/c&^63)
	}
	return f.long.Columns() * max(1, 16384/(c*f.long.Columns()))
}

// run transforms columns.
func (f *fast[T]) run(columns int, x []T, ldx int, y []T, ldy int, work []T) {
	if f.short != nil {
		f.short.Run(f.back, columns, any(x).([]float32), ldx, any(y).([]float32), ldy, any(work).([]float32))
		return
	}
	for at := 0; at < columns; at += f.long.Columns() {
		f.long.Run(f.back, min(f.long.Columns(), columns-at), x[at:], ldx, y[at:], ldy, work)
	}
}

// fastBody transforms a chunk of tubes.
func fastBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	n, p := tubes(c.Out.Shape)
	work := workOf(c, worker)
	lo := chunk * c.Arg[0]
	f, columns := tableOf[T](c.State.(*transformState)).fast, min(p-lo, c.Arg[0])
	x, y, ldx := kernels.Of[T](c.In[0])[lo:], kernels.Of[T](c.Out)[lo:], p
	room := kernels.Carve[T](&work, fastWork(n, c.Out.DType.Size()))
	if f.staged(n, p) {
		copied := room[fft.ShortWork:]
		for i := range n {
			copy(copied[i*stagedColumns:][:columns], x[i*p:])
		}
		x, ldx = copied, stagedColumns
	}
	f.run(columns, x, ldx, y, p, room)
}
