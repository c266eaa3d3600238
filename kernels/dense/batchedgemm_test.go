package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// batch makes the operands of a batch of products.
func batch(o BatchedGEMM, lead []int, m, n, k int) []optest.Arg {
	shape := func(rows, cols int, trans bool) []int {
		if trans {
			rows, cols = cols, rows
		}
		return append(append([]int(nil), lead...), rows, cols)
	}
	return []optest.Arg{optest.Normal(shape(m, k, o.TransA)...), optest.Normal(shape(k, n, o.TransB)...)}
}

func TestBatchedGEMM(t *testing.T) {
	var cases []optest.Case
	for _, g := range transposes {
		o := BatchedGEMM(g)
		for _, s := range [][3]int{{3, 2, 0}, {1, 1, 1}, {3, 5, 7}, {17, 9, 8}} {
			for _, lead := range [][]int{{0}, {1}, {5}, {2, 3}} {
				name := fmt.Sprintf("%v-%v/%v/%v", o.TransA, o.TransB, lead, s)
				cases = append(cases, optest.Case{Name: name, Op: o, In: batch(o, lead, s[0], s[1], s[2]),
					Linear: true})
			}
		}
	}
	// Products that the workers share; the gradient is that of the cases above.
	o := BatchedGEMM{TransB: true}
	cases = append(cases, optest.Case{Name: "shared", Op: o, In: batch(o, []int{2}, 230, 200, 190), NoGrad: true})
	optest.Check(t, cases)
}

func TestBatchedGEMMErrors(t *testing.T) {
	f := kernels.Float32
	optest.Errors(t, BatchedGEMM{}, "same rank, 3 at least", kernels.S(f, 2, 3), kernels.S(f, 3, 2))
	optest.Errors(t, BatchedGEMM{}, "leading dimension 0 differs: 4 and 5", kernels.S(f, 4, 2, 3),
		kernels.S(f, 5, 3, 2))
	optest.Errors(t, BatchedGEMM{}, "inner dimensions differ: 3 and 2", kernels.S(f, 4, 2, 3), kernels.S(f, 4, 2, 3))
}

func BenchmarkBatchedGEMM(b *testing.B) {
	optest.Bench(b, []optest.Case{
		{Name: "64x16x16x16", Op: BatchedGEMM{}, In: batch(BatchedGEMM{}, []int{64}, 16, 16, 16)},
		{Name: "64x64x64x64", Op: BatchedGEMM{}, In: batch(BatchedGEMM{}, []int{64}, 64, 64, 64)},
	})
}
