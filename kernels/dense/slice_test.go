package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// parts are slices, the shapes they are taken of, and what they come to along the axis.
var parts = []struct {
	op    Slice
	shape []int
	want  int
}{
	{Slice{}, []int{5}, 5}, {Slice{Lo: 2}, []int{5}, 3}, {Slice{Lo: 1, Hi: 3}, []int{5, 2}, 2},
	{Slice{Axis: 1, Lo: 1, Hi: 3}, []int{4, 5}, 2},
	{Slice{Axis: -1, Lo: -2}, []int{4, 5}, 2}, {Slice{Axis: -2, Hi: -1}, []int{3, 4, 5}, 3},
	{Slice{Lo: 5}, []int{5}, 0},
	{Slice{Axis: 1, Lo: 2, Hi: 2}, []int{3, 4}, 0}, {Slice{}, []int{0, 3}, 0},
	{Slice{Axis: 1, Lo: 2, Hi: 12}, []int{700, 13}, 10},
}

func TestSlice(t *testing.T) {
	var cases []optest.Case
	for _, p := range parts {
		cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/%v", p.op, p.shape), Op: p.op,
			In: []optest.Arg{optest.Normal(p.shape...)}, Linear: true,
			Exact: true})
		like := append([]int(nil), p.shape...)
		like[fromEnd(p.op.Axis, len(like))] = p.want
		o := Slice{Axis: p.op.Axis, Lo: p.op.Lo}
		cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/%v/like %v", o, p.shape, like), Op: o,
			In: []optest.Arg{optest.Normal(p.shape...), optest.Normal(like...)}, Linear: true, Exact: true})
		out, err := p.op.Infer([]kernels.Spec{kernels.S(kernels.Float32, p.shape...)})
		if err != nil || !out.Equal(kernels.S(kernels.Float32, like...)) {
			t.Errorf("%+v of %v is %v, %v; want %v", p.op, p.shape, out, err, like)
		}
	}
	// Integers have no gradient.
	cases = append(cases, optest.Case{Name: "int32", Op: Slice{Lo: 1}, In: []optest.Arg{optest.Ints(0, 9, 4)},
		NoGrad: true},
		optest.Case{Name: "bytes", Op: Slice{Axis: 1, Lo: 1}, In: []optest.Arg{countUp(3, 5)}, NoGrad: true},
		optest.Case{Name: "all bytes", Op: Slice{}, In: []optest.Arg{countUp(5)}, NoGrad: true})
	optest.Check(t, cases)
	x := kernels.S(kernels.Float32, 4, 5)
	optest.Errors(t, Slice{Lo: 1, Hi: 5}, "1 to 5 is outside of the 4 entries of axis 0", x)
	optest.Errors(t, Slice{Lo: -5}, "-1 to 4 is outside", x)
	optest.Errors(t, Slice{Lo: 3, Hi: 2}, "3 to 2 is outside", x)
	optest.Errors(t, Slice{Axis: 2}, "axis 2 is outside of the 2 dimensions", x)
	optest.Errors(t, Slice{Hi: 2}, "Hi must be 0", x, x)
	optest.Errors(t, Slice{Lo: 1}, "1 to 5 is outside", x, x)
}

func BenchmarkSlice(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "128x256 of 128x512", Op: Slice{Axis: 1, Lo: 128, Hi: 384},
		In: []optest.Arg{optest.Normal(128, 512)}}})
}
