package dense

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
)

var allFormats = []Format{TF32, BF16, F16}

func TestRound(t *testing.T) {
	inf := math.Inf(1)
	// The gradient is not that of the differences of a staircase; see below.
	var cases []optest.Case
	for _, f := range allFormats {
		for _, s := range [][]int{{}, {0}, {1}, {31}, {32}, {33}, {3, 5}, {1000}} {
			cases = append(cases, optest.Case{Name: fmt.Sprint(f, s), Op: Round{To: f}, Exact: true, NoGrad: true,
				In: []optest.Arg{optest.Normal(s...)}})
		}
		// Ties, the largest numbers and what is above, subnormal numbers of all formats, values of no number.
		special := []float64{
			0,
			math.Copysign(0, -1),
			inf,
			-inf,
			math.NaN(),
			1 + f.Unit(),
			1 + 3*f.Unit(),
			-1 - f.Unit(),
			1 + 5*f.Unit()/2,
			65504,
			65519.99,
			65520,
			-65536,
			0x1.ffp127,
			0x1.ffcp127,
			0x1.ffdp127,
			0x1.fep127,
			0x1.feep127,
			0x1p-14,
			0x1.ffdp-15,
			0x1p-24,
			0x1p-25,
			0x1.8p-25,
			0x1.8p-24,
			0x1p-126,
			0x1p-130,
			0x1.8p-133,
			0x1p-134,
			0x1p-136,
			0x1.8p-137,
			0x1p-149,
			-0x1p-149,
		}
		cases = append(cases, optest.Case{Name: fmt.Sprint(f, "special"), Op: Round{To: f}, Exact: true,
			NoGrad: true, In: []optest.Arg{optest.Values(kernels.FromSlice(special, len(special)))}})
	}
	optest.Check(t, cases)
	x := kernels.FromSlice([]float64{1.3, -2.7, 1e-9}, 3)
	if g := gradients(t, Round{To: BF16}, 2.5, x)[0]; !slices.Equal(g.F64, []float64{2.5, 2.5, 2.5}) {
		t.Errorf("gradient %v", g.F64)
	}
}

// TestNearest compares with a table of all numbers of a format: the nearest one of it, and of two the one of the rule.
func TestNearest(t *testing.T) {
	for _, f := range allFormats {
		// The positive numbers of the format from the smallest on, by their definition.
		var list []float64
		least := formats[f].exponent
		for m := range 1 << formats[f].fraction {
			list = append(list, math.Ldexp(float64(m), least-formats[f].fraction)) // zero and subnormal ones
		}
		for e := least; e < least+40 && e < 2-least; e++ {
			for m := range 1 << formats[f].fraction {
				list = append(list, math.Ldexp(float64(m+1<<formats[f].fraction), e-formats[f].fraction))
			}
		}
		y := make([]float32, 1)
		at := 1
		for i := 0; at+1 < len(list); i++ {
			lo, hi := list[at], list[at+1]
			u := philox.Block([2]uint32{9, 1}, [4]uint32{uint32(i), 0, 0, 0})
			part := float64(u[0]) / (1 << 32)
			if i%4 == 0 {
				part = 0.5
			}
			x := float64(float32(lo + (hi-lo)*part))
			want := lo
			// Neighbours of the list differ in the last bit: the even one has an even index.
			if part = (x - lo) / (hi - lo); part > 0.5 || part == 0.5 && (f == TF32 || at%2 == 1) {
				want = hi
			}
			if got := f.Nearest(x); got != want {
				t.Fatalf("%v: %v becomes %v, want %v", f, x, got, want)
			}
			if f.nearest32(y, []float32{-float32(x)}); float64(y[0]) != -want {
				t.Fatalf("%v: %v becomes %v in float32, want %v", f, -x, y[0], -want)
			}
			at += 1 + int(u[1]%97)
		}
	}
}

// TestNearestBits compares both ways to round on bits that are drawn: numbers of every size, and values of no number.
func TestNearestBits(t *testing.T) {
	for _, f := range allFormats {
		y := make([]float32, 4)
		for i := range 50000 {
			x := make([]float32, 4)
			for k, w := range philox.Block([2]uint32{4, 2}, [4]uint32{uint32(i), uint32(f), 0, 0}) {
				x[k] = math.Float32frombits(w)
			}
			f.nearest32(y, x)
			for k, v := range x {
				want := float32(f.Nearest(float64(v)))
				if y[k] != want && !(math.IsNaN(float64(want)) && math.IsNaN(float64(y[k]))) {
					t.Fatalf("%v: %v (%#x) becomes %v, want %v", f, v, math.Float32bits(v), y[k], want)
				}
			}
		}
	}
}

func BenchmarkRound(b *testing.B) {
	var cases []optest.Case
	for _, f := range allFormats {
		cases = append(
			cases,
			optest.Case{Name: fmt.Sprint(f), Op: Round{To: f}, In: []optest.Arg{optest.Normal(512, 512)}},
		)
	}
	optest.Bench(b, cases)
}
