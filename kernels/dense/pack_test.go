package dense

import (
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestPack(t *testing.T) {
	optest.Check(t, []optest.Case{
		{Name: "one", Op: Pack{}, In: []optest.Arg{optest.Normal(3, 4)}, Linear: true, Exact: true},
		{Name: "some", Op: Pack{}, In: []optest.Arg{optest.Normal(3, 4), optest.Normal(), optest.Normal(5),
			optest.Normal(2, 1, 3)}, Exact: true},
		{Name: "with nothing", Op: Pack{}, In: []optest.Arg{optest.Normal(0), optest.Normal(5), optest.Normal(2, 0)},
			Exact: true},
		{Name: "nothing", Op: Pack{}, In: []optest.Arg{optest.Normal(0)}, Exact: true},
	})
	optest.Errors(t, Pack{}, "wants one input")
	optest.Errors(t, Pack{}, "differ in type", kernels.S(kernels.Float32, 2), kernels.S(kernels.Float64, 2))
}

func BenchmarkPack(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "copy of 2x64k", Op: Pack{}, In: normals(2, 128, 512)}})
}
