package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestScale(t *testing.T) {
	var cases []optest.Case
	for _, o := range []Scale{{}, {Alpha: -1}, {Alpha: 2.5}, {Alpha: 3, Beta: -0.5}, {Beta: 4}} {
		for _, s := range [][]int{{}, {0}, {1}, {17}, {3, 5}, {21000}} {
			cases = append(cases, optest.Case{Name: fmt.Sprint(kernels.Identity(o), s), Op: o,
				In:     []optest.Arg{optest.Normal(s...)},
				Linear: o.Beta == 0, NoGrad: large(s...)})
		}
	}
	special := kernels.FromSlice([]float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN()}, 5)
	cases = append(cases, optest.Case{Name: "special", Op: Scale{Alpha: -2}, In: []optest.Arg{optest.Values(special)},
		NoGrad: true})
	optest.Check(t, cases)
	optest.Errors(t, Scale{Alpha: math.NaN()}, "must be numbers", kernels.S(kernels.Float32, 2))
	optest.Errors(t, Scale{}, "must be float32 or float64", kernels.S(kernels.Int32, 2))
}

func BenchmarkScale(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "128x512", Op: Scale{Alpha: 2}, In: []optest.Arg{optest.Normal(128, 512)}}})
}
