package random

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"ganglion/kernels"
)

type filler interface {
	Fill(t kernels.Tensor, seed uint64, stream uint32) error
}

func filled(t *testing.T, f filler, seed uint64, stream uint32, shape ...int) []float64 {
	t.Helper()
	x := kernels.New(kernels.S(kernels.Float64, shape...))
	for i := range x.F64 {
		x.F64[i] = math.NaN()
	}
	if err := f.Fill(x, seed, stream); err != nil {
		t.Fatal(err)
	}
	for i, v := range x.F64 {
		if math.IsNaN(v) {
			t.Fatalf("%+v: element %d was not set", f, i)
		}
	}
	return x.F64
}

var fillers = []filler{Zeros{}, Constant{Value: 2}, Uniform{Lo: -1, Hi: 1}, Normal{Std: 1}, Glorot{},
	Glorot{Normal: true}, He{},
	He{Normal: true, Gain: 2}, Orthogonal{}, SpectralRadius{Rho: 0.9}}

// Equal seeds and streams give equal values, others give others; float32 holds the same numbers, rounded; nothing is
// left unset.
func TestFillIsAFunctionOfSeedAndStream(t *testing.T) {
	for _, f := range fillers {
		_, zeros := f.(Zeros)
		_, constant := f.(Constant)
		for _, n := range []int{0, 1, 2, 7} {
			a := filled(t, f, 1, 2, n, n)
			if !slices.Equal(a, filled(t, f, 1, 2, n, n)) {
				t.Errorf("%+v [%d, %d]: one seed gave two values", f, n, n)
			}
			narrow := kernels.New(kernels.S(kernels.Float32, n, n))
			if err := f.Fill(narrow, 1, 2); err != nil {
				t.Fatal(err)
			}
			for i, v := range narrow.F32 {
				if v != float32(a[i]) {
					t.Errorf("%+v: element %d is %v in float32, %v in float64", f, i, v, a[i])
				}
			}
			if zeros || constant || n < 2 {
				continue
			}
			for _, other := range [][]float64{filled(t, f, 2, 2, n, n), filled(t, f, 1, 3, n, n),
				filled(t, f, 1<<32+1, 2, n, n)} {
				if slices.Equal(a, other) {
					t.Errorf("%+v [%d, %d]: another seed or stream gave the same values", f, n, n)
				}
			}
		}
	}
}

// The golden numbers fix the streams: a change here changes every model that anybody has trained.
func TestFillGolden(t *testing.T) {
	got := fmt.Sprintf("%.6f %.6f", filled(t, Uniform{Hi: 1}, 42, 7, 3), filled(t, Normal{Std: 1}, 42, 7, 3))
	if want := "[0.771734 0.405882 0.750061] [-0.597632 0.401330 -0.511590]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConstants(t *testing.T) {
	if x := filled(t, Zeros{}, 1, 1, 2, 3); !slices.Equal(x, make([]float64, 6)) {
		t.Errorf("zeros: %v", x)
	}
	if x := filled(t, Constant{Value: -2.5}, 1, 1, 3); !slices.Equal(x, []float64{-2.5, -2.5, -2.5}) {
		t.Errorf("constant: %v", x)
	}
}

func TestVariances(t *testing.T) {
	for _, c := range []struct {
		f     filler
		shape []int
		std   float64
	}{
		{Glorot{}, []int{300, 100}, math.Sqrt(2.0 / 400)}, {Glorot{Normal: true, Gain: 3}, []int{300, 100},
			3 * math.Sqrt(2.0/400)},
		{He{}, []int{300, 100}, math.Sqrt(2.0 / 300)}, {He{Normal: true}, []int{3, 300, 100}, math.Sqrt(2.0 / 300)},
	} {
		x := filled(t, c.f, 3, 0, c.shape...)
		mean, variance, _ := moments(x)
		if math.Abs(mean) > 5*c.std/math.Sqrt(float64(len(x))) || math.Abs(math.Sqrt(variance)/c.std-1) > 0.02 {
			t.Errorf("%+v: mean %v, standard deviation %v, want %v", c.f, mean, math.Sqrt(variance), c.std)
		}
		if limit := math.Sqrt(3) * c.std; c.f == (Glorot{}) && slices.Max(x) > limit {
			t.Errorf("%+v: %v is above %v", c.f, slices.Max(x), limit)
		}
	}
}

func TestOrthogonal(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {5, 5}, {7, 3}, {3, 7}, {1, 9}, {40, 40}} {
		for _, gain := range []float64{1, 2} {
			q := mat.NewDense(s[0], s[1], filled(t, Orthogonal{Gain: gain}, 5, 1, s[0], s[1]))
			var gram mat.Dense
			if s[0] >= s[1] {
				gram.Mul(q.T(), q)
			} else {
				gram.Mul(q, q.T())
			}
			n, _ := gram.Dims()
			for i := range n {
				gram.Set(i, i, gram.At(i, i)-gain*gain)
			}
			if e := mat.Max(&gram) - mat.Min(&gram); e > 1e-13 {
				t.Errorf("%v gain %v: products of rows are off by %v", s, gain, e)
			}
		}
	}
}

// largest is the largest modulus of an eigenvalue, by gonum.
func largest(t *testing.T, a []float64, n int) float64 {
	t.Helper()
	var eig mat.Eigen
	if !eig.Factorize(mat.NewDense(n, n, append([]float64(nil), a...)), mat.EigenNone) {
		t.Fatal("no eigenvalues")
	}
	rho := 0.0
	for _, v := range eig.Values(nil) {
		rho = max(rho, cmplx.Abs(v))
	}
	return rho
}

func TestSpectralRadius(t *testing.T) {
	worst := 0.0
	for seed := range uint64(12) {
		for _, n := range []int{2, 3, 5, 10, 33, 100} {
			a := filled(t, SpectralRadius{Rho: 0.9}, seed, 3, n, n)
			for i := range n {
				if a[i*n+i] != 0 {
					t.Fatalf("n=%d: the diagonal is not zero", n)
				}
			}
			e := math.Abs(largest(t, a, n)/0.9 - 1)
			if worst = max(worst, e); e > 0.01 {
				t.Errorf("n=%d seed=%d: the radius is off by %v", n, seed, e)
			}
		}
	}
	t.Logf("worst relative error %.2g", worst)
	if x := filled(t, SpectralRadius{Rho: 3}, 1, 1, 1, 1); x[0] != 0 {
		t.Errorf("one node: %v", x)
	}
}

// The estimate on matrices with known eigenvalues, rotations among them, for which the power method does not converge.
func TestRadius(t *testing.T) {
	sin, cos := math.Sincos(1)
	for _, c := range []struct {
		name string
		a    []float64
		n    int
		want float64
	}{
		{"rotation", []float64{2 * cos, -2 * sin, 2 * sin, 2 * cos}, 2, 2},
		{"opposite eigenvalues", []float64{0, 3, 3, 0}, 2, 3},
		{"not normal", []float64{0.5, 1000, 0, -0.5}, 2, 0.5},
		{"Jordan block", []float64{0.5, 1, 0, 0.5}, 2, 0.5},
		{"nilpotent", []float64{0, 1, 0, 0}, 2, 0},
		{"tiny", []float64{1e-200, 0, 0, 1e-210}, 2, 1e-200},
		{"huge", []float64{1e150, 0, 0, 1}, 2, 1e150},
	} {
		if got := radius(c.a, c.n); math.Abs(got-c.want) > 0.001*c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestFillErrors(t *testing.T) {
	matrix := kernels.New(kernels.S(kernels.Float64, 2, 3))
	vector := kernels.New(kernels.S(kernels.Float32, 3))
	for _, c := range []struct {
		f    filler
		t    kernels.Tensor
		want string
	}{
		{Glorot{}, vector, "Glorot: float32(3) has no input and output dimension"},
		{He{}, vector, "He: float32(3) has no input and output dimension"},
		{Orthogonal{}, vector, "float32(3) is not a matrix"},
		{SpectralRadius{Rho: 1}, matrix, "float64(2 3) is not a square matrix"},
		{SpectralRadius{Rho: math.NaN()}, kernels.New(kernels.S(kernels.Float64, 2, 2)),
			"the radius NaN must not be negative"},
	} {
		if err := c.f.Fill(c.t, 1, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.f, err, c.want)
		}
	}
	for _, f := range fillers {
		ints := kernels.New(kernels.S(kernels.Int32, 2, 2))
		if err := f.Fill(ints, 1, 1); err == nil || !strings.Contains(err.Error(),
			"int32(2 2) cannot hold initial values") {
			t.Errorf("%+v: error %v for integers", f, err)
		}
	}
}

func BenchmarkSpectralRadius(b *testing.B) {
	for _, n := range []int{100, 300} {
		x := kernels.New(kernels.S(kernels.Float32, n, n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if err := (SpectralRadius{Rho: 0.9}).Fill(x, 1, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
