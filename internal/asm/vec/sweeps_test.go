package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"ganglion/internal/cpu"
)

// testAdam compares all paths with the Go path bit by bit, for all lengths beside guard pages, in place and not.
func testAdam[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(3, 3))
	tail, head := fences[T](t, 7)
	c := AdamConstants[T]{0.9, 0.1, 0.999, 0.001, 0.9999, 0.01, 1.3, 1e-8}
	for n := range limit + 1 {
		for _, at := range []func(i, n int) []T{tail, head} {
			var in, out [3][]T
			for i := range in {
				in[i], out[i] = at(i, n), at(3+i, n)
				for j := range in[i] {
					in[i][j] = T(r.NormFloat64())
				}
			}
			g := at(6, n)
			for j := range g {
				g[j], in[2][j] = T(r.NormFloat64()), T(math.Abs(float64(in[2][j])))
			}
			if n > 2 {
				g[1], g[2], in[2][2] = T(math.NaN()), 0, 0
			}
			clone := func(x []T) []T { return append([]T(nil), x...) }
			want := AdamState[T]{clone(in[0]), clone(in[1]), clone(in[2])}
			For[T](cpu.Go).Adam(c, want, want, g)
			from, to := AdamState[T]{in[0], in[1], in[2]}, AdamState[T]{out[0], out[1], out[2]}
			For[T](path).Adam(c, to, from, g)
			For[T](path).Adam(c, from, from, g)
			for i, w := range [][]T{want.P, want.M, want.V} {
				for j := range w {
					if distance(in[i][j], float64(w[j])) != 0 || distance(out[i][j], float64(w[j])) != 0 {
						t.Fatalf(
							"length %d: part %d of element %d is %v, in place %v, want %v",
							n,
							i,
							j,
							out[i][j],
							in[i][j],
							w[j],
						)
					}
				}
			}
		}
	}
}

func TestAdam(t *testing.T) { paths(t, testAdam[float32], testAdam[float64]) }

// The formula itself, in float64.
func TestAdamFormula(t *testing.T) {
	const rate, b1, b2, eps, decay, step = 0.01, 0.9, 0.999, 1e-8, 0.1, 3.0
	c := AdamConstants[float64]{b1, 1 - b1, b2, 1 - b2, 1 - rate*decay, rate / (1 - math.Pow(b1, step)),
		1 / math.Sqrt(1-math.Pow(b2, step)), eps}
	p, m, v, g := 0.7, 0.2, 0.05, -0.4
	s := AdamState[float64]{[]float64{p}, []float64{m}, []float64{v}}
	for _, path := range cpu.Paths() {
		to := AdamState[float64]{make([]float64, 1), make([]float64, 1), make([]float64, 1)}
		F64(path).Adam(c, to, s, []float64{g})
		m1, v1 := b1*m+(1-b1)*g, b2*v+(1-b2)*g*g
		p1 := p - rate*decay*p - rate*(m1/(1-math.Pow(b1, step)))/(math.Sqrt(v1/(1-math.Pow(b2, step)))+eps)
		for i, w := range []float64{p1, m1, v1} {
			if got := [][]float64{to.P, to.M, to.V}[i][0]; math.Abs(got-w) > 1e-15 {
				t.Errorf("%v: part %d is %v, want %v", path, i, got, w)
			}
		}
	}
}

func testSweepAllocations[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	x, y := make([]T, 50), make([]T, 50)
	s := AdamState[T]{x, x, x}
	c := AdamConstants[T]{0.9, 0.1, 0.999, 0.001, 0.9999, 0.01, 1.3, 1e-8}
	if n := testing.AllocsPerRun(10, func() {
		table.Softmax(y, x)
		x[0] = T(table.SumSquares(y))
		table.Adam(c, s, s, y)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSweepsDoNotAllocate(t *testing.T) {
	paths(t, testSweepAllocations[float32], testSweepAllocations[float64])
}

// testExpSum compares the exponentials with Exp and the sum with their sum, beside guard pages.
func testExpSum[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	r := rand.New(rand.NewPCG(4, 4))
	tail, head := fences[T](t, 2)
	for n := range limit + 1 {
		for _, at := range []func(i, n int) []T{tail, head} {
			x, dst, want := at(0, n), at(1, n), make([]T, n)
			shift, sum := T(1.5), 0.0
			for i := range x {
				x[i] = T(3 * r.NormFloat64())
				want[i] = x[i] - shift
			}
			table.Exp(want, want)
			for _, w := range want {
				sum += float64(w)
			}
			got := table.ExpSum(dst, x, shift)
			if math.Abs(float64(got)-sum) > float64(n)*epsilon[T]()*sum {
				t.Fatalf("length %d: sum %v, want %v", n, got, sum)
			}
			again := table.ExpSum(x, x, shift)
			for i, w := range want {
				if dst[i] != w || x[i] != w || again != got {
					t.Fatalf("length %d: element %d is %v, in place %v, want %v", n, i, dst[i], x[i], w)
				}
			}
		}
	}
}

func TestExpSum(t *testing.T) { paths(t, testExpSum[float32], testExpSum[float64]) }

func testSoftmax[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	r := rand.New(rand.NewPCG(5, 5))
	for n := range 70 {
		x, dst := make([]T, n), make([]T, n)
		top, sum := math.Inf(-1), 0.0
		for i := range x {
			x[i] = T(5*r.NormFloat64()) + 1000 // would overflow
			top = max(top, float64(x[i]))
		}
		for _, v := range x {
			sum += math.Exp(float64(v) - top)
		}
		table.Softmax(dst, x)
		for i, v := range x {
			want := math.Exp(float64(v)-top) / sum
			if !(math.Abs(float64(dst[i])-want) <= float64(n+8)*2*epsilon[T]()*want) {
				t.Fatalf("length %d: element %d is %v, want %v", n, i, dst[i], want)
			}
		}
	}
	for _, bad := range [][]float64{{1, math.NaN(), 2}, {1, math.Inf(1), 2}, {math.Inf(-1), math.Inf(-1)}} {
		dst := make([]T, len(bad))
		for i, v := range bad {
			dst[i] = T(v)
		}
		table.Softmax(dst, dst)
		for i, v := range dst {
			if v == v {
				t.Errorf("softmax of %v: element %d is %v, want NaN", bad, i, v)
			}
		}
	}
	dst := make([]T, 2)
	if table.Softmax(dst, []T{T(math.Inf(-1)), 3}); dst[0] != 0 || dst[1] != 1 {
		t.Errorf("softmax of −Inf and 3: %v", dst)
	}
}

func TestSoftmax(t *testing.T) { paths(t, testSoftmax[float32], testSoftmax[float64]) }

func testSumSquares[T float](t *testing.T, path cpu.Path) {
	table := For[T](path)
	r := rand.New(rand.NewPCG(6, 6))
	tail, head := fences[T](t, 1)
	for n := range limit + 1 {
		for _, at := range []func(i, n int) []T{tail, head} {
			x, want := at(0, n), 0.0
			for i := range x {
				x[i] = T(r.NormFloat64())
				want += float64(x[i]) * float64(x[i])
			}
			if got := table.SumSquares(x); math.Abs(got-want) > float64(n)*0x1p-53*want {
				t.Fatalf("length %d: %v, want %v", n, got, want)
			}
		}
	}
	long := make([]T, 3*16384+5) // several blocks
	for i := range long {
		long[i] = T(i%3) - 1
	}
	if got, want := table.SumSquares(long), float64(len(long)-(len(long)+1)/3); got != want {
		t.Errorf("sum of squares of %d numbers: %v, want %v", len(long), got, want)
	}
	if epsilon[T]() == 0x1p-24 {
		huge := float64(T(3e38))
		if got := table.SumSquares([]T{T(huge)}); got != huge*huge {
			t.Errorf("the square of 3e38 is %v", got)
		}
	}
	if got := table.SumSquares([]T{1, T(math.NaN())}); got == got {
		t.Errorf("the square of NaN is %v", got)
	}
}

func TestSumSquares(t *testing.T) { paths(t, testSumSquares[float32], testSumSquares[float64]) }
