package selfcheck

import (
	"errors"
	"testing"

	"ganglion/internal/cpu"
)

func TestPathsPass(t *testing.T) {
	for _, p := range cpu.Paths() {
		if err := check(p, nil); err != nil {
			t.Errorf("%v: %v", p, err)
		}
	}
	Run()
	Run(func(cpu.Path) error { return errors.New("a second run") })
	if d := cpu.Disabled(); len(d) > 0 {
		t.Errorf("switched off: %v", d)
	}
}

func TestMoreChecksAreRun(t *testing.T) {
	fault := errors.New("wrong")
	more := []func(cpu.Path) error{func(cpu.Path) error { return nil }, func(cpu.Path) error { return fault }}
	if err := check(cpu.Go, more); !errors.Is(err, fault) {
		t.Errorf("error %v", err)
	}
}

func TestDeep(t *testing.T) {
	for _, p := range cpu.Paths() {
		if err := Deep(p); err != nil {
			t.Errorf("%v: %v", p, err)
		}
	}
}
