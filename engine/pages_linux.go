package engine

import "golang.org/x/sys/unix"

// wantLargePages asks for large pages. It is a wish: a system that grants none works with small ones, so that its
// answer is of no interest.
func wantLargePages(mem []byte) { _ = unix.Madvise(mem, unix.MADV_HUGEPAGE) }
