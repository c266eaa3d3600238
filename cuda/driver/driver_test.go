package driver

import (
	"strings"
	"testing"
)

func TestResult(t *testing.T) {
	if s := OutOfMemory.Name(); s != "CUDA_ERROR_OUT_OF_MEMORY" {
		t.Errorf("name %q", s)
	}
	if s := Result(12345).Name(); !strings.Contains(s, "12345") && !strings.Contains(s, "unrecognized") {
		t.Errorf("name of an unknown result %q", s)
	}
	for r, want := range map[Result]bool{Success: false, OutOfMemory: false, InvalidValue: false, NotReady: false,
		IllegalAddress: true, 719: true, 716: true, ContextDestroyed: true} {
		if r.Sticky() != want {
			t.Errorf("%d: sticky %v", r, !want)
		}
	}
}
