//go:build gpu && cgo && linux

package main

import (
	"slices"
	"testing"
)

// TestCalled: every symbol of the driver that linked C code calls has a trampoline.
func TestCalled(t *testing.T) {
	symbols, err := readList("../syms.txt")
	if err != nil {
		t.Fatal(err)
	}
	called, err := calledSymbols("..")
	if err != nil {
		t.Fatal(err)
	}
	if len(called) < 150 || !slices.Contains(called, "cuMemAlloc_v2") {
		t.Fatalf("%d symbols found", len(called))
	}
	for _, s := range called {
		if !slices.Contains(symbols, s) {
			t.Errorf("%s is not in syms.txt: run go run ./cuda/driver/gen -scan", s)
		}
	}
}
