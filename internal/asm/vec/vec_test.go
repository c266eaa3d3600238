package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ganglion/internal/asm/guard"
	"ganglion/internal/cpu"
)

// paths runs a test on every path of this processor for both types.
func paths(t *testing.T, f32, f64 func(t *testing.T, path cpu.Path)) {
	for _, path := range cpu.Paths() {
		t.Run(path.String()+"/f32", func(t *testing.T) { f32(t, path) })
		t.Run(path.String()+"/f64", func(t *testing.T) { f64(t, path) })
	}
}

// epsilon is the unit roundoff of T.
func epsilon[T float]() float64 {
	var one T = 1
	if one+0x1p-40 == one {
		return 0x1p-24
	}
	return 0x1p-53
}

// ulp is the distance of the float32 or float64 numbers around x.
func ulp[T float](x float64) float64 {
	_, e := math.Frexp(x)
	if epsilon[T]() == 0x1p-24 {
		return math.Ldexp(1, max(e-24, -149))
	}
	return math.Ldexp(1, max(e-53, -1074))
}

// elementwise is a primitive with its definition: want for one element, and the error in ulp that is allowed.
type elementwise[T float] struct {
	name string
	run  func(t *Table[T], dst, x, y []T)
	want func(dst, x, y float64) float64
	ulps float64
	adds bool // the result is a sum with dst, in which a product may be rounded or not
}

// limit is the error in ulp that is allowed on a path: some functions of float32 are computed in float64 on all paths
// but AVX512.
func (f elementwise[T]) limit(path cpu.Path) float64 {
	if path == cpu.AVX512 && epsilon[T]() == 0x1p-24 {
		switch f.name {
		case "SiLU", "Erf", "GELU":
			return 2
		}
	}
	return f.ulps
}

const scalar = 1.7 // the factor of Scale and Axpy

func primitives[T float]() []elementwise[T] {
	a := T(scalar)
	type method func(t *Table[T]) func(dst, x []T)
	unary := func(name string, f method, want func(float64) float64, ulps float64) elementwise[T] {
		return elementwise[T]{name, func(t *Table[T], dst, x, _ []T) { f(t)(dst, x) },
			func(_, x, _ float64) float64 { return want(x) }, ulps, false}
	}
	list := []elementwise[T]{
		{"Add", func(t *Table[T], d, x, y []T) { t.Add(d, x, y) },
			func(_, x, y float64) float64 { return x + y }, 0.5, false},
		{"Sub", func(t *Table[T], d, x, y []T) { t.Sub(d, x, y) },
			func(_, x, y float64) float64 { return x - y }, 0.5, false},
		{"Mul", func(t *Table[T], d, x, y []T) { t.Mul(d, x, y) },
			func(_, x, y float64) float64 { return x * y }, 0.5, false},
		{"Div", func(t *Table[T], d, x, y []T) { t.Div(d, x, y) },
			func(_, x, y float64) float64 { return x / y }, 0.5, false},
		{"Scale", func(t *Table[T], d, x, _ []T) { t.Scale(d, a, x) },
			func(_, x, _ float64) float64 { return float64(a) * x }, 0.5, false},
		{"Shift", func(t *Table[T], d, x, _ []T) { t.Shift(d, a, x) },
			func(_, x, _ float64) float64 { return x + float64(a) }, 0.5, false},
		{"Larger", func(t *Table[T], d, x, y []T) { t.Larger(d, x, y) },
			func(_, x, y float64) float64 { return max(x, y) }, 0, false},
		{"Smaller", func(t *Table[T], d, x, y []T) { t.Smaller(d, x, y) },
			func(_, x, y float64) float64 { return min(x, y) }, 0, false},
		{"Axpy", func(t *Table[T], d, x, _ []T) { t.Axpy(d, a, x) },
			func(d, x, _ float64) float64 { return float64(a)*x + d }, 1, true},
		{"MulAdd", func(t *Table[T], d, x, y []T) { t.MulAdd(d, x, y) },
			func(d, x, y float64) float64 { return x*y + d }, 1, true},
		unary(
			"ReLU",
			func(t *Table[T]) func(dst, x []T) { return t.ReLU },
			func(x float64) float64 { return max(x, 0) },
			0,
		),
		unary("Exp", func(t *Table[T]) func(dst, x []T) { return t.Exp }, math.Exp, 2),
		unary("Tanh", func(t *Table[T]) func(dst, x []T) { return t.Tanh }, math.Tanh, 2),
		unary("Sigmoid", func(t *Table[T]) func(dst, x []T) { return t.Sigmoid }, sigmoid64, 2),
		unary("Log", func(t *Table[T]) func(dst, x []T) { return t.Log }, log64, 2),
		unary("Expm1", func(t *Table[T]) func(dst, x []T) { return t.Expm1 }, math.Expm1, 0.6),
		unary("Log1p", func(t *Table[T]) func(dst, x []T) { return t.Log1p }, math.Log1p, 0.6),
		unary("Softplus", func(t *Table[T]) func(dst, x []T) { return t.Softplus }, softplus64, 0.6),
		unary("SiLU", func(t *Table[T]) func(dst, x []T) { return t.SiLU }, silu64, 0.6),
		unary("SiLUSlope", func(t *Table[T]) func(dst, x []T) { return t.SiLUSlope }, siluSlope64, 0.7),
		unary("Erf", func(t *Table[T]) func(dst, x []T) { return t.Erf }, math.Erf, 0.6),
		unary("GELU", func(t *Table[T]) func(dst, x []T) { return t.GELU }, gelu64, 0.6),
		unary("GELUSlope", func(t *Table[T]) func(dst, x []T) { return t.GELUSlope }, geluSlope64, 0.7),
		unary("Sin", func(t *Table[T]) func(dst, x []T) { return t.Sin }, math.Sin, 0.6),
		unary("Cos", func(t *Table[T]) func(dst, x []T) { return t.Cos }, math.Cos, 0.6),
		{"TanhGrad", func(t *Table[T], d, x, y []T) { t.TanhGrad(d, x, y) },
			func(_, x, y float64) float64 { return float64((1 - T(x)) * (1 + T(x)) * T(y)) }, 0, false},
		{"SigmoidGrad", func(t *Table[T], d, x, y []T) { t.SigmoidGrad(d, x, y) },
			func(_, x, y float64) float64 { return float64((1 - T(x)) * T(x) * T(y)) }, 0, false},
		{"ReLUGrad", func(t *Table[T], d, x, y []T) { t.ReLUGrad(d, x, y) }, reluGrad64, 0, false},
	}
	return list
}

// reluGrad64 is the definition of ReLUGrad.
func reluGrad64(_, x, dy float64) float64 {
	switch {
	case x > 0:
		return dy
	case x <= 0:
		return 0
	}
	return x
}

// distance is the error of got in ulp of want; numbers that are not finite must be the same, zeros must agree in sign
// where the sign is defined.
func distance[T float](got T, want float64) float64 {
	switch g := float64(got); {
	case want != want || g != g:
		if want != want && g != g {
			return 0
		}
	case float64(T(want)) == g:
		return 0
	case !math.IsInf(g, 0) && !math.IsInf(want, 0):
		return math.Abs(g-want) / ulp[T](want)
	}
	return math.Inf(1)
}

// specials are the values at which functions tend to be wrong.
func specials[T float]() []T {
	limits := []float64{math.SmallestNonzeroFloat64, 0x1p-1022, math.MaxFloat64}
	if epsilon[T]() == 0x1p-24 {
		limits = []float64{math.SmallestNonzeroFloat32, 0x1p-126, math.MaxFloat32}
	}
	tiny, small, huge := T(limits[0]), T(limits[1]), T(limits[2])
	list := []T{0, tiny, 3 * tiny, small, small / 2, huge, 1, 0.5, 0.625, 0.6249999, 2, 3, 9, 9.0109, 9.1, 10, 17, 87,
		87.33654, 87.33655, 88, 88.02, 88.3762626647950,
		88.72283, 88.72284, 89, 100, 103, 103.2789, 103.9, 103.97208, 103.98, 104, 105,
		0.75179154, 0.7517916, 1.2784646, 0.6267915, 1.1534645, 4, 4.05, 13.5, 14.1, 14.79, 14.8, 15,
		3.1415927, 1.5707964, 2.3561945, 0x1p27, 0x1p28, 0x1.000002p28, 1e22,
		0.70710677, 0.7071068, 0.99999994, 1.0000001, 1e-3, 1e-8, 1e10, 1e30, 0.34657359, 0.34657362,
		T(math.Inf(1)), T(math.NaN())}
	for _, v := range list[:len(list)-1] {
		list = append(list, -v)
	}
	return list
}

func testSpecials[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	var x, y []T
	for _, v := range specials[T]() {
		for _, w := range specials[T]() {
			x, y = append(x, v), append(y, w)
		}
	}
	for _, f := range primitives[T]() {
		dst := append([]T(nil), y...)
		f.run(table, dst, x, y)
		for i := range x {
			want := f.want(float64(y[i]), float64(x[i]), float64(y[i]))
			if f.adds && math.IsInf(want, 0) != math.IsInf(float64(dst[i]), 0) {
				continue // a product that overflows before the sum does
			}
			limit := f.limit(path)
			if f.adds { // cancellation: half an ulp of the product
				limit += ulp[T](want-float64(y[i])) / ulp[T](want)
			}
			if d := distance(dst[i], want); d > limit {
				t.Fatalf("%s: x=%v y=%v: %v, want %v: %.3g ulp", f.name, x[i], y[i], dst[i], T(want), d)
			}
			if signed(f.name) && dst[i] == 0 && math.Signbit(float64(dst[i])) != math.Signbit(want) {
				t.Fatalf("%s: x=%v y=%v: the sign of zero is wrong", f.name, x[i], y[i])
			}
		}
	}
}

// signed reports whether the sign of a zero is defined.
func signed(name string) bool {
	switch name {
	case "Tanh", "ReLU", "Mul", "Scale", "Expm1", "Log1p", "SiLU", "Erf", "GELU", "Sin":
		return true
	}
	return false
}

func TestSpecialValues(t *testing.T) { paths(t, testSpecials[float32], testSpecials[float64]) }

const limit = 257 // the longest slice of the guard page tests

// fences lends slices at the end, or at the beginning, of n blocks of guarded memory.
func fences[T float](t *testing.T, n int) (tail, head func(i, n int) []T) {
	blocks := make([]*guard.Block, n)
	for i := range blocks {
		blocks[i] = guard.New(t, 8*limit)
	}
	tail = func(i, n int) []T { return guard.Tail[T](blocks[i], n) }
	head = func(i, n int) []T { return guard.Head[T](blocks[i], n) }
	return tail, head
}

// testLengths runs all lengths up to 257 beside guard pages, and wants the very bits that the elements have in a
// long slice.
func testLengths[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	r := rand.New(rand.NewPCG(1, uint64(path)))
	x, y, z := make([]T, limit), make([]T, limit), make([]T, limit)
	for i := range x {
		x[i], y[i], z[i] = T(3*r.NormFloat64()), T(r.NormFloat64()), T(r.NormFloat64())
	}
	tail, head := fences[T](t, 3)
	for _, f := range primitives[T]() {
		long := append([]T(nil), z...)
		f.run(table, long, x, y)
		for n := range limit + 1 {
			for _, at := range []func(i, n int) []T{tail, head} {
				from := (limit - n) / 2
				dst, a, b := at(0, n), at(1, n), at(2, n)
				copy(dst, z[from:])
				copy(a, x[from:])
				copy(b, y[from:])
				f.run(table, dst, a, b)
				for i, v := range dst {
					if math.Float64bits(float64(v)) != math.Float64bits(float64(long[from+i])) {
						t.Fatalf("%s: length %d: element %d is %v, in a longer slice %v", f.name, n, i, v, long[from+i])
					}
				}
			}
		}
	}
}

func TestLengthsAndPositions(t *testing.T) { paths(t, testLengths[float32], testLengths[float64]) }

// testAliases lets the destination be an operand.
func testAliases[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	for n := range 70 {
		x, y := make([]T, n), make([]T, n)
		for i := range x {
			x[i], y[i] = T(i)/7-3, T(i)/5+1
		}
		for _, f := range primitives[T]() {
			if f.adds {
				continue
			}
			want := make([]T, n)
			f.run(table, want, x, y)
			inX, inY := append([]T(nil), x...), append([]T(nil), y...)
			f.run(table, inX, inX, y)
			f.run(table, inY, x, inY)
			for i := range want {
				if distance(inX[i], float64(want[i])) != 0 || distance(inY[i], float64(want[i])) != 0 {
					t.Fatalf(
						"%s: length %d: element %d is %v in x, %v in y, want %v",
						f.name,
						n,
						i,
						inX[i],
						inY[i],
						want[i],
					)
				}
			}
		}
	}
}

func TestDestinationMayBeAnOperand(t *testing.T) {
	paths(t, testAliases[float32], testAliases[float64])
}

// testReductions compares with float64 sums, beside guard pages.
func testReductions[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	r := rand.New(rand.NewPCG(2, uint64(path)))
	tail, head := fences[T](t, 3)
	for n := range limit + 1 {
		for _, at := range []func(i, n int) []T{tail, head} {
			x, y := at(0, n), at(1, n)
			var sum, sumAbs, dot, dotAbs float64
			largest := math.Inf(-1)
			for i := range x {
				x[i], y[i] = T(r.NormFloat64()), T(r.NormFloat64())
				v, w := float64(x[i]), float64(y[i])
				sum, sumAbs = sum+v, sumAbs+math.Abs(v)
				dot, dotAbs = dot+v*w, dotAbs+math.Abs(v*w)
				largest = max(largest, v)
			}
			bound := float64(n+2) * epsilon[T]() * 1.01
			if got := float64(table.Sum(x)); !(math.Abs(got-sum) <= bound*sumAbs) {
				t.Fatalf("Sum of %d: %v, want %v", n, got, sum)
			}
			if got := float64(table.Dot(x, y)); !(math.Abs(got-dot) <= bound*dotAbs) {
				t.Fatalf("Dot of %d: %v, want %v", n, got, dot)
			}
			if got := float64(table.Max(x)); got != largest {
				t.Fatalf("Max of %d: %v, want %v", n, got, largest)
			}
		}
	}
}

func TestReductions(t *testing.T) { paths(t, testReductions[float32], testReductions[float64]) }

// testReductionSpecials puts a special value at every place of slices of all lengths up to 70.
func testReductionSpecials[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	nan, inf := T(math.NaN()), T(math.Inf(1))
	for n := 1; n < 70; n++ {
		x, ones := make([]T, n), make([]T, n)
		for i := range ones {
			ones[i] = 1
		}
		for i := range x {
			for j := range x {
				x[j] = -T(j) - 2
			}
			x[i] = -1
			if got := table.Max(x); got != -1 {
				t.Fatalf("length %d: Max = %v, want the −1 at %d", n, got, i)
			}
			for _, v := range []T{nan, inf} {
				x[i] = v
				if got := table.Max(x); distance(got, float64(v)) != 0 {
					t.Fatalf("length %d: Max = %v with %v at %d", n, got, v, i)
				}
				if got := table.Sum(x); distance(got, float64(v)) != 0 {
					t.Fatalf("length %d: Sum = %v with %v at %d", n, got, v, i)
				}
				if got := table.Dot(ones, x); distance(got, float64(v)) != 0 {
					t.Fatalf("length %d: Dot = %v with %v at %d", n, got, v, i)
				}
			}
		}
		for i := range x {
			x[i] = -inf
		}
		if got := table.Max(x); got != -inf {
			t.Fatalf("length %d: Max of −Inf = %v", n, got)
		}
	}
}

func TestReductionsOfSpecialValues(t *testing.T) {
	paths(t, testReductionSpecials[float32], testReductionSpecials[float64])
}

func testLengthsDiffer[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	for _, f := range primitives[T]() {
		func() {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, "vec: "+f.name+": lengths 3") {
					t.Errorf("%s of unequal lengths: %s", f.name, v)
				}
			}()
			f.run(table, make([]T, 3), make([]T, 4), make([]T, 3))
		}()
	}
	defer func() {
		if v := fmt.Sprint(recover()); v != "vec: Dot: lengths 3 and 4 differ" {
			t.Errorf("Dot of unequal lengths: %s", v)
		}
	}()
	table.Dot(make([]T, 3), make([]T, 4))
}

func TestUnequalLengthsPanic(t *testing.T) {
	paths(t, testLengthsDiffer[float32], testLengthsDiffer[float64])
}

func testAllocations[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	x, y, dst := make([]T, 100), make([]T, 100), make([]T, 100)
	for _, f := range primitives[T]() {
		if n := testing.AllocsPerRun(10, func() { f.run(table, dst, x, y) }); n != 0 {
			t.Errorf("%s: %v allocations", f.name, n)
		}
	}
}

func TestNoAllocations(t *testing.T) { paths(t, testAllocations[float32], testAllocations[float64]) }
