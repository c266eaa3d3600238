package engine

import "unsafe"

// largePage is the size in bytes of the larger pages that processors translate at a time.
const largePage = 2 << 20

// alignedBytes allocates zeroed memory that begins at a multiple of storeAlign. If it is a large page or more it begins
// at one, and the system is asked to back it with such pages: a step goes through parameters, moments and gradients
// once, and would wait for the translation of every small page.
func alignedBytes(n int) []byte {
	align := storeAlign
	if n >= largePage {
		align = largePage
	}
	mem := make([]byte, n+align)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(mem))) & uintptr(align-1))
	mem = mem[skip : skip+n : skip+n]
	if whole := n &^ (largePage - 1); whole > 0 {
		wantLargePages(mem[:whole])
	}
	return mem
}
