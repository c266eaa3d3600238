package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func normals(n int, shape ...int) []optest.Arg {
	in := make([]optest.Arg, n)
	for i := range in {
		in[i] = optest.Normal(shape...)
	}
	return in
}

func TestAddN(t *testing.T) {
	var cases []optest.Case
	for _, n := range []int{1, 2, 3, 4, 9} {
		for _, s := range [][]int{{}, {0}, {1}, {17}, {3, 5}, {5000}} {
			cases = append(cases, optest.Case{Name: fmt.Sprint(n, s), Op: AddN{}, In: normals(n, s...),
				NoGrad: large(s...)})
		}
	}
	optest.Check(t, cases)
	f := kernels.Float32
	optest.Errors(t, AddN{}, "wants one input")
	optest.Errors(t, AddN{}, "inputs 0 and 1 differ", kernels.S(f, 2), kernels.S(f, 1))
	optest.Errors(t, AddN{}, "differ in type", kernels.S(f, 2), kernels.S(kernels.Float64, 2))
}

func BenchmarkAddN(b *testing.B) {
	optest.Bench(b, []optest.Case{
		{Name: "2 of 128x512", Op: AddN{}, In: normals(2, 128, 512)},
		{Name: "5 of 128x512", Op: AddN{}, In: normals(5, 128, 512)},
	})
}
