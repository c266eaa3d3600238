package lane

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
	t      *testing.T
	random philox.Stream
}

// floats returns n random numbers.
func (a *arena[T]) floats(n int) []T {
	s := guard.Tail[T](guard.New(a.t, max(n, 1)*8), n)
	for i := range s {
		s[i] = T(float64(a.random.Uint32())/(1<<31) - 1)
	}
	return s
}

func (a *arena[T]) copy(x []T) []T {
	s := guard.Tail[T](guard.New(a.t, max(len(x), 1)*8), len(x))
	copy(s, x)
	return s
}

func (a *arena[T]) ints(x []int32) []int32 {
	s := guard.Tail[int32](guard.New(a.t, max(len(x), 1)*4), len(x))
	copy(s, x)
	return s
}

// near compares with the Go path: the difference is rounding of sums of size bound.
func near[T float32 | float64](t *testing.T, what string, got, want []T, bound float64) {
	t.Helper()
	eps := 1e-15
	if T(1)+T(1e-9) == 1 {
		eps = 4e-7
	}
	for i, v := range want {
		if d := math.Abs(float64(got[i]) - float64(v)); !(d <= eps*bound) && (got[i] == got[i] || v == v) {
			t.Fatalf("%s: element %d is %v, the Go path says %v", what, i, got[i], v)
		}
	}
}

var sizes = []int{0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 16, 25, 37}

func forAll(t *testing.T, f32 func(*testing.T, cpu.Path, int), f64 func(*testing.T, cpu.Path, int)) {
	for _, path := range cpu.Paths() {
		for _, lanes := range []int{Group, 2 * Group} {
			t.Run(fmt.Sprintf("float32/%v/%d", path, lanes), func(t *testing.T) { f32(t, path, lanes) })
			t.Run(fmt.Sprintf("float64/%v/%d", path, lanes), func(t *testing.T) { f64(t, path, lanes) })
		}
	}
}

func TestRows(t *testing.T) { forAll(t, testRows[float32], testRows[float64]) }

func testRows[T float32 | float64](t *testing.T, path cpu.Path, w int) {
	a := &arena[T]{t: t, random: philox.New(1, 1, 0)}
	got, want := For[T](path, w), twin[T](w)
	for _, n := range sizes {
		const sources = 9
		var lo, hi, index []int32
		for r := range n {
			lo = append(lo, int32(len(index)))
			for range (r * 7) % 12 {
				index = append(index, int32(a.random.Below(sources)))
			}
			hi = append(hi, int32(len(index)))
		}
		lo, hi, index = a.ints(lo), a.ints(hi), a.ints(index)
		base, f, value := a.floats(n*w), a.floats(sources*w), a.floats(len(index))
		g, ref := a.floats(n*w), make([]T, n*w)
		want.Rows(ref, base, f, lo, hi, index, value)
		got.Rows(g, base, f, lo, hi, index, value)
		near(t, "Rows", g, ref, 12)
		got.Rows(base, base, f, lo, hi, index, value)
		near(t, "Rows in place", base, ref, 12)
	}
}

func TestDense(t *testing.T) { forAll(t, testDense[float32], testDense[float64]) }

func testDense[T float32 | float64](t *testing.T, path cpu.Path, w int) {
	a := &arena[T]{t: t, random: philox.New(2, 1, 0)}
	got, want := For[T](path, w), twin[T](w)
	for _, n := range sizes {
		for _, k := range []int{0, 1, 2, 7, 30} {
			base, m, f := a.floats(n*w), a.floats(n*k), a.floats(k*w)
			g, ref := a.floats(n*w), make([]T, n*w)
			want.Dense(ref, base, m, f)
			got.Dense(g, base, m, f)
			near(t, fmt.Sprintf("Dense %d×%d", n, k), g, ref, 30)
			got.Dense(base, base, m, f)
			near(t, "Dense in place", base, ref, 30)
		}
	}
}

func TestExtent(t *testing.T) { forAll(t, testExtent[float32], testExtent[float64]) }

func testExtent[T float32 | float64](t *testing.T, path cpu.Path, w int) {
	a := &arena[T]{t: t, random: philox.New(3, 1, 0)}
	got, want := For[T](path, w), twin[T](w)
	inf := T(math.Inf(1))
	for _, n := range sizes {
		x, g := a.floats(n*w), a.floats(n*w)
		if n > 2 { // special values, followed by ordinary ones
			x[3], g[w+5], x[w+7], g[9] = inf-inf, inf-inf, -inf, inf
		}
		res, norm := a.floats(w), a.floats(w)
		r1, n1 := make([]T, w), make([]T, w)
		want.Extent(r1, n1, x, g)
		got.Extent(res, norm, x, g)
		near(t, "Extent res", finite(res), finite(r1), 2)
		near(t, "Extent norm", finite(norm), finite(n1), 0)
	}
}

// finite replaces infinities, which have no difference, by a large number.
func finite[T float32 | float64](s []T) []T {
	out := append([]T(nil), s...)
	for i, v := range out {
		if math.IsInf(float64(v), 0) {
			out[i] = 1e30
		}
	}
	return out
}

func TestElementwise(t *testing.T) { forAll(t, testElementwise[float32], testElementwise[float64]) }

func testElementwise[T float32 | float64](t *testing.T, path cpu.Path, w int) {
	a := &arena[T]{t: t, random: philox.New(4, 1, 0)}
	got, want := For[T](path, w), twin[T](w)
	for _, n := range sizes {
		x, y, c, s := a.floats(n*w), a.floats(n*w), a.floats(n*w), a.floats(w)
		ref, out, sum := make([]T, n*w), a.floats(w), make([]T, w)
		want.Step(ref, x, c, s)
		got.Step(y, x, c, s)
		near(t, "Step", y, ref, 2)
		z := a.copy(x)
		got.Step(z, z, c, s)
		near(t, "Step in place", z, ref, 2)
		want.FMA(ref, x, y, c)
		got.FMA(y, x, y, c)
		near(t, "FMA", y, ref, 2)
		want.Dots(sum, x, c)
		got.Dots(out, x, c)
		near(t, "Dots", out, sum, 40)
		want.Squares(sum, x, c)
		got.Squares(out, x, c)
		near(t, "Squares", out, sum, 80)
	}
}

func TestJacobians(t *testing.T) {
	for _, path := range cpu.Paths() {
		t.Run("float32/"+path.String(), func(t *testing.T) { testJacobians[float32](t, path) })
		t.Run("float64/"+path.String(), func(t *testing.T) { testJacobians[float64](t, path) })
	}
}

func testJacobians[T float32 | float64](t *testing.T, path cpu.Path) {
	a := &arena[T]{t: t, random: philox.New(5, 1, 0)}
	got, want := ForJacobians[T](path), twinJacobians[T]()
	for _, n := range sizes {
		m, s, l := a.floats(n), a.floats(n*Group), a.floats(4*Group)
		y, ref := a.floats(n*Group), make([]T, n*Group)
		want.Columns(ref, m, s)
		got.Columns(y, m, s)
		near(t, "Columns", y, ref, 0)
		want.Scale(ref, m, l[:Group])
		got.Scale(y, m, l[:Group])
		near(t, "Scale", y, ref, 0)
		b := a.floats((n + 3*(n+2)) * Group)
		copy(ref, y)
		want.Eliminate(ref, b[:n*Group], l[:Group])
		got.Eliminate(y, b[:n*Group], l[:Group])
		near(t, "Eliminate", y, ref, 2)
		copy(ref, y)
		want.Eliminate4(ref, b, l, n+2)
		got.Eliminate4(y, b, l, n+2)
		near(t, "Eliminate4", y, ref, 8)
		testPivots(t, a, got, want, n)
	}
}

func testPivots[T float32 | float64](t *testing.T, a *arena[T], got, want *Jacobians[T], n int) {
	const stride = 3
	m := a.floats((max(n-1, 0)*stride + min(n, 1)) * Group)
	for k := range m {
		m[k] = T(math.Round(float64(m[k]) * 4)) // equals and zeros
	}
	if n > 3 {
		m[1], m[stride*Group+2] = T(math.NaN()), T(math.NaN())
	}
	row, most, r1, m1 := a.floats(Group), a.floats(Group), make([]T, Group), make([]T, Group)
	want.Pivots(r1, m1, m, n, stride)
	got.Pivots(row, most, m, n, stride)
	near(t, "Pivots row", row, r1, 0)
	near(t, "Pivots most", most, m1, 0)
}

func TestWeights(t *testing.T) {
	for _, path := range cpu.Paths() {
		t.Run("float32/"+path.String(), func(t *testing.T) { testWeights[float32](t, path) })
		t.Run("float64/"+path.String(), func(t *testing.T) { testWeights[float64](t, path) })
	}
}

func testWeights[T float32 | float64](t *testing.T, path cpu.Path) {
	a := &arena[T]{t: t, random: philox.New(6, 1, 0)}
	got, want := ForWeights[T](path), twinWeights[T]()
	inf := T(math.Inf(1))
	for n := range 70 {
		w, z := a.floats(n), a.floats(n)
		for i, v := range z {
			z[i] = v * v
		}
		if n > 20 {
			w[3], w[n-2], w[5], w[n-3], w[7] = inf-inf, inf-inf, inf, -inf, 0
		}
		for name, f := range map[string]func(s *Weights[T], w []T){
			"Repel":  func(s *Weights[T], w []T) { s.Repel(w, z, 0.7, 0.9, 1.1) },
			"Shrink": func(s *Weights[T], w []T) { s.Shrink(w, z, 0.5) },
			"Divide": func(s *Weights[T], w []T) { s.Divide(w, z, 0.5) },
		} {
			x, y := a.copy(w), append([]T(nil), w...)
			f(got, x)
			f(want, y)
			near(t, name, finite(x), finite(y), 0)
		}
		for _, w := range [][]T{w, a.copy(finite(w))} {
			x, y := a.copy(make([]T, Group)), make([]T, Group)
			got.Largest(x, w)
			want.Largest(y, w)
			near(t, "Largest", []T{largest(0, x)}, []T{largest(0, y)}, 0)
		}
	}
}

func TestMisfits(t *testing.T) {
	f := func(n int) []float32 { return make([]float32, n) }
	for name, call := range map[string]func(){
		"lanes": func() { For[float32](cpu.Go, 8) },
		"Rows": func() {
			For[float32](cpu.Best(), 16).Rows(f(16), f(16), f(16), []int32{0}, []int32{2}, []int32{0}, f(1))
		},
		"Dense":      func() { For[float32](cpu.Best(), 16).Dense(f(16), f(16), f(3), f(32)) },
		"Extent":     func() { For[float32](cpu.Best(), 16).Extent(f(16), f(16), f(32), f(16)) },
		"Step":       func() { For[float32](cpu.Best(), 16).Step(f(16), f(16), f(16), f(15)) },
		"FMA":        func() { For[float32](cpu.Best(), 16).FMA(f(16), f(16), f(16), f(32)) },
		"Columns":    func() { ForJacobians[float32](cpu.Best()).Columns(f(16), f(1), f(32)) },
		"Pivots":     func() { ForJacobians[float32](cpu.Best()).Pivots(f(16), f(16), f(16), 2, 1) },
		"Repel":      func() { ForWeights[float32](cpu.Best()).Repel(f(16), f(17), 1, 1, 1) },
		"Largest":    func() { ForWeights[float32](cpu.Best()).Largest(f(15), f(17)) },
		"Eliminate4": func() { ForJacobians[float32](cpu.Best()).Eliminate4(f(16), f(32), f(64), 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}
