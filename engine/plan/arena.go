package plan

import "slices"

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
	free := newHoles()
	freed := 0
	for _, b := range byFirst {
		for ; !keep && freed < len(byLast) && byLast[freed].last < b.first; freed++ {
			if old := byLast[freed]; old.size > 0 {
				free.release(old.offset, old.offset+aligned(old.size))
			}
		}
		if b.size > 0 {
			b.offset = free.take(aligned(b.size))
		}
	}
	size := 0
	for _, b := range bufs {
		size = max(size, b.offset+aligned(b.size))
	}
	return size
}

// crest is the largest number of bytes that are in use at one time, and the first of the steps at which they are; what
// lives past the last step counts there.
func crest(bufs []*buffer, steps int) (bytes, at int) {
	change := make([]int, steps+1)
	for _, b := range bufs {
		change[min(b.first, steps)] += aligned(b.size)
		if b.last < steps {
			change[b.last+1] -= aligned(b.size)
		}
	}
	at = -1
	live := 0
	for i, d := range change {
		if live += d; live > bytes {
			bytes, at = live, min(i, steps-1)
		}
	}
	return bytes, at
}
