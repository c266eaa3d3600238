// Package direct holds the micro-kernels of convolutions that read signals where they are: rows of products with
// shifted signals, their gradient by the kernels, and pooling over windows of 2×2. They know nothing of images: package
// kernels/conv lays signals out so that a tap of a kernel is an offset.
//
// A Table holds the kernels of one path for one element type. A result depends on the path and on what is asked, never
// on how it is cut. Slices of one call must fit together: anything else is a bug of the caller, and panics.
package direct

import (
	"fmt"
	"unsafe"

	"ganglion/internal/cpu"
)

// Table holds the kernels of one path.
type Table[T float32 | float64] struct {
	// Lanes is the number of elements of a vector.
	Lanes int
	// Heights are the numbers of rows that Patch takes, descending; the last is 1.
	Heights []int
	// Tall and Wide are the largest numbers of rows and of offsets that Shifted takes.
	Tall, Wide int

	patch    func(rows, n, channels, taps int, a, x *T, plane int, off *int32, c *T, ldc int)
	shifted  func(rows, cols, images, n int, y *T, ldy, stepy int, x *T, stepx int, off *int32, sums *T, ld int)
	move     func(rows, n int, to *T, ldt int, from *T, ldf int, bias, floor T)
	pool     func(rows, n int, y, x *T, ldx int)
	poolGrad func(rows, n int, dx, x, dy *T, ldx int)

	reluPoolGrad func(rows, n int, dx, x, dy *T, ldx int)
}

// For returns the kernels of a path; nil where there are none but those of the Go path.
func For[T float32 | float64](path cpu.Path) *Table[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(table32(path)).(*Table[T])
	}
	return any(table64(path)).(*Table[T])
}

// size is the size of an element.
func size[T float32 | float64]() int { return int(unsafe.Sizeof(*new(T))) }

// data is the first element.
func data[T float32 | float64 | int32](s []T) *T { return unsafe.SliceData(s) }

// misfit panics because of arguments that contradict each other.
func misfit(what string, numbers ...int) {
	panic(fmt.Sprintf("direct: %s: arguments do not fit: %v", what, numbers))
}

// reach returns the largest of offsets in bytes, as elements; negative ones panic.
func reach[T float32 | float64](off []int32) int {
	most := int32(0)
	for _, o := range off {
		if o < 0 {
			misfit("offset", int(o))
		}
		most = max(most, o)
	}
	return int(most) / size[T]()
}

// Patch computes rows r < rows, one of Heights, of n vectors: c[r·ldc + p] = Σ_k Σ_t a·x[k·plane + off_t + p] over
// channels k and taps t in this order, a the next element of row r. a is packed: element (k·taps + t)·rows + r. Offsets
// are in bytes.
func (t *Table[T]) Patch(rows, n, channels int, a, x []T, plane int, off []int32, c []T, ldc int) {
	if n < 1 || channels < 1 || len(off) < 1 || rows < 1 || plane < 0 || ldc < n*t.Lanes && rows > 1 ||
		len(a) < rows*channels*len(off) || len(c) < (rows-1)*ldc+n*t.Lanes ||
		len(x) < (channels-1)*plane+reach[T](off)+n*t.Lanes {
		misfit("Patch", rows, n, channels, len(a), len(x), plane, len(off), len(c), ldc)
	}
	elem := size[T]()
	t.patch(rows, n, channels, len(off), data(a), data(x), plane*elem, data(off), data(c), ldc*elem)
}

// Shifted adds to sums[r·ld + j] the inner product of row r < rows of y with x at offset j, rows 1, 2 or Tall, and Wide
// offsets or 1: Σ_i Σ_p y[i·stepy + r·ldy + p]·x[i·stepx + off_j + p] over images i and n vectors of positions p.
// Offsets are in bytes.
func (t *Table[T]) Shifted(rows, images, n int, y []T, ldy, stepy int, x []T, stepx int, off []int32, sums []T,
	ld int) {
	cols := len(off)
	if n < 1 || images < 1 || rows != 1 && rows != 2 && rows != t.Tall || cols != 1 && cols != t.Wide ||
		ldy < 0 || stepy < 0 || stepx < 0 || ld < 0 ||
		len(y) < (images-1)*stepy+(rows-1)*ldy+n*t.Lanes || len(sums) < (rows-1)*ld+cols ||
		len(x) < (images-1)*stepx+reach[T](off)+n*t.Lanes {
		misfit("Shifted", rows, images, n, len(y), ldy, stepy, len(x), stepx, len(off), len(sums), ld)
	}
	elem := size[T]()
	t.shifted(rows, cols, images, n, data(y), ldy*elem, stepy*elem, data(x), stepx*elem, data(off), data(sums), ld*elem)
}

// Move copies rows of n elements, ldf elements apart in from and ldt in to, with bias added, and those below floor
// raised to it; NaN stays.
func (t *Table[T]) Move(rows, n int, to []T, ldt int, from []T, ldf int, bias, floor T) {
	if rows < 1 || n < 1 || ldt < 0 || ldf < 0 || len(to) < (rows-1)*ldt+n || len(from) < (rows-1)*ldf+n {
		misfit("Move", rows, n, len(to), ldt, len(from), ldf)
	}
	elem := size[T]()
	t.move(rows, n, data(to), ldt*elem, data(from), ldf*elem, bias, floor)
}

// Pool computes y [rows, n], the largest elements of windows of 2×2 of x, whose rows are ldx elements apart. A window
// that holds NaN gives NaN, and the larger of two zeros is +0.
func (t *Table[T]) Pool(rows, n int, y, x []T, ldx int) {
	if rows < 1 || n < 1 || ldx < 2*n || len(y) < rows*n || len(x) < (2*rows-1)*ldx+2*n {
		misfit("Pool", rows, n, len(y), len(x), ldx)
	}
	t.pool(rows, n, data(y), data(x), ldx*size[T]())
}

// PoolGrad spreads dy [rows, n] over the windows of 2×2 of dx: each element to the place of the first maximum of x, or
// of the first NaN, and 0 to the others. Rows of x and dx are ldx elements apart; what stands behind the windows of a
// row stays as it is.
func (t *Table[T]) PoolGrad(rows, n int, dx, x, dy []T, ldx int) {
	fitPoolGrad(rows, n, len(dx), len(x), len(dy), ldx)
	t.poolGrad(rows, n, data(dx), data(x), data(dy), ldx*size[T]())
}

// ReLUPoolGrad is PoolGrad with 0 for windows without an element above 0, and NaN in those that hold NaN.
func (t *Table[T]) ReLUPoolGrad(rows, n int, dx, x, dy []T, ldx int) {
	fitPoolGrad(rows, n, len(dx), len(x), len(dy), ldx)
	t.reluPoolGrad(rows, n, data(dx), data(x), data(dy), ldx*size[T]())
}

func fitPoolGrad(rows, n, dx, x, dy, ldx int) {
	need := (2*rows-1)*ldx + 2*n
	if rows < 1 || n < 1 || ldx < 2*n || dy < rows*n || x < need || dx < need {
		misfit("PoolGrad", rows, n, dx, x, dy, ldx)
	}
}
