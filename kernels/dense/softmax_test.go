package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

var softmaxes = []func(fromLast int) kernels.Op{
	func(a int) kernels.Op { return Softmax{FromLast: a} },
	func(a int) kernels.Op { return LogSoftmax{FromLast: a} },
}

func TestSoftmax(t *testing.T) {
	var cases []optest.Case
	for _, op := range softmaxes {
		for _, s := range [][]int{{0}, {1}, {7}, {0, 3}, {3, 0}, {5, 1}, {4, 17}, {2, 3, 5}, {300, 21}, {3, 520}} {
			for a := range s {
				cases = append(cases, optest.Case{Name: kernels.Identity(op(a)) + fmt.Sprint(s), Op: op(a),
					In: []optest.Arg{optest.Normal(s...)}, NoGrad: large(s...)})
			}
		}
		inf := math.Inf(1)
		x := kernels.FromSlice([]float64{1000, 1001, 999, -1000, -1e30, -inf, inf, 0, 0, math.NaN(), 0, 0, -inf, -inf,
			-inf}, 5, 3)
		for a := range 2 {
			cases = append(cases, optest.Case{Name: kernels.Identity(op(a)) + "/special", Op: op(a),
				In: []optest.Arg{optest.Values(x)}, NoGrad: true})
		}
	}
	optest.Check(t, cases)
}

func TestSoftmaxValues(t *testing.T) {
	x := kernels.FromSlice([]float64{0, math.Log(3), 1000, 1000}, 2, 2)
	for i, want := range [][]float64{{0.25, 0.75, 0.5, 0.5}, {math.Log(0.25), math.Log(0.75), math.Log(0.5),
		math.Log(0.5)}} {
		out, err := kernels.RunRef(softmaxes[i](0), []kernels.Tensor{x})
		if err != nil {
			t.Fatal(err)
		}
		if msg := optest.Compare(out.F64, want, 1e-15); msg != "" {
			t.Error(msg)
		}
	}
}

func TestSoftmaxErrors(t *testing.T) {
	for _, op := range softmaxes {
		optest.Errors(t, op(2), "no axis 2 before the last of 2", kernels.S(kernels.Float32, 3, 3))
		optest.Errors(t, op(-1), "no axis -1", kernels.S(kernels.Float32, 3, 3))
		optest.Errors(t, op(0), "no axis 0 before the last of 0", kernels.S(kernels.Float32))
		optest.Errors(t, op(0), "must be float32 or float64", kernels.S(kernels.Int32, 3))
	}
}

func BenchmarkSoftmax(b *testing.B) {
	optest.Bench(b, []optest.Case{
		{Name: "128x10", Op: Softmax{}, In: []optest.Arg{optest.Normal(128, 10)}},
		{Name: "128x512", Op: Softmax{}, In: []optest.Arg{optest.Normal(128, 512)}},
		{Name: "log/128x512", Op: LogSoftmax{}, In: []optest.Arg{optest.Normal(128, 512)}},
		{Name: "first axis/128x512", Op: Softmax{FromLast: 1}, In: []optest.Arg{optest.Normal(128, 512)}},
	})
}
