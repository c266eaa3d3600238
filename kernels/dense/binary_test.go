package dense

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// pairs are shapes that broadcast: equal, bias, column, scalar, both repeated, nothing.
var pairs = [][2][]int{
	{{}, {}}, {{0}, {0}}, {{1}, {1}}, {{17}, {17}}, {{3, 5}, {3, 5}},
	{{4, 7}, {7}}, {{7}, {4, 7}}, {{4, 7}, {4, 1}}, {{4, 1}, {4, 7}}, {{4, 7}, {}}, {{}, {4, 7}}, {{4, 1}, {1, 7}},
	{{2, 3, 4, 5}, {3, 1, 5}}, {{2, 1, 4, 1}, {3, 1, 5}}, {{1, 3}, {3}}, {{0, 3}, {3}}, {{3, 0}, {3, 1}}, {{1}, {0}},
	{{5, 1, 1}, {5, 1, 1}}, {{2, 1, 2, 1, 2, 1, 2, 1}, {1, 2, 1, 2, 1, 2, 1, 2}},
}

func TestBinary(t *testing.T) {
	var cases []optest.Case
	for k := Add; k <= Ne; k++ {
		for _, p := range pairs {
			cases = append(cases, binaryCase(k, p[0], p[1]))
		}
	}
	big := [][2][]int{{{9000}, {9000}}, {{300, 70}, {70}}, {{70, 300}, {70, 1}}, {{9000}, {}}, {{}, {9000}},
		{{1200, 10}, {10}}}
	for _, p := range big {
		c := binaryCase(Sub, p[0], p[1])
		c.NoGrad = true // the rules are checked above
		cases = append(cases, c)
	}
	optest.Check(t, cases)
}

// binaryCase has operands that are positive where the function asks for it. Normal numbers of 53 bits are never equal,
// so that comparisons, Max and Min stay away from their jumps.
func binaryCase(k Kind, x, y []int) optest.Case {
	c := optest.Case{Name: fmt.Sprintf("%v/%v-%v", k, x, y), Op: Binary{Kind: k},
		In: []optest.Arg{optest.Normal(x...), optest.Normal(y...)}}
	if k == Div || k == Pow {
		c.In = []optest.Arg{optest.Uniform(0.5, 2, x...), optest.Uniform(0.5, 2, y...)}
	}
	return c
}

func TestBinaryValues(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		kind       Kind
		x, y, want float64
	}{
		{Max, 1, nan, nan}, {Max, nan, 1, nan}, {Min, nan, 1, nan}, {Max, -1, 2, 2}, {Min, -1, 2, -1},
		{Lt, 1, 2, 1}, {Lt, 2, 2, 0}, {Gt, 2, 1, 1}, {Gt, 2, 2, 0}, {Lte, 2, 2, 1}, {Lte, 3, 2, 0}, {Gte, 2, 2, 1},
		{Gte, 1, 2, 0},
		{Eq, 2, 2, 1}, {Eq, 2, 3, 0}, {Ne, 2, 2, 0}, {Ne, 2, 3, 1}, {Eq, nan, nan, 0}, {Ne, nan, nan, 1},
		{Lt, nan, 1, 0},
		{Pow, 2, 10, 1024}, {Pow, 0, 0, 1}, {Div, 1, 4, 0.25}, {Sub, 3, 5, -2},
	} {
		in := []kernels.Tensor{kernels.FromSlice([]float64{c.x}, 1), kernels.FromSlice([]float64{c.y}, 1)}
		out, err := kernels.RunRef(Binary{Kind: c.kind}, in)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.F64[0]; got != c.want && (got == got || c.want == c.want) {
			t.Errorf("%v(%v, %v) = %v, want %v", c.kind, c.x, c.y, got, c.want)
		}
	}
}

// The gradient of a power must be finite where base or exponent is zero.
func TestPowGradAtZero(t *testing.T) {
	for _, c := range []struct{ x, y, dx, dy float64 }{
		{0, 2, 0, 0}, {0, 1, 1, 0}, {0, 0, 0, 0}, {3, 0, 0, math.Log(3)}, {-2, 2, -4, nan()}, {2, 3, 12, 8 * math.Ln2},
	} {
		grads := gradients(t, Binary{Kind: Pow}, 1, kernels.FromSlice([]float64{c.x}, 1),
			kernels.FromSlice([]float64{c.y}, 1))
		for i, want := range []float64{c.dx, c.dy} {
			if got := grads[i].F64[0]; got != want && (got == got || want == want) {
				t.Errorf("x=%v y=%v: gradient %d is %v, want %v", c.x, c.y, i, got, want)
			}
		}
	}
}

func TestBinaryErrors(t *testing.T) {
	f := kernels.Float32
	optest.Errors(t, Binary{}, "shapes do not broadcast: [2 3] and [2 4]", kernels.S(f, 2, 3), kernels.S(f, 2, 4))
	optest.Errors(t, Binary{}, "shapes do not broadcast", kernels.S(f, 0), kernels.S(f, 2))
	optest.Errors(t, Binary{Kind: Mean}, "mean is not a binary operation", kernels.S(f, 2), kernels.S(f, 2))
	optest.Errors(t, Binary{}, "differ in type", kernels.S(f, 2), kernels.S(kernels.Float64, 2))
	long := []int{1, 1, 1, 1, 1, 1, 1, 1, 1}
	optest.Errors(t, Binary{}, "has 9 dimensions, at most 8", kernels.S(f, long...), kernels.S(f))
}

func BenchmarkBinary(b *testing.B) {
	var cases []optest.Case
	for _, k := range []Kind{Add, Mul, Div, Max, Gte} {
		for _, p := range [][2][]int{{{128, 512}, {128, 512}}, {{128, 512}, {512}}, {{1024, 10}, {10}},
			{{128, 512}, {}}} {
			cases = append(cases, binaryCase(k, p[0], p[1]))
		}
	}
	optest.Bench(b, cases)
}
