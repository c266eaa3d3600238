// Package plane holds the kernels of sums over the axes of arrays: the sums of rows and columns of planes in one pass,
// their transpose, and copies, sums and transpositions of rows with pitches.
//
// A Table holds the kernels of one path for one element type. A result depends on the path and the sizes alone. Slices
// of one call must fit together: anything else is a bug of the caller, and panics.
package plane

import (
	"fmt"
	"unsafe"

	"ganglion/internal/cpu"
)

// Table holds the kernels of one path.
type Table[T float32 | float64] struct {
	sumRows, sumColumns, spreadRows, spreadColumns func(planes, m, n int, x, line *T)

	sumBoth, spreadBoth  func(planes, m, n int, x, rows, cols *T)
	move, add, transpose func(m, n int, dst *T, ldd int, src *T, lds int)

	// tall and wide are the least rows and columns that transpose takes.
	tall, wide int
}

// For returns the kernels of a path.
func For[T float32 | float64](path cpu.Path) *Table[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(table32(path)).(*Table[T])
	}
	return any(table64(path)).(*Table[T])
}

// data is the first element.
func data[T float32 | float64](s []T) *T { return unsafe.SliceData(s) }

// size is the size of an element.
func size[T float32 | float64]() int { return int(unsafe.Sizeof(*new(T))) }

// misfit panics because of arguments that contradict each other.
func misfit(what string, numbers ...int) {
	panic(fmt.Sprintf("plane: %s: arguments do not fit: %v", what, numbers))
}

// fits panics unless x is planes × m × n elements, and rows and cols are nil or those of all planes.
func fits(what string, planes, m, n, x, rows, cols int, byRow, byColumn bool) {
	if planes < 0 || m < 0 || n < 0 || x != planes*m*n || byRow && rows != planes*m || byColumn && cols != planes*n {
		misfit(what, planes, m, n, x, rows, cols)
	}
}

// Sums sets rows[p, i] = Σ_j x[p, i, j] and cols[p, j] = Σ_i x[p, i, j] for x [planes, m, n]; either may be nil.
func (t *Table[T]) Sums(planes, m, n int, x, rows, cols []T) {
	fits("Sums", planes, m, n, len(x), len(rows), len(cols), rows != nil, cols != nil)
	switch {
	case len(x) == 0:
		clear(rows)
		clear(cols)
	case rows != nil && cols != nil:
		t.sumBoth(planes, m, n, data(x), data(rows), data(cols))
	case rows != nil:
		t.sumRows(planes, m, n, data(x), data(rows))
	case cols != nil:
		t.sumColumns(planes, m, n, data(x), data(cols))
	}
}

// Spread adds cols[p, j] and then rows[p, i] to z[p, i, j], for z [planes, m, n]; either may be nil.
func (t *Table[T]) Spread(planes, m, n int, z, rows, cols []T) {
	fits("Spread", planes, m, n, len(z), len(rows), len(cols), rows != nil, cols != nil)
	switch {
	case len(z) == 0:
	case rows != nil && cols != nil:
		t.spreadBoth(planes, m, n, data(z), data(rows), data(cols))
	case rows != nil:
		t.spreadRows(planes, m, n, data(z), data(rows))
	case cols != nil:
		t.spreadColumns(planes, m, n, data(z), data(cols))
	}
}

// reach panics unless m rows of n elements that are ld elements apart are within have elements.
func reach(what string, m, n, have, ld int) {
	if m > 0 && n > 0 && (ld < 0 || have < (m-1)*ld+n) {
		misfit(what, m, n, have, ld)
	}
}

// Move is dst[i, j] = src[i, j] for i < m and j < n; rows are ldd and lds elements apart.
func (t *Table[T]) Move(m, n int, dst []T, ldd int, src []T, lds int) {
	reach("Move", m, n, len(dst), ldd)
	reach("Move", m, n, len(src), lds)
	if m > 0 && n > 0 {
		t.move(m, n, data(dst), ldd*size[T](), data(src), lds*size[T]())
	}
}

// Add is dst[i, j] += src[i, j], for rows as those of Move.
func (t *Table[T]) Add(m, n int, dst []T, ldd int, src []T, lds int) {
	reach("Add", m, n, len(dst), ldd)
	reach("Add", m, n, len(src), lds)
	if m > 0 && n > 0 {
		t.add(m, n, data(dst), ldd*size[T](), data(src), lds*size[T]())
	}
}

// Transpose is dst[j, i] = src[i, j] for i < m and j < n; rows are ldd and lds elements apart.
func (t *Table[T]) Transpose(m, n int, dst []T, ldd int, src []T, lds int) {
	reach("Transpose", n, m, len(dst), ldd)
	reach("Transpose", m, n, len(src), lds)
	switch {
	case m < 1 || n < 1:
	case m >= t.tall && n >= t.wide:
		t.transpose(m, n, data(dst), ldd*size[T](), data(src), lds*size[T]())
	default:
		for j := range n {
			for i := range m {
				dst[j*ldd+i] = src[i*lds+j]
			}
		}
	}
}
