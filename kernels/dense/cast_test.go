package dense

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestCast(t *testing.T) {
	inf := math.Inf(1)
	special := kernels.FromSlice([]float64{1.9, -1.9, 300, -300, 3e9, -3e9, inf, -inf, math.NaN(), 0}, 10)
	var cases []optest.Case
	for _, to := range []kernels.DType{kernels.Float32, kernels.Float64, kernels.Int32, kernels.Byte} {
		for _, s := range [][]int{{}, {0}, {1}, {17}, {3, 5}, {9000}} {
			cases = append(cases,
				optest.Case{Name: fmt.Sprint(to, s), Op: Cast{To: to}, In: []optest.Arg{optest.Uniform(-9, 9, s...)},
					Exact:  true,
					NoGrad: !to.IsFloat() || large(s...)}, // differences of a staircase are no derivative
				optest.Case{Name: fmt.Sprint(to, "from int32", s), Op: Cast{To: to},
					In: []optest.Arg{optest.Ints(-300, 300, s...)}, Exact: true},
				optest.Case{Name: fmt.Sprint(to, "from bytes", s), Op: Cast{To: to}, In: []optest.Arg{countUp(s...)},
					Exact: true})
		}
		cases = append(cases, optest.Case{Name: fmt.Sprint(to, "special"), Op: Cast{To: to},
			In: []optest.Arg{optest.Values(special)}, NoGrad: true, Exact: true})
	}
	optest.Check(t, cases)
	out, err := kernels.RunRef(Cast{To: kernels.Int32}, []kernels.Tensor{special})
	if want := []int32{1, -1, 300, -300, math.MaxInt32, math.MinInt32, math.MaxInt32, math.MinInt32, 0,
		0}; err != nil ||
		!slices.Equal(out.I32, want) {
		t.Errorf("to int32: %v, %v; want %v", out.I32, err, want)
	}
	out, err = kernels.RunRef(Cast{To: kernels.Byte}, []kernels.Tensor{special})
	if want := []byte{1, 0, 255, 0, 255, 0, 255, 0, 0, 0}; err != nil || !slices.Equal(out.U8, want) {
		t.Errorf("to byte: %v, %v; want %v", out.U8, err, want)
	}
	optest.Errors(t, Cast{}, "no type to cast to: invalid", kernels.S(kernels.Float32, 2))
}

func BenchmarkCast(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "128x512 to int32", Op: Cast{To: kernels.Int32},
		In: []optest.Arg{optest.Normal(128, 512)}}})
}
