package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// domain makes arguments on which f is defined and smooth.
func domain(f act.Func, shape ...int) optest.Arg {
	switch f {
	case act.Log, act.Sqrt, act.InvSqrt, act.Log1p, act.Log2, act.Inv:
		return optest.Uniform(0.5, 3, shape...)
	case act.Ceil, act.Floor:
		return optest.Uniform(0.1, 0.9, shape...)
	}
	return optest.AwayFromZero(0.01, shape...)
}

func TestUnary(t *testing.T) {
	var cases []optest.Case
	for f := act.Identity; f <= act.Floor; f++ {
		for order := range act.Orders {
			for _, shape := range [][]int{{}, {0}, {1}, {17}, {3, 5, 7}, {1500}} {
				// Second derivatives have no gradient rule; act tests them against differences.
				cases = append(cases, optest.Case{Name: fmt.Sprintf("%s/%d/%v", act.Name(f), order, shape),
					Op: Unary{F: f, Order: order}, In: []optest.Arg{domain(f, shape...)}, NoGrad: order == 2 ||
						large(shape...)})
			}
		}
	}
	optest.Check(t, cases)
}

func TestUnaryErrors(t *testing.T) {
	x := kernels.S(kernels.Float32, 3)
	optest.Errors(t, Unary{F: act.Floor + 1}, "no order 0 of function act.Func(27)", x)
	optest.Errors(t, Unary{F: act.Tanh, Order: 3}, "no order 3 of function tanh", x)
	optest.Errors(t, Unary{F: act.Tanh, Order: -1}, "no order -1", x)
	optest.Errors(t, Unary{}, "must be float32 or float64, is int32", kernels.S(kernels.Int32, 3))
	optest.Errors(t, Unary{}, "wants 1 inputs, has 2", x, x)
}

func BenchmarkUnary(b *testing.B) {
	var cases []optest.Case
	for _, f := range []act.Func{act.ReLU, act.Tanh, act.Sigmoid, act.Exp, act.GELU} {
		for order := range 2 {
			cases = append(cases, optest.Case{Name: fmt.Sprintf("%s/%d/128x512", act.Name(f), order),
				Op: Unary{F: f, Order: order}, In: []optest.Arg{optest.Normal(128, 512)}})
		}
	}
	optest.Bench(b, cases)
}
