package layer_test

import (
	"math"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/models/layer"
)

// The running moments of batch normalisation do not move in a step that is not applied.
func TestRunningMomentsOfSkippedSteps(t *testing.T) {
	g, err := engine.BuildOptions{Training: true}.Build("norm", kernels.Float32, func(s *engine.Scope) {
		x, ok := s.Input("x", kernels.S(kernels.Float32, 4, 2)), s.Input("ok", kernels.S(kernels.Float32, 1))
		s.Output("y", layer.BatchNorm{}.Apply(s, x))
		s.Applied(ok)
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.Compile(g, engine.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	x, ok := kernels.New(kernels.S(kernels.Float32, 4, 2)), kernels.New(kernels.S(kernels.Float32, 1))
	feeds := engine.Feeds{{Slot: 0, Tensor: x}, {Slot: 1, Tensor: ok}}
	running, err := p.Store().Tensor("running")
	if err != nil {
		t.Fatal(err)
	}
	for step, c := range []struct{ x, ok float32 }{{1, 1}, {float32(math.NaN()), 0}, {3, 0}, {3, 1}} {
		for i := range x.F32 {
			x.F32[i] = c.x * float32(i)
		}
		ok.F32[0] = c.ok
		before := running.Clone()
		if err := p.Run(t.Context(), feeds); err != nil {
			t.Fatal(err)
		}
		for i, v := range running.F32 {
			if moved := v != before.F32[i]; moved != (c.ok != 0) || v != v {
				t.Errorf("step %d: moment %d went from %v to %v", step, i, before.F32[i], v)
			}
		}
	}
}
