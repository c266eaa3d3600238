package vec

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"ganglion/internal/cpu"
)

var full = flag.Bool("full", false, "compare functions of float32 for all 2^32 arguments")

// TestSweep compares the functions of one float32 with float64 for every 4099th bit pattern or, with -full, for all of
// them.
func TestSweep(t *testing.T) {
	for _, f := range primitives[float32]() {
		if ofOne(f.name) {
			t.Run(f.name, func(t *testing.T) { sweep(t, f) })
		}
	}
}

// sweep compares one function on all paths; with -full not on the Go path, which is slow.
func sweep(t *testing.T, f elementwise[float32]) {
	const run = 1 << 14
	step, tested := uint64(4099), cpu.Paths()
	if *full {
		step, tested = 1, tested[min(1, len(tested)-1):]
	}
	worst, where := make([]float64, len(tested)), make([]float32, len(tested))
	x, dst, want := make([]float32, 0, run), make([]float32, run), make([]float64, run)
	for b := uint64(0); b < 1<<32; {
		for x = x[:0]; len(x) < run && b < 1<<32; b += step {
			x = append(x, math.Float32frombits(uint32(b)))
		}
		for i, v := range x {
			want[i] = f.want(0, float64(v), 0)
		}
		for p, path := range tested {
			f.run(F32(path), dst[:len(x)], x, nil)
			for i, v := range x {
				if d := distance(dst[i], want[i]); d > worst[p] {
					worst[p], where[p] = d, v
				}
			}
		}
	}
	for p, path := range tested {
		if limit := f.limit(path); worst[p] > limit {
			t.Errorf("%v: %.4g ulp at %v, want %.3g", path, worst[p], where[p], limit)
		}
		t.Logf("%v: %.3f ulp at %v", path, worst[p], where[p])
	}
}

// ofOne reports whether a primitive is a function of one element.
func ofOne(name string) bool {
	switch name {
	case "Exp", "Tanh", "Sigmoid", "Log", "ReLU", "Expm1", "Log1p", "Softplus", "SiLU", "SiLUSlope", "Erf", "GELU",
		"GELUSlope", "Sin", "Cos":
		return true
	}
	return false
}

// TestFloat64 compares with values of 60 digits, stored as sums of two numbers.
func TestFloat64(t *testing.T) {
	text, err := os.ReadFile("testdata/float64.txt")
	if err != nil {
		t.Fatal(err)
	}
	run := func(table *Table[float64], name string, dst, x []float64) {
		switch name {
		case "exp":
			table.Exp(dst, x)
		case "tanh":
			table.Tanh(dst, x)
		case "sigmoid":
			table.Sigmoid(dst, x)
		case "log":
			table.Log(dst, x)
		default:
			t.Fatalf("unknown function %q", name)
		}
	}
	worst, count := map[string]float64{}, 0
	for line := range strings.Lines(string(text)) {
		var name string
		var x, high, low float64
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscan(line, &name, &x, &high, &low); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		count++
		for _, path := range cpu.Paths() {
			got := []float64{0}
			run(F64(path), name, got, []float64{x})
			key := name + "/" + path.String()
			d := math.Abs((got[0]-high)-low) / ulp[float64](high)
			if !(d <= 2) {
				t.Errorf("%s of %v: %v, want %v: %.3g ulp", key, x, got[0], high, d)
			}
			worst[key] = max(worst[key], d)
		}
	}
	if count < 900 {
		t.Errorf("%d values", count)
	}
	for _, name := range []string{"exp", "tanh", "sigmoid", "log"} {
		for _, path := range cpu.Paths() {
			key := name + "/" + path.String()
			t.Logf("%s: %.2f ulp", key, worst[key])
		}
	}
}
