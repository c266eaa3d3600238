package optest_test

import (
	"unsafe"

	"ganglion/kernels"
)

// outside writes one element past the end of t.
func outside(t kernels.Tensor) {
	p := unsafe.Pointer(unsafe.SliceData(t.F64))
	*(*float64)(unsafe.Add(p, 8*len(t.F64))) = 1
}
