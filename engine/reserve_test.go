package engine_test

import (
	"runtime"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
)

// hoard is y = x, and needs its reserve when x₀ < 0: it then writes to all of it.
type hoard struct{}

const hoarded = 4 << 20

func (hoard) Infer(in []kernels.Spec) (kernels.Spec, error) { return in[0], nil }

func (hoard) Ref(out kernels.Tensor, in []kernels.Tensor) { copy(out.F64, in[0].F64) }

func (hoard) CPU(c *kernels.Call) {
	copy(c.Out.F64, c.In[0].F64)
	if len(c.Out.F64) > 0 && c.Out.F64[0] < 0 {
		for i := range c.Reserve {
			c.Reserve[i]++
		}
		c.Out.F64[0] = float64(len(c.Reserve))
	}
}

func (hoard) Workspace([]kernels.Spec, kernels.Spec, int) int { return 0 }

func (hoard) Reserve(in []kernels.Spec, _ kernels.Spec, _ int) int { return hoarded * in[0].Size() }

var _ kernels.Reserver = hoard{}

// What an op has in reserve is told apart from the arena, lent in full, and there once for programs that share an
// arena, for the largest of their plans; it outlives collections of garbage.
func TestReserve(t *testing.T) {
	g, err := engine.Build("hoarding", kernels.Float64, func(s *engine.Scope) {
		s.Output("y", s.Apply(hoard{}, s.Input("x", kernels.S(kernels.Float64, 2))))
	})
	if err != nil {
		t.Fatal(err)
	}
	var arena engine.Arena
	a, b := compile(t, g, engine.Options{Workers: 1}), compile(t, g, engine.Options{Workers: 2})
	a.Share(&arena)
	b.Share(&arena)
	if m := a.Memory(); m.Reserve != 2*hoarded || m.Arena >= hoarded {
		t.Errorf("%+v", m)
	}
	for _, n := range []int{2, 5, 1, 5} {
		x := kernels.New(kernels.S(kernels.Float64, n))
		for _, p := range []*engine.Program{a, b} {
			for _, v := range []float64{3, -3} {
				x.F64[0] = v
				y := run(t, p, engine.Feeds{{Slot: 0, Tensor: x}}, "y")
				if want := map[float64]float64{3: 3, -3: float64(n * hoarded)}[v]; y.F64[0] != want {
					t.Errorf("%d elements, x = %v: %v, want %v", n, v, y.F64[0], want)
				}
				runtime.GC()
			}
			if m := p.Memory(); m.Reserve != n*hoarded {
				t.Errorf("%d elements: %+v", n, m)
			}
			if e := p.Explain(); e.Steps[0].Reserve != n*hoarded || e.Steps[0].Scratch != 0 {
				t.Errorf("%+v", e.Steps[0])
			}
		}
		if got := arena.ReserveTaken(); got < n*hoarded || got > 5*hoarded {
			t.Errorf("%d elements: %d bytes in reserve", n, got)
		}
	}
}
