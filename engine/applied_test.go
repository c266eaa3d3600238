package engine_test

import (
	"math"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// A state that follows the data stays as it is, to the bit, in a step that is not applied, whatever the data hold; one
// with a plain update moves.
func TestStepsThatAreNotApplied(t *testing.T) {
	for _, guarded := range []bool{true, false} {
		g, err := engine.Build("follow", kernels.Float32, func(s *engine.Scope) {
			x, ok := s.Input("x", kernels.S(kernels.Float32, 3)), s.Input("ok", kernels.S(kernels.Float32, 1))
			follow, plain := s.State(
				"follow",
				kernels.S(kernels.Float32, 3),
				nil,
			), s.State(
				"plain",
				kernels.S(kernels.Float32,
					3),
				nil,
			)
			half := func(state *engine.Node) *engine.Node {
				return s.Apply(dense.Binary{Kind: dense.Add}, s.Apply(dense.Scale{Alpha: 0.5}, state), x)
			}
			s.UpdateIfApplied(follow, half(follow))
			s.Update(plain, half(plain))
			s.Output("before", follow)
			if guarded {
				s.Applied(ok)
			} else {
				s.Output("ok", ok)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		p := compile(t, g, engine.Options{})
		var want float32
		plain := float32(0)
		for step, c := range []struct{ x, ok float32 }{{1, 1}, {2, 0}, {3, 1}, {float32(math.NaN()), 0}, {4, 1}} {
			x := kernels.FromSlice([]float32{c.x, c.x, c.x}, 3)
			feeds := engine.Feeds{{Slot: slotOf(t, p, "x"), Tensor: x},
				{Slot: slotOf(t, p, "ok"), Tensor: kernels.FromSlice([]float32{c.ok}, 1)}}
			if v := run(t, p, feeds, "before"); v.F32[0] != want && want == want {
				t.Errorf("step %d begins with %v, want %v", step, v.F32[0], want)
			}
			if plain = plain/2 + c.x; c.ok != 0 || !guarded {
				want = want/2 + c.x
			}
			for name, v := range map[string]float32{"follow": want, "plain": plain} {
				got, err := p.Store().Tensor(name)
				if err != nil {
					t.Fatal(err)
				}
				if got.F32[2] != v && (v == v || got.F32[2] == got.F32[2]) {
					t.Errorf("guarded %v, step %d: %s is %v, want %v", guarded, step, name, got.F32[2], v)
				}
			}
		}
	}
}
