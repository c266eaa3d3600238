//go:build gpu && cgo && linux && (amd64 || arm64)

package driver

import (
	"debug/elf"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"gorgonia.org/cu"
)

// TestHandles: the handles of package cu have the form that the conversions assume.
func TestHandles(t *testing.T) {
	sizes := []uintptr{unsafe.Sizeof(cu.Stream{}), unsafe.Sizeof(cu.Event{}), unsafe.Sizeof(cu.Module{}),
		unsafe.Sizeof(cu.Function{}), unsafe.Sizeof(cu.CUContext{}), unsafe.Sizeof(Stream(0))}
	for i, n := range sizes {
		if n != 8 {
			t.Errorf("handle %d has %d bytes", i, n)
		}
	}
	if h := cuStream(Stream(0x1234)); *(*uintptr)(unsafe.Pointer(&h)) != 0x1234 {
		t.Error("a stream does not keep its handle")
	}
}

// TestNotLinked: the program starts without the driver's library.
func TestNotLinked(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libs, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(libs, func(s string) bool { return strings.HasPrefix(s, "libc.so") }) {
		t.Errorf("needs %q: is the list complete?", libs)
	}
	for _, lib := range libs {
		if strings.Contains(lib, "cuda") || strings.Contains(lib, "nvrtc") || strings.Contains(lib, "cublas") {
			t.Errorf("needs %s", lib)
		}
	}
}
