package csr

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/asm/guard"
	"ganglion/internal/cpu"
	"ganglion/internal/philox"
)

// arena lends slices that end at a page nobody may touch.
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

func (a *arena[T]) ints(n, below int) []int32 {
	s := guard.Tail[int32](guard.New(a.t, 4*max(n, 1)), n)
	for i := range s {
		s[i] = int32(a.random.Below(uint32(below)))
	}
	return s
}

// rows returns the bounds of rows with up to 9 entries each.
func (a *arena[T]) rows(n int) []int32 {
	s := guard.Tail[int32](guard.New(a.t, 4*(n+1)), n+1)
	s[0] = 0
	for i := range n {
		s[i+1] = s[i] + int32(a.random.Below(10))
	}
	return s
}

func forAll(t *testing.T, f32 func(*testing.T, *Table[float32]), f64 func(*testing.T, *Table[float64])) {
	for _, path := range cpu.Paths() {
		t.Run(fmt.Sprintf("float32/%v", path), func(t *testing.T) { f32(t, For[float32](path)) })
		t.Run(fmt.Sprintf("float64/%v", path), func(t *testing.T) { f64(t, For[float64](path)) })
	}
}

// near compares sums of products of numbers below 1.
func near[T float32 | float64](t *testing.T, what string, got, want []T, terms int) {
	t.Helper()
	eps := 2.3e-16
	if size[T]() == 4 {
		eps = 1.2e-7
	}
	for i, v := range want {
		if !(math.Abs(float64(got[i])-float64(v)) <= eps*float64(terms)) {
			t.Fatalf("%s: element %d is %v, the twin says %v", what, i, got[i], v)
		}
	}
}

var widths = []int{1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 128, 129, 257}

func TestSum(t *testing.T) { forAll(t, testSum[float32], testSum[float64]) }

func testSum[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(3, 1, 0)}
	for _, width := range widths {
		for _, rows := range []int{1, 2, 9} {
			ptr := a.rows(rows)
			n := int(ptr[rows])
			if n == 0 {
				continue
			}
			col, pos := a.ints(n, 6), a.ints(n, n)
			x, w := a.floats(5*(width+2)+width), a.floats((n-1)*3+1)
			for i, s := range []Sum[T]{{}, {W: w}, {W: w, Pos: pos}} {
				s.Ptr, s.Col, s.StepW, s.X, s.StepX, s.StepY, s.Width = ptr, col, 3, x, width+2, width+1, width
				got := a.floats((rows-1)*(width+1) + width)
				want := append([]T(nil), got...)
				s.Y = got
				k.Sum(&s)
				s.Y = want
				sumGo(&s)
				near(t, fmt.Sprintf("width %d, %d rows, form %d", width, rows, i), got, want, 10)
			}
		}
	}
}

func TestDot(t *testing.T) { forAll(t, testDot[float32], testDot[float64]) }

func testDot[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(4, 1, 0)}
	for _, width := range append([]int{0}, widths...) {
		ptr := a.rows(9)
		n := int(ptr[9])
		d := Dot[T]{Ptr: ptr, Col: a.ints(n, 6), Q: a.floats(8*(width+1) + width), X: a.floats(5*(width+2) + width),
			StepQ: width + 1, StepX: width + 2, StepO: 2, Width: width}
		got := a.floats((n-1)*2 + 1)
		want := append([]T(nil), got...)
		d.Out = got
		k.Dot(&d)
		d.Out = want
		dotGo(&d)
		near(t, fmt.Sprintf("width %d", width), got, want, width+1)
	}
}

func TestWithin(t *testing.T) { forAll(t, testWithin[float32], testWithin[float64]) }

func testWithin[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(5, 1, 0)}
	for n := range 40 {
		col := a.ints(n, 100)
		if !k.Within(col, 100) {
			t.Fatalf("%d columns within 100 are refused", n)
		}
		for i := range col {
			for _, bad := range []int32{100, -1, math.MaxInt32, math.MinInt32} {
				old := col[i]
				if col[i] = bad; k.Within(col, 100) {
					t.Fatalf("%d at %d of %d is accepted", bad, i, n)
				}
				col[i] = old
			}
		}
	}
}

// TestMisfits checks that slices which do not fit are refused before a kernel sees them.
func TestMisfits(t *testing.T) {
	k := For[float32](cpu.Best())
	f := func(n int) []float32 { return make([]float32, n) }
	good := Sum[float32]{Ptr: []int32{0, 2}, Col: []int32{0, 1}, X: f(6), Y: f(3), StepX: 3, StepY: 3, Width: 3}
	for i, spoil := range []func(*Sum[float32]){
		func(s *Sum[float32]) { s.Ptr = nil }, func(s *Sum[float32]) { s.Col = s.Col[:1] },
		func(s *Sum[float32]) { s.Y = f(2) }, func(s *Sum[float32]) { s.StepX = 2 },
		func(s *Sum[float32]) { s.W = f(1); s.StepW = 1 }, func(s *Sum[float32]) { s.Ptr = []int32{-1, 2} },
		func(s *Sum[float32]) { s.Pos = s.Col[:1] },
	} {
		bad := good
		spoil(&bad)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("misfit %d is accepted", i)
				}
			}()
			k.Sum(&bad)
		}()
	}
}

func TestSelfCheck(t *testing.T) {
	for _, path := range cpu.Paths() {
		if err := SelfCheck(path); err != nil {
			t.Error(err)
		}
	}
	broken := *For[float32](cpu.Best())
	broken.within = func([]int32, int) bool { return true }
	if selfCheck(&broken) == nil {
		t.Error("a broken kernel passes")
	}
}
