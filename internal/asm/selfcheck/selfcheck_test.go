package selfcheck

import (
	"testing"

	"ganglion/internal/cpu"
)

func TestPathsPass(t *testing.T) {
	for _, p := range cpu.Paths() {
		if err := check(p); err != nil {
			t.Errorf("%v: %v", p, err)
		}
	}
	Run()
	if d := cpu.Disabled(); len(d) > 0 {
		t.Errorf("switched off: %v", d)
	}
}
