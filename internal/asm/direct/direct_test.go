package direct

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

// floats returns n random numbers; one of ten is special.
func (a *arena[T]) floats(n int, special bool) []T {
	s := guard.Tail[T](guard.New(a.t, max(n, 1)*8), n)
	odd := []T{T(math.NaN()), T(math.Inf(1)), T(math.Inf(-1)), 0, T(math.Copysign(0, -1))}
	for i := range s {
		s[i] = T(float64(a.random.Uint32())/(1<<31) - 1)
		if special && a.random.Below(10) == 0 {
			s[i] = odd[a.random.Below(5)]
		}
	}
	return s
}

// near compares sums of products of numbers below 1; exact ones must have the same bits, but for NaN.
func near[T float32 | float64](t *testing.T, what string, got, want []T, terms int) {
	t.Helper()
	eps := 2.3e-16
	if T(1)+T(1e-9) == 1 {
		eps = 1.2e-7
	}
	for i, v := range want {
		if got[i] != got[i] && v != v {
			continue
		}
		bad := !(math.Abs(float64(got[i])-float64(v)) <= eps*float64(terms))
		if terms == 0 {
			bad = math.Float64bits(float64(got[i])) != math.Float64bits(float64(v))
		}
		if bad {
			t.Fatalf("%s: element %d is %v, the twin says %v", what, i, got[i], v)
		}
	}
}

func forAll(t *testing.T, f32 func(*testing.T, *Table[float32]), f64 func(*testing.T, *Table[float64])) {
	for _, path := range cpu.Paths() {
		if path == cpu.Go {
			if For[float32](path) != nil || For[float64](path) != nil {
				t.Error("the Go path has a table")
			}
			continue
		}
		t.Run(fmt.Sprintf("float32/%v", path), func(t *testing.T) { f32(t, For[float32](path)) })
		t.Run(fmt.Sprintf("float64/%v", path), func(t *testing.T) { f64(t, For[float64](path)) })
	}
}

func offsets[T float32 | float64](a *arena[T], n, below int) []int32 {
	s := guard.Tail[int32](guard.New(a.t, 4*n), n)
	for i := range s {
		s[i] = int32(a.random.Below(uint32(below))) * int32(size[T]())
	}
	s[n-1] = int32((below - 1) * size[T]())
	return s
}

func TestPatch(t *testing.T) { forAll(t, testPatch[float32], testPatch[float64]) }

func testPatch[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(1, 1, 0)}
	ref := twin(k)
	for _, rows := range k.Heights {
		for _, n := range []int{1, 2, 3, 4, 7, 8, 13} {
			for _, d := range [][2]int{{1, 1}, {3, 2}, {2, 9}} {
				channels, taps, plane := d[0], d[1], 29
				off := offsets(a, taps, 21)
				x := a.floats((channels-1)*plane+20+n*k.Lanes, false)
				w := a.floats(rows*channels*taps, false)
				ldc := n*k.Lanes + 3
				c := a.floats((rows-1)*ldc+n*k.Lanes, false)
				want := append([]T(nil), c...)
				k.Patch(rows, n, channels, w, x, plane, off, c, ldc)
				ref.Patch(rows, n, channels, w, x, plane, off, want, ldc)
				near(t, fmt.Sprintf("%d rows, %d vectors, %v", rows, n, d), c, want, channels*taps)
			}
		}
	}
}

func TestShifted(t *testing.T) { forAll(t, testShifted[float32], testShifted[float64]) }

func testShifted[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(2, 1, 0)}
	ref := twin(k)
	for _, rows := range []int{1, 2, k.Tall} {
		for _, cols := range []int{1, k.Wide} {
			for _, n := range []int{1, 2, 5} {
				for images := range 4 {
					if images == 0 {
						continue
					}
					ldy, stepy, stepx := n*k.Lanes+1, 4*n*k.Lanes+9, 11
					off := offsets(a, cols, 31)
					y := a.floats((images-1)*stepy+(rows-1)*ldy+n*k.Lanes, false)
					x := a.floats((images-1)*stepx+30+n*k.Lanes, false)
					sums := a.floats((rows-1)*(cols+2)+cols, false)
					want := append([]T(nil), sums...)
					k.Shifted(rows, images, n, y, ldy, stepy, x, stepx, off, sums, cols+2)
					ref.Shifted(rows, images, n, y, ldy, stepy, x, stepx, off, want, cols+2)
					near(t, fmt.Sprintf("%d×%d, %d×%d vectors", rows, cols, images, n), sums, want,
						images*n*k.Lanes+1)
				}
			}
		}
	}
}

func TestMove(t *testing.T) { forAll(t, testMove[float32], testMove[float64]) }

func testMove[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(3, 1, 0)}
	ref := twin(k)
	for n := 1; n < 40; n++ {
		for rows := 1; rows < 4; rows++ {
			for _, level := range [][2]T{{0, T(math.Inf(-1))}, {0.25, 0}} {
				from := a.floats((rows-1)*(n+2)+n, true)
				to := a.floats((rows-1)*(n+5)+n, false)
				want := append([]T(nil), to...)
				k.Move(rows, n, to, n+5, from, n+2, level[0], level[1])
				ref.Move(rows, n, want, n+5, from, n+2, level[0], level[1])
				near(t, fmt.Sprintf("%d rows of %d", rows, n), to, want, 0)
			}
		}
	}
}

func TestPool(t *testing.T) { forAll(t, testPool[float32], testPool[float64]) }

func testPool[T float32 | float64](t *testing.T, k *Table[T]) {
	a := &arena[T]{t: t, random: philox.New(4, 1, 0)}
	ref := twin(k)
	for n := 1; n < 37; n++ {
		for rows := 1; rows < 4; rows++ {
			ldx := 2*n + n%3
			x := a.floats((2*rows-1)*ldx+2*n, true)
			for i := range x { // equal neighbours
				if i%5 == 0 && i > 0 {
					x[i] = x[i-1]
				}
			}
			y, want := a.floats(rows*n, false), make([]T, rows*n)
			k.Pool(rows, n, y, x, ldx)
			ref.Pool(rows, n, want, x, ldx)
			near(t, fmt.Sprintf("%d rows of %d", rows, n), y, want, 0)
			dy, dx := a.floats(rows*n, true), a.floats(len(x), false)
			grad := append([]T(nil), dx...)
			k.PoolGrad(rows, n, dx, x, dy, ldx)
			ref.PoolGrad(rows, n, grad, x, dy, ldx)
			near(t, fmt.Sprintf("gradient, %d rows of %d", rows, n), dx, grad, 0)
			k.ReLUPoolGrad(rows, n, dx, x, dy, ldx)
			ref.ReLUPoolGrad(rows, n, grad, x, dy, ldx)
			near(t, fmt.Sprintf("gradient of ReLU, %d rows of %d", rows, n), dx, grad, 0)
		}
	}
}

// A broken kernel must be found, each of them.
func TestSelfCheck(t *testing.T) { forAll(t, testSelfCheck[float32], testSelfCheck[float64]) }

func testSelfCheck[T float32 | float64](t *testing.T, k *Table[T]) {
	for _, path := range cpu.Paths() {
		if err := SelfCheck(path); err != nil {
			t.Error(err)
		}
	}
	for name, spoil := range map[string]func(*Table[T]){
		"patch":    func(b *Table[T]) { b.patch = spoilPatch(k) },
		"shifted":  func(b *Table[T]) { b.shifted = twin(&Table[T]{Lanes: 1}).shifted },
		"move":     func(b *Table[T]) { b.move = func(int, int, *T, int, *T, int, T, T) {} },
		"pool":     func(b *Table[T]) { b.pool = func(int, int, *T, *T, int) {} },
		"poolGrad": func(b *Table[T]) { b.poolGrad = func(int, int, *T, *T, *T, int) {} },
		"relu":     func(b *Table[T]) { b.reluPoolGrad = k.poolGrad },
	} {
		broken := *k
		spoil(&broken)
		if err := selfCheck(&broken); err == nil {
			t.Errorf("a broken %s passes", name)
		}
	}
}

// spoilPatch returns a kernel that forgets the last tap.
func spoilPatch[T float32 | float64](k *Table[T]) func(rows, n, channels, taps int, a, x *T, plane int, off *int32,
	c *T, ldc int) {
	return func(rows, n, channels, taps int, a, x *T, plane int, off *int32, c *T, ldc int) {
		k.patch(rows, n, channels, taps-1, a, x, plane, off, c, ldc)
	}
}

// Arguments that do not fit must panic before any memory is touched.
func TestMisfits(t *testing.T) { forAll(t, testMisfits[float32], testMisfits[float64]) }

func testMisfits[T float32 | float64](t *testing.T, k *Table[T]) {
	n := k.Lanes
	x, off, far := make([]T, 8*n), []int32{0}, []int32{int32(8 * n * size[T]())}
	for name, f := range map[string]func(){
		"Patch rows":      func() { k.Patch(3, 1, 1, x, x, 0, off, x, n) },
		"Patch offset":    func() { k.Patch(1, 1, 1, x, x, 0, far, x, n) },
		"Patch negative":  func() { k.Patch(1, 1, 1, x, x, 0, []int32{-8}, x, n) },
		"Patch c":         func() { k.Patch(2, 1, 1, x, x, 0, off, x[:n], n) },
		"Patch nothing":   func() { k.Patch(1, 0, 1, x, x, 0, off, x, n) },
		"Shifted rows":    func() { k.Shifted(3, 1, 1, x, n, n, x, n, off, x, 1) },
		"Shifted offset":  func() { k.Shifted(1, 1, 1, x, n, n, x, n, far, x, 1) },
		"Move":            func() { k.Move(2, n, x[:n], n, x, n, 0, 0) },
		"Pool":            func() { k.Pool(2, n, x, x[:n], 2*n) },
		"PoolGrad narrow": func() { k.PoolGrad(1, n, x, x, x, n) },
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

func BenchmarkPatch(b *testing.B) {
	for _, path := range cpu.Paths() {
		k := For[float32](path)
		if k == nil {
			continue
		}
		for _, rows := range k.Heights {
			b.Run(fmt.Sprintf("%v/rows=%d", path, rows), func(b *testing.B) {
				const channels, taps, plane = 16, 9, 29 * 30
				n := 784 / k.Lanes
				off := make([]int32, taps)
				for i := range off {
					off[i] = int32(4 * (i/3*29 + i%3))
				}
				x, w := make([]float32, (channels+1)*plane), make([]float32, rows*channels*taps)
				c := make([]float32, rows*n*k.Lanes)
				for b.Loop() {
					k.Patch(rows, n, channels, w, x, plane, off, c, n*k.Lanes)
				}
				b.ReportMetric(2*channels*taps*float64(len(c))*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func BenchmarkShifted(b *testing.B) {
	for _, path := range cpu.Paths() {
		k := For[float32](path)
		if k == nil {
			continue
		}
		b.Run(path.String(), func(b *testing.B) {
			n := 800 / k.Lanes
			off := make([]int32, k.Wide)
			for i := range off {
				off[i] = int32(4 * (i/3*29 + i%3))
			}
			x, y, sums := make([]float32, 1000), make([]float32, k.Tall*800), make([]float32, k.Tall*k.Wide)
			for b.Loop() {
				k.Shifted(k.Tall, 1, n, y, 800, 0, x, 0, off, sums, k.Wide)
			}
			b.ReportMetric(2*800*float64(len(sums))*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
