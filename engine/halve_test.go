package engine_test

import (
	"math"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/engine/plan"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// deep is a network of equal layers with a squared loss and plain gradient descent.
func deep(t testing.TB, batch, width, layers int, f act.Func) *engine.Graph {
	t.Helper()
	g, err := engine.Build("deep", kernels.Float32, func(s *engine.Scope) {
		x := s.Input("x", kernels.S(kernels.Float32, batch, width))
		y := s.Input("y", kernels.S(kernels.Float32, batch, width))
		h := x
		for i := range layers {
			h = layer(s.In("l"+string(rune('a'+i))), h, width, f)
		}
		loss := s.Apply(dense.MSE{}, layer(s.In("out"), h, width, act.Identity), y)
		s.Output("loss", loss)
		params := s.Params()
		for i, d := range s.Grad(loss, params...) {
			s.Update(params[i], s.Apply(dense.Binary{Kind: dense.Sub}, params[i], s.Apply(dense.Scale{Alpha: 0.1}, d)))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func deepFeeds(t testing.TB, p *engine.Program, batch, width int) engine.Feeds {
	t.Helper()
	s := kernels.S(kernels.Float32, batch, width)
	return engine.Feeds{{Slot: slotOf(t, p, "x"), Tensor: normalTensor(1, s)},
		{Slot: slotOf(t, p, "y"), Tensor: normalTensor(2, s)}}
}

// Values are kept in 16 bits between products in bf16. The first loss is that without, as long as nothing else reads
// them; later ones stay near. The arena is smaller, and the number of workers changes no bit.
func TestHalve(t *testing.T) {
	for f, most := range map[act.Func]float64{act.ReLU: 0.75, act.Tanh: 0.75, act.GELU: 0.65} {
		const batch, width = 1000, 33
		g := deep(t, batch, width, 20, f)
		full := compile(t, g, engine.Options{Seed: 3})
		mixed := compile(t, g, engine.Options{Seed: 3, Precision: plan.BF16})
		half := compile(t, g, engine.Options{Seed: 3, Precision: plan.BF16, Halve: true, Workers: 3})
		one := compile(t, g, engine.Options{Seed: 3, Precision: plan.BF16, Halve: true, Workers: 1})
		feeds := deepFeeds(t, full, batch, width)
		for step := range 4 {
			want, got := value(t, mixed, feeds), value(t, half, feeds)
			if again := value(t, one, feeds); again != got {
				t.Fatalf("step %d: loss %v with one worker, %v with three", step, again, got)
			}
			if math.Abs(got-want) > 2e-4*want || step == 0 && f != act.GELU && got != want {
				t.Errorf("%s, step %d: loss %v, without %v", act.Name(f), step, got, want)
			}
		}
		before, after := full.Explain().ArenaBytes, half.Explain().ArenaBytes
		t.Logf("%s: arena of %d bytes, %d without", act.Name(f), after, before)
		if float64(after) > most*float64(before) {
			t.Errorf("%s: arena of %d bytes, %d without", act.Name(f), after, before)
		}
	}
	_, err := engine.Compile(deep(t, 4, 3, 1, act.ReLU), engine.Options{Halve: true, Precision: plan.TF32})
	if err == nil || !strings.Contains(err.Error(), "for products of precision bf16, not tf32") {
		t.Errorf("with TF32: %v", err)
	}
}

// On the device the same values are kept, every step has a kernel, and losses follow the processor's.
func TestDeviceHalve(t *testing.T) {
	d := openDevice(t)
	const batch, width = 40, 33
	g := deep(t, batch, width, 3, act.GELU)
	o := engine.Options{Seed: 3, Precision: plan.BF16, Halve: true}
	cpu := compile(t, g, o)
	o.Device, o.Strict = d, true
	captured := compile(t, g, o)
	o.Eager = true
	eager := compile(t, g, o)
	feeds := deepFeeds(t, cpu, batch, width)
	for step := range 20 {
		want, got := value(t, cpu, feeds), value(t, eager, feeds)
		if math.Abs(got-want) > 1e-3*want {
			t.Errorf("step %d: loss %v on the device, %v on the processor", step, got, want)
		}
		if again := value(t, captured, feeds); again != got {
			t.Errorf("step %d: loss %v captured, %v launched one by one", step, again, got)
		}
	}
	stored := 0
	for _, s := range eager.Explain().Steps {
		if strings.HasPrefix(s.Kernel, "cuda/narrow_bf16_f32") && strings.Contains(s.Attributes, "Stored") {
			stored++
		}
	}
	if d.Properties().Capability >= 80 && stored == 0 {
		t.Error("no product reads what was stored")
	}
	eager.Close()
	captured.Close()
}
