package plan

import (
	"testing"

	"ganglion/internal/philox"
)

// Buffers in use at the same time never overlap, all are aligned, and what was freed is used again.
func TestAllocate(t *testing.T) {
	for seed := range uint64(200) {
		s := philox.New(seed, 1, 1)
		below := func(n int) int { return int(s.Uint32() % uint32(n)) }
		var bufs []*buffer
		for range 1 + below(80) {
			first := below(60)
			bufs = append(bufs, &buffer{size: below(2000), first: first, last: first + below(20)})
		}
		top := allocate(bufs, false)
		peak := 0
		for at := range 80 {
			live := 0
			for i, a := range bufs {
				if a.first > at || a.last < at {
					continue
				}
				live += aligned(a.size)
				if a.offset%align != 0 || a.offset+a.size > top {
					t.Fatalf("seed %d: buffer of %d bytes at %d in an arena of %d", seed, a.size, a.offset, top)
				}
				for _, b := range bufs[:i] {
					overlap := a.offset < b.offset+b.size && b.offset < a.offset+a.size
					if b.first <= at && at <= b.last && overlap && a.size > 0 && b.size > 0 {
						t.Fatalf("seed %d: two buffers overlap at step %d: %+v %+v", seed, at, *a, *b)
					}
				}
			}
			peak = max(peak, live)
		}
		if most, at := crest(bufs, 80); most != peak || inUse(bufs, at) != peak || at > 0 && inUse(bufs, at-1) == peak {
			t.Errorf("seed %d: %d bytes in use at step %d, want %d", seed, most, at, peak)
		}
		if top > 2*peak {
			t.Errorf("seed %d: arena of %d bytes for %d in use", seed, top, peak)
		}
		sum := 0
		for _, b := range bufs {
			sum += aligned(b.size)
		}
		if all := allocate(bufs, true); all != sum {
			t.Errorf("seed %d: %d bytes without reuse, want %d", seed, all, sum)
		}
	}
}

// inUse is the memory of the buffers that are in use at a step.
func inUse(bufs []*buffer, at int) int {
	live := 0
	for _, b := range bufs {
		if b.first <= at && at <= b.last {
			live += aligned(b.size)
		}
	}
	return live
}

// A chain of many values of one size needs the memory of two.
func TestAllocateChain(t *testing.T) {
	var bufs []*buffer
	for i := range 1000 {
		bufs = append(bufs, &buffer{size: 100, first: i, last: i + 1})
	}
	if top := allocate(bufs, false); top != 2*aligned(100) {
		t.Errorf("arena of %d bytes, want %d", top, 2*aligned(100))
	}
}

// firstFree is what holes is to do, written down plainly: a list of free bytes.
type firstFree struct{ free []bool }

func (f *firstFree) take(size int) int {
	best, most := -1, 0
	for lo := 0; lo < len(f.free); {
		hi := lo
		for hi < len(f.free) && f.free[hi] == f.free[lo] {
			hi++
		}
		if n := hi - lo; f.free[lo] && hi < len(f.free) && n >= size && (best < 0 || n < most) {
			best, most = lo, n
		}
		lo = hi
	}
	if best < 0 {
		best = len(f.free)
		for best > 0 && f.free[best-1] {
			best--
		}
		for len(f.free) < best+size {
			f.free = append(f.free, true)
		}
	}
	f.mark(best, best+size, false)
	return best
}

func (f *firstFree) mark(lo, hi int, free bool) {
	for i := lo; i < hi; i++ {
		f.free[i] = free
	}
}

// Holes give the same offsets as a search through all of the memory.
func TestHoles(t *testing.T) {
	for seed := range uint64(40) {
		s := philox.New(seed, 2, 1)
		h, ref := newHoles(), &firstFree{}
		var used [][2]int
		for i := range 400 {
			if r := int(s.Uint32() % 100); r < 55 || len(used) == 0 {
				size := 1 + int(s.Uint32()%9)
				lo := h.take(size)
				if want := ref.take(size); lo != want {
					t.Fatalf("seed %d, call %d: %d bytes at %d, want %d", seed, i, size, lo, want)
				}
				used = append(used, [2]int{lo, lo + size})
				continue
			}
			at := int(s.Uint32()) % len(used)
			u := used[at]
			used = append(used[:at], used[at+1:]...)
			h.release(u[0], u[1])
			ref.mark(u[0], u[1], true)
		}
	}
}
