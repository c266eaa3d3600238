package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestFillLike(t *testing.T) {
	var cases []optest.Case
	for _, v := range []float64{0, 1, -2.5, math.Inf(1)} {
		for _, s := range [][]int{{}, {0}, {1}, {17}, {3, 5}, {50000}} {
			cases = append(cases, optest.Case{Name: fmt.Sprint(v, s), Op: FillLike{Value: v},
				In: []optest.Arg{optest.Normal(s...)}, Exact: true,
				NoGrad: large(s...) || math.IsInf(v, 0)}) // differences of infinite values are no numbers
		}
	}
	optest.Check(t, cases)
	optest.Errors(t, FillLike{Value: math.NaN()}, "must be a number", kernels.S(kernels.Float32, 2))
	optest.Errors(t, FillLike{}, "must be float32 or float64", kernels.S(kernels.Int32, 2))
}

func BenchmarkFillLike(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "128x512", Op: FillLike{Value: 2}, In: []optest.Arg{optest.Normal(128, 512)}}})
}
