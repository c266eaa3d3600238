package plane

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/asm/guard"
	"ganglion/internal/cpu"
	"ganglion/internal/philox"
)

// arena lends slices of numbers below 1 that end at a page nobody may touch.
type arena[T float32 | float64] struct {
	t      testing.TB
	random philox.Stream
}

func (a *arena[T]) floats(n int) []T {
	s := guard.Tail[T](guard.New(a.t, max(n, 1)*8), n)
	for i := range s {
		s[i] = T(float64(a.random.Uint32())/(1<<31) - 1)
	}
	return s
}

func (a *arena[T]) copied(x []T) []T {
	s := a.floats(len(x))
	copy(s, x)
	return s
}

// near compares sums of numbers below 1; those of no terms must have the same bits.
func near[T float32 | float64](t *testing.T, what string, got, want []T, terms int) {
	t.Helper()
	eps := 2.3e-16
	if T(1)+T(1e-9) == 1 {
		eps = 1.2e-7
	}
	for i, v := range want {
		if !(math.Abs(float64(got[i])-float64(v)) <= eps*float64(terms)) {
			t.Fatalf("%s: element %d is %v, the twin says %v", what, i, got[i], v)
		}
	}
}

func TestKernels(t *testing.T) {
	for _, path := range cpu.Paths() {
		t.Run(fmt.Sprint("float32/", path), func(t *testing.T) { testKernels(t, For[float32](path)) })
		t.Run(fmt.Sprint("float64/", path), func(t *testing.T) { testKernels(t, For[float64](path)) })
	}
}

// testKernels compares all kernels of a path with the twin, at sizes around those of vectors and blocks.
func testKernels[T float32 | float64](t *testing.T, k *Table[T]) {
	for _, m := range []int{0, 1, 2, 3, 4, 5, 8, 9, 11, 30} {
		for _, n := range []int{0, 1, 3, 4, 5, 7, 8, 15, 16, 17, 30, 33} {
			t.Run(fmt.Sprintf("%dx%d", m, n), func(t *testing.T) {
				a := &arena[T]{t: t, random: philox.New(uint64(m), uint32(n), 0)}
				testPlanes(t, k, a, 1+(m+n)%3, m, n)
				testRows(t, k, a, m, n)
			})
		}
	}
}

func testPlanes[T float32 | float64](t *testing.T, k *Table[T], a *arena[T], planes, m, n int) {
	ref := plain[T]()
	x := a.floats(planes * m * n)
	rows, cols, wantRows, wantCols := a.floats(planes*m), a.floats(planes*n), make([]T, planes*m), make([]T, planes*n)
	ref.Sums(planes, m, n, x, wantRows, wantCols)
	k.Sums(planes, m, n, x, rows, cols)
	near(t, "rows", rows, wantRows, n*n)
	near(t, "columns", cols, wantCols, m*m)
	alone, line := a.floats(len(rows)), a.floats(len(cols))
	k.Sums(planes, m, n, x, alone, nil)
	k.Sums(planes, m, n, x, nil, line)
	near(t, "rows alone", alone, rows, 0)
	near(t, "columns alone", line, cols, 0)
	for i, lines := range [][2][]T{{rows, cols}, {rows, nil}, {nil, cols}} {
		z, want := a.copied(x), a.copied(x)
		k.Spread(planes, m, n, z, lines[0], lines[1])
		ref.Spread(planes, m, n, want, lines[0], lines[1])
		near(t, fmt.Sprint("spread ", i), z, want, 0)
	}
}

// testRows compares what works on rows with pitches: what stands between rows must stay.
func testRows[T float32 | float64](t *testing.T, k *Table[T], a *arena[T], m, n int) {
	ref := plain[T]()
	src := a.floats(max(0, (m-1)*(n+2)+n))
	for i, f := range []func(k *Table[T], dst []T){
		func(k *Table[T], dst []T) { k.Move(m, n, dst, n+3, src, n+2) },
		func(k *Table[T], dst []T) { k.Add(m, n, dst, n+3, src, n+2) },
		func(k *Table[T], dst []T) { k.Transpose(m, n, dst, m+3, src, n+2) },
	} {
		height, width := m, n
		if i == 2 {
			height, width = n, m
		}
		got := a.floats(max(0, (height-1)*(width+3)+width))
		want := a.copied(got)
		f(k, got)
		f(ref, want)
		near(t, []string{"move", "add", "transpose"}[i], got, want, 0)
	}
}

// TestTwin holds the twin to sums that are known.
func TestTwin(t *testing.T) {
	k := plain[float64]()
	rows, cols := make([]float64, 2), make([]float64, 3)
	x := []float64{1, 2, 3, 4, 5, 6}
	k.Sums(1, 2, 3, x, rows, cols)
	near(t, "rows", rows, []float64{6, 15}, 0)
	near(t, "columns", cols, []float64{5, 7, 9}, 0)
	k.Spread(1, 2, 3, x, rows, cols)
	near(t, "spread", x, []float64{12, 15, 18, 24, 27, 30}, 0)
	y := make([]float64, 6)
	k.Transpose(2, 3, y, 2, x, 3)
	near(t, "transpose", y, []float64{12, 24, 15, 27, 18, 30}, 0)
}

func TestSelfCheck(t *testing.T) {
	for _, path := range cpu.Paths() {
		if err := SelfCheck(path); err != nil {
			t.Error(err)
		}
	}
	broken := *plain[float32]()
	broken.sumColumns = broken.sumRows
	if err := selfCheck(&broken); err == nil {
		t.Error("a wrong kernel passes")
	}
}

func TestMisfit(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("slices that do not fit pass")
		}
	}()
	plain[float32]().Sums(1, 2, 2, make([]float32, 4), make([]float32, 1), nil)
}
