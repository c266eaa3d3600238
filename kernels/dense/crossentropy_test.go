package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/par"
	"ganglion/kernels"

	"ganglion/internal/cpu"
)

func TestSoftmaxCrossEntropy(t *testing.T) {
	var cases []optest.Case
	for _, smoothing := range []float64{0, 0.1, 1} {
		for _, s := range [][2]int{{0, 3}, {1, 1}, {1, 2}, {17, 5}, {1000, 10}} {
			logits, labels := optest.Normal(s[0], s[1]), optest.Ints(0, s[1], s[0])
			name := fmt.Sprintf("%v/%v", s, smoothing)
			cases = append(cases,
				optest.Case{Name: "loss/" + name, Op: SoftmaxCrossEntropy{Smoothing: smoothing},
					In: []optest.Arg{logits, labels}, NoGrad: large(s[:]...)},
				optest.Case{Name: "gradient/" + name, Op: CrossEntropyGrad{Smoothing: smoothing},
					In: []optest.Arg{logits, labels, optest.Normal()}, NoGrad: large(s[:]...)})
		}
	}
	far := optest.Values(kernels.FromSlice([]float64{1000, -1000, 0, 1e30, 0, 0, -1e30, 0, 0}, 3, 3))
	never := optest.Values(kernels.FromSlice([]float64{math.Inf(-1), 0, 1}, 1, 3))
	cases = append(cases, optest.Case{Name: "loss/impossible label", Op: SoftmaxCrossEntropy{},
		In: []optest.Arg{never, optest.Values(kernels.FromSlice([]int32{0}, 1))}, NoGrad: true})
	wrong := optest.Values(kernels.FromSlice([]int32{0, 3, -1}, 3))
	for _, labels := range []optest.Arg{optest.Ints(0, 3, 3), wrong} {
		cases = append(cases,
			optest.Case{Name: "loss/special", Op: SoftmaxCrossEntropy{}, In: []optest.Arg{far, labels}, NoGrad: true},
			optest.Case{Name: "gradient/special", Op: CrossEntropyGrad{},
				In: []optest.Arg{far, labels, optest.Normal()}, NoGrad: true})
	}
	optest.Check(t, cases)
}

func TestSoftmaxCrossEntropyValues(t *testing.T) {
	logits := kernels.FromSlice([]float64{0, math.Log(3), 2, 2}, 2, 2)
	labels := kernels.FromSlice([]int32{1, 0}, 2)
	plain := (math.Log(4.0/3) + math.Log(2)) / 2
	// Smoothing 0.2 puts 0.1 on the wrong class: −0.9·log 0.75 − 0.1·log 0.25 for the first sample.
	smooth := (-0.9*math.Log(0.75) - 0.1*math.Log(0.25) + math.Log(2)) / 2
	for smoothing, want := range map[float64]float64{0: plain, 0.2: smooth} {
		out, err := kernels.RunRef(SoftmaxCrossEntropy{Smoothing: smoothing}, []kernels.Tensor{logits, labels})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(out.F64[0]-want) > 1e-15 {
			t.Errorf("smoothing %v: %v, want %v", smoothing, out.F64[0], want)
		}
	}
}

// Kernels that take indices count those that are out of range, and say nothing when there are none.
func TestReportsIndicesOutOfRange(t *testing.T) {
	x := kernels.New(kernels.S(kernels.Float64, 3, 3))
	scalar := kernels.New(kernels.S(kernels.Float64))
	for _, c := range []struct {
		idx  []int32
		want kernels.Report
	}{{[]int32{0, 2, 1}, kernels.Report{}}, {[]int32{0, 3, -1}, kernels.Report{Status: kernels.Diverged, Samples: 3,
		Failed: 2}}} {
		idx := kernels.FromSlice(c.idx, 3)
		for _, k := range []struct {
			op kernels.CPUOp
			in []kernels.Tensor
		}{
			{SoftmaxCrossEntropy{}, []kernels.Tensor{x, idx}}, {CrossEntropyGrad{}, []kernels.Tensor{x, idx, scalar}},
			{Gather{}, []kernels.Tensor{x, idx}}, {ScatterAdd{}, []kernels.Tensor{x, idx, x}},
			{ScatterRows{}, []kernels.Tensor{x, idx, x}},
			{OneHot{N: 3}, []kernels.Tensor{idx}},
		} {
			if got := report(t, k.op, k.in); got != c.want {
				t.Errorf("%s %v: report %+v, want %+v", kernels.Name(k.op), c.idx, got, c.want)
			}
		}
	}
}

// report runs a kernel once and returns what it reported.
func report(t *testing.T, op kernels.CPUOp, in []kernels.Tensor) kernels.Report {
	t.Helper()
	pool := par.New(1)
	defer pool.Close()
	c := kernels.NewCall(op, cpu.Best(), pool)
	c.In = in
	var specs []kernels.Spec
	for _, x := range in {
		specs = append(specs, x.Spec)
	}
	out, err := op.Infer(specs)
	if err != nil {
		t.Fatal(err)
	}
	c.Out = kernels.New(out)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, out, 1))
	}
	op.CPU(c)
	return *c.Report
}

func TestSoftmaxCrossEntropyErrors(t *testing.T) {
	f, i := kernels.Float32, kernels.Int32
	logits, labels := kernels.S(f, 4, 3), kernels.S(i, 4)
	optest.Errors(t, SoftmaxCrossEntropy{}, "4 rows of logits but 5 labels", logits, kernels.S(i, 5))
	optest.Errors(t, SoftmaxCrossEntropy{}, "input 1 must be int32", logits, kernels.S(f, 4))
	optest.Errors(t, SoftmaxCrossEntropy{}, "input 0 must have 2 dimensions", kernels.S(f, 4), labels)
	optest.Errors(t, SoftmaxCrossEntropy{Smoothing: 2}, "smoothing 2 is not between 0 and 1", logits, labels)
	optest.Errors(t, CrossEntropyGrad{}, "input 2 must have 0 dimensions", logits, labels, kernels.S(f, 1))
	optest.Errors(t, CrossEntropyGrad{}, "differ in type", logits, labels, kernels.S(kernels.Float64))
}

func BenchmarkSoftmaxCrossEntropy(b *testing.B) {
	for _, s := range [][2]int{{128, 10}, {1000, 100}} {
		in := []optest.Arg{optest.Normal(s[0], s[1]), optest.Ints(0, s[1], s[0])}
		optest.Bench(b, []optest.Case{{Name: fmt.Sprint("loss/", s), Op: SoftmaxCrossEntropy{}, In: in},
			{Name: fmt.Sprint("gradient/", s), Op: CrossEntropyGrad{}, In: append(in, optest.Normal())}})
	}
}
