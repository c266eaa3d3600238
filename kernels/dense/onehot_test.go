package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestOneHot(t *testing.T) {
	var cases []optest.Case
	for _, d := range []kernels.DType{kernels.Invalid, kernels.Float32, kernels.Float64} {
		for _, s := range [][]int{{}, {0}, {1}, {17}, {3, 5}, {3000}} {
			cases = append(cases, optest.Case{Name: fmt.Sprint(d, s), Op: OneHot{N: 4, DType: d},
				In: []optest.Arg{optest.Ints(0, 4, s...)}, Exact: true})
		}
	}
	cases = append(cases, optest.Case{Name: "out of range", Op: OneHot{N: 3}, In: []optest.Arg{optest.Ints(-2, 6, 20)},
		Exact: true},
		optest.Case{Name: "no classes", Op: OneHot{}, In: []optest.Arg{optest.Ints(0, 1, 2)}, Exact: true})
	optest.Check(t, cases)
	out, err := kernels.RunRef(OneHot{N: 3}, []kernels.Tensor{kernels.FromSlice([]int32{2, 0}, 2)})
	if err != nil || fmt.Sprint(out.F32) != "[0 0 1 1 0 0]" {
		t.Errorf("rows of 2 and 0: %v, %v", out.F32, err)
	}
	optest.Errors(t, OneHot{N: 3}, "input 0 must be int32", kernels.S(kernels.Float32, 2))
	optest.Errors(t, OneHot{N: -3}, "-3 classes", kernels.S(kernels.Int32, 2))
	optest.Errors(t, OneHot{N: 3, DType: kernels.Int32}, "must be float32 or float64, not int32",
		kernels.S(kernels.Int32, 2))
}

func BenchmarkOneHot(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "1024x10", Op: OneHot{N: 10}, In: []optest.Arg{optest.Ints(0, 10, 1024)}}})
}
