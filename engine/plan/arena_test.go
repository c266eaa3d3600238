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
