//go:build !(gpu && cgo && linux)

package cublas

import (
	"errors"
	"unsafe"
)

// table is nothing in this build.
type table struct{}

var errBuild = errors.New("this program was built without the tag gpu, without cgo, or not for Linux")

func (l *Library) load() error {
	l.table = table{}
	return errBuild
}

// Handle is nothing in this build.
type Handle struct{}

// NewHandle fails in this build.
func (l *Library) NewHandle(uint64, int) (*Handle, error) {
	return nil, errors.Join(ErrUnavailable, errBuild)
}

// Close does nothing.
func (h *Handle) Close() error { return nil }

// Call is nothing in this build.
type Call struct{}

// NewCall returns a call that does nothing; there is no Handle to make one in this build.
func (h *Handle) NewCall(p *Product, _, _, _ uint64, _ uintptr) *Call {
	_ = p.columns()
	return &Call{}
}

// Function is nil in this build.
func (c *Call) Function() unsafe.Pointer { return nil }

// Data is nil in this build.
func (c *Call) Data() unsafe.Pointer { return nil }

// Free does nothing.
func (c *Call) Free() {}
