package plan

import "slices"

// hole is a free part of the arena.
type hole struct{ lo, hi int }

// carefulMost is the number of buffers up to which allocate takes time that grows with its square.
const carefulMost = 4096

// allocate gives every arena buffer an offset so that buffers in use at the same time do not overlap, and returns the
// size of the arena. With keep nothing is ever freed. Small plans are laid out in two ways, and the smaller arena is
// taken.
func allocate(bufs []*buffer, keep bool) int {
	size := allocateInOrder(bufs, keep)
	if keep || len(bufs) > carefulMost {
		return size
	}
	offsets := make([]int, len(bufs))
	for i, b := range bufs {
		offsets[i] = b.offset
	}
	if other := allocateLargest(bufs); other < size {
		return other
	}
	for i, b := range bufs {
		b.offset = offsets[i]
	}
	return size
}

// allocateLargest lays out the largest buffers first: each takes the smallest gap it fits into between those that are
// in use at the same time.
func allocateLargest(bufs []*buffer) int {
	bySize := slices.Clone(bufs)
	slices.SortStableFunc(bySize, func(a, b *buffer) int { return b.size - a.size })
	var placed []*buffer // by offset
	size := 0
	for _, b := range bySize {
		need := aligned(b.size)
		if need == 0 {
			continue
		}
		best, gap, end := -1, 0, 0
		for _, o := range placed {
			if o.last < b.first || b.last < o.first {
				continue
			}
			if n := o.offset - end; n >= need && (best < 0 || n < gap) {
				best, gap = end, n
			}
			end = max(end, o.offset+aligned(o.size))
		}
		if best < 0 {
			best = end
		}
		b.offset = best
		size = max(size, best+need)
		at, _ := slices.BinarySearchFunc(placed, best, func(o *buffer, off int) int { return o.offset - off })
		placed = slices.Insert(placed, at, b)
	}
	return size
}

// allocateInOrder lays out buffers in the order of their first use: each takes the smallest hole it fits into.
func allocateInOrder(bufs []*buffer, keep bool) int {
	byFirst := slices.Clone(bufs)
	slices.SortStableFunc(byFirst, func(a, b *buffer) int { return a.first - b.first })
	byLast := slices.Clone(bufs)
	slices.SortStableFunc(byLast, func(a, b *buffer) int { return a.last - b.last })
	var holes []hole
	top, freed := 0, 0
	for _, b := range byFirst {
		for ; !keep && freed < len(byLast) && byLast[freed].last < b.first; freed++ {
			holes, top = release(holes, top, byLast[freed])
		}
		size := aligned(b.size)
		if size == 0 {
			continue
		}
		best := -1
		for i, h := range holes {
			if n := h.hi - h.lo; n >= size && (best < 0 || n < holes[best].hi-holes[best].lo) {
				best = i
			}
		}
		if best < 0 {
			b.offset = top
			top += size
			continue
		}
		b.offset = holes[best].lo
		if holes[best].lo += size; holes[best].lo == holes[best].hi {
			holes = slices.Delete(holes, best, best+1)
		}
	}
	size := 0
	for _, b := range bufs {
		size = max(size, b.offset+aligned(b.size))
	}
	return size
}

// release returns a buffer's memory: holes stay sorted and apart, and a hole at the top lowers the top.
func release(holes []hole, top int, b *buffer) ([]hole, int) {
	size := aligned(b.size)
	if size == 0 {
		return holes, top
	}
	h := hole{b.offset, b.offset + size}
	i, _ := slices.BinarySearchFunc(holes, h.lo, func(x hole, lo int) int { return x.lo - lo })
	if i < len(holes) && holes[i].lo == h.hi {
		h.hi = holes[i].hi
		holes = slices.Delete(holes, i, i+1)
	}
	if i > 0 && holes[i-1].hi == h.lo {
		h.lo = holes[i-1].lo
		holes = slices.Delete(holes, i-1, i)
		i--
	}
	if h.hi == top {
		return holes, h.lo
	}
	return slices.Insert(holes, i, h), top
}
