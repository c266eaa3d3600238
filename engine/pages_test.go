package engine

import (
	"slices"
	"testing"
	"unsafe"
)

// TestAlignedBytes checks alignment, length and contents of blocks below, at and above the size of a large page.
func TestAlignedBytes(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, largePage - 1, largePage, largePage + 1, 3*largePage + 4096} {
		mem, align := alignedBytes(n), storeAlign
		if n >= largePage {
			align = largePage
		}
		if len(mem) != n || cap(mem) != n {
			t.Errorf("%d bytes: length %d, capacity %d", n, len(mem), cap(mem))
		}
		if p := uintptr(unsafe.Pointer(unsafe.SliceData(mem))); n > 0 && p%uintptr(align) != 0 {
			t.Errorf("%d bytes begin at %#x, want a multiple of %d", n, p, align)
		}
		if slices.ContainsFunc(mem, func(b byte) bool { return b != 0 }) {
			t.Errorf("%d bytes are not zero", n)
		}
		for i := range mem {
			mem[i] = 1
		}
	}
}
