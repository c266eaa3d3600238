package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// joined are shapes of parts, and the axis along which they are joined.
var joined = []struct {
	axis  int
	parts [][]int
}{
	{0, [][]int{{3}}}, {0, [][]int{{3}, {1}, {0}, {5}}}, {1, [][]int{{2, 3}, {2, 1}}}, {-1, [][]int{{2, 3}, {2, 1}}},
	{0, [][]int{{2, 3}, {4, 3}}},
	{1, [][]int{{2, 3, 4}, {2, 2, 4}, {2, 1, 4}}}, {-2, [][]int{{2, 3, 4}, {2, 2, 4}}}, {0, [][]int{{0, 3}, {0, 3}}},
	{1, [][]int{{0, 3}, {0, 2}}},
	{1, [][]int{{700, 13}, {700, 20}}},
}

func TestConcat(t *testing.T) {
	var cases []optest.Case
	for _, j := range joined {
		var in, ints []optest.Arg
		for _, p := range j.parts {
			in, ints = append(in, optest.Normal(p...)), append(ints, optest.Ints(-9, 9, p...))
		}
		cases = append(cases, optest.Case{Name: fmt.Sprint(j), Op: Concat{Axis: j.axis}, In: in, Exact: true,
			NoGrad: large(j.parts[0]...)},
			optest.Case{Name: fmt.Sprint("int32", j), Op: Concat{Axis: j.axis}, In: ints,
				NoGrad: true}) // integers have no gradient
	}
	optest.Check(t, cases)
	f := kernels.Float32
	optest.Errors(t, Concat{}, "wants one input")
	optest.Errors(t, Concat{}, "parts 0 and 1 differ in dimension 1: 3 and 4", kernels.S(f, 2, 3), kernels.S(f, 2, 4))
	optest.Errors(t, Concat{}, "parts 0 and 1 differ in rank", kernels.S(f, 2, 3), kernels.S(f, 2))
	optest.Errors(t, Concat{Axis: 2}, "axis 2 is outside of the 2 dimensions", kernels.S(f, 2, 3))
	optest.Errors(t, Concat{Axis: -3}, "axis -3 is outside", kernels.S(f, 2, 3))
	optest.Errors(t, Concat{}, "differ in type", kernels.S(f, 2), kernels.S(kernels.Int32, 2))
}

func BenchmarkConcat(b *testing.B) {
	optest.Bench(b, []optest.Case{
		{Name: "columns/2x128x256", Op: Concat{Axis: 1}, In: normals(2, 128, 256)},
		{Name: "rows/2x128x256", Op: Concat{}, In: normals(2, 128, 256)},
	})
}
