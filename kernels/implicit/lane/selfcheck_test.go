package lane

import (
	"strings"
	"testing"

	"ganglion/internal/cpu"
)

func TestSelfCheckPasses(t *testing.T) {
	for _, p := range cpu.Paths() {
		if err := SelfCheck(p); err != nil {
			t.Errorf("%v: %v", p, err)
		}
	}
}

// Every primitive that computes something wrong is found: each is replaced by one that leaves its result as it was.
func TestSelfCheckFindsFaults(t *testing.T) {
	run := func(w *Weights[float32]) *sample[float32] {
		s := &sample[float32]{}
		s.weights(w)
		return s
	}
	good := *twinWeights[float32]()
	faults := map[string]func(w *Weights[float32]){
		"Repel":   func(w *Weights[float32]) { w.Repel = func(_, _ []float32, _, _, _ float32) {} },
		"Shrink":  func(w *Weights[float32]) { w.Shrink = func(_, _ []float32, _ float32) {} },
		"Divide":  func(w *Weights[float32]) { w.Divide = func(_, _ []float32, _ float32) {} },
		"Largest": func(w *Weights[float32]) { w.Largest = func(_, _ []float32) {} },
	}
	for name, spoil := range faults {
		bad := good
		spoil(&bad)
		err := differ(run(&bad), run(&good))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The operands are such that no primitive's result is what its memory held before.
func TestSelfCheckOperandsMatter(t *testing.T) {
	s := &sample[float64]{}
	for _, lanes := range []int{Group, 2 * Group} {
		s.table(twin[float64](lanes), lanes)
	}
	s.jacobians(twinJacobians[float64]())
	s.weights(twinWeights[float64]())
	for k, name := range s.names {
		before, same := small[float64](len(s.values[k]), k), true
		for i, v := range s.values[k] {
			same = same && v == before[i]
		}
		if same {
			t.Errorf("%s changes nothing", name)
		}
	}
	if len(s.names) != 2*7+5+4 {
		t.Errorf("%d primitives are checked", len(s.names))
	}
}
