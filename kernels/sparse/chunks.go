package sparse

import (
	"sort"

	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// piece is the number of entries of a row that are summed in one go; longer rows are summed in pieces of it, which are
// added in order.
const piece = 4096

// Work is cut along rows and entries: row i begins at place ptr[i] + i of a line, and a chunk has the rows that begin
// in its part of the line. So a chunk costs the same wherever it is, up to rows longer than it.
//
// cut returns the number of chunks, each of some 20 µs where an entry takes cost nanoseconds, and sets Arg[15] for
// rowsOf.
func cut(c *kernels.Call, m side, cost float64) int {
	step, n := chunksOf(len(m.col), m.rows, cost)
	c.Arg[15] = step
	return n
}

// chunksOf is the length of a chunk on the line, and the number of chunks.
func chunksOf(entries, rows int, cost float64) (step, n int) {
	const grain = 20000
	step = max(16, int(grain/cost))
	return step, (entries + rows + step) / step // one more than all places: also the last row has one
}

// rowsOf returns the rows [lo, hi) of a chunk.
func rowsOf(c *kernels.Call, m side, chunk int) (lo, hi int) {
	step := c.Arg[15]
	return firstFrom(m, chunk*step), firstFrom(m, (chunk+1)*step)
}

// firstFrom is the first row that begins at a place or behind it.
func firstFrom(m side, place int) int {
	return sort.Search(m.rows, func(i int) bool { return int(m.ptr[i])+i >= place })
}

// rowOf is the row of an entry.
func (m side) rowOf(entry int) int {
	return sort.Search(m.rows, func(i int) bool { return int(m.ptr[i+1]) > entry })
}

// size is the number of entries of row i.
func (m side) size(i int) int { return int(m.ptr[i+1] - m.ptr[i]) }

// extra is the number of slots for pieces of rows behind their first.
func extra(entries int) int { return entries / piece }

// pieceAt returns the entries [lo, hi) of the piece in a slot, and their row; there is none if lo = hi. Slot q has the
// piece, not the first one of its row, that begins in the entries from (q+1)·piece to (q+2)·piece: there is one at
// most.
func (m side) pieceAt(slot int) (row, lo, hi int) {
	at := (slot + 1) * piece
	if at >= len(m.col) {
		return 0, 0, 0
	}
	row = m.rowOf(at)
	first, end := int(m.ptr[row]), int(m.ptr[row+1])
	lo = first + (at-first+piece-1)/piece*piece
	if lo == first || lo >= end {
		return 0, 0, 0
	}
	return row, lo, min(end, lo+piece)
}

// addPieces adds the sums of pieces to the rows of y that they belong to, in order.
func addPieces[T kernels.Float](c *kernels.Call, m side, y, partial []T, d int) {
	t := vec.For[T](c.Path)
	for slot := range extra(len(m.col)) {
		if row, lo, hi := m.pieceAt(slot); lo < hi {
			to := y[row*d : (row+1)*d]
			t.Add(to, to, partial[slot*d:(slot+1)*d])
		}
	}
}
