package cpu

import (
	"errors"
	"testing"
)

func TestVerifySwitchesOffWhatFails(t *testing.T) {
	saved := off.list
	mask := off.mask.Load()
	t.Cleanup(func() {
		off.list = saved
		off.mask.Store(mask)
	})
	var asked []Path
	verify(func(p Path) error {
		asked = append(asked, p)
		return errors.New("wrong by 1")
	})
	for _, p := range asked {
		if p == Go {
			t.Error("the Go path is the reference and must not be asked about")
		}
	}
	if got := Paths(); len(got) != 1 || got[0] != Go {
		t.Errorf("left are %v, want go alone", got)
	}
	if got := Disabled(); len(got) != len(asked) || len(got) > 0 && got[0].Why != "wrong by 1" {
		t.Errorf("reported are %v for %v", got, asked)
	}
}
