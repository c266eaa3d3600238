package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ganglion/internal/asm/guard"
	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// epilogue draws an epilogue for a product of n columns: each part in two of three cases.
func epilogue[T float](r *rand.Rand, path cpu.Path, n int, lend func(n int) []T) (e Epilogue[T]) {
	if r.IntN(3) > 0 {
		t := vec.For[T](path)
		e.F = func(x []T) { t.Tanh(x, x) }
	}
	if r.IntN(3) > 0 {
		e.Bias = lend(n)
		for i := range e.Bias {
			e.Bias[i] = T(r.NormFloat64())
		}
	}
	return e
}

// passes applies an epilogue to a finished product, one pass after another.
func passes[T float](e Epilogue[T], m, n int, c []T, ldc int) {
	for i := range m {
		if n == 0 {
			return
		}
		row := c[i*ldc:][:n]
		for j := range row {
			if e.Bias != nil {
				row[j] += e.Bias[j]
			}
		}
		if e.F != nil {
			e.F(row)
		}
	}
}

// testEpilogue compares with separate passes, bit for bit, for all methods.
func testEpilogue[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(9, uint64(path)))
	pool := par.New(3)
	defer pool.Close()
	var p Plan
	for i := range rounds(400) {
		s := shape{
			m: size(r, 120), n: size(r, 120), k: size(r, 120), padC: r.IntN(3),
			transA: r.IntN(2) == 0, transB: r.IntN(2) == 0, acc: r.IntN(2) == 0,
		}
		switch {
		case i%50 == 0:
			s.k = 300 // two blocks along k
		case i%50 == 1 && !testing.Short():
			s.m, s.n, s.k = 100, 450, 270
		case i%50 == 2:
			s.k = 0
		}
		a := build(r, s, ordinary[T](), 3)
		before := append([]T(nil), a.C...)
		run := func() { product(&p, path, pool, a) }
		if i%3 == 0 {
			run = func() {
				j := job[T]{vec: vec.For[T](path)}
				j.multiply(packing[T](path, i%2 == 0), nil, a)
			}
		}
		if i%4 == 0 { // what the product is added to stands elsewhere
			a.Init, a.LDI = append([]T(nil), before...), a.LDC
			fill(r, a.Init, s.n, a.LDI, true)
			for j, v := range a.Init {
				if j%a.LDI < s.n {
					a.C[j] = v
				}
			}
			init := a.Init
			a.Init, a.Acc = nil, true
			run()
			a.Init, a.Acc = init, s.acc
		} else {
			run()
		}
		e := epilogue(r, path, s.n, ordinary[T]().a)
		want := append([]T(nil), a.C...)
		passes(e, s.m, s.n, want, a.LDC)
		copy(a.C, before)
		a.Epilogue = e
		run()
		if !same(a.C, want) {
			t.Fatalf("%v: init %v, bias %v, F %v: differs from separate passes", s, a.Init != nil, e.Bias != nil,
				e.F != nil)
		}
	}
}

func TestEpilogueEqualsPasses(t *testing.T) { paths(t, testEpilogue[float32], testEpilogue[float64]) }

// testPacked compares products with packed B with those without, bit for bit, on one and on three workers; B ends at a
// page that cannot be touched.
func testPacked[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(10, uint64(path)))
	pool := par.New(3)
	defer pool.Close()
	lend := ordinary[T]()
	block := guard.New(t, 8*600*5000)
	lend.b = func(n int) []T { return guard.Tail[T](block, n) }
	var p Plan
	sizes := [][3]int{{20, 4200, 9}, {6, 600, 520}, {130, 300, 257}, {32, 512, 300}, {0, 5, 5}, {5, 0, 5}, {5, 5, 0}}
	for range rounds(200) {
		sizes = append(sizes, [3]int{size(r, 90), size(r, 90), size(r, 90)})
	}
	for i, d := range sizes {
		if testing.Short() && d[0]*d[1]*d[2] > 500_000 {
			continue
		}
		s := shape{
			m: d[0], n: d[1], k: d[2], padB: r.IntN(3), padC: r.IntN(3),
			transA: r.IntN(2) == 0, transB: r.IntN(2) == 0, acc: r.IntN(2) == 0,
		}
		a := build(r, s, lend, 3)
		a.Epilogue = epilogue(r, path, s.n, ordinary[T]().a)
		before := append([]T(nil), a.C...)
		product(&p, path, pool, a)
		want := append([]T(nil), a.C...)
		a.PackedB = PackB(path, s.transB, s.n, s.k, a.B, a.LDB, make([]T, PackedLen(s.n, s.k)))
		if s.m <= fewRows || s.n <= fewRows {
			a.Epilogue = Epilogue[T]{}
			copy(a.C, before)
			product(&p, path, pool, a)
			verify(t, s.String(), a, before, a.C)
			continue
		}
		a.B = nil
		for _, pool := range []*par.Pool{nil, pool} {
			copy(a.C, before)
			product(&p, path, pool, a)
			if !same(a.C, want) {
				t.Fatalf("%d: %v: packed B gives another product", i, s)
			}
		}
	}
}

func TestPackedB(t *testing.T) { paths(t, testPacked[float32], testPacked[float64]) }

func TestBadEpiloguesPanic(t *testing.T) {
	b := make([]float32, 42)
	ok := Args[float32]{
		M: 5, N: 6, K: 7, A: make([]float32, 35), LDA: 7, B: b, LDB: 6, C: make([]float32, 30), LDC: 6,
		Work: make([]byte, Workspace(5, 6, 7, 4, 1)),
	}
	pack := func(path cpu.Path, n, k int) PackedB[float32] {
		return PackB(path, false, n, k, b, n, make([]float32, PackedLen(n, k)))
	}
	for _, c := range []struct {
		change func(a *Args[float32])
		want   string
	}{
		{func(a *Args[float32]) { a.Epilogue.Bias = b[:5] }, "bias of 5 elements for 6 columns"},
		{func(a *Args[float32]) { a.Init = b }, "Init [5, 6]: leading dimension 0"},
		{func(a *Args[float32]) { a.Init, a.LDI = b[:29], 6 }, "more than the 29 elements"},
		{func(a *Args[float32]) { a.PackedB = pack(cpu.Go, 7, 6) }, "packed for path go, n=7, k=6"},
		{func(a *Args[float32]) { a.PackedB = pack(cpu.Best(), 6, 7); a.PackedB.path++ }, "the product is on path go"},
		{func(*Args[float32]) { PackB(cpu.Go, false, 6, 7, b[:41], 6, make([]float32, 300)) }, "than the 41"},
		{func(*Args[float32]) { PackB(cpu.Go, false, 6, 7, b, 6, b) }, "packed B [7, 6] needs"},
		{func(*Args[float32]) { PackB(cpu.Go, false, -1, 7, b, 6, b) }, "negative size: n=-1 k=7"},
	} {
		a := ok
		func() {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, c.want) {
					t.Errorf("panicked with %q, want %q", v, c.want)
				}
			}()
			c.change(&a)
			f32(nil, cpu.Go, nil, a)
		}()
	}
}

func testEpilogueAllocations[T float](t *testing.T, path cpu.Path) {
	r := rand.New(rand.NewPCG(11, 0))
	pool := par.New(2)
	defer pool.Close()
	p := new(Plan)
	a := build(r, shape{m: 60, n: 100, k: 90}, ordinary[T](), 2)
	a.Epilogue = epilogue(r, path, 100, ordinary[T]().a)
	a.Init, a.LDI = make([]T, 6000), 100
	memory := make([]T, PackedLen(100, 90))
	if n := testing.AllocsPerRun(5, func() {
		a.PackedB = PackB(path, false, 100, 90, a.B, a.LDB, memory)
		product(p, path, pool, a)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestEpilogueDoesNotAllocate(t *testing.T) {
	paths(t, testEpilogueAllocations[float32], testEpilogueAllocations[float64])
}

// All parts, with numbers done by hand.
func TestEpilogueValues(t *testing.T) {
	a := Args[float64]{
		M: 2, N: 2, K: 1, A: []float64{1, -2}, LDA: 1, B: []float64{1, 3}, LDB: 2,
		C: []float64{7, 7, 7, 7}, LDC: 2, Init: []float64{0.5, 0, 0, 0}, LDI: 2,
		Epilogue: Epilogue[float64]{Bias: []float64{1, -1}, F: func(x []float64) { vec.F64(cpu.Best()).ReLU(x, x) }},
		Work:     make([]byte, Workspace(2, 2, 1, 8, 1)),
	}
	f64(nil, cpu.Best(), nil, a)
	for i, want := range []float64{2.5, 2, 0, 0} { // ReLU of 2.5, 2, −1, −7
		if math.Abs(a.C[i]-want) > 0 {
			t.Errorf("C[%d] = %v, want %v", i, a.C[i], want)
		}
	}
}
