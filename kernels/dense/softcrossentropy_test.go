package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestSoftCrossEntropy(t *testing.T) {
	var cases []optest.Case
	for _, s := range [][]int{{1, 1}, {1, 7}, {5, 3}, {3, 0}, {17, 10}, {33, 65}, {700, 4}} {
		for _, smoothing := range []float64{0, 0.1, 1} {
			name := fmt.Sprint(s, " ", smoothing)
			x, y := optest.Normal(s...), optest.Uniform(0, 1, s...)
			cases = append(cases, optest.Case{Name: name, Op: SoftCrossEntropy{Smoothing: smoothing},
				In: []optest.Arg{x, y}, NoGrad: large(s...)},
				optest.Case{Name: name + " gradient", Op: SoftCrossEntropyGrad{Smoothing: smoothing},
					In: []optest.Arg{x, y, optest.Normal()}, NoGrad: large(s...)})
		}
	}
	optest.Check(t, cases)
	f := kernels.Float32
	optest.Errors(t, SoftCrossEntropy{}, "logits and targets differ", kernels.S(f, 2, 3), kernels.S(f, 2, 4))
	optest.Errors(t, SoftCrossEntropy{Smoothing: 2}, "not between 0 and 1", kernels.S(f, 2, 3), kernels.S(f, 2, 3))
	optest.Errors(t, SoftCrossEntropyGrad{}, "differ", kernels.S(f, 2, 3), kernels.S(f, 1, 3), kernels.S(f))
}

// With targets that are 1 at one class it is SoftmaxCrossEntropy, for small losses and large logits too.
func TestSoftCrossEntropyOfLabels(t *testing.T) {
	x := kernels.FromSlice([]float64{1, 2, 3, 800, -800, 0, 40, 0, 0, 0, 0, 0}, 4, 3)
	labels, targets := kernels.FromSlice([]int32{2, 0, 0, 1}, 4), kernels.New(kernels.S(kernels.Float64, 4, 3))
	for i, l := range labels.I32 {
		targets.F64[3*i+int(l)] = 1
	}
	for _, smoothing := range []float64{0, 0.2} {
		a, err := kernels.RunRef(SoftmaxCrossEntropy{Smoothing: smoothing}, []kernels.Tensor{x, labels})
		if err != nil {
			t.Fatal(err)
		}
		b, err := kernels.RunRef(SoftCrossEntropy{Smoothing: smoothing}, []kernels.Tensor{x, targets})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a.F64[0]-b.F64[0]) > 1e-13*a.F64[0] {
			t.Errorf("smoothing %v: %v, as labels %v", smoothing, b.F64[0], a.F64[0])
		}
	}
}

func BenchmarkSoftCrossEntropy(b *testing.B) {
	x, y := optest.Normal(1024, 100), optest.Uniform(0, 1, 1024, 100)
	optest.Bench(b, []optest.Case{{Name: "1024x100", Op: SoftCrossEntropy{}, In: []optest.Arg{x, y}},
		{Name: "1024x100 gradient", Op: SoftCrossEntropyGrad{}, In: []optest.Arg{x, y, optest.Normal()}}})
}
