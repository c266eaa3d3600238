package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestGather(t *testing.T) {
	var cases []optest.Case
	for _, idx := range [][]int{{}, {0}, {1}, {7}, {2, 3}} {
		for _, x := range [][]int{{5}, {5, 1}, {5, 7}, {4, 2, 3}, {4, 0}} {
			cases = append(cases, optest.Case{Name: fmt.Sprint(x, idx), Op: Gather{},
				In: []optest.Arg{optest.Normal(x...), optest.Ints(0, 4, idx...)}, Linear: true, Exact: true})
		}
	}
	cases = append(cases,
		optest.Case{Name: "many", Op: Gather{}, In: []optest.Arg{optest.Normal(50, 33), optest.Ints(0, 50, 999)},
			Exact: true, NoGrad: true},
		optest.Case{Name: "out of range", Op: Gather{}, In: []optest.Arg{optest.Normal(3, 2), optest.Ints(-2, 6, 20)},
			Exact: true, NoGrad: true},
		optest.Case{Name: "of nothing", Op: Gather{}, In: []optest.Arg{optest.Normal(0, 2), optest.Ints(0, 1, 3)},
			Exact: true})
	optest.Check(t, cases)
	f, i := kernels.Float32, kernels.Int32
	optest.Errors(t, Gather{}, "input 0 is a scalar", kernels.S(f), kernels.S(i, 3))
	optest.Errors(t, Gather{}, "input 1 must be int32", kernels.S(f, 3), kernels.S(f, 3))
}

func BenchmarkGather(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "10k of 20kx64", Op: Gather{},
		In: []optest.Arg{optest.Normal(20000, 64), optest.Ints(0, 20000, 10000)}}})
}
