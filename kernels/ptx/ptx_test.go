//go:build gpu

package ptx

import (
	"bytes"
	"errors"
	"testing"
)

func TestModule(t *testing.T) {
	data, err := Module("dense/unary", 75)
	if err != nil || !bytes.Contains(data, []byte(".entry unary_f32")) ||
		!bytes.Contains(data, []byte(".target sm_70")) {
		t.Errorf("dense/unary: %d bytes, %v", len(data), err)
	}
	for _, name := range []string{"dense/absent", "absent/unary", "dense", ""} {
		if _, err := Module(name, 75); !errors.Is(err, ErrNone) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Module("dense/unary", 61); !errors.Is(err, ErrNone) {
		t.Errorf("capability 6.1: %v", err)
	}
}
