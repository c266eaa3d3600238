package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
)

func TestSparsemax(t *testing.T) {
	var cases []optest.Case
	for _, s := range [][]int{{0}, {1}, {7}, {0, 3}, {3, 0}, {5, 1}, {4, 17}, {2, 3, 5}, {300, 21}, {3, 1000}} {
		cases = append(cases, optest.Case{Name: fmt.Sprint(s), Op: Sparsemax{}, In: []optest.Arg{optest.Normal(s...)},
			NoGrad: large(s...)})
	}
	inf, nan := math.Inf(1), math.NaN()
	x := kernels.FromSlice([]float64{1000, 999.75, 999, 0, 0, 0, -1e30, 1, -inf, inf, 0, 0, nan, 0, 0, -inf, -inf,
		-inf, 0, 0, nan}, 7, 3)
	cases = append(cases, optest.Case{Name: "special", Op: Sparsemax{}, In: []optest.Arg{optest.Values(x)},
		NoGrad: true})
	optest.Check(t, cases)
	optest.Errors(t, Sparsemax{}, "must be float32", kernels.S(kernels.Int32, 2))
}

// Every row is the point of the simplex that is nearest to x: non-negative, of sum 1, and with x − y equal on the
// support and nowhere above that off it.
func TestSparsemaxIsTheProjection(t *testing.T) {
	r := philox.New(5, 0, 0)
	for trial := range 200 {
		n := 1 + int(r.Below(40))
		x := kernels.New(kernels.S(kernels.Float64, 1, n))
		for i := range x.F64 {
			x.F64[i] = (float64(r.Uint32())/(1<<32) - 0.5) * float64(int(1)<<(trial%8))
		}
		y, err := kernels.RunRef(Sparsemax{}, []kernels.Tensor{x})
		if err != nil {
			t.Fatal(err)
		}
		sum, tau := 0.0, math.Inf(-1)
		for i, v := range y.F64 {
			if sum += v; v > 0 {
				tau = x.F64[i] - v
			}
		}
		for i, v := range y.F64 {
			if d := x.F64[i] - v - tau; v < 0 || v > 0 && math.Abs(d) > 1e-12 || v == 0 && d > 1e-12 ||
				math.Abs(sum-1) > 1e-12 {
				t.Fatalf("%v: %v of sum %v", x.F64, y.F64, sum)
			}
		}
	}
}

func BenchmarkSparsemax(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "1024x100", Op: Sparsemax{}, In: []optest.Arg{optest.Normal(1024, 100)}}})
}
