package bench

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ganglion/cuda/driver"
	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/implicit"
)

// device opens the first device. Without one the test is skipped, or fails with GANGLION_REQUIRE_EMU=1.
func device(t *testing.T) *engine.Device {
	t.Helper()
	d, err := engine.OpenDevice(0)
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

// TestDeviceNetworks: twenty training steps of networks with convolutions, with recurrences and with an implicit layer
// have, on the device, the processor's losses, launched one by one and captured.
func TestDeviceNetworks(t *testing.T) {
	d := device(t)
	lenet := networks(true)[0]
	seq := sequence{steps: 3, batch: 5, inputs: 4, hidden: 7, outputs: 3}
	gru, lstm := seq, seq
	gru.op, lstm.op = "gru", "lstm"
	features := train.Task{Kind: train.Classify, Inputs: seq.steps * seq.inputs, Outputs: seq.outputs, Examples: 13}
	for _, c := range []struct {
		name string
		m    train.Model
		task train.Task
	}{
		{"conv", lenet, train.Task{Kind: train.Classify, Inputs: lenet.side * lenet.side, Outputs: lenet.classes,
			Examples: 13}},
		{"gru", gru, features},
		{"lstm", lstm, features},
		{"dense", mlp{[]int{9, 4, 3}}, features},
		{"deq", deq{8, implicit.Solve{Act: act.Tanh, Tol: 1e-6}}, train.Task{Kind: train.Regress, Inputs: 6, Outputs: 8,
			Examples: 13}},
	} {
		for _, dtype := range []string{"f32", "f64"} {
			want := losses(t, c.m, c.task, dtype, nil, false)
			for _, eager := range []bool{false, true} {
				compare(t, c.name+" "+dtype, dtype, losses(t, c.m, c.task, dtype, d, eager), want)
			}
		}
	}
	if m := d.Memory(); m.Buffers != 0 {
		t.Errorf("after all was closed the device holds %+v", m)
	}
}

func compare(t *testing.T, what, dtype string, got, want []float64) {
	t.Helper()
	tol := 1e-5
	if dtype == "f64" {
		tol = 1e-10
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tol*max(1, math.Abs(w))) {
			t.Fatalf("%s, step %d: loss %v on the device, %v on the processor", what, i, got[i], w)
		}
	}
	if want[0] == want[len(want)-1] {
		t.Errorf("%s: nothing was learnt: %v", what, want)
	}
}

// losses are those of twenty steps, on mini-batches of five and of three.
func losses(t *testing.T, m train.Model, task train.Task, dtype string, d *engine.Device, eager bool) []float64 {
	t.Helper()
	kind := map[string]kernels.DType{"f32": kernels.Float32, "f64": kernels.Float64}[dtype]
	set, err := trainingSet(kind, task)
	if err != nil {
		t.Fatal(err)
	}
	o := train.Defaults()
	o.Batch, o.LR, o.DType, o.Threads, o.Seed, o.Device, o.Eager = 5, 1e-2, dtype, 1, seed, d, eager
	tr, err := train.New(m, set, o)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var out []float64
	for range 20 {
		r, err := tr.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r.Loss)
	}
	return out
}

// TestDeviceRefuses: a workload that runs on the processor alone is not timed under a device's name.
func TestDeviceRefuses(t *testing.T) {
	o := Options{Workloads: []string{"spmm"}, Device: device(t)}
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "on the processor alone") {
		t.Errorf("error %v", err)
	}
}

// TestDeviceWorkloads: every case of every workload that has a form for it runs on the device, is labelled by it, and
// says how many steps ran beside it.
func TestDeviceWorkloads(t *testing.T) {
	d := device(t)
	results, err := Run(context.Background(), Options{Quick: true, Reps: 1, Budget: time.Millisecond, Device: d,
		Machine: func(Report) { t.Error("the processor was measured for a device") }})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, r := range results {
		if r.Device != d.Name() || !strings.HasPrefix(r.Device, "cuda:0") || !(r.MedianMS > 0) || r.Roofline != 0 {
			t.Errorf("%+v", r)
		}
		if !slices.ContainsFunc(r.Extra, func(f Fact) bool { return f.Name == "steps on the processor" }) {
			t.Errorf("%s %v does not say what ran beside the device: %v", r.Workload, r.Size, r.Extra)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
		if !slices.Contains(seen, r.Workload) {
			seen = append(seen, r.Workload)
		}
	}
	if len(seen) != len(workloads())-len(ProcessorOnly()) {
		t.Errorf("only %q ran", seen)
	}
}
