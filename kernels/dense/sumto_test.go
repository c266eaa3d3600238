package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestSumTo(t *testing.T) {
	var cases []optest.Case
	for _, s := range spreads {
		for _, mean := range []bool{false, true} {
			cases = append(cases, optest.Case{Name: fmt.Sprintf("%v/%b/%v/%v", s.like, s.insert, s.x, mean),
				Op: SumTo{Drop: s.insert, Mean: mean}, In: []optest.Arg{optest.Normal(s.like...),
					optest.Normal(s.x...)}, Linear: true})
		}
	}
	cases = append(cases, optest.Case{Name: "like int32", Op: SumTo{}, In: []optest.Arg{optest.Normal(2, 3),
		optest.Ints(0, 9, 3)}},
		optest.Case{Name: "over nothing", Op: SumTo{}, In: []optest.Arg{optest.Normal(0, 3), optest.Normal(3)}},
		optest.Case{Name: "mean over nothing", Op: SumTo{Mean: true}, In: []optest.Arg{optest.Normal(0, 3),
			optest.Normal(3)}})
	optest.Check(t, cases)
}

func TestSumToErrors(t *testing.T) {
	f := kernels.Float32
	optest.Errors(t, SumTo{}, "[4] is not broadcast to [3]", kernels.S(f, 3), kernels.S(f, 4))
	optest.Errors(t, SumTo{Drop: On(4)}, "cannot insert axes", kernels.S(f, 3, 3), kernels.S(f, 3))
}

func BenchmarkSumTo(b *testing.B) {
	optest.Bench(b, []optest.Case{{Name: "bias", Op: SumTo{}, In: []optest.Arg{optest.Normal(128, 512),
		optest.Normal(512)}}})
}
