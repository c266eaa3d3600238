package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestScatterRows(t *testing.T) {
	distinct := optest.Values(kernels.FromSlice([]int32{4, 0, 2}, 3))
	var cases []optest.Case
	for _, x := range [][]int{{5}, {5, 1}, {6, 7}, {5, 2, 3}, {5, 0}} {
		v := append([]int{3}, x[1:]...)
		cases = append(cases, optest.Case{Name: fmt.Sprint(x), Op: ScatterRows{},
			In: []optest.Arg{optest.Normal(x...), distinct, optest.Normal(v...)}, Exact: true})
	}
	none := optest.Ints(0, 1, 0)
	cases = append(cases,
		optest.Case{Name: "no rows", Op: ScatterRows{}, In: []optest.Arg{optest.Normal(4, 3), none,
			optest.Normal(0, 3)}, Exact: true},
		optest.Case{Name: "of nothing", Op: ScatterRows{}, In: []optest.Arg{optest.Normal(0, 3), none,
			optest.Normal(0, 3)}, Exact: true},
		optest.Case{Name: "repeats", Op: ScatterRows{}, In: []optest.Arg{optest.Normal(4, 3), optest.Ints(0, 3, 9),
			optest.Normal(9, 3)}, Exact: true, NoGrad: true},
		optest.Case{Name: "out of range", Op: ScatterRows{}, In: []optest.Arg{optest.Normal(4, 3), optest.Ints(3, 5, 9),
			optest.Normal(9, 3)}, Exact: true, NoGrad: true})
	optest.Check(t, cases)
	f, i := kernels.Float32, kernels.Int32
	optest.Errors(t, ScatterRows{}, "rows must have the shape [4 3], have [4 2]", kernels.S(f, 5, 3), kernels.S(i, 4),
		kernels.S(f, 4, 2))
	optest.Errors(t, ScatterRows{}, "differ in type", kernels.S(f, 5), kernels.S(i, 4), kernels.S(kernels.Float64, 4))
}

func BenchmarkScatterRows(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "64 of 10kx100", Op: ScatterRows{},
		In: []optest.Arg{optest.Normal(10000, 100), optest.Ints(0, 10000, 64), optest.Normal(64, 100)}}})
}
