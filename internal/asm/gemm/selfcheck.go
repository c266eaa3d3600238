package gemm

import (
	"fmt"
	"unsafe"

	"ganglion/internal/cpu"
)

// SelfCheck multiplies small matrices of small integers, whose products are exact, on the given path and on the Go
// path, and returns an error that names the first product that differs. It takes less than a millisecond and
// reaches every kernel of the path.
func SelfCheck(path cpu.Path) error {
	if err := selfCheck(kernels32(path), kernels32(cpu.Go)); err != nil {
		return fmt.Errorf("gemm: self-check of path %s: float32: %w", path, err)
	}
	if err := selfCheck(kernels64(path), kernels64(cpu.Go)); err != nil {
		return fmt.Errorf("gemm: self-check of path %s: float64: %w", path, err)
	}
	return nil
}

// selfCheckShapes has products for every method, with full tiles, edges, and steps along k beyond the unrolled ones.
func selfCheckShapes() [][3]int {
	return [][3]int{{15, 200, 5}, {29, 37, 9}, {3, 9, 37}, {9, 3, 37}, {1, 150, 6}, {20, 64, 6}, {20, 80, 6}}
}

// selfCheck compares two sets of kernels: with the method for each shape, and with everything packed.
func selfCheck[T float](kern, twin *kernels[T]) error {
	packing := *kern
	packing.directRows, packing.directArea, packing.directWide, packing.packCols, packing.looseRows = 0, 0, 0, 0, 0
	for _, d := range selfCheckShapes() {
		for trans := range 4 {
			a := integers[T](d[0], d[1], d[2], trans&1 > 0, trans&2 > 0)
			var j job[T]
			j.multiply(twin, nil, a)
			want := a.C
			for _, k := range []*kernels[T]{kern, &packing} {
				a.C = make([]T, len(want))
				j.multiply(k, nil, a)
				for i, v := range a.C {
					if v != want[i] {
						return fmt.Errorf("m=%d n=%d k=%d transA=%v transB=%v: C[%d][%d] is %v, want %v",
							a.M, a.N, a.K, a.TransA, a.TransB, i/a.N, i%a.N, v, want[i])
					}
				}
			}
		}
	}
	return nil
}

// integers returns a product of matrices of integers from −8 to 8.
func integers[T float](m, n, k int, transA, transB bool) Args[T] {
	a := Args[T]{
		TransA: transA, TransB: transB, M: m, N: n, K: k, LDA: k, LDB: n, LDC: n,
		A: make([]T, m*k), B: make([]T, k*n), C: make([]T, m*n),
		Work: make([]byte, Workspace(m, n, k, int(unsafe.Sizeof(*new(T))), 1)),
	}
	if transA {
		a.LDA = m
	}
	if transB {
		a.LDB = k
	}
	for i := range a.A {
		a.A[i] = T(i*5%17 - 8)
	}
	for i := range a.B {
		a.B[i] = T(i*7%17 - 8)
	}
	return a
}
