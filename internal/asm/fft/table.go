package fft

import "ganglion/internal/cpu"

// stage is a stage of a complex transform: for p < m and q < s, row (rp+k)s+q of y is row k of the DFT of the r rows
// (p+im)s+q of x; it is multiplied with the k-th root of group p: roots are pairs c, s of c − is, r−1 for each p, and
// absent in a last stage. A row is a vector of real parts and one of imaginary parts. Steps are in bytes.
type stage[T float32 | float64] func(m, s int, x *T, stepx int, y *T, stepy int, roots *T)

// maxRadix is the largest radix of a stage.
const maxRadix = 8

// Table holds the kernels of one path for long transforms of one element type. Rows of z are pairs of vectors, one
// behind another; pitches and steps are in bytes.
type table[T float32 | float64] struct {
	lanes int

	stage, last [maxRadix + 1]stage[T] // by radix

	// split: for k = 1 … n, re = (a+b)w and im = −i(a−b)w of a = row k from z on, and b = row k from end back.
	split func(n int, z, end, re, im *T, ldy int, w *T)
	// join: for k = 1 … n, a = conj(u + iv)w and b = (u + iv)w of the rows u of re and v of im, plus i times that of
	// their second halves.
	join func(n int, z, end, re, im *T, ldx int, w *T)
	// cosines: for k = 1 … n, y = (a+b)c − i(a−b)s.
	cosines func(n int, z, end, y *T, ldy int, roots *T)
	// cosinesBack: for k = 1 … n, row k from end back is (c + is)(u − iv) of u in x and v in mirror, which goes
	// backwards, plus i times that of their second halves.
	cosinesBack func(n int, end, x, mirror *T, ldx int, roots *T)
	// modulate: for n rows, y = (c − is)x.
	modulate func(n int, x *T, stepx int, y *T, stepy int, roots *T)
}

// tableFor returns the kernels of a path.
func tableFor[T float32 | float64](path cpu.Path) *table[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(table32(path)).(*table[T])
	}
	return any(table64(path)).(*table[T])
}
