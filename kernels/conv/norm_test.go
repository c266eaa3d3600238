package conv

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/internal/cpu"
	"ganglion/internal/optest"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// rowCases are rows of several kinds; the elements of x are spread, so that standardising is far from singular.
var rowCases = []struct {
	r Rows
	x []int
}{
	{Rows{Dims: 1}, []int{4, 7}}, {Rows{Dims: 1}, []int{9}}, {Rows{Dims: 2}, []int{3, 5, 3}}, {Rows{Dims: 3}, []int{2,
		3, 2}},
	{Rows{Groups: 1}, []int{3, 4}}, {Rows{Groups: 2}, []int{3, 4, 5}}, {Rows{Groups: 3}, []int{2, 6, 2, 3}},
	{Rows{Dims: 1}, []int{0, 5}}, {Rows{Dims: 1}, []int{40, 520}}, {Rows{Groups: 4}, []int{6, 8, 20, 17}},
}

func TestStandardise(t *testing.T) {
	var cases []optest.Case
	for _, c := range rowCases {
		name, x, big := fmt.Sprintf("%+v%v", c.r, c.x), optest.Normal(c.x...), volume(c.x) > 1000
		cases = append(cases,
			optest.Case{Name: "mean/" + name, Op: RowMean{c.r}, In: []optest.Arg{x}, NoGrad: big, Linear: true},
			optest.Case{Name: name, Op: Standardise{c.r, 1e-5}, In: []optest.Arg{x}, NoGrad: big},
			optest.Case{Name: "grad/" + name, Op: StandardiseGrad{c.r, 0.1}, In: []optest.Arg{x, x}, NoGrad: big})
	}
	one := []optest.Arg{optest.Normal(3, 1)}
	cases = append(cases, optest.Case{Name: "rows of one", Op: Standardise{Rows{Dims: 1}, 0.1}, In: one})
	optest.Check(t, cases)
}

func TestLayerNorm(t *testing.T) {
	var cases []optest.Case
	for _, c := range rowCases {
		op, s := kernels.Op(LayerNorm{c.r.Dims, 1e-3}), c.x[len(c.x)-c.r.Dims:]
		if c.r.Groups > 0 {
			op, s = GroupNorm{c.r.Groups, 1e-3}, c.x[1:2]
		}
		cases = append(cases, optest.Case{Name: fmt.Sprintf("%T%+v%v", op, op, c.x), Op: op, NoGrad: volume(c.x) > 1000,
			In: []optest.Arg{optest.Normal(c.x...), optest.Normal(s...), optest.Normal(s...)}})
		t.Run(fmt.Sprintf("parts/%T%v", op, c.x), func(t *testing.T) { decomposed(t, op.(kernels.Fused), c.x, s, s) })
	}
	optest.Check(t, cases)
}

// waves is a tensor without a pattern that a mean could hide.
func waves(seed float64, shape ...int) kernels.Tensor {
	x := kernels.New(kernels.S(kernels.Float64, shape...))
	for i := range x.F64 {
		x.F64[i] = math.Sin(seed+1.7*float64(i)) + math.Cos(0.3*float64(i*i)+seed)
	}
	return x
}

// decomposed compares a fused op with the ops that it names.
func decomposed(t *testing.T, op kernels.Fused, shapes ...[]int) {
	g := gorgonia.NewGraph()
	given := map[*kernels.Node]kernels.Tensor{}
	var nodes []*kernels.Node
	var in []kernels.Tensor
	for i, s := range shapes {
		x := waves(float64(i), s...)
		n := gorgonia.NewTensor(g, gorgonia.Float64, x.Rank(), gorgonia.WithShape(x.Shape...),
			gorgonia.WithName(fmt.Sprint(i)))
		nodes, in, given[n] = append(nodes, n), append(in, x), x
	}
	var out *kernels.Node
	if err := kernels.Try(func(b kernels.Builder) { out = op.Decompose(b, nodes) }); err != nil {
		t.Fatal(err)
	}
	got, err := kernels.Eval(given, out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := kernels.RunRef(op, in)
	if err != nil {
		t.Fatal(err)
	}
	if msg := optest.Compare(got[0].F64, want.F64, 1e-14); msg != "" {
		t.Error(msg)
	}
}

// onCPU runs the kernel of an op that needs no attribute of the engine.
func onCPU(t *testing.T, op kernels.Op, in ...kernels.Tensor) kernels.Tensor {
	t.Helper()
	pool := par.New(1)
	defer pool.Close()
	c := kernels.NewCall(op, cpu.Best(), pool)
	var specs []kernels.Spec
	for _, x := range in {
		specs = append(specs, x.Spec)
	}
	out, err := op.Infer(specs)
	if err != nil {
		t.Fatal(err)
	}
	c.In, c.Out = in, kernels.New(out)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, out, 1))
	}
	op.(kernels.CPUOp).CPU(c)
	return c.Out
}

func TestNormErrors(t *testing.T) {
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	optest.Errors(t, Standardise{}, "Dims is 0, wants 1 to 2", f(2, 3))
	optest.Errors(t, Standardise{Rows{Dims: 3}, 0}, "Dims is 3, wants 1 to 2", f(2, 3))
	optest.Errors(t, RowMean{Rows{Dims: 1, Groups: 1}}, "one of them must be positive", f(2, 3))
	optest.Errors(t, RowMean{Rows{Groups: 2}}, "is not divided by 2 groups", f(2, 3))
	optest.Errors(t, Standardise{Rows{Dims: 1}, -1}, "Eps is -1", f(2, 3))
	optest.Errors(t, StandardiseGrad{Rows{Dims: 1}, 0}, "x and u differ", f(2, 3), f(3))
	optest.Errors(t, LayerNorm{Dims: 1}, "gamma and beta must be float32(3)", f(2, 3), f(3), f(2))
	optest.Errors(t, GroupNorm{}, "Groups is 0", f(2, 3), f(3), f(3))
	optest.Errors(t, GroupNorm{Groups: 3}, "input 2 must be of shape (3)", f(2, 3), f(3), f(2))
}

func BenchmarkNorm(b *testing.B) {
	x, c := optest.Normal(256, 512), optest.Normal(512)
	y, d := optest.Normal(4, 64, 56, 56), optest.Normal(64)
	optest.Bench(b, []optest.Case{
		{Name: "layer/256x512", Op: LayerNorm{1, 1e-5}, In: []optest.Arg{x, c, c}},
		{Name: "grad/256x512", Op: StandardiseGrad{Rows{Dims: 1}, 1e-5}, In: []optest.Arg{x, x}},
		{Name: "group/64x56x56", Op: GroupNorm{32, 1e-5}, In: []optest.Arg{y, d, d}},
	})
}
