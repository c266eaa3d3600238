package optim_test

import (
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/optim"
)

func TestKeep(t *testing.T) {
	var cases []optest.Case
	for _, n := range []int{0, 1, 7, 8192, 20001} {
		for name, flag := range map[string]float64{"applied": 1, "not applied": 0} {
			cases = append(cases, optest.Case{Name: name, Op: optim.Keep{}, Exact: true, In: []optest.Arg{
				optest.Normal(n), optest.Normal(n), optest.Values(kernels.FromSlice([]float64{flag}, 1))}})
		}
	}
	optest.Check(t, cases)
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	for want, in := range map[string][]kernels.Spec{
		"a next value like it": {f(3), f(4), f(1)}, "and a flag": {f(3), f(3), f(2)}, "3 inputs": {f(3), f(3)},
	} {
		optest.Errors(t, optim.Keep{}, want, in...)
	}
}
