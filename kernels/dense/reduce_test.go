package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

var reductions = []Kind{Sum, Mean, Max, Min}

func TestReduce(t *testing.T) {
	var cases []optest.Case
	for _, shape := range [][]int{{}, {1}, {7}, {3, 5}, {3, 1, 4}, {2, 3, 4}, {2, 3, 2, 3}, {2, 20, 3}, {1, 1}} {
		for mask := range all(len(shape)) + 1 {
			for _, k := range reductions {
				for _, keep := range []bool{false, true} {
					o := Reduce{Kind: k, Axes: mask, Keep: keep}
					cases = append(cases, optest.Case{Name: fmt.Sprintf("%v/%v/%03b/%v", k, shape, mask, keep), Op: o,
						In: []optest.Arg{optest.Normal(shape...)}, Linear: k == Sum || k == Mean})
				}
			}
		}
	}
	// Cut into blocks: rows, few columns, many columns, several passes. The rules are checked above.
	for _, s := range []struct {
		shape []int
		axes  Axes
	}{
		{[]int{30001}, 0}, {[]int{3, 9001}, On(1)}, {[]int{5000, 3}, On(0)}, {[]int{2, 5000, 3}, On(1)},
		{[]int{700, 130}, On(0)},
		{[]int{2, 90, 1100}, On(1)}, {[]int{900, 3, 40}, On(0, 2)}, {[]int{2, 5, 2, 4100}, On(1, 3)},
		{[]int{2000, 17, 3}, On(0, 2)}, {[]int{3000, 2, 17}, On(1)},
		{[]int{5, 2, 30, 2, 20, 3}, On(0, 2, 4)},
	} {
		for _, k := range []Kind{Mean, Max} {
			cases = append(cases, optest.Case{Name: fmt.Sprintf("%v/%v/%b", k, s.shape, s.axes),
				Op: Reduce{Kind: k, Axes: s.axes},
				In: []optest.Arg{optest.Normal(s.shape...)}, NoGrad: true})
		}
	}
	// Over nothing, and of nothing.
	for _, s := range [][]int{{0}, {0, 3}, {3, 0}, {2, 0, 3}, {0, 0}} {
		for mask := range all(len(s)) + 1 {
			for _, k := range []Kind{Sum, Mean} {
				cases = append(cases, optest.Case{Name: fmt.Sprintf("%v/%v/%b", k, s, mask),
					Op: Reduce{Kind: k, Axes: mask},
					In: []optest.Arg{optest.Normal(s...)}})
			}
		}
	}
	optest.Check(t, cases)
}

// Adding 0.1 very often one by one in float32 is off by a per cent.
func TestReduceIsAccurate(t *testing.T) {
	x := kernels.New(kernels.S(kernels.Float64, 300, 700))
	fill(x.F64, 0.1)
	tenth := optest.Values(x)
	// In float64 it is the reference that is off, by 1.4e-11: it does add one by one.
	optest.Check(t, []optest.Case{
		{Name: "all", Op: Reduce{}, In: []optest.Arg{tenth}, Tol: 2e-11, Tol32: 1e-6, NoGrad: true},
		{Name: "rows", Op: Reduce{Axes: On(1)}, In: []optest.Arg{tenth}, Tol32: 1e-6, NoGrad: true},
		{Name: "columns", Op: Reduce{Axes: On(0)}, In: []optest.Arg{tenth}, Tol32: 3e-6, NoGrad: true},
	})
}

func TestReduceValues(t *testing.T) {
	nan := math.NaN()
	x := kernels.FromSlice([]float64{1, 5, 2, -3, 4, 0}, 2, 3)
	bad := kernels.FromSlice([]float64{1, nan, 2, -3, 4, 0}, 2, 3)
	for _, c := range []struct {
		op   Reduce
		x    kernels.Tensor
		want []float64
	}{
		{Reduce{}, x, []float64{9}}, {Reduce{Axes: On(1)}, x, []float64{8, 1}},
		{Reduce{Axes: On(0)}, x, []float64{-2, 9, 2}},
		{Reduce{Kind: Mean}, x, []float64{1.5}}, {Reduce{Kind: Max, Axes: On(1)}, x, []float64{5, 4}},
		{Reduce{Kind: Min, Axes: On(0)}, x, []float64{-3, 4, 0}}, {Reduce{Kind: Max, Axes: On(1)}, bad,
			[]float64{nan, 4}},
		{Reduce{Kind: Min, Axes: On(0)}, bad, []float64{-3, nan, 0}}, {Reduce{}, bad, []float64{nan}},
	} {
		out, err := kernels.RunRef(c.op, []kernels.Tensor{c.x})
		if err != nil {
			t.Fatal(err)
		}
		if msg := optest.Compare(out.F64, c.want, 1e-15); msg != "" {
			t.Errorf("%+v: %s", c.op, msg)
		}
		optest.Check(t, []optest.Case{{Op: c.op, In: []optest.Arg{optest.Values(c.x)}, NoGrad: true}})
	}
}

// Elements that share the largest value share its gradient.
func TestReduceTies(t *testing.T) {
	grad := gradients(t, Reduce{Kind: Max}, 6, kernels.FromSlice([]float64{2, 1, 2, 2}, 4))[0]
	if msg := optest.Compare(grad.F64, []float64{2, 0, 2, 2}, 1e-15); msg != "" {
		t.Error(msg)
	}
}

func TestReduceErrors(t *testing.T) {
	f := kernels.Float32
	optest.Errors(t, Reduce{Kind: Max}, "no elements to take the max of", kernels.S(f, 3, 0))
	optest.Errors(t, Reduce{Kind: Min, Axes: On(0)}, "no elements to take the min of", kernels.S(f, 0, 3))
	optest.Errors(t, Reduce{Kind: Mul}, "mul is not a reduction", kernels.S(f, 3))
	optest.Errors(t, Reduce{Axes: On(2)}, "axes 00000100 name more than the 2 dimensions", kernels.S(f, 3, 3))
	optest.Errors(t, Reduce{}, "must be float32 or float64", kernels.S(kernels.Int32, 3))
}

func BenchmarkReduce(b *testing.B) {
	var cases []optest.Case
	for _, k := range []Kind{Sum, Max} {
		for _, mask := range []Axes{0, On(0), On(1)} {
			for _, shape := range [][]int{{128, 512}, {1024, 10}, {1000, 1000}} {
				cases = append(cases, optest.Case{Name: fmt.Sprintf("%v/%v/%b", k, shape, mask),
					Op: Reduce{Kind: k, Axes: mask},
					In: []optest.Arg{optest.Normal(shape...)}})
			}
		}
	}
	optest.Bench(b, cases)
}
