package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSaveBest saves the parameters of the best step alone: they load as the best, but nothing is resumed from them.
func TestSaveBest(t *testing.T) {
	r := create(t)
	defer r.Close()
	path, err := r.Save(stateOf(30, 64), SaveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	best := stateOf(20, 64)
	best.Tensors, best.Counters = best.Tensors[:1], nil
	if err := r.SaveBest(best); err != nil {
		t.Fatal(err)
	}
	if got := stepsIn(t, r.Dir()); !slices.Equal(got, []string{"best", "30"}) {
		t.Errorf("the run has %v", got)
	}
	got, err := LoadBest(r.Dir())
	if err != nil || got.Step != 20 || !got.Partial || len(got.Tensors) != 1 || best.Partial {
		t.Errorf("best is %+v, %v", got, err)
	}
	if found, err := r.Resume(); err != nil || found.State.Step != 30 || found.State.Partial {
		t.Errorf("resumed at %+v, %v", found, err)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"Latest": second(Latest(r.Dir())), "Resume": second(r.Resume())} {
		if !errors.Is(err, ErrNoCheckpoint) || !strings.Contains(err.Error(), filepath.Base(path)) ||
			!strings.Contains(err.Error(), "too little to resume from") {
			t.Errorf("%s without a whole state: %v", name, err)
		}
	}
	if err := r.SaveBest(&State{Step: -1}); err == nil {
		t.Error("a negative step was saved")
	}
}

// second returns the error of a pair.
func second(_ *Found, err error) error { return err }
