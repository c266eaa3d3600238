package plan

import (
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Fit, SizeOf, Repeat and Copy come from lowering, behind the gradients; only Copy has a rule.
func TestOps(t *testing.T) {
	n := optest.Normal
	optest.Check(t, []optest.Case{
		{Name: "fit drops and inserts", Op: Fit{Drop: dense.On(1), Insert: dense.On(0, 3)},
			In: []optest.Arg{n(2, 1, 3)}, Exact: true},
		{Name: "fit of nothing", Op: Fit{Insert: dense.On(0)}, In: []optest.Arg{n(0)}, Exact: true},
		{Name: "fit of a scalar", Op: Fit{Insert: dense.On(0, 1)}, In: []optest.Arg{n()}, Exact: true},
		{Name: "size", Op: SizeOf{1}, In: []optest.Arg{n(2, 5)}, Exact: true},
		{Name: "size zero", Op: SizeOf{0}, In: []optest.Arg{n(0, 5)}, Exact: true},
		{Name: "repeat rows", Op: Repeat{Axis: 0, Times: 3}, In: []optest.Arg{n(2, 5)}, Exact: true},
		{Name: "repeat inside", Op: Repeat{Axis: 1, Times: 2}, In: []optest.Arg{n(2, 3, 5)}, Exact: true},
		{Name: "repeat never", Op: Repeat{Axis: 1}, In: []optest.Arg{n(2, 3)}, Exact: true},
		{Name: "repeat nothing", Op: Repeat{Axis: 0, Times: 3}, In: []optest.Arg{n(0, 3)}, Exact: true},
		{Name: "repeat nothing inside", Op: Repeat{Axis: 0, Times: 3}, In: []optest.Arg{n(2, 0)}, Exact: true},
		{Name: "repeat by like", Op: Repeat{Axis: 0, From: 1}, In: []optest.Arg{n(1, 3), n(2, 7)}, Exact: true},
		{Name: "copy", Op: Copy{}, In: []optest.Arg{n(17)}, Exact: true},
		{Name: "copy nothing", Op: Copy{}, In: []optest.Arg{n(0, 2)}, Exact: true},
		{Name: "copy integers", Op: Copy{}, In: []optest.Arg{optest.Ints(-9, 9, 3)}, Exact: true},
	})
}

func TestOpErrors(t *testing.T) {
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float64, shape...) }
	optest.Errors(t, Fit{Drop: dense.On(0)}, "must have size 1, has 2", f(2, 3))
	optest.Errors(t, Fit{Insert: dense.On(3)}, "cannot insert axis 3", f(2))
	optest.Errors(t, Fit{}, "wants 1 inputs, has 2", f(2), f(2))
	optest.Errors(t, SizeOf{2}, "no axis 2", f(2, 3))
	optest.Errors(t, SizeOf{}, "must be float32 or float64", kernels.S(kernels.Int32, 3))
	optest.Errors(t, Repeat{Axis: 1, Times: 2}, "no axis 1", f(3))
	optest.Errors(t, Repeat{From: 1}, "no axis 1 to count", f(3), f(3))
	optest.Errors(t, Repeat{}, "wants 1 or 2 inputs", f(3), f(3), f(3))
	optest.Errors(t, Copy{}, "wants 1 inputs, has 2", f(3), f(3))
}

func TestFitting(t *testing.T) {
	for _, c := range []struct {
		from, to []int
		want     Fit
		ok       bool
	}{
		{[]int{3}, []int{1, 3}, Fit{Insert: dense.On(0)}, true},
		{[]int{2, 1, 3}, []int{2, 3}, Fit{Drop: dense.On(1)}, true},
		{[]int{2, 1, 3}, []int{1, 2, 3, 1}, Fit{Drop: dense.On(1), Insert: dense.On(0, 3)}, true},
		{nil, []int{1, 1}, Fit{Insert: dense.On(0, 1)}, true},
		{[]int{1, 1}, nil, Fit{Drop: dense.On(0, 1)}, true},
		{[]int{2, 3}, []int{3, 2}, Fit{}, false},
		{[]int{2, 3}, []int{6}, Fit{}, false},
	} {
		got, ok := fitting(c.from, c.to)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%v to %v: %+v %v, want %+v %v", c.from, c.to, got, ok, c.want, c.ok)
		}
		if !ok {
			continue
		}
		out, err := got.Infer([]kernels.Spec{kernels.S(kernels.Float64, c.from...)})
		if err != nil || !out.Equal(kernels.S(kernels.Float64, c.to...)) {
			t.Errorf("%v by %+v is %v, %v; want %v", c.from, got, out, err, c.to)
		}
	}
}
