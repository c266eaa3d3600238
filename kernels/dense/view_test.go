package dense

import (
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestView(t *testing.T) {
	optest.Check(t, []optest.Case{
		{Name: "matrix", Op: View{Offset: 3, To: ShapeOf(2, 4)}, In: []optest.Arg{optest.Normal(20)}, Linear: true,
			Exact: true},
		{Name: "all", Op: NewView(0, 20), In: []optest.Arg{optest.Normal(20)}, Linear: true, Exact: true},
		{Name: "scalar", Op: NewView(19), In: []optest.Arg{optest.Normal(20)}, Linear: true, Exact: true},
		{Name: "nothing", Op: NewView(20, 0, 3), In: []optest.Arg{optest.Normal(20)}, Exact: true},
		{Name: "of nothing", Op: NewView(0, 0), In: []optest.Arg{optest.Normal(0)}, Exact: true},
		// Integers have no gradient.
		{Name: "int32", Op: NewView(1, 2), In: []optest.Arg{optest.Ints(0, 9, 4)}, NoGrad: true},
	})
	x := kernels.S(kernels.Float32, 20)
	optest.Errors(t, NewView(13, 2, 4), "8 elements at 13 are outside of the 20 of the block", x)
	optest.Errors(t, NewView(-1, 2), "2 elements at -1 are outside", x)
	optest.Errors(t, NewView(0, -2), "shape [-2] has a negative dimension", x)
	optest.Errors(t, NewView(0, 2), "must have 1 dimensions", kernels.S(kernels.Float32, 2, 2))
	optest.Errors(t, NewView(0, 1, 1, 1, 1, 1, 1, 1, 1, 1), "9 dimensions, at most 8", x)
}

func BenchmarkView(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "copy of 64k", Op: NewView(9, 128, 512),
		In: []optest.Arg{optest.Normal(100000)}}})
}
