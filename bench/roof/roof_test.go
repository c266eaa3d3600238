package roof

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"ganglion/internal/cpu"
)

// TestMeasure takes every rate for an instant: all are finite and positive, and every path of the processor has one.
func TestMeasure(t *testing.T) {
	for _, threads := range []int{1, 2} {
		o := Options{Threads: threads, Path: cpu.Best(), Each: time.Microsecond, DRAM: 1 << 20}
		m, err := Measure(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(cpu.Paths()) * 4 * threads; len(m.FMA) != want {
			t.Errorf("%d rates of multiply-adds, want %d", len(m.FMA), want)
		}
		for _, f := range m.FMA {
			if !(f.GFLOPS > 0) || math.IsInf(f.GFLOPS, 0) {
				t.Errorf("%v, %d bits, %d threads: %v GFLOP/s", f.Path, f.Bits, f.Threads, f.GFLOPS)
			}
		}
		for _, l := range m.Levels {
			if !(l.Read > 0) || !(l.Triad > 0) || math.IsInf(l.Read+l.Triad, 0) {
				t.Errorf("%s: reads %v GB/s, triad %v", l.Name, l.Read, l.Triad)
			}
		}
		if m.Peak(32) <= 0 || m.Peak(64) <= 0 || m.Peak(16) != 0 {
			t.Errorf("peaks %v, %v, %v", m.Peak(32), m.Peak(64), m.Peak(16))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Measure(ctx, Options{Threads: 1, Path: cpu.Go, Each: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestSeconds checks the model on a made-up machine.
func TestSeconds(t *testing.T) {
	m := Machine{Path: cpu.AVX2, Threads: 2,
		FMA: []FMA{{Path: cpu.Go, Bits: 32, Threads: 2, GFLOPS: 1}, {Path: cpu.AVX2, Bits: 32, Threads: 1, GFLOPS: 50},
			{Path: cpu.AVX2, Bits: 32, Threads: 2, Loaded: true, GFLOPS: 90},
			{Path: cpu.AVX2, Bits: 32, Threads: 2, GFLOPS: 100}},
		Levels: []Level{{"l1", 1000, 400, 300}, {"dram", 5000, 10, 20}}}
	for _, c := range []struct{ flops, bytes, set, want float64 }{
		{1e9, 0, 0, 0.01},
		{0, 4e9, 1000, 0.01},
		{0, 4e9, 1001, 0.2},
		{0, 4e9, 1e9, 0.2},
		{1e9, 4e9, 1e9, 0.2},
		{0, 0, 0, 0},
	} {
		if got := m.Seconds(c.flops, c.bytes, c.set, 32); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %v s, want %v", c, got, c.want)
		}
	}
}

// TestMultiplyAddGo checks that the loop of the Go path counts its operations.
func TestMultiplyAddGo(t *testing.T) {
	if got := multiplyAddGo[float32](10); got != 16 {
		t.Errorf("%v operations a round", got)
	}
	if got := multiplyAddGo[float64](10); got != 16 {
		t.Errorf("%v operations a round", got)
	}
}
