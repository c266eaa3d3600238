package gemm

import "math"

// tiling cuts rows into tiles of the heights for which there are kernels: full ones first, then some lower ones.
type tiling struct {
	mr, full int
	tail     [maxTail]struct{ row, height int }
	count    int // of tiles
}

// maxDropped is the largest number of full tiles whose rows go into lower ones, and maxTail that of lower tiles: the
// rows of a dropped tile take more than two of them only where there are few.
const (
	maxDropped = 7
	maxTail    = 2 * maxMR
)

// leastCost is the height below which a tile costs no less: the latency of a sum, in multiply-adds for each row.
const leastCost = 4

// tile cuts rows into tiles of the given heights, which descend to 1. If the rest that full tiles leave goes badly into
// the lower heights, it takes the rows of some full tiles too: two rows behind tiles of 14 make 8 and 8, and 32 are
// four of 8 rather than three of 9 and a rest.
func tile(rows int, heights []int) tiling {
	t := tiling{mr: heights[0], full: rows / heights[0]}
	rest, lower, least := rows%t.mr, heights[1:], math.MaxInt
	full := t.full
	for drop := 0; drop <= min(full, maxDropped); drop++ {
		tail := rows - (full-drop)*t.mr
		if c := cost(tail, lower) - drop*t.mr; c < least {
			t.full, rest, least = full-drop, tail, c
		}
	}
	t.count = t.full
	row := t.full * t.mr
	for _, h := range lower {
		for ; rest >= h; rest -= h {
			t.tail[t.count-t.full].row, t.tail[t.count-t.full].height = row, h
			t.count++
			row += h
		}
	}
	return t
}

// cost is what tiles for some rows cost, in rows of full tiles.
func cost(rows int, heights []int) int {
	sum := 0
	for _, h := range heights {
		sum += rows / h * max(h, leastCost)
		rows %= h
	}
	return sum
}

// at returns the first row and the height of a tile; that behind the last one has height 0.
func (t *tiling) at(i int) (row, height int) {
	switch {
	case i < t.full:
		return i * t.mr, t.mr
	case i < t.count:
		x := &t.tail[i-t.full]
		return x.row, x.height
	case i == 0 || i == t.full:
		return t.full * t.mr, 0
	}
	x := &t.tail[i-1-t.full]
	return x.row + x.height, 0
}
