package engine_test

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// openDevice opens the first device. Without one the test is skipped, or fails with GANGLION_REQUIRE_EMU=1.
func openDevice(t *testing.T) *engine.Device {
	t.Helper()
	d, err := engine.OpenDeviceWith(0, engine.DeviceOptions{Compiler: "off"})
	if err != nil {
		if os.Getenv("GANGLION_REQUIRE_EMU") == "1" {
			t.Fatalf("GANGLION_REQUIRE_EMU is set: %v", err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// A training step with fully connected layers runs on the device alone, and one with an implicit layer between device
// and processor; launched one by one or captured, both follow the processor's losses and end at its parameters.
func TestDeviceTrainsLikeTheProcessor(t *testing.T) {
	d := openDevice(t)
	for _, dtype := range []kernels.DType{kernels.Float32, kernels.Float64} {
		tol := map[kernels.DType]float64{kernels.Float32: 1e-5, kernels.Float64: 1e-10}[dtype]
		modules, err := engine.Build("modules", dtype, modules)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range []*engine.Graph{mlp(t, dtype, 20, true), modules} {
			for _, eager := range []bool{false, true} {
				cpu := compile(t, g, engine.Options{Seed: 3})
				dev := compile(t, g, engine.Options{Seed: 3, Device: d, Eager: eager})
				for step := range 20 {
					feeds := deviceFeeds(t, cpu, dtype, step)
					want, got := value(t, cpu, feeds), value(t, dev, feeds)
					if math.Abs(want-got) > tol*(1+math.Abs(want)) {
						t.Fatalf("%v eager %v, step %d: loss %v on the device, %v on the processor", dtype, eager, step,
							got, want)
					}
				}
				compareStores(t, dev.Store(), cpu.Store(), 100*tol)
				dev.Close()
			}
		}
	}
	if m := d.Memory(); m.Bytes != 0 && m.Buffers > 8 {
		t.Errorf("after the programs were closed the device holds %+v, which is more than the stores of four", m)
	}
}

// deviceFeeds makes the inputs of either graph.
func deviceFeeds(t *testing.T, p *engine.Program, d kernels.DType, step int) engine.Feeds {
	t.Helper()
	if _, err := p.Slot("hyper"); err != nil {
		return mlpFeeds(t, p, d, 20)
	}
	hyper := kernels.Convert(kernels.FromSlice([]float64{0.01, float64(step + 1), 0.1}, 3), d)
	var feeds engine.Feeds
	for name, v := range map[string]kernels.Tensor{"x": normalTensor(uint64(step), kernels.S(d, 6, 3)),
		"y": normalTensor(uint64(step)+100, kernels.S(d, 6, 5)), "hyper": hyper} {
		slot, err := p.Slot(name)
		if err != nil {
			t.Fatal(err)
		}
		feeds = append(feeds, engine.Feed{Slot: slot, Tensor: v})
	}
	return feeds
}

// value runs a program and returns its loss.
func value(t *testing.T, p *engine.Program, feeds engine.Feeds) float64 {
	t.Helper()
	v := run(t, p, feeds, "loss")
	if v.DType == kernels.Float32 {
		return float64(v.F32[0])
	}
	return v.F64[0]
}

func compareStores(t *testing.T, got, want *engine.Store, tol float64) {
	t.Helper()
	for _, name := range want.Names() {
		a, err := got.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := want.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		a, b = kernels.Convert(a, kernels.Float64), kernels.Convert(b, kernels.Float64)
		for i, v := range b.F64 {
			if math.Abs(a.F64[i]-v) > tol*(1+math.Abs(v)) {
				t.Errorf("%s[%d] is %v, on the processor %v", name, i, a.F64[i], v)
				break
			}
		}
	}
}

// What the host writes to the store between runs counts, and programs of both kinds share a store.
func TestDeviceStoreFollowsTheHost(t *testing.T) {
	d := openDevice(t)
	g := mlp(t, kernels.Float64, 20, true)
	dev := compile(t, g, engine.Options{Seed: 3, Device: d})
	host := compile(t, g, engine.Options{Seed: 3, Store: dev.Store()})
	alone := compile(t, g, engine.Options{Seed: 3})
	feeds := mlpFeeds(t, dev, kernels.Float64, 20)
	for step := range 6 {
		p := dev
		if step%2 == 1 {
			p = host
		}
		got, want := value(t, p, feeds), value(t, alone, feeds)
		if math.Abs(got-want) > 1e-10*(1+math.Abs(want)) {
			t.Fatalf("step %d: loss %v, want %v", step, got, want)
		}
		for _, s := range []*engine.Store{dev.Store(), alone.Store()} {
			s.Params().F64[0] += 0.125
		}
	}
}

// A run that is stopped before it begins leaves everything as it was; a profiled run is a run.
func TestDeviceContextAndTimes(t *testing.T) {
	d := openDevice(t)
	p := compile(t, mlp(t, kernels.Float32, 20, true), engine.Options{Seed: 3, Device: d})
	feeds := mlpFeeds(t, p, kernels.Float32, 20)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	before := p.Store().Params().Clone()
	if err := p.Run(ctx, feeds); err == nil {
		t.Error("a run whose context is over gives no error")
	}
	if after := p.Store().Params(); after.F32[0] != before.F32[0] {
		t.Error("a run that was stopped moved the parameters")
	}
	steps := 0
	if err := p.RunTimed(context.Background(), feeds, func(engine.Timing) { steps++ }); err != nil {
		t.Fatal(err)
	}
	if steps < 5 {
		t.Errorf("%d steps were timed", steps)
	}
	if after := p.Store().Params(); after.F32[0] == before.F32[0] {
		t.Error("a profiled run did not move the parameters")
	}
}

// A run on a device can be given up until the first state is written, and leaves the states as they were: here every
// step is a part of its own, so that each is looked at.
func TestDeviceCancel(t *testing.T) {
	d := openDevice(t)
	d.Stretch(1)
	p := compile(t, mlp(t, kernels.Float64, 20, true), engine.Options{Seed: 3, Device: d})
	cpu := compile(t, mlp(t, kernels.Float64, 20, true), engine.Options{Seed: 3})
	feeds := mlpFeeds(t, p, kernels.Float64, 20)
	for step := range 3 { // launched one by one, captured, replayed
		before := p.Store().Params().Clone()
		stops := 0
		for ; ; stops++ {
			err := p.Run(&countdown{context.Background(), stops}, feeds)
			if err == nil {
				break
			}
			if after := p.Store().Params(); !errors.Is(err, context.Canceled) || !slices.Equal(after.F64, before.F64) {
				t.Fatalf("step %d, after %d looks at the context: %v, or the parameters moved", step, stops, err)
			}
			if stops > 1000 {
				t.Fatal("the run never ended")
			}
		}
		if stops < 5 {
			t.Errorf("step %d: the context was looked at %d times", step, stops)
		}
		run(t, cpu, feeds, "loss")
		compareStores(t, p.Store(), cpu.Store(), 1e-10)
	}
}

// No step of a plain network runs on the processor; what does is listed, and refused by strict programs.
func TestDeviceFallbacks(t *testing.T) {
	d := openDevice(t)
	p := compile(t, mlp(t, kernels.Float32, 20, true), engine.Options{Device: d, Strict: true})
	run(t, p, mlpFeeds(t, p, kernels.Float32, 20), "loss")
	if f := p.Explain().Fallbacks(); len(f) > 0 {
		t.Errorf("fallbacks %q", f)
	}
	g, err := engine.Build("hosted", kernels.Float32, func(s *engine.Scope) {
		x := s.Input("x", kernels.S(kernels.Float32, 4))
		s.Output("y", s.In("odd").Apply(noDevice{}, s.Apply(dense.Scale{Alpha: 2}, x)))
	})
	if err != nil {
		t.Fatal(err)
	}
	p = compile(t, g, engine.Options{Device: d})
	feeds := engine.Feeds{{Slot: slotOf(t, p, "x"), Tensor: kernels.FromSlice([]float32{1, 2, 3, 4}, 4)}}
	if y := run(t, p, feeds, "y"); y.F32[3] != -8 {
		t.Errorf("got %v", y.F32)
	}
	f := p.Explain().Fallbacks()
	if len(f) != 1 || !strings.Contains(f[0], "odd") || !strings.Contains(f[0], "no kernel for CUDA") ||
		!strings.Contains(f[0], "32 bytes") {
		t.Errorf("fallbacks %q", f)
	}
	strict := compile(t, g, engine.Options{Device: d, Strict: true})
	if err := strict.Run(context.Background(), feeds); !errors.Is(err, kernels.ErrNoKernel) {
		t.Errorf("a strict program runs: %v", err)
	}
}

// noDevice is y = −x, on the processor alone.
type noDevice struct{}

func (o noDevice) Infer(in []kernels.Spec) (kernels.Spec, error) { return in[0], nil }

func (o noDevice) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = -v
	}
}

func (o noDevice) CPU(c *kernels.Call) {
	for i, v := range c.In[0].F32 {
		c.Out.F32[i] = -v
	}
}
