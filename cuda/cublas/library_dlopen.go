//go:build gpu && cgo && linux

package cublas

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "cublas.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// table is the table of the library's functions.
type table struct{ f *C.gg_cublas }

func (l *Library) load() error {
	name := C.CString(l.path)
	defer C.free(unsafe.Pointer(name))
	f := (*C.gg_cublas)(C.calloc(1, C.sizeof_gg_cublas))
	var why [256]C.char
	if C.gg_cublas_load(f, name, &why[0], C.int(len(why))) != 0 {
		C.free(unsafe.Pointer(f))
		return errors.New(C.GoString(&why[0]))
	}
	l.table = table{f}
	return nil
}

// Handle is the library's state for the context that was current when it was made.
type Handle struct {
	library   *Library
	handle    unsafe.Pointer
	workspace uint64
	bytes     int
}

// NewHandle makes a handle in the current context of the calling thread. workspace is memory of the device for the
// library, aligned to 256 bytes, so that it allocates nothing when it multiplies.
func (l *Library) NewHandle(workspace uint64, bytes int) (*Handle, error) {
	h := &Handle{library: l, workspace: workspace, bytes: bytes}
	if rc := C.gg_cublas_create(l.table.f, &h.handle); rc != 0 {
		return nil, fmt.Errorf("cublas: %s: cublasCreate: status %d", l.path, int(rc)-C.GG_CUBLAS_FAILED)
	}
	return h, nil
}

// Close destroys the handle; calls made of it must not be performed any more.
func (h *Handle) Close() error {
	if rc := C.gg_cublas_destroy(h.library.table.f, h.handle); rc != 0 {
		return fmt.Errorf("cublas: %s: cublasDestroy: status %d", h.library.path, int(rc)-C.GG_CUBLAS_FAILED)
	}
	return nil
}

// Call is a product with its addresses and stream in memory of C.
type Call struct{ p *C.gg_product }

// NewCall prepares a product of the matrices at addresses a and b, to be put into a stream. The product must have
// passed Check.
func (h *Handle) NewCall(p *Product, a, b, c uint64, stream uintptr) *Call {
	to := p.columns()
	call := (*C.gg_product)(C.calloc(1, C.sizeof_gg_product))
	*call = C.gg_product{f: h.library.table.f, handle: h.handle, workspace_bytes: C.size_t(h.bytes),
		stride_a: C.longlong(to.stepFirst), stride_b: C.longlong(to.stepSecond), stride_c: C.longlong(p.StepC),
		op_a: C.int(to.opFirst), op_b: C.int(to.opSecond), m: C.int(to.m), n: C.int(to.n), k: C.int(to.k),
		lda: C.int(to.ldFirst), ldb: C.int(to.ldSecond), ldc: C.int(to.ldC), batch: C.int(p.Batch)}
	C.gg_product_place(call, C.ulonglong(b), C.ulonglong(a), C.ulonglong(c), C.ulonglong(h.workspace),
		C.ulonglong(stream))
	if p.Wide {
		call.wide = 1
	}
	return &Call{call}
}

// Function is a function of C that performs the call when it is given Data. It returns 0, or Failed plus a status of
// the library.
func (c *Call) Function() unsafe.Pointer { return C.gg_cublas_multiply_address() }

// Data is what Function takes.
func (c *Call) Data() unsafe.Pointer { return unsafe.Pointer(c.p) }

// Free frees the memory of C.
func (c *Call) Free() {
	C.free(unsafe.Pointer(c.p))
	c.p = nil
}
