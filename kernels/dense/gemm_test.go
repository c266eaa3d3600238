package dense

import (
	"fmt"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// product2 makes the operands of op(A)·op(B).
func product2(o GEMM, m, n, k int) []optest.Arg {
	s := product2Shapes(o, m, n, k)
	return []optest.Arg{optest.Normal(s[0]...), optest.Normal(s[1]...)}
}

// product2Shapes are their shapes.
func product2Shapes(o GEMM, m, n, k int) [2][]int {
	a, b := []int{m, k}, []int{k, n}
	if o.TransA {
		a = []int{k, m}
	}
	if o.TransB {
		b = []int{n, k}
	}
	return [2][]int{a, b}
}

var transposes = []GEMM{{}, {TransA: true}, {TransB: true}, {TransA: true, TransB: true}}

func TestGEMM(t *testing.T) {
	var cases []optest.Case
	for _, o := range transposes {
		for _, s := range [][3]int{{0, 3, 2}, {3, 0, 2}, {2, 3, 0}, {1, 1, 1}, {1, 17, 5}, {5, 1, 9}, {7, 11, 13}} {
			name := fmt.Sprintf("%v-%v/%v", o.TransA, o.TransB, s)
			cases = append(cases, optest.Case{Name: name, Op: o, In: product2(o, s[0], s[1], s[2]), Linear: true})
		}
		// Longer than a vector; cut into blocks: wide, tall, both.
		few := [][3]int{{33, 34, 35}, {32, 5, 900}, {20, 400, 300}, {400, 20, 300}, {200, 210, 120}}
		for _, s := range slices.Concat(few, largeTiles) {
			name := fmt.Sprintf("%v-%v/%v", o.TransA, o.TransB, s)
			cases = append(cases, optest.Case{Name: name, Op: o, In: product2(o, s[0], s[1], s[2]), NoGrad: true})
		}
	}
	optest.Check(t, cases)
}

func TestGEMMErrors(t *testing.T) {
	f, i := kernels.Float32, kernels.Int32
	optest.Errors(t, GEMM{}, "wants 2 inputs", kernels.S(f, 2, 3))
	optest.Errors(t, GEMM{}, "inner dimensions differ: 3 and 4", kernels.S(f, 2, 3), kernels.S(f, 4, 2))
	optest.Errors(t, GEMM{}, "must have 2 dimensions, has 1", kernels.S(f, 3), kernels.S(f, 3, 2))
	optest.Errors(t, GEMM{}, "must be float32 or float64", kernels.S(i, 2, 3), kernels.S(i, 3, 2))
	optest.Errors(t, GEMM{}, "differ in type", kernels.S(f, 2, 3), kernels.S(kernels.Float64, 3, 2))
}

func BenchmarkGEMM(b *testing.B) {
	var cases []optest.Case
	for _, s := range [][3]int{{1, 512, 784}, {64, 6, 100}, {64, 100, 128}, {128, 512, 784}, {512, 512, 512},
		{1024, 1024, 1024}} {
		for _, o := range transposes[:3] {
			name := fmt.Sprintf("m=%d,n=%d,k=%d/%v-%v", s[0], s[1], s[2], o.TransA, o.TransB)
			cases = append(cases, optest.Case{Name: name, Op: o, In: product2(o, s[0], s[1], s[2])})
		}
	}
	optest.Bench(b, cases)
}
