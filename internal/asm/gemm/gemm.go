// Package gemm multiplies matrices: C = A·B or C += A·B in all four transposes, for float32 and float64, row-major with
// leading dimensions, on every kernel path and on any number of workers.
//
// The element C[i][j] is the sum over k, in blocks of fixed length, each block summed in a fixed order. Work is cut
// by size and never along k, so a result depends on the path and the shape only: the number of workers changes no
// bit of it. No value is skipped, so NaN and Inf propagate as IEEE 754 says (0·NaN = NaN).
//
// How a product is computed depends on its shape alone (see plan in shape.go): through packed panels of B and packed
// blocks of A in the manner of GotoBLAS and BLIS, directly on the operands when packing would not pay, or by inner
// products when C is a few rows or columns of products of contiguous vectors. All of them use the micro-kernels of the
// path; those of the AVX2 and AVX-512 paths are generated from one source (internal/asm/_gen), and the Go path is their
// twin.
package gemm

import (
	"fmt"
	"math/bits"
	"unsafe"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// float is an element type for which there are kernels.
type float interface{ float32 | float64 }

// Args are the operands of C = op(A)·op(B), or C += op(A)·op(B) if Acc is set. All matrices are row-major: element
// (i, j) of a matrix X stands at X[i*LDX+j], and its leading dimension is at least its number of columns, or 1 if
// it has none. What stands between the end of a row and the start of the next one is neither read nor written. C
// must not overlap A or B.
type Args[T float32 | float64] struct {
	TransA, TransB bool // op(X) is Xᵀ if set, else X

	M, N, K int // op(A) is [M, K], op(B) is [K, N], C is [M, N]

	A   []T // [M, K], or [K, M] if TransA
	LDA int
	B   []T // [K, N], or [N, K] if TransB
	LDB int
	C   []T // [M, N]
	LDC int
	Acc bool // add to C instead of overwriting it

	// Init is what is added to instead, if it is set: C = Init + op(A)·op(B). It must be C itself, or not overlap it.
	Init []T // [M, N]
	LDI  int

	// PackedB, if it is set, is op(B) as PackB made it for the same path and sizes; TransB, B and LDB are ignored. The
	// product then has the bits of one with B as it is, unless C has four rows or columns or fewer.
	PackedB PackedB[T]
	// Epilogue is done to C while it is in the cache.
	Epilogue Epilogue[T]

	// Work is scratch memory of at least Workspace bytes, for the workers of the pool. Its contents are of no
	// importance.
	Work []byte
}

// Plan holds the state of a product while workers compute it. The zero value is ready; the first parallel use of a Plan
// allocates once. A Plan serves one product at a time.
type Plan struct {
	f32 job[float32]
	f64 job[float64]
}

// f32 computes a float32 product on the given path. With a pool and a plan it is shared among the workers if it is
// large enough; if either is nil it runs on the caller alone. The result is the same.
//
// K = 0 gives C = 0, or leaves C as it is if a.Acc is set; M = 0 or N = 0 is a no-op. Negative sizes, leading
// dimensions that are too small, slices that are too short and a workspace that is too small are bugs of the
// caller, and panic.
func f32(p *Plan, path cpu.Path, pool *par.Pool, a Args[float32]) {
	if p == nil || pool == nil {
		var j job[float32]
		j.on(path, nil, a)
		return
	}
	if p.f32.run == nil {
		p.f32.run = p.f32.chunk
	}
	p.f32.on(path, pool, a)
}

// f64 is f32 for float64.
func f64(p *Plan, path cpu.Path, pool *par.Pool, a Args[float64]) {
	if p == nil || pool == nil {
		var j job[float64]
		j.on(path, nil, a)
		return
	}
	if p.f64.run == nil {
		p.f64.run = p.f64.chunk
	}
	p.f64.on(path, pool, a)
}

// Workspace returns the bytes of scratch memory that a product of op(A) [m, k] and op(B) [k, n] needs on any path
// with up to the given number of workers, for elements of elem bytes (4 or 8). It grows with the number of workers.
func Workspace(m, n, k, elem, workers int) int {
	if m <= 0 || n <= 0 || k <= 0 {
		return 0
	}
	workers = max(workers, 1)
	packed := bufferCount(m, n, k, workers)*(packedB(n, k)+packedA(m, k)) + workers*own(m, n, k)
	w := max(packed, gathered(k), workers*scratchC(m, n))
	return w*elem + alignment
}

// alignment is that of the packed operands, in bytes: a cache line, and an AVX-512 vector.
const alignment = 64

// Limits of the blocks of all kernels, which size the workspace; a test holds the kernels to them.
const (
	maxKC = 512  // length of a block along k
	maxNC = 1024 // columns of a packed block of B
	maxMC = 2016 // rows of a packed block of A
	maxMR = 14   // rows of a register tile
	maxNR = 48   // columns of a register tile
)

// buffers is the number of blocks that workers have packed at a time, so that they can pack one while others compute
// with the one before it.
const buffers = 2

// bufferCount returns the number of packed blocks for which there is room: one if there is one worker, or one block at
// most on any path.
func bufferCount(m, n, k, workers int) int {
	if workers <= 1 || m <= leastBlock && n <= leastBlock && k <= leastKC {
		return 1
	}
	return buffers
}

// leastBlock is the number of rows, and of columns, that fit a block of any path, and leastKC its length along k.
const (
	leastBlock = 768
	leastKC    = 400
)

// roundUp returns the least multiple of unit that is not below x ≥ 0.
func roundUp(x, unit int) int { return (x + unit - 1) / unit * unit }

// packedB returns the elements of a packed block of B.
func packedB(n, k int) int { return roundUp(min(k, maxKC)*roundUp(min(n, maxNC), maxNR), alignment) }

// packedA returns the elements of a packed block of A.
func packedA(m, k int) int { return roundUp(min(k, maxKC)*min(m, maxMC), alignment) }

// own returns the elements of what a worker packs for itself.
func own(m, n, k int) int {
	return roundUp(min(k, maxKC)*max(min(m, chunkRows), min(roundUp(n, maxNR), ownPanels*maxNR)), alignment)
}

// scratchC returns the elements of the scratch tile in which a worker computes a part of Cᵀ.
func scratchC(m, n int) int { return roundUp(min(n, fewRows)*min(m, swapRows), alignment) }

// gathered returns the elements of a block of a thin operand whose rows are gathered for inner products.
func gathered(k int) int { return fewRows * min(k, dotKC) }

// validate panics if the arguments contradict each other.
func (a *Args[T]) validate() {
	if a.M < 0 || a.N < 0 || a.K < 0 {
		panic(fmt.Sprintf("gemm: negative size: m=%d n=%d k=%d", a.M, a.N, a.K))
	}
	rowsA, colsA := a.M, a.K
	if a.TransA {
		rowsA, colsA = a.K, a.M
	}
	rowsB, colsB := a.K, a.N
	if a.TransB {
		rowsB, colsB = a.N, a.K
	}
	validMatrix("A", len(a.A), rowsA, colsA, a.LDA)
	if !a.PackedB.set() {
		validMatrix("B", len(a.B), rowsB, colsB, a.LDB)
	}
	validMatrix("C", len(a.C), a.M, a.N, a.LDC)
	if a.Init != nil {
		validMatrix("Init", len(a.Init), a.M, a.N, a.LDI)
	}
	a.Epilogue.validate(a.N)
}

// validMatrix panics if a matrix does not fit its slice. A matrix without elements fits any.
func validMatrix(name string, have, rows, cols, ld int) {
	if rows == 0 || cols == 0 {
		return
	}
	if ld < cols {
		panic(
			fmt.Sprintf("gemm: %s [%d, %d]: leading dimension %d is below the number of columns", name, rows, cols, ld),
		)
	}
	hi, need := bits.Mul64(uint64(rows-1), uint64(ld))
	if hi != 0 || need > uint64(have) || have-int(need) < cols {
		panic(fmt.Sprintf("gemm: %s [%d, %d] with leading dimension %d needs more than the %d elements it has",
			name, rows, cols, ld, have))
	}
}

// carve returns the workspace as elements, from the first aligned one on.
func carve[T float](work []byte) []T {
	if len(work) < alignment {
		return nil
	}
	var zero T
	base := unsafe.Pointer(unsafe.SliceData(work))
	skip := int(-uintptr(base) % alignment)
	return unsafe.Slice((*T)(unsafe.Add(base, skip)), (len(work)-skip)/int(unsafe.Sizeof(zero)))
}

// aligned returns a slice from its first aligned element on; it has as many as a cache line has bytes, or more.
func aligned[T float](x []T) []T {
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(x))) % alignment)
	return x[skip/int(unsafe.Sizeof(*new(T))):]
}
