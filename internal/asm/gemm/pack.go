package gemm

import (
	"fmt"

	"ganglion/internal/cpu"
)

// PackedB is a constant operand op(B) [K, N] in the order in which the kernels of one path read it. It serves any
// number of products, as Args.PackedB, until the memory that it was packed into is used again. The zero value is none.
type PackedB[T float32 | float64] struct {
	data []T
	path cpu.Path
	n, k int
}

// PackedLen returns the elements of memory that PackB needs for op(B) [k, n] on any path.
func PackedLen(n, k int) int {
	if n <= 0 || k <= 0 {
		return 0
	}
	return k*roundUp(n, maxNR) + alignment
}

// PackB packs op(B) [k, n], which is Bᵀ if transB is set, into memory of at least PackedLen(n, k) elements, for
// products on the given path. Sizes and slices that contradict each other are bugs of the caller, and panic.
func PackB[T float32 | float64](path cpu.Path, transB bool, n, k int, b []T, ldb int, memory []T) PackedB[T] {
	if n < 0 || k < 0 {
		panic(fmt.Sprintf("gemm: negative size: n=%d k=%d", n, k))
	}
	rows, cols := k, n
	if transB {
		rows, cols = n, k
	}
	validMatrix("B", len(b), rows, cols, ldb)
	if len(memory) < PackedLen(n, k) {
		panic(fmt.Sprintf("gemm: packed B [%d, %d] needs %d elements, not %d", k, n, PackedLen(n, k), len(memory)))
	}
	p := PackedB[T]{path: path, n: n, k: k}
	if n == 0 || k == 0 {
		return p
	}
	p.data = aligned(memory)
	j := job[T]{kern: kernelsFor[T](path)}
	j.TransB, j.M, j.N, j.K, j.B, j.LDB, j.PackedB = transB, 1, n, k, b, ldb, p
	var blk block
	for j.advance(&blk) {
		if blk.ic == 0 {
			j.packB(&blk, 0, blk.nc, j.panelsB(&blk))
		}
	}
	return p
}

// set reports whether there is a packed operand.
func (p *PackedB[T]) set() bool { return p.data != nil }

// validate panics if the operand was not packed for a product.
func (p *PackedB[T]) validate(path cpu.Path, n, k int) {
	if p.path != path || p.n != n || p.k != k {
		panic(fmt.Sprintf("gemm: B is packed for path %v, n=%d, k=%d; the product is on path %v, n=%d, k=%d",
			p.path, p.n, p.k, path, n, k))
	}
}

// kernelsFor returns the kernels of a path for T.
func kernelsFor[T float](path cpu.Path) *kernels[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(kernels32(path)).(*kernels[T])
	}
	return any(kernels64(path)).(*kernels[T])
}
