package dense

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// batched are ops on inputs with a first dimension (−1 below) that changes from batch to batch.
var batched = []struct {
	op kernels.Op
	in [][]int // float inputs; a shape that begins with −2 is an int32 input of the batch's length
}{
	{Binary{}, [][]int{{-1, 3}, {3}}}, {Binary{Kind: Mul}, [][]int{{-1, 3}, {-1, 3}}},
	{Binary{Kind: Sub}, [][]int{{3}, {-1, 3}}},
	{Binary{Kind: Div}, [][]int{{-1, 3}, {-1, 1}}}, {Binary{Kind: Pow}, [][]int{{-1, 3}, {}}},
	{Binary{Kind: Max}, [][]int{{-1, 3}, {1, 3}}}, {Binary{Kind: Mul}, [][]int{{-1, 1}, {1}}},
	{Binary{}, [][]int{{-1}, {1}}},
	{AddN{}, [][]int{{-1, 3}, {-1, 3}}}, {Unary{F: act.Tanh}, [][]int{{-1, 3}}}, {Scale{Alpha: 2}, [][]int{{-1, 3}}},
	{GEMM{}, [][]int{{-1, 3}, {3, 4}}}, {GEMM{TransA: true}, [][]int{{-1, 3}, {-1, 4}}},
	{GEMM{TransB: true}, [][]int{{4, 3}, {-1, 3}}},
	{BatchedGEMM{}, [][]int{{-1, 2, 3}, {-1, 3, 2}}}, {Reduce{}, [][]int{{-1, 3}}},
	{Reduce{Kind: Mean, Axes: On(0)}, [][]int{{-1, 3}}},
	{Reduce{Kind: Mean}, [][]int{{-1, 3}}}, {Reduce{Kind: Max, Axes: On(0)}, [][]int{{-1, 3}}},
	{Reduce{Kind: Mean, Axes: On(1), Keep: true}, [][]int{{-1, 3}}}, {BroadcastTo{Mean: true}, [][]int{{3}, {-1, 3}}},
	{SumTo{Mean: true}, [][]int{{-1, 3}, {3}}}, {SumTo{}, [][]int{{-1, 3}, {-1, 1}}}, {Softmax{}, [][]int{{-1, 3}}},
	{Softmax{FromLast: 1}, [][]int{{-1, 3}}}, {LogSoftmax{}, [][]int{{-1, 3}}},
	{SoftmaxCrossEntropy{}, [][]int{{-1, 3}, {-2}}},
	{CrossEntropyGrad{Smoothing: 0.1}, [][]int{{-1, 3}, {-2}, {}}}, {MSE{}, [][]int{{-1, 3}, {-1, 3}}},
	{Gather{}, [][]int{{3, 2}, {-2}}},
	{Gather{}, [][]int{{-1, 2}, {-2}}}, {ScatterAdd{}, [][]int{{-1, 2}, {-2}, {3, 2}}},
	{ScatterRows{}, [][]int{{4, 2}, {-2}, {-1, 2}}},
	{Reshape{To: ShapeOf(-1, 3)}, [][]int{{-1, 3, 1}}}, {Reshape{}, [][]int{{-1, 3}, {-1, 1, 3}}},
	{Transpose{}, [][]int{{-1, 3}}},
	{Pack{}, [][]int{{-1, 3}, {2}, {-1}}}, {Concat{}, [][]int{{-1, 3}, {2, 3}, {-1, 3}}},
	{Concat{Axis: -1}, [][]int{{-1, 3}, {-1, 1}}},
	{Unconcat{Part: 1}, [][]int{{-1, 3}, {0, 3}, {-1, 3}}}, {Slice{Axis: 1, Lo: 1}, [][]int{{-1, 3}}},
	{Slice{Lo: -1}, [][]int{{-1, 3}}},
	{Slice{}, [][]int{{4, 3}, {-1, 3}}}, {Embed{Lo: -1}, [][]int{{1, 3}, {-1, 3}}}, {Embed{}, [][]int{{-1, 3}, {4, 3}}},
	{Cast{To: kernels.Float32}, [][]int{{-1, 3}}}, {FillLike{Value: 2}, [][]int{{-1, 3}}},
}

// Gradients built for one batch size must hold for another: the planner only runs Infer again.
func TestGradientsHoldForAnyBatch(t *testing.T) {
	for i, c := range batched {
		const size = 3
		in := make([]kernels.Tensor, len(c.in))
		for k, s := range c.in {
			in[k] = tensorOf(sized(s, size), len(s) > 0 && s[0] == -2, i+k)
		}
		want := gradientsBuilt(t, c.op, c.in, size, in)
		for _, built := range []int{1, 2} {
			got := gradientsBuilt(t, c.op, c.in, built, in)
			for k := range in {
				name := fmt.Sprintf("%s of %v, built for %d, input %d", kernels.Identity(c.op), c.in, built, k)
				if !got[k].Spec.Equal(want[k].Spec) {
					t.Errorf("%s: %v, want %v", name, got[k].Spec, want[k].Spec)
				} else if msg := optest.Compare(got[k].F64, want[k].F64, 1e-14); msg != "" {
					t.Errorf("%s: %s", name, msg)
				}
			}
		}
	}
}

// sized replaces the placeholder.
func sized(shape []int, size int) []int {
	s := append([]int(nil), shape...)
	if len(s) > 0 && s[0] < 0 {
		s[0] = size
	}
	return s
}

// tensorOf makes positive numbers that are all different, or indices 0, 1, 2, 0 ….
func tensorOf(shape []int, index bool, seed int) kernels.Tensor {
	if index {
		x := kernels.New(kernels.S(kernels.Int32, shape...))
		for i := range x.I32 {
			x.I32[i] = int32(i % 3)
		}
		return x
	}
	x := kernels.New(kernels.S(kernels.Float64, shape...))
	for i := range x.F64 {
		x.F64[i] = 0.5 + float64((i*7+seed*3)%19)/10
	}
	return x
}

// gradientsBuilt writes the op and its gradient for one batch size, and evaluates them on inputs of perhaps another.
func gradientsBuilt(t *testing.T, op kernels.Op, shapes [][]int, size int, in []kernels.Tensor) []kernels.Tensor {
	t.Helper()
	g := gorgonia.NewGraph()
	given := map[*kernels.Node]kernels.Tensor{}
	var nodes []*kernels.Node
	for i, s := range shapes {
		name := gorgonia.WithName(fmt.Sprint("in", i))
		n := gorgonia.NewScalar(g, in[i].DType.Tensor(), name)
		if len(s) > 0 {
			n = gorgonia.NewTensor(g, in[i].DType.Tensor(), len(s), gorgonia.WithShape(sized(s, size)...), name)
		}
		nodes, given[n] = append(nodes, n), in[i]
	}
	var grads []*kernels.Node
	err := kernels.Try(func(b kernels.Builder) {
		out := b.Apply(op, nodes...)
		// The weight of the elements is the output itself, so that they weigh differently.
		grads = op.(kernels.Differentiable).Grad(b, nodes, out, b.Apply(Scale{Alpha: 0.5}, out))
	})
	if err != nil {
		t.Fatalf("%s of %v: %v", kernels.Identity(op), shapes, err)
	}
	values := make([]kernels.Tensor, len(in))
	for i, n := range grads {
		if n == nil {
			continue
		}
		v, err := kernels.Eval(given, n)
		if err != nil {
			t.Fatalf("%s of %v, built for %d: %v", kernels.Identity(op), shapes, size, err)
		}
		values[i] = kernels.Convert(v[0], kernels.Float64)
	}
	return values
}
