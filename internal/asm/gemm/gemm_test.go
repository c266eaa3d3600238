package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// product runs F32 or F64.
func product[T float](p *Plan, path cpu.Path, pool *par.Pool, a Args[T]) {
	switch a := any(a).(type) {
	case Args[float32]:
		f32(p, path, pool, a)
	case Args[float64]:
		f64(p, path, pool, a)
	}
}

// kernelsOf returns the kernels of a path for T.
func kernelsOf[T float](path cpu.Path) *kernels[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(kernels32(path)).(*kernels[T])
	}
	return any(kernels64(path)).(*kernels[T])
}

// epsilon is the unit roundoff of T.
func epsilon[T float]() float64 {
	var zero T
	if unsafe.Sizeof(zero) == 4 {
		return 0x1p-24
	}
	return 0x1p-53
}

// shape is a product to test: sizes, and the elements by which leading dimensions exceed the columns.
type shape struct {
	m, n, k          int
	padA, padB, padC int
	transA, transB   bool
	acc              bool
}

func (s shape) String() string {
	return fmt.Sprintf("m=%d,n=%d,k=%d,pad=%d/%d/%d,transA=%v,transB=%v,acc=%v",
		s.m, s.n, s.k, s.padA, s.padB, s.padC, s.transA, s.transB, s.acc)
}

// matrix is the length of a rows × cols matrix with leading dimension ld: no padding after the last row.
func matrix(rows, cols, ld int) int {
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*ld + cols
}

// lender makes the slices of a product.
type lender[T float] struct {
	a, b, c func(n int) []T
	work    func(n int) []byte
}

func ordinary[T float]() lender[T] {
	mk := func(n int) []T { return make([]T, n) }
	return lender[T]{mk, mk, mk, func(n int) []byte { return make([]byte, n) }}
}

// build fills the operands of a shape with numbers of a normal distribution, the padding with NaN, and C with
// numbers if it is added to, else with NaN.
func build[T float](r *rand.Rand, s shape, lend lender[T], workers int) Args[T] {
	rowsA, colsA, rowsB, colsB := s.m, s.k, s.k, s.n
	if s.transA {
		rowsA, colsA = colsA, rowsA
	}
	if s.transB {
		rowsB, colsB = colsB, rowsB
	}
	lda, ldb, ldc := max(1, colsA+s.padA), max(1, colsB+s.padB), max(1, s.n+s.padC)
	var zero T
	a := Args[T]{
		TransA: s.transA, TransB: s.transB, M: s.m, N: s.n, K: s.k, Acc: s.acc,
		A: lend.a(matrix(rowsA, colsA, lda)), LDA: lda,
		B: lend.b(matrix(rowsB, colsB, ldb)), LDB: ldb,
		C: lend.c(matrix(s.m, s.n, ldc)), LDC: ldc,
		Work: lend.work(Workspace(s.m, s.n, s.k, int(unsafe.Sizeof(zero)), workers)),
	}
	fill(r, a.A, colsA, lda, true)
	fill(r, a.B, colsB, ldb, true)
	fill(r, a.C, s.n, ldc, s.acc)
	for i := range a.Work {
		a.Work[i] = 0xff // a NaN
	}
	return a
}

// fill sets the elements of a matrix to random numbers, and its padding to NaN.
func fill[T float](r *rand.Rand, x []T, cols, ld int, numbers bool) {
	for i := range x {
		if x[i] = T(math.NaN()); numbers && i%ld < cols {
			x[i] = T(r.NormFloat64())
		}
	}
}

// at returns an element of op(X).
func at[T float](x []T, ld int, trans bool, i, j int) float64 {
	if trans {
		i, j = j, i
	}
	return float64(x[i*ld+j])
}

// doubles returns op(X) [rows, cols] without padding.
func doubles[T float](x []T, ld int, trans bool, rows, cols int) []float64 {
	d := make([]float64, 0, rows*cols)
	for i := range rows {
		for j := range cols {
			d = append(d, at(x, ld, trans, i, j))
		}
	}
	return d
}

// verify compares got, the C of a product, with float64 sums. before is C as it was. The bound is that of any order
// of summation: (k+2) roundings of the sum of the absolute values.
func verify[T float](t *testing.T, what string, a Args[T], before, got []T) {
	t.Helper()
	rowsA, colsB := doubles(a.A, a.LDA, a.TransA, a.M, a.K), doubles(a.B, a.LDB, !a.TransB, a.N, a.K)
	for i := range a.M {
		for j := range a.N {
			var sum, size float64
			if a.Acc {
				sum = float64(before[i*a.LDC+j])
				size = math.Abs(sum)
			}
			y := colsB[j*a.K:][:a.K]
			for k, x := range rowsA[i*a.K:][:a.K] {
				p := x * y[k]
				sum += p
				size += math.Abs(p)
			}
			bound := float64(a.K+2)*epsilon[T]()*size*1.01 + 1e-300
			if diff := math.Abs(float64(got[i*a.LDC+j]) - sum); !(diff <= bound) {
				t.Fatalf("%s: C[%d][%d] = %v, want %v ± %.3g", what, i, j, got[i*a.LDC+j], sum, bound)
			}
		}
	}
	for i, v := range got {
		if i%a.LDC >= a.N && v == v {
			t.Fatalf("%s: the padding of C at %d was overwritten with %v", what, i, v)
		}
	}
}

// check computes one product and verifies it.
func check[T float](t *testing.T, p *Plan, path cpu.Path, pool *par.Pool, s shape, a Args[T]) {
	t.Helper()
	before := append([]T(nil), a.C...)
	product(p, path, pool, a)
	verify(t, s.String(), a, before, a.C)
}

// paths runs a test on every path of this processor for both types.
func paths(t *testing.T, f32, f64 func(t *testing.T, path cpu.Path)) {
	for _, path := range cpu.Paths() {
		t.Run(path.String()+"/f32", func(t *testing.T) { f32(t, path) })
		t.Run(path.String()+"/f64", func(t *testing.T) { f64(t, path) })
	}
}

// rounds is a number of random trials: a tenth of them in short mode, for the race detector.
func rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// size draws a dimension: often a small or an awkward one.
func size(r *rand.Rand, limit int) int {
	awkward := []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 14, 15, 16, 17, 28, 31, 32, 33, 63, 64, 65}
	if r.IntN(2) == 0 {
		return min(awkward[r.IntN(len(awkward))], limit)
	}
	return r.IntN(limit + 1)
}

func testRandomShapes[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(1, uint64(path)))
	pool := par.New(3)
	defer pool.Close()
	var p Plan
	for range rounds(400) {
		s := shape{
			m: size(r, 120), n: size(r, 120), k: size(r, 120),
			padA: r.IntN(4), padB: r.IntN(4), padC: r.IntN(4),
			transA: r.IntN(2) == 0, transB: r.IntN(2) == 0, acc: r.IntN(2) == 0,
		}
		check(t, &p, path, pool, s, build(r, s, ordinary[T](), 3))
	}
}

func TestRandomShapes(t *testing.T) { paths(t, testRandomShapes[float32], testRandomShapes[float64]) }

// packing returns the kernels of a path with thresholds that make it pack B always, and A always or never.
func packing[T float](path cpu.Path, packA bool) *kernels[T] {
	k := *kernelsOf[T](path)
	k.directRows, k.directArea, k.directWide, k.packCols, k.looseRows = 0, 0, 0, 0, 0
	if !packA {
		k.packCols = math.MaxInt
	}
	return &k
}

// testPacking covers the packed method at small and middle sizes, where other methods would be chosen.
func testPacking[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(9, uint64(path)))
	for i := range rounds(200) {
		s := shape{
			m: 5 + r.IntN(200), n: 5 + r.IntN(100), k: 1 + size(r, 300),
			padA: r.IntN(4), padB: r.IntN(4), padC: r.IntN(4),
			transA: r.IntN(2) == 0, transB: r.IntN(2) == 0, acc: r.IntN(2) == 0,
		}
		a := build(r, s, ordinary[T](), 1)
		before := append([]T(nil), a.C...)
		var j job[T]
		j.multiply(packing[T](path, i%2 == 0), nil, a)
		verify(t, s.String(), a, before, a.C)
	}
}

func TestPacking(t *testing.T) { paths(t, testPacking[float32], testPacking[float64]) }

// testLargeShapes covers several blocks along every dimension, and all methods at sizes that are shared among workers.
func testLargeShapes[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(2, uint64(path)))
	pool := par.New(2)
	defer pool.Close()
	var p Plan
	for _, d := range [][3]int{
		{350, 70, 520}, {20, 4200, 9}, {1, 700, 600}, {4, 300, 2500}, {300, 1, 2500}, {700, 4, 300}, {1100, 3, 33},
		{37, 300, 300}, {200, 10, 256}, {5, 5, 5000}, {2, 2, 4099}, {2100, 40, 9}, {90, 230, 810},
		{530, 780, 405}, // both operands packed for all, in two blocks
	} {
		if testing.Short() && d[0]*d[1]*d[2] > 500_000 {
			continue
		}
		for trans := range 4 {
			if d[0]*d[1]*d[2] > 100_000_000 && trans != 2 {
				continue
			}
			s := shape{
				m:      d[0],
				n:      d[1],
				k:      d[2],
				padA:   1,
				padC:   2,
				transA: trans&1 > 0,
				transB: trans&2 > 0,
				acc:    trans&1 == 0,
			}
			check(t, &p, path, pool, s, build(r, s, ordinary[T](), 2))
		}
	}
}

func TestLargeShapes(t *testing.T) { paths(t, testLargeShapes[float32], testLargeShapes[float64]) }

// same reports whether two slices have the same bits.
func same[T float](x, y []T) bool {
	for i := range x {
		if math.Float64bits(float64(x[i])) != math.Float64bits(float64(y[i])) {
			return false
		}
	}
	return len(x) == len(y)
}

func testWorkers[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(5, uint64(path)))
	var p Plan
	for _, d := range [][3]int{
		{128, 128, 128}, {97, 301, 270}, {1, 512, 784}, {512, 1, 784},
		{700, 3, 90}, {3, 700, 90}, {33, 1000, 40}, {1000, 33, 40},
	} {
		for trans := range 4 {
			s := shape{m: d[0], n: d[1], k: d[2], transA: trans&1 > 0, transB: trans&2 > 0, acc: trans == 2}
			a := build(r, s, ordinary[T](), 4)
			if testing.Short() && trans%3 > 0 {
				continue
			}
			before := append([]T(nil), a.C...)
			product(nil, path, nil, a)
			want := append([]T(nil), a.C...)
			for workers := 1; workers <= 4; workers++ {
				pool := par.New(workers)
				copy(a.C, before)
				product(&p, path, pool, a)
				pool.Close()
				if !same(a.C, want) {
					t.Fatalf("%v: %d workers differ from a serial run", s, workers)
				}
			}
		}
	}
}

func TestWorkersAgree(t *testing.T) { paths(t, testWorkers[float32], testWorkers[float64]) }

// testExact multiplies small integers, whose sums are exact in any order, so that all paths must agree with the
// reference.
func testExact[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(6, 0))
	for _, d := range [][3]int{{64, 64, 64}, {30, 130, 300}, {3, 50, 200}, {50, 3, 200}} {
		for trans := range 4 {
			s := shape{m: d[0], n: d[1], k: d[2], transA: trans&1 > 0, transB: trans&2 > 0, acc: true}
			a := build(r, s, ordinary[T](), 1)
			for _, x := range [][]T{a.A, a.B, a.C} {
				for i := range x {
					x[i] = T(r.IntN(17) - 8)
				}
			}
			want := make([]T, len(a.C))
			for i := range s.m {
				for j := range s.n {
					sum := float64(a.C[i*a.LDC+j])
					for k := range s.k {
						sum += at(a.A, a.LDA, a.TransA, i, k) * at(a.B, a.LDB, a.TransB, k, j)
					}
					want[i*a.LDC+j] = T(sum)
				}
			}
			product(nil, path, nil, a)
			if !same(a.C, want) {
				t.Fatalf("%v: integers are not multiplied exactly", s)
			}
		}
	}
}

func TestExactIntegers(t *testing.T) { paths(t, testExact[float32], testExact[float64]) }

// testNonFinite puts one NaN or Inf into an operand of otherwise zeros: the row or column that it meets must become
// NaN, all else zero.
func testNonFinite[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(7, 0))
	for _, d := range [][3]int{{5, 6, 7}, {1, 40, 33}, {40, 1, 33}, {3, 3, 3}, {30, 70, 20}, {60, 100, 300}} {
		for trans := range 8 {
			s := shape{m: d[0], n: d[1], k: d[2], transA: trans&1 > 0, transB: trans&2 > 0}
			a := build(r, s, ordinary[T](), 1)
			clear(a.A)
			clear(a.B)
			i, j, k := r.IntN(s.m), r.IntN(s.n), r.IntN(s.k)
			bad := []T{T(math.NaN()), T(math.Inf(1)), T(math.Inf(-1))}[r.IntN(3)]
			inA := trans&4 > 0
			switch {
			case inA && s.transA:
				a.A[k*a.LDA+i] = bad
			case inA:
				a.A[i*a.LDA+k] = bad
			case s.transB:
				a.B[j*a.LDB+k] = bad
			default:
				a.B[k*a.LDB+j] = bad
			}
			product(nil, path, nil, a)
			for row := range s.m {
				for col := range s.n {
					hit := inA && row == i || !inA && col == j
					if v := a.C[row*a.LDC+col]; hit != (v != v) || !hit && v != 0 {
						t.Fatalf(
							"%v: %v at i=%d j=%d k=%d (in A: %v): C[%d][%d] = %v",
							s,
							bad,
							i,
							j,
							k,
							inA,
							row,
							col,
							v,
						)
					}
				}
			}
		}
	}
}

func TestNonFiniteValuesPropagate(t *testing.T) {
	paths(t, testNonFinite[float32], testNonFinite[float64])
}

func testEmpty[T float](t *testing.T, path cpu.Path) {
	nan := T(math.NaN())
	c := []T{1, 2, nan, 3, 4, nan}
	product(nil, path, nil, Args[T]{M: 2, N: 2, C: c, LDC: 3, Acc: true})
	if c[0] != 1 || c[1] != 2 || c[3] != 3 || c[4] != 4 {
		t.Errorf("k=0 changed C to %v", c)
	}
	product(nil, path, nil, Args[T]{M: 2, N: 2, C: c[:5], LDC: 3})
	if c[0] != 0 || c[1] != 0 || c[2] == c[2] || c[3] != 0 || c[4] != 0 || c[5] == c[5] {
		t.Errorf("k=0 made C %v, want zeros and untouched padding", c)
	}
	product(nil, path, nil, Args[T]{M: 0, N: 2, K: 3, B: make([]T, 6), LDB: 2})
	product(nil, path, nil, Args[T]{M: 2, N: 0, K: 3, A: make([]T, 6), LDA: 3})
	product(nil, path, nil, Args[T]{})
}

func TestEmptyProducts(t *testing.T) { paths(t, testEmpty[float32], testEmpty[float64]) }

func TestBadArgumentsPanic(t *testing.T) {
	ok := Args[float32]{
		M: 5, N: 6, K: 7, A: make([]float32, 35), LDA: 7, B: make([]float32, 42), LDB: 6,
		C: make([]float32, 30), LDC: 6,
		Work: make([]byte, Workspace(5, 6, 7, 4, 1)),
	}
	for _, c := range []struct {
		change func(a *Args[float32])
		want   string
	}{
		{func(a *Args[float32]) { a.M = -1 }, "negative size: m=-1 n=6 k=7"},
		{func(a *Args[float32]) { a.LDA = 6 }, "A [5, 7]: leading dimension 6"},
		{func(a *Args[float32]) { a.A = a.A[:34] }, "A [5, 7] with leading dimension 7 needs more than the 34"},
		{func(a *Args[float32]) { a.TransB = true }, "B [6, 7]: leading dimension 6"},
		{func(a *Args[float32]) { a.B = nil }, "B [7, 6] with leading dimension 6 needs more than the 0"},
		{func(a *Args[float32]) { a.LDC = math.MaxInt }, "C [5, 6] with leading dimension"},
		{func(a *Args[float32]) { a.C = a.C[:29] }, "C [5, 6] with leading dimension 6 needs more than the 29"},
		{func(a *Args[float32]) { a.TransB, a.LDB, a.Work = true, 7, nil }, "workspace of 0 bytes is too small"},
	} {
		a := ok
		c.change(&a)
		func() {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, c.want) {
					t.Errorf("panicked with %q, want %q", v, c.want)
				}
			}()
			f32(nil, cpu.Go, nil, a)
		}()
	}
}

func testAllocations[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(8, 0))
	pool := par.New(2)
	defer pool.Close()
	p := new(Plan)
	for _, d := range [][3]int{{60, 100, 90}, {1, 300, 300}, {300, 1, 300}, {300, 3, 300}, {10, 10, 10}} {
		for trans := range 4 {
			s := shape{m: d[0], n: d[1], k: d[2], transA: trans&1 > 0, transB: trans&2 > 0}
			a := build(r, s, ordinary[T](), 2)
			if n := testing.AllocsPerRun(5, func() { product(p, path, pool, a) }); n != 0 {
				t.Errorf("%v: %v allocations with a pool", s, n)
			}
			if n := testing.AllocsPerRun(5, func() { product(nil, path, nil, a) }); n != 0 {
				t.Errorf("%v: %v serial allocations", s, n)
			}
		}
	}
}

func TestNoAllocations(t *testing.T) { paths(t, testAllocations[float32], testAllocations[float64]) }
