package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// spreads are shapes x, axes to insert, and the shape that x is broadcast to; both BroadcastTo and SumTo are tested on
// them.
var spreads = []struct {
	x      []int
	insert Axes
	like   []int
}{
	{nil, 0, nil}, {nil, 0, []int{3}}, {nil, 0, []int{2, 3}}, {[]int{1}, 0, []int{5}}, {[]int{5}, 0, []int{5}},
	{[]int{3}, 0, []int{4, 3}},
	{[]int{4}, On(1), []int{4, 3}}, {[]int{4, 1}, 0, []int{4, 3}}, {[]int{2, 4}, On(1), []int{2, 3, 4}},
	{[]int{3}, On(0, 2), []int{2, 3, 4}}, {[]int{2, 1, 3}, 0, []int{2, 5, 3}}, {[]int{3}, On(0), []int{2, 3}},
	{[]int{3, 0}, 0, []int{3, 0}},
	{[]int{1}, 0, []int{0}}, {[]int{3}, On(1), []int{3, 0}}, {[]int{2, 1, 2, 1}, 0, []int{2, 3, 2, 3}},
	{nil, On(0, 1), []int{3, 3}}, {[]int{1, 5}, 0, []int{1, 5}}, {[]int{5, 1}, 0, []int{5, 1}},
	{[]int{1, 40, 1, 30, 1}, 0, []int{1, 40, 1, 30, 1}},
}

func TestBroadcastTo(t *testing.T) {
	var cases []optest.Case
	for _, s := range spreads {
		for _, mean := range []bool{false, true} {
			cases = append(cases, optest.Case{Name: fmt.Sprintf("%v/%b/%v/%v", s.x, s.insert, s.like, mean),
				Op: BroadcastTo{Insert: s.insert, Mean: mean}, In: []optest.Arg{optest.Normal(s.x...),
					optest.Normal(s.like...)}, Linear: true})
		}
	}
	// The shape may come from integers; and chunks that begin inside of a run.
	cases = append(cases, optest.Case{Name: "like int32", Op: BroadcastTo{},
		In: []optest.Arg{optest.Normal(3), optest.Ints(0, 9, 2, 3)}})
	for _, x := range [][]int{{1}, {70}, {500, 1}} {
		cases = append(cases, optest.Case{Name: fmt.Sprintf("large/%v", x), Op: BroadcastTo{Mean: true},
			In: []optest.Arg{optest.Normal(x...), optest.Normal(500, 70)}, NoGrad: true})
	}
	optest.Check(t, cases)
}

func TestBroadcastToErrors(t *testing.T) {
	f := kernels.Float32
	optest.Errors(t, BroadcastTo{}, "[3] is not broadcast to [4]", kernels.S(f, 3), kernels.S(f, 4))
	optest.Errors(t, BroadcastTo{Insert: On(1)}, "[3 1] is not broadcast to [4 3]", kernels.S(f, 3), kernels.S(f, 4, 3))
	optest.Errors(t, BroadcastTo{}, "[2 3] is not broadcast to [3]", kernels.S(f, 2, 3), kernels.S(f, 3))
	optest.Errors(t, BroadcastTo{Insert: On(5)}, "cannot insert axes 00100000 into [3]", kernels.S(f, 3),
		kernels.S(f, 3))
	optest.Errors(t, BroadcastTo{}, "wants 2 inputs", kernels.S(f, 3))
	optest.Errors(t, BroadcastTo{}, "input 0 must be float32", kernels.S(kernels.Int32, 3), kernels.S(f, 3))
}

func BenchmarkBroadcastTo(b *testing.B) {
	optest.Bench(b, []optest.Case{
		{Name: "rows", Op: BroadcastTo{}, In: []optest.Arg{optest.Normal(512), optest.Normal(128, 512)}},
		{Name: "columns", Op: BroadcastTo{}, In: []optest.Arg{optest.Normal(128, 1), optest.Normal(128, 512)}},
		{Name: "scalar mean", Op: BroadcastTo{Mean: true}, In: []optest.Arg{optest.Normal(), optest.Normal(128, 512)}},
	})
}
