// Package guard lends tests memory that ends, or begins, at a page which nobody may touch: a kernel that reads or
// writes one element too far crashes the test. It serves tests only.
package guard

import (
	"fmt"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Supported reports whether this system has guard pages; where it has none, slices are ordinary memory.
const Supported = true

// Block is memory between two pages that nobody may touch.
type Block struct{ data []byte }

// New maps a block of at least the given number of bytes. The test unmaps it when it ends.
func New(t testing.TB, bytes int) *Block {
	t.Helper()
	page := os.Getpagesize()
	size := (bytes + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatalf("guard: mmap of %d bytes: %v", size+2*page, err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(mem); err != nil {
			t.Errorf("guard: munmap: %v", err)
		}
	})
	for _, fence := range [][]byte{mem[:page], mem[page+size:]} {
		if err := unix.Mprotect(fence, unix.PROT_NONE); err != nil {
			t.Fatalf("guard: mprotect: %v", err)
		}
	}
	return &Block{data: mem[page : page+size]}
}

// Tail returns the last n elements of a block: the element after the last one is not accessible.
func Tail[T any](b *Block, n int) []T {
	all := elements[T](b, n)
	return all[len(all)-n:]
}

// Head returns the first n elements of a block: the element before the first one is not accessible.
func Head[T any](b *Block, n int) []T { return elements[T](b, n)[:n] }

// elements returns the block as a slice.
func elements[T any](b *Block, n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if len(b.data)/size < n {
		panic(fmt.Sprintf("guard: %d elements of %d bytes do not fit a block of %d bytes", n, size, len(b.data)))
	}
	if len(b.data) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b.data))), len(b.data)/size)
}
