package gemm

// tiling cuts rows into tiles of the heights for which there are kernels: full ones first, then some lower ones.
type tiling struct {
	mr, full int
	tail     [maxTail]struct{ row, height int }
	count    int // of tiles
}

// maxTail is the largest number of lower tiles: the rows of two tiles in all heights.
const maxTail = 2 * maxMR

// leastCost is the height below which a tile costs no less: the latency of a sum, in multiply-adds for each row.
const leastCost = 4

// tile cuts rows into tiles of the given heights, which descend to 1. If the rest that full tiles leave goes badly into
// the lower heights, it takes the last full tile's rows too: two rows behind tiles of 14 make 8 and 8.
func tile(rows int, heights []int) tiling {
	t := tiling{mr: heights[0], full: rows / heights[0]}
	rest := rows % t.mr
	lower := heights[1:]
	if t.full > 0 && rest > 0 && cost(rest+t.mr, lower) < cost(rest, lower)+t.mr {
		t.full--
		rest += t.mr
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
