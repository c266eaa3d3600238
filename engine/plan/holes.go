package plan

import (
	"container/heap"
	"slices"
)

// holes are the free parts of an arena below its top. They never touch one another nor the top. The smallest hole that
// fits, and of equal ones the lowest, is found in a time that depends on how many sizes there are, not on how many
// holes.
type holes struct {
	ends   map[int]int     // first to last byte of each hole
	starts map[int]int     // the other way round
	sizes  []int           // for which there is a list, in order
	lists  map[int]*lowest // first bytes of the holes of each size; some are gone since
	top    int
}

// lowest is a heap of offsets.
type lowest []int

func (h lowest) Len() int           { return len(h) }
func (h lowest) Less(i, j int) bool { return h[i] < h[j] }
func (h lowest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *lowest) Push(x any)        { *h = append(*h, x.(int)) }
func (h *lowest) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func newHoles() *holes {
	return &holes{ends: map[int]int{}, starts: map[int]int{}, lists: map[int]*lowest{}}
}

// take finds memory for size > 0 bytes: in the smallest hole that fits, else at the top.
func (h *holes) take(size int) int {
	at, _ := slices.BinarySearch(h.sizes, size)
	for at < len(h.sizes) {
		n := h.sizes[at]
		list := h.lists[n]
		for len(*list) > 0 {
			lo := heap.Pop(list).(int)
			if h.ends[lo] != lo+n {
				continue // has been joined with another, or taken
			}
			h.remove(lo)
			if n > size {
				h.add(lo+size, lo+n)
			}
			return lo
		}
		delete(h.lists, n)
		h.sizes = slices.Delete(h.sizes, at, at+1)
	}
	lo := h.top
	h.top += size
	return lo
}

// release gives back bytes [lo, hi), hi > lo.
func (h *holes) release(lo, hi int) {
	if end, ok := h.ends[hi]; ok {
		h.remove(hi)
		hi = end
	}
	if start, ok := h.starts[lo]; ok {
		h.remove(start)
		lo = start
	}
	if hi == h.top {
		h.top = lo
		return
	}
	h.add(lo, hi)
}

func (h *holes) remove(lo int) {
	delete(h.starts, h.ends[lo])
	delete(h.ends, lo)
}

func (h *holes) add(lo, hi int) {
	h.ends[lo], h.starts[hi] = hi, lo
	list := h.lists[hi-lo]
	if list == nil {
		list = new(lowest)
		h.lists[hi-lo] = list
		at, _ := slices.BinarySearch(h.sizes, hi-lo)
		h.sizes = slices.Insert(h.sizes, at, hi-lo)
	}
	heap.Push(list, lo)
}
