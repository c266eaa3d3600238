package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestMSE(t *testing.T) {
	var cases []optest.Case
	for _, s := range [][]int{{}, {0}, {1}, {17}, {3, 5}, {2*squareBlock + 3}} {
		cases = append(cases, optest.Case{Name: fmt.Sprint(s), Op: MSE{},
			In:     []optest.Arg{optest.Normal(s...), optest.Normal(s...)},
			NoGrad: large(s...)})
	}
	optest.Check(t, cases)
	out, err := kernels.RunRef(MSE{}, []kernels.Tensor{kernels.FromSlice([]float64{1, 2}, 2),
		kernels.FromSlice([]float64{4, 1}, 2)})
	if err != nil || out.F64[0] != 5 {
		t.Errorf("((1−4)² + (2−1)²)/2 = %v, %v", out.F64, err)
	}
	f := kernels.Float32
	optest.Errors(t, MSE{}, "prediction [3 1] and target [3] differ in shape", kernels.S(f, 3, 1), kernels.S(f, 3))
	optest.Errors(t, MSE{}, "wants 2 inputs", kernels.S(f, 3))
}

func BenchmarkMSE(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "128x512", Op: MSE{}, In: []optest.Arg{optest.Normal(128, 512),
		optest.Normal(128, 512)}}})
}
