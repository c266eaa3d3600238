//go:build gpu && cgo && linux

package nvrtc

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "nvrtc.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// library is the table of the library's functions.
type library struct{ f *C.gg_nvrtc }

func (c *Compiler) load() error {
	name := C.CString(c.path)
	defer C.free(unsafe.Pointer(name))
	f := (*C.gg_nvrtc)(C.calloc(1, C.sizeof_gg_nvrtc))
	var why [256]C.char
	if C.gg_nvrtc_load(f, name, &why[0], C.int(len(why))) != 0 {
		C.free(unsafe.Pointer(f))
		return errors.New(C.GoString(&why[0]))
	}
	var major, minor C.int
	if rc := C.gg_nvrtc_version(f, &major, &minor); rc != 0 {
		C.free(unsafe.Pointer(f))
		return fmt.Errorf("%s: nvrtcVersion: error %d", c.path, int(rc))
	}
	c.lib, c.major, c.minor = library{f}, int(major), int(minor)
	return nil
}

// Compile turns a program into PTX, which ends without a NUL. The name stands in messages and does not change the
// result. Errors are *CompileError.
func (c *Compiler) Compile(name, source string, options []string) ([]byte, error) {
	cname, csource := C.CString(name), C.CString(source)
	defer C.free(unsafe.Pointer(cname))
	defer C.free(unsafe.Pointer(csource))
	argv := (**C.char)(C.calloc(C.size_t(len(options)+1), C.size_t(unsafe.Sizeof(cname))))
	defer C.free(unsafe.Pointer(argv))
	list := unsafe.Slice(argv, len(options))
	for i, s := range options {
		list[i] = C.CString(s)
		defer C.free(unsafe.Pointer(list[i]))
	}
	var ptx, log *C.char
	var n C.size_t
	rc := C.gg_nvrtc_compile(c.lib.f, cname, csource, C.int(len(options)), argv, &ptx, &n, &log)
	defer C.free(unsafe.Pointer(ptx))
	defer C.free(unsafe.Pointer(log))
	if rc != 0 {
		return nil, &CompileError{Name: name, Code: int(rc), Log: C.GoString(log)}
	}
	return C.GoBytes(unsafe.Pointer(ptx), C.int(n)), nil
}
