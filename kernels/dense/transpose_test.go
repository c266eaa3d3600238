package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// permutations lists all orders of n axes.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var list [][]int
	for _, p := range permutations(n - 1) {
		for at := range n {
			q := append(append(append([]int(nil), p[:at]...), n-1), p[at:]...)
			list = append(list, q)
		}
	}
	return list
}

func TestTranspose(t *testing.T) {
	var cases []optest.Case
	for _, s := range [][]int{{}, {5}, {3, 4}, {1, 4}, {2, 3, 4}, {3, 1, 2}, {2, 3, 2, 3}, {0, 3}, {40, 3, 35}} {
		for _, p := range permutations(len(s)) {
			op := NewTranspose(p...)
			cases = append(cases, optest.Case{Name: fmt.Sprint(s, p), Op: op, In: []optest.Arg{optest.Normal(s...)},
				Linear: true, Exact: true,
				NoGrad: len(s) > 0 && s[0] == 40}) // large; the rule is checked on the others
		}
		cases = append(cases, optest.Case{Name: fmt.Sprint(s, "reversed"), Op: Transpose{},
			In: []optest.Arg{optest.Normal(s...)}, Linear: true, Exact: true})
	}
	for _, s := range [][]int{{1, 300}, {31, 33}, {33, 31}, {200, 190}} {
		cases = append(cases, optest.Case{Name: fmt.Sprint(s), Op: Transpose{}, In: []optest.Arg{optest.Normal(s...)},
			Exact: true, NoGrad: true},
			optest.Case{Name: fmt.Sprint("int32", s), Op: Transpose{}, In: []optest.Arg{optest.Ints(0, 99, s...)},
				NoGrad: true})
	}
	cases = append(cases,
		optest.Case{Name: "byte", Op: Transpose{}, In: []optest.Arg{countUp(5, 7)}, NoGrad: true},
		optest.Case{Name: "byte turned", Op: NewTranspose(2, 0, 1), In: []optest.Arg{countUp(2, 5, 7)}, NoGrad: true})
	optest.Check(t, cases)
	x := kernels.S(kernels.Float32, 2, 3)
	optest.Errors(t, NewTranspose(1, 1), "[1 1] is not an order of the 2 axes", x)
	optest.Errors(t, NewTranspose(0, 2), "[0 2] is not an order of the 2 axes", x)
	optest.Errors(t, NewTranspose(1, 0, 2), "is not an order of the 2 axes", x)
	optest.Errors(t, NewTranspose(-1, 0), "is not an order of the 2 axes", x)
}

// countUp holds bytes that count up.
func countUp(shape ...int) optest.Arg {
	return optest.Filled(kernels.Byte, func(x kernels.Tensor) {
		for i := range x.U8 {
			x.U8[i] = byte(i * 37)
		}
	}, shape...)
}

func BenchmarkTranspose(b *testing.B) {
	optest.Bench(b, []optest.Case{
		{Name: "512x512", Op: Transpose{}, In: []optest.Arg{optest.Normal(512, 512)}},
		{Name: "32x64x8x16/heads", Op: NewTranspose(0, 2, 1, 3), In: []optest.Arg{optest.Normal(32, 64, 8, 16)}},
	})
}
