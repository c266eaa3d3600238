//go:build gpu && cgo && linux && (amd64 || arm64)

package engine_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	"ganglion/cuda"
	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// TestMain has the emulated driver offer two devices.
func TestMain(m *testing.M) {
	if err := os.Setenv("CUEMU_DEVICES", "2"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// openDevices opens two devices. Where there is one only the test is skipped.
func openDevices(t *testing.T) [2]*engine.Device {
	t.Helper()
	first := openDevice(t)
	second, err := engine.OpenDeviceWith(1, engine.DeviceOptions{Compiler: "off"})
	if err != nil {
		if first.Properties().Emulated {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	})
	return [2]*engine.Device{first, second}
}

// TestDevices: a program on each of two devices trains at the same time as the other, as on the processor.
func TestDevices(t *testing.T) {
	devices := openDevices(t)
	g := mlp(t, kernels.Float64, 20, true)
	const steps = 12
	var losses [3][steps]float64
	var wg sync.WaitGroup
	for i, d := range []*engine.Device{nil, devices[0], devices[1]} {
		if name := fmt.Sprintf("cuda:%d", i-1); d != nil && !strings.HasPrefix(d.Name(), name) {
			t.Errorf("device %s is called %s", name, d.Name())
		}
		p := compile(t, g, engine.Options{Seed: 3, Device: d})
		feeds := mlpFeeds(t, p, kernels.Float64, 20)
		wg.Go(func() {
			for step := range steps {
				losses[i][step] = value(t, p, feeds)
			}
		})
	}
	wg.Wait()
	for step, want := range losses[0] {
		for i := 1; i < 3; i++ {
			if got := losses[i][step]; math.Abs(got-want) > 1e-10*(1+math.Abs(want)) {
				t.Fatalf("step %d: loss %v on %s, %v on the processor", step, got, devices[i-1].Name(), want)
			}
		}
	}
	for i, d := range devices {
		if m := d.Memory(); m.Bytes == 0 {
			t.Errorf("device %d holds %+v", i, m)
		}
	}
}

// TestDeviceMoves: a store is on one device at a time, and can be moved to another; a device that is not there is an
// error that says how many there are.
func TestDeviceMoves(t *testing.T) {
	devices := openDevices(t)
	g := mlp(t, kernels.Float64, 20, true)
	alone := compile(t, g, engine.Options{Seed: 3})
	first := compile(t, g, engine.Options{Seed: 3, Device: devices[0]})
	second := compile(t, g, engine.Options{Seed: 3, Device: devices[1], Store: first.Store()})
	feeds := mlpFeeds(t, first, kernels.Float64, 20)
	check := func(p *engine.Program) {
		t.Helper()
		got, want := value(t, p, feeds), value(t, alone, feeds)
		if math.Abs(got-want) > 1e-10*(1+math.Abs(want)) {
			t.Errorf("loss %v, want %v", got, want)
		}
	}
	check(first)
	if err := second.Run(t.Context(), feeds); err == nil || !strings.Contains(err.Error(), "Detach") ||
		!strings.Contains(err.Error(), devices[0].Name()) || !strings.Contains(err.Error(), devices[1].Name()) {
		t.Errorf("a store on two devices: %v", err)
	}
	first.Close()
	if err := first.Store().Detach(); err != nil {
		t.Fatal(err)
	}
	check(second)
	check(second)
	compareStores(t, second.Store(), alone.Store(), 1e-10)
	all, err := cuda.Devices()
	if err != nil {
		t.Fatal(err)
	}
	_, err = engine.OpenDevice(len(all))
	count := fmt.Sprintf("there are %d devices", len(all))
	if !errors.Is(err, cuda.ErrUnavailable) || !strings.Contains(err.Error(), count) {
		t.Errorf("device %d: %v", len(all), err)
	}
}

// TestDeviceManyInputs: inputs are copied beside the steps that do not need them yet, and each step waits for its own,
// also when there are more inputs than events.
func TestDeviceManyInputs(t *testing.T) {
	d := openDevice(t)
	const inputs, n = 80, 50
	g, err := engine.Build("many", kernels.Float64, func(s *engine.Scope) {
		sum := s.Input("x0", kernels.S(kernels.Float64, n))
		for i := 1; i < inputs; i++ {
			x := s.Input(fmt.Sprint("x", i), kernels.S(kernels.Float64, n))
			sum = s.Apply(dense.Binary{Kind: dense.Sub}, x, sum)
		}
		s.Output("y", sum)
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{Device: d})
	for round := range 4 { // launched one by one, captured, replayed
		var feeds engine.Feeds
		want := make([]float64, n)
		for i := range inputs {
			x := normalTensor(uint64(round*inputs+i), kernels.S(kernels.Float64, n))
			feeds = append(feeds, engine.Feed{Slot: slotOf(t, p, fmt.Sprint("x", i)), Tensor: x})
			for k, v := range x.F64 {
				want[k] = v - want[k]
			}
		}
		y := run(t, p, feeds, "y")
		for k, v := range want {
			if math.Abs(y.F64[k]-v) > 1e-12*inputs {
				t.Fatalf("round %d: element %d is %v, want %v", round, k, y.F64[k], v)
			}
		}
	}
}
