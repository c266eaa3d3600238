package spectral

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// tubeCases makes cases with the given number of tensors before the bias.
func tubeCases(tensors int, op func(o Tube) kernels.Op) []optest.Case {
	var cases []optest.Case
	add := func(o Tube, shape []int, noGrad bool) {
		var in []optest.Arg
		for range tensors {
			in = append(in, optest.Normal(shape...))
		}
		if o.Bias {
			in = append(in, optest.Normal(shape[0], shape[2]))
		}
		cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/%v", o, shape), Op: op(o), In: in, NoGrad: noGrad})
	}
	for _, k := range []Kind{DFT, DCT, Haar, None} {
		for _, f := range []act.Func{act.Identity, act.Tanh, act.GELU} {
			for _, s := range [][]int{{0, 2, 3}, {1, 1, 1}, {4, 0, 3}, {4, 3, 0}, {2, 3, 5}, {8, 7, 3}, {64, 2, 1}} {
				add(Tube{Kind: k, F: f, Bias: true}, s, s[0] > 8)
				add(Tube{Kind: k, F: f}, s, s[0] > 8)
			}
		}
		// ReLU has a kink, at which the gradient is not compared: the golden cases do. Blocks of many tubes.
		for _, s := range [][]int{{4, 3, 2}, {16, 9, 41}} {
			add(Tube{Kind: k, F: act.ReLU, Bias: true}, s, true)
		}
	}
	for _, c := range []int{3, 5, 7, 28, 31} {
		add(Tube{Kind: DCT, F: act.Tanh, Bias: true}, []int{c, 11, 13}, true)
		add(Tube{Kind: DFT, F: act.Tanh, Bias: true}, []int{c, 11, 13}, true)
	}
	return cases
}

func TestTube(t *testing.T) {
	optest.Check(t, tubeCases(1, func(o Tube) kernels.Op { return o }))
	f := kernels.Float32
	optest.Errors(t, Tube{Bias: true}, "bias must be (4 3)", kernels.S(f, 4, 2, 3), kernels.S(f, 3, 4))
	optest.Errors(t, Tube{F: 200}, "there is no function", kernels.S(f, 4, 2, 3))
	optest.Errors(t, Tube{Kind: Haar}, "power of two", kernels.S(f, 3, 2, 3))
	optest.Errors(t, Tube{}, "at most 64", kernels.S(f, 65, 2, 3))
	optest.Errors(t, Tube{Bias: true}, "wants 2 inputs", kernels.S(f, 4, 2, 3))
}

func TestTubeGrad(t *testing.T) {
	optest.Check(t, tubeCases(2, func(o Tube) kernels.Op { return TubeGrad(o) }))
	f := kernels.Float32
	optest.Errors(t, TubeGrad{}, "must have one shape", kernels.S(f, 4, 2, 3), kernels.S(f, 4, 3, 2))
}

func BenchmarkTube(b *testing.B) {
	var cases []optest.Case
	for _, s := range [][]int{{4, 1024, 64}, {16, 256, 64}, {28, 100, 28}, {32, 128, 128}, {64, 64, 256}} {
		for _, k := range []Kind{DFT, DCT} {
			o := Tube{Kind: k, F: act.ReLU}
			cases = append(cases, optest.Case{Name: fmt.Sprint(kindNames[k], s), Op: o,
				In: []optest.Arg{optest.Normal(s...)}})
			cases = append(cases, optest.Case{Name: fmt.Sprint("grad ", kindNames[k], s), Op: TubeGrad(o),
				In: []optest.Arg{optest.Normal(s...), optest.Normal(s...)}})
		}
	}
	optest.Bench(b, cases)
}
