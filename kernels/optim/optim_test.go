package optim

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// inputs makes block, gradient, hyper and flag. The slots are positive, as v must be.
func inputs(slots, n int, step, ok float64) []optest.Arg {
	z := kernels.New(kernels.S(kernels.Float64, (1+slots)*n))
	for i := range z.F64 {
		z.F64[i] = math.Abs(math.Sin(float64(i + 1)))
		if i < n {
			z.F64[i] = math.Cos(float64(i))
		}
	}
	hyper := kernels.FromSlice([]float64{0.125, step, 0.5}, 3)
	return []optest.Arg{optest.Values(z), optest.Normal(n), optest.Values(hyper),
		optest.Values(kernels.FromSlice([]float64{ok}, 1))}
}

// rules are the update rules with their numbers of slots.
var rules = []struct {
	op    kernels.Op
	slots int
}{
	{SGD{}, 0}, {SGD{WeightDecay: 0.1}, 0}, {SGD{Momentum: 0.9}, 1}, {SGD{Momentum: 0.9, Nesterov: true,
		WeightDecay: 0.1}, 1},
	{Adam{}, 2}, {Adam{Beta1: 0.5, Beta2: 0.75, Eps: 1e-3}, 2}, {AdamW{}, 2}, {AdamW{WeightDecay: 0.1, Beta1: 0.8}, 2},
}

func TestRules(t *testing.T) {
	var cases []optest.Case
	for _, r := range rules {
		for _, n := range []int{0, 1, 17, 31, 32, 1000, 9001} {
			for _, step := range []float64{1, 1000} {
				name := fmt.Sprintf("%s/n=%d/t=%v", kernels.Identity(r.op), n, step)
				cases = append(cases, optest.Case{Name: name, Op: r.op, In: inputs(r.slots, n, step, 1)})
			}
		}
		cases = append(cases, optest.Case{Name: kernels.Identity(r.op) + "/not ok", Op: r.op,
			In: inputs(r.slots, 33, 2, 0), Exact: true})
		nan := inputs(r.slots, 33, 2, math.NaN())
		cases = append(cases, optest.Case{Name: kernels.Identity(r.op) + "/flag is NaN", Op: r.op, In: nan,
			Exact: true})
	}
	optest.Check(t, cases)
}

func TestRuleErrors(t *testing.T) {
	s := func(n ...int) kernels.Spec { return kernels.S(kernels.Float32, n...) }
	optest.Errors(t, Adam{}, "block of 20 elements for a gradient of 10: wants 30", s(20), s(10), s(2), s(1))
	optest.Errors(t, SGD{}, "wants 10 (parameters and 0 slots)", s(20), s(10), s(2), s(1))
	optest.Errors(t, Adam{}, "hyper wants 2 elements", s(30), s(10), s(1), s(1))
	optest.Errors(t, Adam{}, "ok wants 1 element", s(30), s(10), s(2), s(2))
	optest.Errors(t, Adam{}, "wants 4 inputs", s(30), s(10), s(2))
	optest.Errors(t, Adam{}, "differ in type", s(30), kernels.S(kernels.Float64, 10), s(2), s(1))
	optest.Errors(t, Adam{Beta1: 1}, "must be in (0, 1)", s(30), s(10), s(2), s(1))
	optest.Errors(t, AdamW{Beta2: -0.1}, "must be in (0, 1)", s(30), s(10), s(2), s(1))
	optest.Errors(t, AdamW{WeightDecay: math.NaN()}, "weight decay", s(30), s(10), s(2), s(1))
	optest.Errors(t, SGD{Nesterov: true}, "above 0 for nesterov", s(10), s(10), s(2), s(1))
	optest.Errors(t, SGD{Momentum: 1}, "must be in [0, 1)", s(20), s(10), s(2), s(1))
}

// hyper may be float64 in a float32 graph.
func TestWideHyper(t *testing.T) {
	in := []kernels.Spec{kernels.S(kernels.Float32, 30), kernels.S(kernels.Float32, 10), kernels.S(kernels.Float64, 2),
		kernels.S(kernels.Float32, 1)}
	if out, err := (Adam{}).Infer(in); err != nil || !out.Equal(in[0]) {
		t.Errorf("got %v, %v", out, err)
	}
}

func BenchmarkRules(b *testing.B) {
	var cases []optest.Case
	for _, r := range rules {
		cases = append(cases, optest.Case{Name: kernels.Identity(r.op) + "/n=535k", Op: r.op,
			In: inputs(r.slots, 535818, 3, 1)})
	}
	optest.Bench(b, cases)
}
