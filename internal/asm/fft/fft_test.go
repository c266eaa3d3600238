package fft

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/asm/guard"
	"ganglion/internal/cpu"
	"ganglion/internal/philox"
)

// matrix is entry (k, j) of a transform of length n.
func matrix(kind Kind, k, j, n int) float64 {
	r, q := realPlanes(n)
	switch {
	case kind == DCT && k == 0:
		return math.Sqrt(1 / float64(n))
	case kind == DCT:
		return math.Sqrt(2/float64(n)) * math.Cos(math.Pi*float64(2*j+1)*float64(k)/float64(2*n))
	case kind == DFT && k < r:
		return math.Cos(2 * math.Pi * float64(k*(n/2)*j%n) / float64(n))
	case kind == DFT && k < r+q:
		return math.Cos(2 * math.Pi * float64((k-r+1)*j%n) / float64(n))
	case kind == DFT:
		return -math.Sin(2 * math.Pi * float64((k-r-q+1)*j%n) / float64(n))
	case k == 0:
		return math.Sqrt(1 / float64(n))
	}
	length := n
	for rows := 1; k >= 2*rows; rows *= 2 {
		length /= 2
	}
	from := (k - n/length) * length
	switch {
	case j < from || j >= from+length:
		return 0
	case j < from+length/2:
		return math.Sqrt(1 / float64(length))
	}
	return -math.Sqrt(1 / float64(length))
}

// lend returns numbers in [-1, 1) that end at a page nobody may touch.
func lend[T float32 | float64](t *testing.T, s *philox.Stream, n int) []T {
	x := guard.Tail[T](guard.New(t, n*8), n)
	for i := range x {
		x[i] = T(float64(s.Uint32())/(1<<31) - 1)
	}
	return x
}

// check compares a transform with the product with its matrix, and that nothing is written beside the columns.
func check[T float32 | float64](t *testing.T, kind Kind, n, columns int, real, complex, eps float64,
	run func(back bool, x []T, ldx int, y []T, ldy int)) {
	t.Helper()
	s := philox.New(uint64(n), uint32(columns), 0)
	r, _ := realPlanes(n)
	factor := func(plane int) float64 {
		switch {
		case kind != DFT:
			return 1
		case plane < r:
			return real
		}
		return complex
	}
	entries := make([]float64, n*n)
	for i := range entries {
		entries[i] = matrix(kind, i/n, i%n, n) * factor(i/n)
	}
	for _, back := range []bool{false, true} {
		ldx, ldy := columns+3, columns+1
		x, y := lend[T](t, &s, (n-1)*ldx+columns), lend[T](t, &s, (n-1)*ldy+columns)
		before := append([]T(nil), y...)
		run(back, x, ldx, y, ldy)
		for i := range n {
			for c := range columns {
				want := 0.0
				for j := range n {
					m := entries[i*n+j]
					if back {
						m = entries[j*n+i]
					}
					want += m * float64(x[j*ldx+c])
				}
				if got := float64(y[i*ldy+c]); !(math.Abs(got-want) <= eps*float64(n)) {
					t.Fatalf("n %d, %d columns, back %v: row %d, column %d is %v, want %v", n, columns, back, i, c, got,
						want)
				}
			}
			if i < n-1 && y[i*ldy+columns] != before[i*ldy+columns] {
				t.Fatalf("n %d, %d columns: row %d is written beside its columns", n, columns, i)
			}
		}
	}
}

func TestShort(t *testing.T) {
	for _, path := range cpu.Paths() {
		for kind := DFT; kind <= Haar; kind++ {
			found := 0
			for n := range 100 {
				f := NewShort(path, kind, n, 0.5, 0.25)
				if f == nil {
					continue
				}
				found++
				work := make([]float32, ShortWork)
				for _, columns := range []int{1, 5, f.lanes, 2*f.lanes + 3} {
					check(
						t,
						kind,
						n,
						columns,
						0.5,
						0.25,
						4e-7,
						func(back bool, x []float32, ldx int, y []float32, ldy int) {
							f.Run(back, columns, x, ldx, y, ldy, work)
						},
					)
				}
			}
			if (found == 0) != (path == cpu.Go) {
				t.Errorf("path %v has %d codelets of kind %d", path, found, kind)
			}
		}
	}
}

func TestLong(t *testing.T) {
	for _, path := range cpu.Paths() {
		t.Run(fmt.Sprintf("float32/%v", path), func(t *testing.T) { testLong[float32](t, path, 4e-7) })
		t.Run(fmt.Sprintf("float64/%v", path), func(t *testing.T) { testLong[float64](t, path, 1e-15) })
	}
}

func testLong[T float32 | float64](t *testing.T, path cpu.Path, eps float64) {
	lengths := []int{67, 72, 81, 105, 128, 130, 147, 192, 256}
	for n := 1; n <= 36; n++ {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		for _, kind := range []Kind{DFT, DCT} {
			l := NewLong[T](path, kind, n, 0.5, 0.25)
			work := make([]T, LongWork(n, size[T]()))
			for _, columns := range []int{1, l.Columns() - 1, l.Columns()} {
				check(t, kind, n, columns, 0.5, 0.25, eps, func(back bool, x []T, ldx int, y []T, ldy int) {
					l.Run(back, columns, x, ldx, y, ldy, work)
				})
			}
		}
	}
}

func TestMisfits(t *testing.T) {
	l := NewLong[float64](cpu.Go, DFT, 6, 1, 1)
	x, work := make([]float64, 12), make([]float64, LongWork(6, 8))
	for name, f := range map[string]func(){
		"rows":    func() { l.Run(false, 2, x[:11], 2, x, 2, work) },
		"pitch":   func() { l.Run(false, 2, x, 1, x, 2, work) },
		"columns": func() { l.Run(false, 99, x, 99, x, 99, work) },
		"work":    func() { l.Run(false, 2, x, 2, x, 2, work[1:]) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestSelfCheck(t *testing.T) {
	for _, path := range cpu.Paths() {
		if err := SelfCheck(path); err != nil {
			t.Error(err)
		}
	}
}

// A codelet or a stage that is wrong is found.
func TestSelfCheckFinds(t *testing.T) {
	for _, path := range cpu.Paths() {
		list, lanes := codelets(path)
		work := make([]float32, ShortWork)
		for _, c := range list {
			s := NewShort(path, c.kind, c.n, 0.5, 2)
			s.there, s.back = s.back, s.there
			if c.n > 2 && checkShort(s, lanes, work) == nil {
				t.Errorf("%v: the transposed codelet of kind %d and length %d passes", path, c.kind, c.n)
			}
		}
		l := NewLong[float64](path, DFT, 35, 0.5, 2)
		l.plan.roots[0][8] += 1e-6
		if checkLong(l, 1e-14) == nil {
			t.Errorf("%v: wrong roots pass", path)
		}
	}
}

func BenchmarkShort(b *testing.B) {
	for _, kind := range []Kind{DFT, DCT} {
		for _, n := range []int{4, 8, 16, 28, 32, 64} {
			b.Run(fmt.Sprint(kind, "/", n), func(b *testing.B) {
				s := NewShort(cpu.Best(), kind, n, 1, 1)
				if s == nil {
					b.Skip("no codelet")
				}
				x, y, work := make([]float32, n*64), make([]float32, n*64), make([]float32, ShortWork)
				for b.Loop() {
					s.Run(false, 64, x, 64, y, 64, work)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*64), "ns/element")
			})
		}
	}
}

func BenchmarkSelfCheck(b *testing.B) {
	for b.Loop() {
		if err := SelfCheck(cpu.Best()); err != nil {
			b.Fatal(err)
		}
	}
}
