package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

var halfFormats = []Format{BF16, F16}

// special16 are ties, the largest numbers and what is above, subnormal numbers, and values of no number.
func special16(f Format) []float64 {
	return []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1 + f.Unit(), 1 + 3*f.Unit(),
		-1 - f.Unit(), 65504, 65519.99, 65520, -65536, 0x1.fep127, 0x1.ffp127, 0x1p-14, 0x1.ffdp-15, 0x1p-24, -0x1p-25,
		0x1.8p-25, 0x1.8p-24, 0x1p-126, 0x1p-130, 0x1.8p-133, 0x1p-134, 0x1p-149}
}

func TestNarrow(t *testing.T) {
	var cases []optest.Case
	for _, f := range halfFormats {
		for _, s := range [][]int{{}, {0}, {1}, {31}, {32}, {33}, {3, 5}, {1000}, {9000}} {
			cases = append(
				cases,
				optest.Case{Name: fmt.Sprint(f, s), Op: Narrow{To: f}, In: []optest.Arg{optest.Normal(s...)}},
			)
		}
		x := special16(f)
		cases = append(cases, optest.Case{Name: fmt.Sprint(f, "special"), Op: Narrow{To: f},
			In: []optest.Arg{optest.Values(kernels.FromSlice(x, len(x)))}})
	}
	optest.Check(t, cases)
}

// every16 holds all words of 16 bits.
func every16() kernels.Tensor {
	x := make([]byte, 2<<16)
	for i := range 1 << 16 {
		x[2*i], x[2*i+1] = byte(i), byte(i>>8)
	}
	return kernels.FromSlice(x, 1<<16, 2)
}

func TestWiden(t *testing.T) {
	var cases []optest.Case
	for _, f := range halfFormats {
		for _, to := range []kernels.DType{kernels.Float32, kernels.Float64} {
			for _, n := range []int{0, 1, 31, 32, 33, 1000, 1 << 16} {
				x := kernels.FromSlice(every16().U8[:2*n], n, 2)
				cases = append(cases, optest.Case{Name: fmt.Sprint(f, to, n), Op: Widen{From: f, To: to}, Exact: true,
					In: []optest.Arg{optest.Values(x)}})
			}
		}
	}
	optest.Check(t, cases)
}

// TestNarrowWiden: every number of 16 bits comes back as it was, and others come back rounded.
func TestNarrowWiden(t *testing.T) {
	for _, f := range halfFormats {
		all := every16()
		wide, err := kernels.RunRef(Widen{From: f, To: kernels.Float64}, []kernels.Tensor{all})
		if err != nil {
			t.Fatal(err)
		}
		back, err := kernels.RunRef(Narrow{To: f}, []kernels.Tensor{wide})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range wide.F64 {
			same := back.U8[2*i] == all.U8[2*i] && back.U8[2*i+1] == all.U8[2*i+1]
			if v == v && !same || f.Nearest(v) != v && v == v {
				t.Fatalf("%v: word %#x, which is %v, comes back as %#x%02x", f, i, v, back.U8[2*i+1], back.U8[2*i])
			}
		}
		for _, v := range special16(f) {
			if got, want := f.number(f.bits(f.Nearest(v))), f.Nearest(v); got != want && v == v {
				t.Errorf("%v: %v comes back as %v, want %v", f, v, got, want)
			}
		}
	}
}

func BenchmarkNarrow(b *testing.B) {
	for _, f := range halfFormats {
		optest.Bench(b, []optest.Case{{Name: f.String(), Op: Narrow{To: f}, In: []optest.Arg{optest.Normal(512, 512)}}})
	}
}
