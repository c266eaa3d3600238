package implicit

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func regulariseCase(name string, o Regularise, n, keep int, hyper []float64, ok float64) optest.Case {
	w := weights(uint64(o.P), o.P, 1)
	z := kernels.New(kernels.S(kernels.Float64, n))
	noise(z.F64, 8)
	copy(z.F64[o.Offset:], w.F64)
	return optest.Case{Name: name, Op: o, In: []optest.Arg{optest.Values(z), optest.Values(structure(w, keep)),
		optest.Values(kernels.FromSlice(hyper, len(hyper))), optest.Values(kernels.FromSlice([]float64{ok}, 1))}}
}

func TestRegularise(t *testing.T) {
	h := []float64{0.01, 3, 2}
	cases := []optest.Case{
		regulariseCase("no nodes", Regularise{}, 5, 0, h, 1),
		regulariseCase("one node", Regularise{P: 1, Offset: 2}, 5, 0, h, 1),
		regulariseCase("refused", Regularise{P: 9}, 81, 20, h, 0),
		regulariseCase("nm", Regularise{P: 33, Offset: 7}, 33*33+20, 90, h, 1),
		regulariseCase("nm strong", Regularise{P: 33, Offset: 7}, 33*33+20, 90, []float64{1, 3, 2}, 1),
		regulariseCase("nm mean", Regularise{P: 33, Scaling: Mean, Eps: 0.3}, 33*33, 90, h, 1),
		regulariseCase("nm raw", Regularise{P: 33, Scaling: Raw}, 33*33, 90, h, 1),
		regulariseCase("nm constant", Regularise{P: 17, Distance: Constant, Scaling: Mean}, 17*17, 30, h, 1),
		regulariseCase("l1", Regularise{P: 17, Kind: L1}, 17*17, 30, h, 1),
		regulariseCase("l2", Regularise{P: 17, Kind: L2}, 17*17, 30, h, 1),
		regulariseCase("nm-l1", Regularise{P: 17, Kind: NML1}, 17*17, 30, []float64{0.001, 1, 1, 0}, 1),
		regulariseCase("nm-l2", Regularise{P: 17, Kind: NML2}, 17*17, 30, h, 1),
	}
	for _, p := range []int{31, 32, 200} {
		name := fmt.Sprint("nm of nodes ", p)
		cases = append(cases, regulariseCase(name, Regularise{P: p}, p*p, 3*p, h, 1),
			regulariseCase(name+" mean", Regularise{P: p, Scaling: Mean}, p*p, 3*p, h, 1))
	}
	optest.Check(t, cases)
}

// TestPenaltyGrad compares the derivative of each penalty, r held constant, with differences.
func TestPenaltyGrad(t *testing.T) {
	const p, h = 9, 1e-6
	w := weights(4, p, 1)
	l := View(structure(w, 30).I32)
	for kind := range Kind(len(kindNames)) {
		o := Regularise{Kind: kind, P: p}
		r, grad := o.factors(w.F64, l), make([]float64, p*p)
		o.PenaltyGrad(grad, w.F64, l, 0.7)
		for at, v := range w.F64 {
			term := func(v float64) float64 {
				if kind == L1 || kind == NML1 {
					return 0.7 * r[at] * math.Abs(v)
				}
				return 0.35 * r[at] * v * v
			}
			want := (term(v+h) - term(v-h)) / (2 * h)
			if at/p == at%p {
				want = 0
			}
			if math.Abs(grad[at]-want) > 1e-7 {
				t.Errorf("%s: element %d: %v, want %v", kindNames[kind], at, grad[at], want)
			}
		}
	}
}

func TestRegulariseErrors(t *testing.T) {
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	s := kernels.S(kernels.Int32, StructureLen(3))
	optest.Errors(t, Regularise{P: 3, Offset: 2}, "do not lie in a block of 10", f(10), s, f(3), f(1))
	optest.Errors(t, Regularise{P: 3}, "learning rate, step and strength", f(9), s, f(2), f(1))
	optest.Errors(t, Regularise{P: 3}, "ok must have", f(9), s, f(3), f(2))
	optest.Errors(t, Regularise{P: 3, Eps: -1}, "negative", f(9), s, f(3), f(1))
	optest.Errors(t, Regularise{P: 3, Kind: 17}, "unknown kind", f(9), s, f(3), f(1))
	optest.Errors(t, Regularise{P: 3}, "structure of 3 nodes", f(9), kernels.S(kernels.Int32, 5), f(3), f(1))
}

func BenchmarkRegularise(b *testing.B) {
	h := []float64{0.001, 3, 10}
	optest.Bench(b, []optest.Case{
		regulariseCase("nm/p=100", Regularise{P: 100}, 100*100, 297, h, 1),
		regulariseCase("nm mean/p=100", Regularise{P: 100, Scaling: Mean}, 100*100, 297, h, 1),
		regulariseCase("nm/p=300", Regularise{P: 300}, 300*300, 2700, h, 1),
		regulariseCase("nm-l1/p=300", Regularise{P: 300, Kind: NML1}, 300*300, 2700, h, 1),
	})
}
