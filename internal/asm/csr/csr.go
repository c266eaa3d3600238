// Package csr holds the micro-kernels of sparse matrices in compressed rows: weighted sums of rows of a dense matrix,
// and inner products with them. They know nothing of workers: package kernels/sparse cuts the work.
//
// A matrix is two lists: row i has the entries k with ptr[i] ≤ k < ptr[i+1], and col[k] names a row of x. Sums are in
// the order of the entries, so a result depends on the path and the row alone, never on how the work is cut. The
// kernels trust ptr and col; Within checks col. Slices that do not fit together are a bug of the caller, and panic.
package csr

import (
	"fmt"
	"unsafe"

	"ganglion/internal/cpu"
)

// Sum is the task of summing rows: y_i = Σ_k w[k·StepW]·x[col[k]], with w[pos[k]·StepW] if Pos is given, over the
// entries k of row i.
type Sum[T float32 | float64] struct {
	Ptr, Col []int32 // len(Ptr)-1 rows; their entries are below len(Col)
	Pos      []int32 // nil, or where the weight of each entry stands
	W        []T     // nil if all weights are 1
	StepW    int
	X, Y     []T
	StepX    int // elements from row to row of X
	StepY    int // elements from row to row of Y
	Width    int // elements of a row that are summed
}

// Dot is the task of inner products: out[k·StepO] = Σ_c q_i[c]·x[col[k]][c] over the entries k of each row i.
type Dot[T float32 | float64] struct {
	Ptr, Col []int32
	Q, X     []T
	StepQ    int
	StepX    int
	Out      []T
	StepO    int
	Width    int
}

// Table holds the kernels of one path.
type Table[T float32 | float64] struct {
	lanes  int
	sum    func(tile int, a sumArgs[T])
	rest   func(a sumArgs[T], rest int)
	dot    func(a dotArgs[T])
	within func(col []int32, rows int) bool

	// Steps of attention, for up to lanes heads; nil where there is the twin alone.
	score   func(a Score[T], rows int)
	shift   func(a Shift[T], rows int)
	share   func(a Share[T], rows int)
	mix     func(tile int, a mixArgs[T])
	rescore func(a Rescore[T], rows int)
	derive  func(a Derive[T], rows int)
	slopes  func(tile int, a slopeArgs[T])
	tiles   int // the most vectors of mix
	leaky   func(a dotArgs[T], weights *T, slope T)
	dots    []dotsKernel[T]
}

// dotsKernel computes Dots for a number of heads, and elements of each that are a multiple of step, or half a vector.
type dotsKernel[T float32 | float64] struct {
	heads, step int
	run         func(a Dots[T], rows int)
}

// dotsOf returns the kernel for a number of heads with each elements, nil if there is none.
func (t *Table[T]) dotsOf(heads, each int) func(a Dots[T], rows int) {
	for _, k := range t.dots {
		if k.heads == heads && (each == k.step || k.step == t.lanes && each > 0 && each%k.step == 0) {
			return k.run
		}
	}
	return nil
}

// mixArgs are the arguments of assembly, strides in bytes; w is that of the first entry.
type mixArgs[T float32 | float64] struct {
	rows, heads int
	ptr, col    *int32
	w, x, y     *T
	ldx, ldy    int
	lanes       *int32
	last        int
	mean        bool
	tiny        T
	rest        int // elements of a part of a vector; 0 for whole ones
}

// sumArgs are the arguments of assembly, strides in bytes.
type sumArgs[T float32 | float64] struct {
	rows          int
	ptr, col, pos *int32
	w, x, y       *T
	ldw, ldx, ldy int
	last          int
}

// dotArgs are the arguments of assembly, strides in bytes; out is that of the first entry.
type dotArgs[T float32 | float64] struct {
	rows, n       int
	ptr, col      *int32
	q, x, out     *T
	ldq, ldx, ldo int
	last          int
}

// For returns the kernels of a path.
func For[T float32 | float64](path cpu.Path) *Table[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(table32(path)).(*Table[T])
	}
	return any(table64(path)).(*Table[T])
}

// size is the size of an element.
func size[T float32 | float64]() int { return int(unsafe.Sizeof(*new(T))) }

// Lanes is the largest number of heads for which the steps of attention have kernels of their own: 0 in plain Go.
func (t *Table[T]) Lanes() int { return t.lanes }

// misfit panics because of arguments that contradict each other.
func misfit(what string, numbers ...int) {
	panic(fmt.Sprintf("csr: %s: arguments do not fit: %v", what, numbers))
}

// Within reports whether all elements of col are from 0 to rows-1.
func (t *Table[T]) Within(col []int32, rows int) bool { return t.within(col, rows) }

// withinGo is Within for every path.
func withinGo(col []int32, rows int) bool {
	top := uint32(0)
	for _, c := range col {
		top = max(top, uint32(c))
	}
	return len(col) == 0 || int(top) < rows
}

// Sum runs the task on the calling worker.
func (t *Table[T]) Sum(a *Sum[T]) {
	rows := len(a.Ptr) - 1
	if rows < 0 || a.Width < 0 || a.StepX < a.Width || a.StepY < a.Width || a.StepW < 0 {
		misfit("Sum", rows, a.Width, a.StepX, a.StepY, a.StepW)
	}
	if rows == 0 || a.Width == 0 {
		return
	}
	lo, hi := int(a.Ptr[0]), int(a.Ptr[rows])
	if lo < 0 || hi < lo || hi > len(a.Col) || len(a.Y) < (rows-1)*a.StepY+a.Width ||
		a.Pos != nil && len(a.Pos) < hi || a.W != nil && a.Pos == nil && hi > lo && len(a.W) <= (hi-1)*a.StepW {
		misfit("Sum", lo, hi, len(a.Col), len(a.Y), len(a.Pos), len(a.W), a.StepW)
	}
	if lo == hi { // the columns need not exist
		for i := range rows {
			clear(a.Y[i*a.StepY:][:a.Width])
		}
		return
	}
	if t.sum == nil {
		sumGo(a)
		return
	}
	elem := size[T]()
	args := sumArgs[T]{rows: rows, ptr: &a.Ptr[0], col: &a.Col[0], pos: unsafe.SliceData(a.Pos),
		w: unsafe.SliceData(a.W), x: unsafe.SliceData(a.X), y: &a.Y[0],
		ldw: a.StepW * elem, ldx: a.StepX * elem, ldy: a.StepY * elem, last: len(a.Col) - 1}
	t.sumTiles(args, a.Width)
}

// sumTiles runs the widest kernels that fit, from the left.
func (t *Table[T]) sumTiles(a sumArgs[T], width int) {
	for tile := 8; tile > 0; tile /= 2 {
		for n := tile * t.lanes; width >= n; width -= n {
			if t.sum(tile, a); width > n {
				a.x, a.y = behind(a.x, n), behind(a.y, n)
			}
		}
	}
	if width > 0 {
		t.rest(a, width)
	}
}

// slopeArgs are the arguments of assembly, as mixArgs.
type slopeArgs[T float32 | float64] struct {
	mixArgs[T]
	q     *T
	ldq   int
	slope T
}

// slopeTiles runs the widest kernels that fit, from the left.
func (t *Table[T]) slopeTiles(a *Slopes[T], rows int) {
	elem := size[T]()
	b := slopeArgs[T]{mixArgs: mixArgs[T]{rows: rows, heads: a.Heads, ptr: &a.Ptr[0], col: &a.Col[0],
		w: unsafe.SliceData(a.W), x: unsafe.SliceData(a.X), y: &a.Y[0], ldx: a.StepX * elem, ldy: a.StepY * elem,
		lanes: &a.Lanes[0], last: len(a.Col) - 1}, q: &a.Q[0], ldq: a.StepQ * elem, slope: a.Slope}
	width := a.Width
	for tile := 2; tile > 0; tile /= 2 {
		for n := tile * t.lanes; width >= n; width -= n {
			if t.slopes(tile, b); width > n {
				b.x, b.y, b.q = behind(b.x, n), behind(b.y, n), behind(b.q, n)
				b.lanes = (*int32)(unsafe.Add(unsafe.Pointer(b.lanes), n*elem))
			}
		}
	}
	if b.rest = width; width > 0 {
		t.slopes(0, b)
	}
}

// mixTiles runs the widest kernels that fit, from the left.
func (t *Table[T]) mixTiles(a *Mix[T], rows int) {
	elem := size[T]()
	b := mixArgs[T]{rows: rows, heads: a.Heads, ptr: &a.Ptr[0], col: &a.Col[0], w: unsafe.SliceData(a.W),
		x: unsafe.SliceData(a.X), y: &a.Y[0], ldx: a.StepX * elem, ldy: a.StepY * elem, lanes: &a.Lanes[0],
		last: len(a.Col) - 1, mean: a.Mean, tiny: a.Tiny}
	width := a.Width
	for tile := t.tiles; tile > 0; tile /= 2 {
		for n := tile * t.lanes; width >= n; width -= n {
			if t.mix(tile, b); width > n {
				b.x, b.y = behind(b.x, n), behind(b.y, n)
				b.lanes = (*int32)(unsafe.Add(unsafe.Pointer(b.lanes), n*elem))
			}
		}
	}
	if b.rest = width; width > 0 {
		t.mix(0, b)
	}
}

// Dot runs the task on the calling worker.
func (t *Table[T]) Dot(a *Dot[T]) {
	rows := len(a.Ptr) - 1
	if rows < 0 || a.Width < 0 || a.StepX < a.Width || a.StepQ < a.Width || a.StepO < 1 {
		misfit("Dot", rows, a.Width, a.StepX, a.StepQ, a.StepO)
	}
	if rows == 0 {
		return
	}
	lo, hi := int(a.Ptr[0]), int(a.Ptr[rows])
	if lo < 0 || hi < lo || hi > len(a.Col) || len(a.Q) < (rows-1)*a.StepQ+a.Width ||
		hi > lo && len(a.Out) <= (hi-1)*a.StepO {
		misfit("Dot", lo, hi, len(a.Col), len(a.Q), len(a.Out), a.StepO)
	}
	if lo == hi {
		return
	}
	if t.dot == nil || a.Width == 0 {
		dotGo(a)
		return
	}
	elem := size[T]()
	t.dot(dotArgs[T]{rows: rows, n: a.Width, ptr: &a.Ptr[0], col: &a.Col[0], q: unsafe.SliceData(a.Q),
		x: unsafe.SliceData(a.X), out: &a.Out[lo*a.StepO], ldq: a.StepQ * elem, ldx: a.StepX * elem,
		ldo:  a.StepO * elem,
		last: len(a.Col) - 1})
}
