package exec

import (
	"math"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// halved is y = x/2 without a CPU kernel.
type halved struct{}

func (halved) Infer(in []kernels.Spec) (kernels.Spec, error) { return in[0], nil }
func (halved) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = v / 2
	}
}

func TestEval(t *testing.T) {
	o := Options{Path: cpu.Best(), Pool: par.New(2)}
	defer o.Pool.Close()
	x := kernels.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	for _, c := range []struct {
		op   kernels.Op
		in   []kernels.Tensor
		want []float32
	}{
		{dense.GEMM{}, []kernels.Tensor{x, x}, []float32{7, 10, 15, 22}},
		{dense.Unary{F: act.Square}, []kernels.Tensor{x}, []float32{1, 4, 9, 16}},
		{halved{}, []kernels.Tensor{x}, []float32{0.5, 1, 1.5, 2}},
		{dense.Reduce{Kind: dense.Sum, Axes: 1}, []kernels.Tensor{x}, []float32{4, 6}},
	} {
		got, report, err := Eval(c.op, c.in, o)
		if err != nil || report.Status != kernels.Fine {
			t.Errorf("%s: %v, %v", kernels.Name(c.op), report, err)
			continue
		}
		for i, w := range c.want {
			if math.Abs(float64(got.F32[i]-w)) > 1e-6 {
				t.Errorf("%s: %v, want %v", kernels.Name(c.op), got.F32, c.want)
				break
			}
		}
	}
	if _, _, err := Eval(dense.GEMM{}, []kernels.Tensor{x}, o); err == nil {
		t.Error("a product of one matrix is accepted")
	}
}
