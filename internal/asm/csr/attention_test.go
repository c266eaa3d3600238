package csr

import (
	"fmt"
	"testing"

	"ganglion/internal/philox"
)

// headCounts are around the numbers of lanes, and those with kernels of their own.
var headCounts = []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17}

func TestAttention(t *testing.T) { forAll(t, testAttention[float32], testAttention[float64]) }

// testAttention compares every step with its twin, in memory that ends at a page nobody may touch.
func testAttention[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(6, 1, 0)}
	for _, h := range headCounts {
		ptr := a.rows(9)
		n, first := int(ptr[9]), int(ptr[1])
		ptr = ptr[1:] // local lists begin with the first entry of row 1
		col, pos := a.ints(n, 6), a.ints(n, n)
		local := (n - first) * h
		for _, edges := range [][]T{nil, a.floats(n * h)} {
			what := func(s string) string { return fmt.Sprintf("%s, %d heads, edges %v", s, h, edges != nil) }
			score := Score[T]{Ptr: ptr, Col: col, U: a.floats(5*(h+1) + h), V: a.floats(7*(h+2) + h), StepU: h + 1,
				StepV: h + 2, E: edges, Heads: h, Slope: 0.2}
			both(a, t, what("score"), local, func(s []T) { score.S = s; k.Score(&score) },
				func(s []T) { score.S = s; scoreGo(&score) })
			rescore := Rescore[T]{Ptr: ptr, Col: col, Pos: pos, U: a.floats(8 * h), Records: a.floats(6 * 4 * h),
				E: edges, Heads: h, Slope: 0.2}
			both(a, t, what("rescore"), local, func(s []T) { rescore.S = s; k.Rescore(&rescore) },
				func(s []T) { rescore.S = s; rescoreGo(&rescore) })
			derive := Derive[T]{Rescore: rescore, G: a.floats(local)}
			raw := a.floats(local)
			part := func(s []T) Derive[T] {
				d := derive
				clear(s)
				d.S, d.DU, d.DZ = s[:local], s[local:local+8*h], s[local+8*h:]
				copy(d.S, raw)
				return d
			}
			both(a, t, what("derive"), local+8*h+n*h, func(s []T) { d := part(s); k.Derive(&d) },
				func(s []T) { d := part(s); deriveGo(&d) })
		}
		from := a.floats(local)
		shift := func(s []T) Shift[T] {
			return Shift[T]{Ptr: ptr, Heads: h, From: from, To: s[:local], Top: s[local:], StepTop: h}
		}
		both(a, t, fmt.Sprint("shift ", h), local+8*h, func(s []T) { d := shift(s); k.Shift(&d) },
			func(s []T) { d := shift(s); shiftGo(&d) })
		share := func(s []T) Share[T] {
			for i, v := range from {
				s[i] = v + 2
			}
			return Share[T]{Ptr: ptr, Heads: h, X: s[:local], Tiny: 1, Inverse: s[local:], StepInv: h}
		}
		both(a, t, fmt.Sprint("share ", h), local+8*h, func(s []T) { d := share(s); k.Share(&d) },
			func(s []T) { d := share(s); shareGo(&d) })
	}
}

// both runs a step and its twin on lists of the given length.
func both[T float32 | float64](a *arena[T], t *testing.T, what string, n int, step, twin func(s []T)) {
	t.Helper()
	got := a.floats(n)
	want := append([]T(nil), got...)
	step(got)
	twin(want)
	near(t, what, got, want, 60)
}

func TestMix(t *testing.T) { forAll(t, testMix[float32], testMix[float64]) }

func testMix[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(7, 1, 0)}
	for _, h := range headCounts {
		for _, each := range []int{1, 3, 4, 7, 8, 16, 24, 33} {
			width := h * each
			ptr := a.rows(9)[1:]
			n, first := int(ptr[8]), int(ptr[0])
			col, lanes := a.ints(n, 6), a.ints(width*size[T]()/4, 1)
			LanesOf[T](lanes, h, width)
			x, q, w := a.floats(5*(width+2)+width), a.floats(7*(width+1)+width), a.floats((n-first)*h)
			for i, v := range w {
				w[i] = v + 1.5 // sums are not near 0
			}
			m := Mix[T]{Ptr: ptr, Col: col, W: w, Heads: h, X: x, StepX: width + 2, StepY: width + 1, Width: width,
				Tiny: 1, Lanes: lanes}
			d := Dots[T]{Ptr: ptr, Col: col, Q: q, X: x, StepQ: width + 1, StepX: width + 2, Heads: h, Width: width,
				Slope: 0.2}
			s := Slopes[T]{Ptr: ptr, Col: col, Q: q, X: x, StepQ: width + 1, StepX: width + 2, StepY: width + 1, W: w,
				Heads: h, Width: width, Slope: 0.2, Lanes: lanes}
			rows := 7*(width+1) + width
			for _, mean := range []bool{false, true} {
				m.Mean = mean
				both(a, t, fmt.Sprint("mix ", h, each, mean), rows, func(y []T) { m.Y = y; k.Mix(&m) },
					func(y []T) { m.Y = y; mixGo(&m) })
			}
			for _, weights := range [][]T{nil, a.floats(width)} {
				d.A = weights
				both(a, t, fmt.Sprint("dots ", h, each, d.A != nil), (n-first)*h,
					func(y []T) { d.Out = y; k.Dots(&d) }, func(y []T) { d.Out = y; dotsGo(&d) })
			}
			both(a, t, fmt.Sprint("slopes ", h, each), rows, func(y []T) { s.Y = y; k.Slopes(&s) },
				func(y []T) { s.Y = y; slopesGo(&s) })
		}
	}
}
