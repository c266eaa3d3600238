package act

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// functions lists all of them.
func functions() []Func {
	var list []Func
	for f := Identity; Valid(f, 0); f++ {
		list = append(list, f)
	}
	return list
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range functions() {
		name := Name(f)
		if name == "" || name != strings.ToLower(name) || seen[name] {
			t.Errorf("function %d has the name %q", f, name)
		}
		seen[name] = true
		for _, s := range []string{name, strings.ToUpper(name)} {
			if got, err := Parse(s); got != f || err != nil {
				t.Errorf("Parse(%q) = %d, %v; want %d", s, got, err, f)
			}
		}
	}
	if n := len(functions()); n != 27 || len(Names()) != n {
		t.Errorf("%d functions, %d names", n, len(Names()))
	}
	_, err := Parse("tanhh")
	if err == nil || !strings.Contains(err.Error(), `unknown function "tanhh" (known: identity, tanh, sigmoid, `) {
		t.Errorf("error %v does not name the function and the known ones", err)
	}
	if Name(Floor+1) != "act.Func(27)" {
		t.Errorf("an unknown function is called %q", Name(Floor+1))
	}
}

func TestValid(t *testing.T) {
	for _, c := range []struct {
		f     Func
		order int
		want  bool
	}{{Identity, 0, true}, {Floor, 2, true}, {Floor, 3, false}, {Floor, -1, false}, {Floor + 1, 0, false},
		{255, 0, false}} {
		if got := Valid(c.f, c.order); got != c.want {
			t.Errorf("Valid(%d, %d) = %v", c.f, c.order, got)
		}
	}
}

// points are smooth places of f's domain.
func points(f Func) []float64 {
	switch f {
	case Log, Sqrt, InvSqrt, Log2:
		return []float64{0.01, 0.3, 1, 2.5, 40}
	case Log1p:
		return []float64{-0.9, -0.1, 0.01, 1, 40}
	}
	return []float64{-7.3, -2.5, -1.01, -0.3, -0.01, 0.01, 0.3, 1.01, 2.5, 7.3}
}

// Each order must be the derivative of the one before it.
func TestDerivatives(t *testing.T) {
	for _, f := range functions() {
		for order := 1; order < Orders; order++ {
			for _, x := range points(f) {
				h := 1e-4 * max(0.1, math.Abs(x))
				if f == Log || f == Sqrt || f == InvSqrt || f == Log2 || f == Inv {
					h = 1e-4 * math.Abs(x)
				}
				at := func(s float64) float64 { return Eval(f, order-1, x+s*h) }
				want := (8*(at(1)-at(-1)) - (at(2) - at(-2))) / (12 * h)
				if got := Eval(f, order, x); math.Abs(got-want) > 1e-8*(1+math.Abs(got)) {
					t.Errorf("%s, order %d, at %v: %v, difference quotient %v", Name(f), order, x, got, want)
				}
			}
		}
	}
}

// Values known from tables or by hand.
func TestValues(t *testing.T) {
	const sqrt2, e = math.Sqrt2, math.E
	for _, c := range []struct {
		f       Func
		x, want float64
	}{
		{Identity, -2, -2}, {Tanh, 1, 0.7615941559557649}, {Sigmoid, 0, 0.5}, {Sigmoid, math.Log(3), 0.75},
		{ReLU, -2, 0}, {ReLU, 2, 2},
		{LeakyReLU, -2, -0.02}, {LeakyReLU, 2, 2}, {ELU, -1, 1/e - 1}, {ELU, 2, 2}, {Softplus, 0, math.Ln2},
		{GELU, 1, 0.8413447460685429},
		{GELU, -1, -0.15865525393145707}, {SiLU, 1, 0.7310585786300049}, {Mish, 1, 0.8650983882673103},
		{Sin, 1, math.Sin(1)},
		{Cos, 1, math.Cos(1)}, {Exp, 1, e}, {Log, e, 1}, {Sqrt, 2, sqrt2}, {Square, -3, 9}, {Abs, -3, 3},
		{Sign, -3, -1}, {Sign, 2, 1},
		{Sign, 0, 0}, {Neg, 3, -3}, {Inv, 4, 0.25}, {InvSqrt, 4, 0.5}, {Cube, -2, -8}, {Log1p, 1, math.Ln2},
		{Expm1, 1, e - 1},
		{Log, 0x1p-1074, -744.4400719213812}, {Log, 0x1p-1030, -1030 * math.Ln2}, {Log, 0x1p-1022, -1022 * math.Ln2},
		{Log2, 0x1p-1074, -1074}, {Log2, 8, 3}, {Ceil, 1.2, 2}, {Ceil, -1.2, -1}, {Floor, 1.2, 1}, {Floor, -1.2, -2},
	} {
		if got := Eval(c.f, 0, c.x); math.Abs(got-c.want) > 1e-15*max(1, math.Abs(c.want)) {
			t.Errorf("%s(%v) = %v, want %v", Name(c.f), c.x, got, c.want)
		}
	}
}

// What happens at kinks, at the ends of the range and with NaN.
func TestSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		f       Func
		order   int
		x, want float64
	}{
		{ReLU, 1, 0, 0}, {LeakyReLU, 1, 0, 0.01}, {ELU, 1, 0, 1}, {ELU, 2, 0, 1}, {Abs, 1, 0, 0},
		{Tanh, 0, inf, 1}, {Tanh, 0, -inf, -1}, {Tanh, 1, inf, 0}, {Tanh, 2, -inf, 0}, {Tanh, 1, 0, 1},
		{Sigmoid, 0, -inf, 0}, {Sigmoid, 0, inf, 1}, {Sigmoid, 1, inf, 0}, {Sigmoid, 0, -745, 5e-324},
		{Softplus, 0, 1000, 1000}, {Softplus, 0, -1000, 0}, {Softplus, 0, inf, inf}, {Softplus, 1, -inf, 0},
		{GELU, 0, -inf, 0}, {GELU, 0, inf, inf}, {GELU, 1, -inf, 0}, {GELU, 1, inf, 1}, {GELU, 2, inf, 0},
		{GELU, 2, -inf, 0},
		{SiLU, 0, -inf, 0}, {SiLU, 0, inf, inf}, {SiLU, 1, -inf, 0}, {SiLU, 1, inf, 1}, {SiLU, 2, inf, 0},
		{Mish, 0, -inf, 0}, {Mish, 0, inf, inf}, {Mish, 1, -inf, 0}, {Mish, 1, inf, 1}, {Mish, 2, -inf, 0},
		{Mish, 2, inf, 0},
		{ELU, 0, -inf, -1}, {Exp, 0, 1000, inf}, {Exp, 0, -inf, 0}, {Log, 0, 0, -inf}, {Log, 0, -1, nan},
		{Sqrt, 0, -1, nan},
		{Inv, 0, 0, inf}, {InvSqrt, 0, 0, inf}, {Log1p, 0, -1, -inf},
	} {
		got := Eval(c.f, c.order, c.x)
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s, order %d, at %v: %v, want %v", Name(c.f), c.order, c.x, got, c.want)
		}
	}
	if !math.Signbit(Eval(Tanh, 0, math.Copysign(0, -1))) {
		t.Error("tanh −0 is +0")
	}
	for _, f := range functions() {
		if got := Eval(f, 0, nan); !math.IsNaN(got) {
			t.Errorf("%s of NaN is %v", Name(f), got)
		}
	}
}

func TestPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"eval":      func() { Eval(Tanh, 3, 1) },
		"function":  func() { Eval(Floor+1, 0, 1) },
		"apply":     func() { Apply(cpu.Go, Tanh, -1, []float64{0}, []float64{0}) },
		"lengths":   func() { Apply(cpu.Go, Tanh, 0, []float64{0, 0}, []float64{0}) },
		"lipschitz": func() { Lipschitz(200) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: a call with wrong arguments passed", name)
				}
			}()
			f()
		}()
	}
}

// The constant must bound every slope, and be reached to 1e-6 where it is finite.
func TestLipschitz(t *testing.T) {
	for _, f := range functions() {
		bound, steepest := Lipschitz(f), 0.0
		if math.IsInf(bound, 1) {
			continue
		}
		for x := -20.0; x <= 20; x += 1.0 / 4096 {
			steepest = max(steepest, math.Abs(Eval(f, 1, x)))
		}
		if steepest > bound || steepest < bound*(1-1e-6) {
			t.Errorf("%s: steepest slope %v, Lipschitz constant %v", Name(f), steepest, bound)
		}
	}
	for _, f := range []Func{Exp, Log, Sqrt, Square, Sign, Inv, InvSqrt, Cube, Log1p, Expm1, Log2, Ceil, Floor} {
		if !math.IsInf(Lipschitz(f), 1) {
			t.Errorf("%s: %v, want no bound", Name(f), Lipschitz(f))
		}
	}
}

// arguments are float32 numbers all over the range, with every special one.
func arguments() []float32 {
	var x []float32
	for bits := uint64(0); bits < 1<<32; bits += 65521 * 11 {
		x = append(x, math.Float32frombits(uint32(bits)))
	}
	for i := range 4000 {
		x = append(x, float32(i-2000)/100)
	}
	inf := float32(math.Inf(1))
	return append(x, 0, float32(math.Copysign(0, -1)), 1, -1, inf, -inf, float32(math.NaN()),
		math.SmallestNonzeroFloat32, math.MaxFloat32)
}

// distance is |got − want| in units of the last place of want as float32; 0 for equal values, NaN included.
func distance(got float32, want float64) float64 {
	w := float32(want)
	if got == w || got != got && w != w {
		return 0
	}
	if w != w || got != got || math.IsInf(float64(w), 0) != math.IsInf(float64(got), 0) {
		// A value that rounds to the largest number or to infinity may do either.
		if math.Abs(float64(got)) >= math.MaxFloat32 && math.Abs(want) > math.MaxFloat32*(1-1e-6) {
			return 1
		}
		return math.Inf(1)
	}
	ulp := math.Abs(float64(math.Nextafter32(w, float32(math.Inf(1))) - w))
	return math.Abs(float64(got)-want) / max(ulp, math.SmallestNonzeroFloat32)
}

// Apply in float32 stays within 4 ulp of Eval on every path, for every function and order; in place as well.
func TestApplyFloat32(t *testing.T) {
	x := arguments()
	y := make([]float32, len(x))
	for _, path := range cpu.Paths() {
		for _, f := range functions() {
			for order := range Orders {
				Apply(path, f, order, y, x)
				worst, at := 0.0, float32(0)
				for i, v := range x {
					if d := distance(y[i], Eval(f, order, float64(v))); d > worst {
						worst, at = d, v
					}
				}
				if worst > 4 {
					t.Errorf("%s order %d on %v: %v ulp at %v: %v", Name(f), order, path, worst, at,
						Eval(f, order, float64(at)))
				}
				z := append([]float32(nil), x...)
				Apply(path, f, order, z, z)
				for i := range z {
					if math.Float32bits(z[i]) != math.Float32bits(y[i]) && (z[i] == z[i] || y[i] == y[i]) {
						t.Fatalf("%s order %d on %v: in place %v, else %v", Name(f), order, path, z[i], y[i])
					}
				}
			}
		}
	}
}

// In float64 the value is Eval's to 4 ulp, wherever the element stands and however long the slice is.
func TestApplyFloat64(t *testing.T) {
	var x []float64
	for _, v := range arguments()[6000:] {
		x = append(x, float64(v))
	}
	y := make([]float64, len(x))
	for _, path := range cpu.Paths() {
		for _, f := range functions() {
			for order := range Orders {
				Apply(path, f, order, y, x)
				for i, v := range x {
					want := Eval(f, order, v)
					if y[i] != want && !(math.Abs(y[i]-want) <= 4*0x1p-52*math.Abs(want)) &&
						(y[i] == y[i] || want == want) {
						t.Fatalf("%s order %d on %v at %v: %v, want %v", Name(f), order, path, v, y[i], want)
					}
				}
			}
		}
	}
}

func TestApplyDoesNotDependOnPosition(t *testing.T) {
	x := arguments()[6000:6100]
	whole, one := make([]float32, len(x)), make([]float32, 1)
	for _, path := range cpu.Paths() {
		for _, f := range functions() {
			for order := range Orders {
				Apply(path, f, order, whole, x)
				for i := range x {
					Apply(path, f, order, one, x[i:i+1])
					if math.Float32bits(one[0]) != math.Float32bits(whole[i]) &&
						(one[0] == one[0] || whole[i] == whole[i]) {
						t.Fatalf("%s order %d on %v: %v alone, %v among others", Name(f), order, path, one[0], whole[i])
					}
				}
				Apply(path, f, order, nil, []float32{})
			}
		}
	}
}

func benchmark[T kernels.Float](b *testing.B, f Func, order int) {
	x, y := make([]T, 4096), make([]T, 4096)
	for i := range x {
		x[i] = T(i%200)/20 - 5
	}
	b.ReportAllocs()
	for b.Loop() {
		Apply(cpu.Best(), f, order, y, x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(x)), "ns/element")
}

func BenchmarkApply(b *testing.B) {
	for _, f := range functions() {
		for order := range Orders {
			b.Run(fmt.Sprintf("%s/%d/float32", Name(f), order), func(b *testing.B) { benchmark[float32](b, f, order) })
			b.Run(fmt.Sprintf("%s/%d/float64", Name(f), order), func(b *testing.B) { benchmark[float64](b, f, order) })
		}
	}
}
