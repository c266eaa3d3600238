package dense

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestArgMax(t *testing.T) {
	var cases []optest.Case
	for _, s := range [][]int{{1}, {7}, {0, 3}, {4, 1}, {5, 17}, {2, 3, 5}, {900, 10}} {
		for a := -len(s); a < len(s); a++ {
			if s[fromEnd(a, len(s))] > 0 {
				cases = append(cases, optest.Case{Name: fmt.Sprint(s, a), Op: ArgMax{Axis: a},
					In: []optest.Arg{optest.Normal(s...)}})
			}
		}
	}
	inf, nan := math.Inf(1), math.NaN()
	special := kernels.FromSlice([]float64{1, 3, 3, 2, nan, nan, -inf, -inf, -inf, 5, nan, inf}, 4, 3)
	cases = append(cases, optest.Case{Name: "special", Op: ArgMax{Axis: 1}, In: []optest.Arg{optest.Values(special)}})
	optest.Check(t, cases)
	out, err := kernels.RunRef(ArgMax{Axis: 1}, []kernels.Tensor{special})
	if err != nil || !slices.Equal(out.I32, []int32{1, 1, 0, 1}) {
		t.Errorf("ties, NaN: %v, %v; want 1 1 0 1", out.I32, err)
	}
	optest.Errors(t, ArgMax{}, "no elements along axis 0", kernels.S(kernels.Float32, 0, 3))
	optest.Errors(t, ArgMax{Axis: 2}, "axis 2 is outside", kernels.S(kernels.Float32, 2, 3))
	optest.Errors(t, ArgMax{}, "must be float32", kernels.S(kernels.Int32, 2))
}

func BenchmarkArgMax(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "1024x10", Op: ArgMax{Axis: 1}, In: []optest.Arg{optest.Normal(1024, 10)}}})
}
