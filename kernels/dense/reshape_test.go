package dense

import (
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestReshape(t *testing.T) {
	to := func(dims ...int) Reshape { return Reshape{To: ShapeOf(dims...)} }
	optest.Check(t, []optest.Case{
		{Name: "matrix", Op: to(2, 6), In: []optest.Arg{optest.Normal(3, 4)}, Linear: true, Exact: true},
		{Name: "free", Op: to(2, -1), In: []optest.Arg{optest.Normal(3, 4)}, Linear: true, Exact: true},
		{Name: "flat", Op: to(-1), In: []optest.Arg{optest.Normal(3, 4)}, Linear: true, Exact: true},
		{Name: "flat scalar", Op: to(-1), In: []optest.Arg{optest.Normal()}, Exact: true},
		{Name: "scalar", Op: to(), In: []optest.Arg{optest.Normal(1, 1)}, Exact: true},
		{Name: "nothing", Op: to(0, 5), In: []optest.Arg{optest.Normal(3, 0)}, Exact: true},
		{Name: "like", Op: Reshape{}, In: []optest.Arg{optest.Normal(3, 4), optest.Normal(2, 2, 3)}, Linear: true,
			Exact: true},
		{Name: "like scalar", Op: Reshape{}, In: []optest.Arg{optest.Normal(1), optest.Normal()}, Exact: true},
		{Name: "like int32", Op: Reshape{}, In: []optest.Arg{optest.Normal(4), optest.Ints(0, 2, 2, 2)}, Exact: true},
		// Integers have no gradient.
		{Name: "int32", Op: to(2, 2), In: []optest.Arg{optest.Ints(0, 9, 4)}, NoGrad: true},
	})
	x := kernels.S(kernels.Float32, 3, 4)
	optest.Errors(t, to(5, 2), "12 elements do not fill the shape [5 2]", x)
	optest.Errors(t, to(5, -1), "12 elements do not fill the shape [5 -1]", x)
	optest.Errors(t, to(0, -1), "12 elements do not fill the shape [0 -1]", x)
	optest.Errors(t, to(-1, -1), "one dimension may be −1", x)
	optest.Errors(t, to(-2, 6), "the others not negative", x)
	optest.Errors(t, to(1, 1, 1, 1, 1, 1, 1, 3, 4), "9 dimensions, at most 8", x)
	optest.Errors(t, to(12), "has both a shape [12] and an input", x, x)
	optest.Errors(t, Reshape{}, "12 elements do not fill the shape [3]", x, kernels.S(kernels.Float32, 3))
	optest.Errors(t, Reshape{}, "wants 1 or 2 inputs")
}

func BenchmarkReshape(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "128x512", Op: Reshape{To: ShapeOf(-1)},
		In: []optest.Arg{optest.Normal(128, 512)}}})
}
