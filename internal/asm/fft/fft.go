// Package fft transforms the columns of a matrix: real DFT and DCT of any length, and short Haar transforms. The lanes
// of a vector are neighbouring columns, so that a transform is straight-line arithmetic on rows and needs no shuffles.
//
// Lengths for which there is a codelet are done in registers in one pass (Short). Others go through stages of a complex
// transform of pairs of columns (Long). Codelets are generated for float32 from the algorithms of J. Cooley and J.
// Tukey, I.J. Good (coprime factors) and P. Duhamel (split radix), with all that is zero or known by conjugate symmetry
// left out; those of the transposed matrix are the same networks turned round.
//
// A result depends on the path and the length; it does not depend on how columns are cut into calls.
package fft

import (
	"fmt"
	"unsafe"

	"ganglion/internal/cpu"
)

// Kind is a transform.
type Kind uint8

// The transforms. With r = 1 for odd and r = 2 for even n and q = (n−r)/2, the planes of the DFT X_k = Σ_j x_j
// e^{−2πijk/n} are: X_0, X_{n/2} if n is even, the real parts of X_1 … X_q, their imaginary parts.
const (
	DFT  Kind = iota // in planes
	DCT              // orthonormal DCT-II
	Haar             // orthonormal; the mean, then from coarse to fine
)

// codelet is a transform of one length and its transpose.
type codelet struct {
	kind        Kind
	n           int
	there, back func(n int, x *float32, ldx int, y *float32, ldy int, scale *float32)
}

// Short is a transform of float32 columns of one short length.
type Short struct {
	codelet
	lanes int
	// factors are those of the real and the complex planes and their negatives, each in all lanes of a vector. They
	// belong to the planes whatever the direction.
	factors [4 * maxLanes]float32
}

// maxLanes is the largest number of lanes.
const maxLanes = 16

// ShortWork is the number of elements of scratch memory for a short transform.
const ShortWork = 2 * 64 * maxLanes

// NewShort returns the codelet of a path for columns of length n, or nil if there is none. The planes of the DFT are
// multiplied with two factors: the first one or two planes with real, the others with complex.
func NewShort(path cpu.Path, kind Kind, n int, real, complex float32) *Short {
	list, lanes := codelets(path)
	for _, c := range list {
		if c.kind == kind && c.n == n {
			s := &Short{codelet: c, lanes: lanes}
			for i := range lanes {
				for k, v := range [...]float32{real, complex, -real, -complex} {
					s.factors[k*lanes+i] = v
				}
			}
			return s
		}
	}
	return nil
}

// Run transforms columns: y = op(x) for x and y of n rows, which are ldx and ldy elements apart and do not overlap. The
// matrix is transposed if back is set: then the factors belong to the rows of x. work has ShortWork elements.
func (s *Short) Run(back bool, columns int, x []float32, ldx int, y []float32, ldy int, work []float32) {
	if columns <= 0 {
		return
	}
	if ldx < columns || ldy < columns || len(x) < (s.n-1)*ldx+columns || len(y) < (s.n-1)*ldy+columns ||
		len(work) < ShortWork {
		misfit("Short", s.n, columns, len(x), ldx, len(y), ldy, len(work))
	}
	f := s.there
	if back {
		f = s.back
	}
	whole := columns / s.lanes
	if whole > 0 {
		f(whole, data(x), 4*ldx, data(y), 4*ldy, &s.factors[0])
	}
	at := whole * s.lanes
	rest := columns - at
	if rest == 0 {
		return
	}
	in, out := work[:s.n*s.lanes], work[ShortWork/2:][:s.n*s.lanes]
	for i := range s.n {
		row := in[i*s.lanes:][:s.lanes]
		clear(row[copy(row, x[i*ldx+at:][:rest]):])
	}
	f(1, data(in), 4*s.lanes, data(out), 4*s.lanes, &s.factors[0])
	for i := range s.n {
		copy(y[i*ldy+at:][:rest], out[i*s.lanes:])
	}
}

// data is the first element.
func data[T float32 | float64](s []T) *T { return unsafe.SliceData(s) }

// size is the size of an element.
func size[T float32 | float64]() int { return int(unsafe.Sizeof(*new(T))) }

// misfit panics because of arguments that contradict each other.
func misfit(what string, numbers ...int) {
	panic(fmt.Sprintf("fft: %s: arguments do not fit: %v", what, numbers))
}
