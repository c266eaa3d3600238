package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ganglion/cuda/driver"
	"ganglion/engine"
	"ganglion/engine/train/log"
)

// TestDevice: what each request gives on a program without GPU code.
func TestDevice(t *testing.T) {
	if driver.Built {
		t.Skip("this program was built with GPU code")
	}
	for request, want := range map[string]string{"": "cpu", "auto": "cpu", "cpu": "cpu"} {
		d, err := OpenDevice(request)
		if err != nil || d.Name != want || d.Engine != nil || (d.Notice == "") != (request == "cpu") ||
			d.Close() != nil {
			t.Errorf("%q gives %+v, %v", request, d, err)
		}
	}
	for _, request := range []string{"cuda", "cuda:0", "cuda:1"} {
		_, err := OpenDevice(request)
		var e *DeviceError
		if !errors.As(err, &e) || e.Device != request || e.Why != noGPU {
			t.Errorf("%q: %v", request, err)
		}
	}
}

// TestDeviceRequests: what names no device is the user's mistake, on any program.
func TestDeviceRequests(t *testing.T) {
	for _, request := range []string{"tpu", "cuda:", "cuda:x", "cuda:-1", "cuda0", "cpu:1"} {
		_, err := OpenDevice(request)
		wantError(t, request, err, true, "auto, cpu, cuda")
	}
}

// device opens the first device. Without one the test is skipped, or fails with GANGLION_REQUIRE_EMU=1.
func device(t *testing.T) *Device {
	t.Helper()
	d, err := OpenDevice("cuda")
	if err != nil {
		if driver.Built && os.Getenv("GANGLION_REQUIRE_EMU") == "1" {
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

// deviceConfigs are small networks of both models; the last mini-batch of an epoch is smaller than the others.
func deviceConfigs(t *testing.T) []Config {
	return []Config{
		configure(t, "module/nm", "iris", "nodes=12", "keep=0.3", "train.epochs=10", "batch=48", "restructure_every=2"),
		configure(t, "module/nm", "iris", "nodes=10", "warm=true", "reg=nm-l1", "train.epochs=10", "batch=48",
			"train.clip=1"),
		configure(t, "module/mlp", "iris", "hidden=16", "train.epochs=10", "batch=48", "train.optimiser=adamw"),
	}
}

// TestDeviceSteps: twenty training steps on the device have the processor's losses, launched one by one and captured,
// and end with its structure and its scores.
func TestDeviceSteps(t *testing.T) {
	d := device(t)
	for _, c := range append(deviceConfigs(t),
		configure(t, "baseline/lenet", "digits", "channels=4", "batch=16", "train.epochs=10"),
		configure(t, "baseline/gru", "digits", "hidden=8", "batch=16", "train.epochs=10")) {
		for _, eager := range []bool{false, true} {
			other := c
			other.Train.Device, other.Train.Eager = d.Engine, eager
			host, dev := prepare(t, c), prepare(t, other)
			if got := dev.Config.deviceName(); got != d.Name || host.Config.deviceName() != "cpu" {
				t.Fatalf("device %q", got)
			}
			sameSteps(t, c.Model, host, dev)
			want, err := host.Trainer.Evaluate(context.Background(), 1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := dev.Trainer.Evaluate(context.Background(), 1)
			if err != nil || !near(got.Loss, want.Loss) || got.Metric != want.Metric {
				t.Errorf("%s: validation %+v, on the processor %+v, %v", c.Model, got, want, err)
			}
			sameStructure(t, host, dev)
		}
	}
}

// near compares to 1e-5, relative above 1.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-5*max(1, math.Abs(b)) }

func sameSteps(t *testing.T, what string, host, dev *Session) {
	t.Helper()
	for step := range 20 {
		want, err := host.Trainer.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got, err := dev.Trainer.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.Loss, want.Loss) || got.Applied != want.Applied {
			t.Fatalf("%s, step %d: loss %v on the device, %v on the processor", what, step, got.Loss, want.Loss)
		}
	}
}

// sameStructure compares the kept edges and what follows from them.
func sameStructure(t *testing.T, host, dev *Session) {
	t.Helper()
	want, err := host.snapshot()
	if err != nil || want == nil {
		return
	}
	got, err := dev.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	a, b := got.Layout, want.Layout
	if a.Kept == 0 || a.Kept != b.Kept || !slices.Equal(a.InPtr, b.InPtr) ||
		!slices.Equal(a.In[:a.Kept], b.In[:b.Kept]) || !slices.Equal(a.Module, b.Module) ||
		!slices.Equal(a.Order, b.Order) {
		t.Errorf("the structure on the device has %d edges in %d modules, on the processor %d in %d, or others", a.Kept,
			a.Modules, b.Kept, b.Modules)
	}
}

// TestDeviceRuns: whole runs on both give the same results; one that was begun on the device and stopped goes on on the
// processor, and the other way round; a trained network is judged alike.
func TestDeviceRuns(t *testing.T) {
	d := device(t)
	for i, c := range deviceConfigs(t)[1:] {
		t.Run(fmt.Sprint(i, c.Model), func(t *testing.T) { sameRuns(t, d, c) })
	}
	if m := d.Engine.Memory(); m.Buffers != 0 || m.Bytes != 0 {
		t.Errorf("after all was closed the device holds %+v", m)
	}
}

func sameRuns(t *testing.T, d *Device, c Config) {
	other := c
	other.Train.Device = d.Engine
	dir := filepath.Join(t.TempDir(), "run")
	want, got := trained(t, c, TrainOptions{}), trained(t, other, TrainOptions{Dir: dir, Baseline: true})
	if got.Device != d.Name || got.Extra.Baseline == nil || want.Device != "cpu" {
		t.Errorf("device %q, %q", got.Device, want.Device)
	}
	sameScores(t, "a run on the device", got, want)
	sameScores(t, "begun on the device", continued(t, other, c), want)
	sameScores(t, "begun on the processor", continued(t, c, other), want)
	var loss []float64
	for _, on := range []*engine.Device{nil, d.Engine} {
		tr, err := Open(dir, 0, on)
		if err != nil {
			t.Fatal(err)
		}
		e, err := tr.Eval(context.Background(), "")
		tr.Close()
		if err != nil {
			t.Fatal(err)
		}
		loss = append(loss, float64(e.Loss))
	}
	if !near(loss[0], loss[1]) || !near(loss[0], float64(want.Loss.Test)) {
		t.Errorf("judged at %v, after training at %v", loss, want.Loss.Test)
	}
}

func sameScores(t *testing.T, what string, got, want *Result) {
	t.Helper()
	for _, p := range [][2]Number{{got.Loss.Train, want.Loss.Train}, {got.Loss.Valid, want.Loss.Valid},
		{got.Loss.Test, want.Loss.Test}, {got.Metric.Valid, want.Metric.Valid}} {
		if !near(float64(p[0]), float64(p[1])) {
			t.Errorf("%s: %+v %+v, want %+v %+v", what, got.Loss, got.Metric, want.Loss, want.Metric)
			return
		}
	}
	if got.Steps != want.Steps || got.Extra.BestEpoch != want.Extra.BestEpoch {
		t.Errorf("%s: %d steps, best epoch %d; want %d, %d", what, got.Steps, got.Extra.BestEpoch, want.Steps,
			want.Extra.BestEpoch)
	}
}

// stopper ends a run after some epochs.
type stopper struct {
	log.Quiet
	left int
	stop context.CancelFunc
}

func (s *stopper) Log(log.Interval) error {
	if s.left--; s.left == 0 {
		s.stop()
	}
	return nil
}

// continued trains some epochs by the first configuration, and the rest by the second.
func continued(t *testing.T, first, second Config) *Result {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	s, err := Prepare(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Train(ctx, TrainOptions{Dir: dir, Log: &stopper{left: 4, stop: stop}})
	s.Close()
	if !errors.Is(err, ErrInterrupted) {
		t.Fatalf("the run was not interrupted: %v", err)
	}
	return trained(t, second, TrainOptions{Dir: dir, Resume: true})
}

// TestDeviceOnDisk: what a run on the device saves does not name it as a setting, so that it goes on anywhere.
func TestDeviceOnDisk(t *testing.T) {
	d := device(t)
	c := configure(t, "module/mlp", "iris", "train.epochs=1")
	want, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c.Train.Device = d.Engine
	got, err := c.Encode()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n%s\nwanted\n%s", err, got, want)
	}
}

// TestStrictDevice: a strict run lists the steps that would leave the device, before anything is written.
func TestStrictDevice(t *testing.T) {
	d := device(t)
	for _, c := range deviceConfigs(t) {
		c.Train.Device = d.Engine
		s := prepare(t, c)
		list := fallbacks(s.Trainer.Programs())
		c.Train.Strict = true
		strict, err := Prepare(context.Background(), c)
		if err == nil {
			strict.Close()
		}
		if (err == nil) != (len(list) == 0) {
			t.Errorf("%s: fallbacks %q, strict: %v", c.Model, list, err)
		}
		for _, f := range list {
			wantError(t, c.Model, err, false, "strict", f, d.Name)
		}
	}
}

// TestDeviceMemoryIsForetold: what a run holds on its device at most is foretold within a tenth. The emulated device
// counts by itself, the variables of the kernels included.
func TestDeviceMemoryIsForetold(t *testing.T) {
	for i, c := range append(deviceConfigs(t), configure(t, "module/mlp", "wine", "train.epochs=2", "batch=100",
		"dtype=f64")) {
		t.Run(fmt.Sprint(i, c.Model), func(t *testing.T) {
			d := device(t)
			before, ok := driver.EmulatorStats()
			if !ok {
				t.Skip("the emulated device counts by itself")
			}
			c.Train.Device = d.Engine
			s := prepare(t, c)
			f, err := s.ForecastDevice(true)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Train(context.Background(), TrainOptions{Dir: filepath.Join(t.TempDir(), "run"), Baseline: true,
				Log: log.Quiet{}, ForecastDevice: f})
			if err != nil {
				t.Fatal(err)
			}
			after, _ := driver.EmulatorStats()
			off := float64(f.Peak)/float64(r.Extra.DevicePeak) - 1
			t.Logf("foretold %d bytes, were %d (%+.1f %%), emulated device %d", f.Peak, r.Extra.DevicePeak, 100*off,
				after.Peak)
			if r.Extra.DevicePredicted != f.Peak || math.Abs(off) > 0.1 {
				t.Errorf("foretold %+v, were %+v", f, r.Extra)
			}
			// The peak of the emulated device is that of the process: it tells something when it has risen.
			if most := float64(after.Peak); after.Peak > before.Peak && math.Abs(float64(f.Peak)/most-1) > 0.1 {
				t.Errorf("foretold %d bytes, the emulated device counts %v", f.Peak, most)
			}
		})
	}
}

// TestDeviceBudget: a run that would hold more than the device has, or than the budget, is refused, and what the error
// offers fits.
func TestDeviceBudget(t *testing.T) {
	d := device(t)
	c := configure(t, "module/mlp", "wine", "hidden=64", "batch=100", "dtype=f64")
	c.Train.Device = d.Engine
	s := prepare(t, c)
	f, err := s.ForecastDevice(false)
	if err != nil {
		t.Fatal(err)
	}
	if f.Baseline != 0 || f.Peak != f.Total() || f.Free < 1<<30 || f.Store < 8*s.Trainer.Store().Params().Size() {
		t.Errorf("%+v", f)
	}
	for _, budget := range []int{0, f.Peak, f.Peak + 1} {
		if err := s.AffordDevice(f, budget); err != nil {
			t.Errorf("budget %d: %v", budget, err)
		}
	}
	err = s.AffordDevice(f, f.Peak-1)
	wantError(t, "budget", err, false, "--batch ", "--dtype f32", "--memory-budget "+Size(f.Peak), "the budget is",
		d.Name)
	if !errors.Is(err, ErrMemory) {
		t.Errorf("%v is not of memory", err)
	}
	var batch int
	if _, err := fmt.Sscanf(err.Error()[strings.Index(err.Error(), "--batch"):], "--batch %d", &batch); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Trainer.DeviceMemoryAt(batch); err != nil || batch < 50 || m.Total() >= f.Peak {
		t.Errorf("batch %d takes %+v, %v", batch, m, err)
	}
	wantError(t, "nothing fits", s.AffordDevice(f, 1000), false, "no mini-batch fits", "--device cpu")
	full := *f
	full.Free = f.Peak + code - 1
	wantError(t, "a full device", s.AffordDevice(&full, 0), false, "are free there", "--batch ")
	if err := s.AffordDevice(nil, 1); err != nil {
		t.Errorf("a run on the processor: %v", err)
	}
}
