package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestScatterAdd(t *testing.T) {
	var cases []optest.Case
	for _, idx := range [][]int{{}, {0}, {1}, {7}, {2, 3}} {
		for _, x := range [][]int{{5}, {5, 1}, {5, 7}, {4, 2, 3}, {4, 0}} {
			v := append(append([]int(nil), idx...), x[1:]...)
			cases = append(cases, optest.Case{Name: fmt.Sprint(idx, x), Op: ScatterAdd{},
				In: []optest.Arg{optest.Normal(v...), optest.Ints(0, 4, idx...), optest.Normal(x...)}, Linear: true})
		}
	}
	cases = append(cases,
		optest.Case{Name: "sorted", Op: ScatterAdd{}, In: []optest.Arg{optest.Normal(3000, 17),
			optest.Ints(0, 200, 3000), optest.Normal(211, 17)},
			NoGrad: true},
		optest.Case{Name: "all to one", Op: ScatterAdd{}, In: []optest.Arg{optest.Normal(40000),
			optest.Ints(1, 2, 40000), optest.Normal(3)}, NoGrad: true},
		optest.Case{Name: "out of range", Op: ScatterAdd{}, In: []optest.Arg{optest.Normal(3, 2), optest.Ints(4, 5, 3),
			optest.Normal(3, 2)}, NoGrad: true},
		optest.Case{Name: "large, out of range", Op: ScatterAdd{},
			In:     []optest.Arg{optest.Normal(3000, 17), optest.Ints(-1, 200, 3000), optest.Normal(211, 17)},
			NoGrad: true})
	optest.Check(t, cases)
	f, i := kernels.Float32, kernels.Int32
	optest.Errors(t, ScatterAdd{}, "rows must have the shape [4 3], have [4 2]", kernels.S(f, 4, 2), kernels.S(i, 4),
		kernels.S(f, 5, 3))
	optest.Errors(t, ScatterAdd{}, "input 2 is a scalar", kernels.S(f, 4), kernels.S(i, 4), kernels.S(f))
	optest.Errors(t, ScatterAdd{}, "input 1 must be int32", kernels.S(f, 4), kernels.S(f, 4), kernels.S(f, 5))
}

func BenchmarkScatterAdd(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "10k to 20kx64", Op: ScatterAdd{},
		In: []optest.Arg{optest.Normal(10000, 64), optest.Ints(0, 20000, 10000), optest.Normal(20000, 64)}}})
}
