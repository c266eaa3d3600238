package guard

import (
	"runtime/debug"
	"testing"
	"unsafe"
)

// faults reports whether reading x[0] from an address beside the slice crashes.
func faults(read func()) (crashed bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { crashed = recover() != nil }()
	read()
	return false
}

func TestBlocksAreFenced(t *testing.T) {
	if !Supported {
		t.Skip("this system has no guard pages")
	}
	for _, n := range []int{1, 7, 1024, 5000} {
		b := New(t, 4*n)
		head, tail := Head[float32](b, n), Tail[float32](b, n)
		if len(head) != n || len(tail) != n {
			t.Fatalf("lengths %d and %d, want %d", len(head), len(tail), n)
		}
		for _, s := range [][]float32{head, tail} {
			s[0], s[n-1] = 1, 2
		}
		if !faults(func() { t.Log(*before(head)) }) {
			t.Errorf("%d elements: the element before the first one is accessible", n)
		}
		if !faults(func() { t.Log(*after(tail)) }) {
			t.Errorf("%d elements: the element after the last one is accessible", n)
		}
	}
}

// before returns the address of the element before the first one.
func before(s []float32) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(&s[0]), -4)) }

// after returns the address of the element after the last one.
func after(s []float32) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(&s[len(s)-1]), 4)) }
