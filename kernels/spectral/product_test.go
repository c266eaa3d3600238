package spectral

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/optest"
	"ganglion/internal/par"
	"ganglion/kernels"
)

func TestFacewise(t *testing.T) {
	var cases []optest.Case
	for i := range 8 {
		o := Facewise{TransA: i&1 > 0, TransB: i&2 > 0, Gauss: i&4 > 0}
		for _, c := range []int{0, 1, 2, 3, 4, 5, 8} {
			for _, s := range [][3]int{{3, 2, 0}, {0, 2, 3}, {1, 1, 1}, {3, 5, 7}, {17, 9, 8}} {
				// The second of the gradients of large cases is that of small ones.
				cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/%d/%v", o, c, s), Op: o,
					In: facesOf(o, c, s), Linear: true, NoGrad: c > 5})
			}
		}
		// Products that the workers share; the gradient is that of the cases above.
		cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/shared", o), Op: o,
			In: facesOf(o, 3, [3]int{130, 131, 129}), NoGrad: true})
	}
	optest.Check(t, cases)
	f := kernels.Float32
	optest.Errors(t, Facewise{}, "tubes differ in length: 4 and 5", kernels.S(f, 4, 2, 3), kernels.S(f, 5, 3, 2))
	optest.Errors(t, Facewise{}, "inner dimensions differ: 3 and 2", kernels.S(f, 4, 2, 3), kernels.S(f, 4, 2, 3))
	optest.Errors(t, Facewise{}, "must have 3 dimensions", kernels.S(f, 2, 3), kernels.S(f, 4, 2, 3))
}

// facesOf are the operands of a product of sizes m, n, k.
func facesOf(o Facewise, c int, s [3]int) []optest.Arg {
	shape := func(rows, cols int, trans bool) optest.Arg {
		if trans {
			rows, cols = cols, rows
		}
		return optest.Normal(c, rows, cols)
	}
	return []optest.Arg{shape(s[0], s[2], o.TransA), shape(s[2], s[1], o.TransB)}
}

func TestTranspose(t *testing.T) {
	var cases []optest.Case
	for _, s := range [][]int{{0, 2, 3}, {1, 1, 1}, {4, 0, 3}, {2, 3, 2}, {5, 7, 1}, {8, 17, 33}} {
		cases = append(cases, optest.Case{Op: Transpose{}, In: []optest.Arg{optest.Normal(s...)}, Linear: true,
			Exact: true})
	}
	optest.Check(t, cases)
	optest.Errors(t, Transpose{}, "must have 3 dimensions", kernels.S(kernels.Float32, 2, 3))
}

func TestIdentity(t *testing.T) {
	var cases []optest.Case
	for _, k := range []Kind{DFT, DCT, Haar, None} {
		for _, s := range [][]int{{0, 2, 2}, {1, 1, 1}, {4, 0, 0}, {2, 3, 3}, {8, 2, 2}, {5, 3, 3}, {9, 1, 1}} {
			if k != Haar || powerOfTwo(s[0]) {
				cases = append(cases, optest.Case{Op: Identity{Kind: k}, In: []optest.Arg{optest.Normal(s...)}})
			}
		}
	}
	optest.Check(t, cases)
	optest.Errors(t, Identity{}, "must be square, are 3×4", kernels.S(kernels.Float32, 2, 3, 4))
	optest.Errors(t, Identity{Kind: Haar}, "power of two", kernels.S(kernels.Float32, 3, 2, 2))
}

func TestInverse(t *testing.T) {
	well := func(n int) optest.Arg { // far from singular: random, with a heavy diagonal
		m := kernels.New(kernels.S(kernels.Float64, n, n))
		for i := range m.F64 {
			m.F64[i] = math.Sin(float64(3*i + 1))
			if n > 0 && i%(n+1) == 0 {
				m.F64[i] += 2 + float64(n)/2
			}
		}
		return optest.Values(m)
	}
	swap := kernels.FromSlice([]float64{0, 2, 1, 0}, 2, 2)
	optest.Check(t, []optest.Case{
		{Name: "0", Op: Inverse{}, In: []optest.Arg{well(0)}}, {Name: "1", Op: Inverse{}, In: []optest.Arg{well(1)}},
		{Name: "5", Op: Inverse{}, In: []optest.Arg{well(5)}}, {Name: "28", Op: Inverse{}, In: []optest.Arg{well(28)}},
		{Name: "pivot", Op: Inverse{}, In: []optest.Arg{optest.Values(swap)}},
	})
	optest.Errors(t, Inverse{}, "must be square, is 3×4", kernels.S(kernels.Float32, 3, 4))
}

// A singular transform is reported, and no number comes out of it.
func TestInverseSingular(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	for _, m := range [][]float64{{1, 2, 2, 4}, {0, 0, 0, 0}, {1, math.Inf(1), 0, 1}, {math.NaN(), 1, 1, 1}} {
		c := kernels.NewCall(Inverse{}, cpu.Go, pool)
		x := kernels.FromSlice(m, 2, 2)
		c.In, c.Out = []kernels.Tensor{x}, kernels.New(x.Spec)
		c.Work = make([]byte, Inverse{}.Workspace([]kernels.Spec{x.Spec}, x.Spec, 1))
		Inverse{}.CPU(c)
		if c.Report.Status != kernels.Singular || c.Report.Failed != 1 {
			t.Errorf("%v: status %v", m, c.Report.Status)
		}
		for _, v := range c.Out.F64 {
			if !math.IsNaN(v) {
				t.Errorf("%v: inverse %v, want NaN", m, c.Out.F64)
				break
			}
		}
	}
}

func BenchmarkFacewise(b *testing.B) {
	var cases []optest.Case
	for _, g := range []bool{false, true} {
		for _, s := range [][4]int{{28, 28, 28, 100}, {32, 128, 128, 128}, {64, 256, 256, 64}} {
			o := Facewise{TransB: true, Gauss: g}
			cases = append(cases, optest.Case{Name: fmt.Sprint(g, s), Op: o,
				In: facesOf(o, s[0], [3]int{s[3], s[1], s[2]})})
		}
	}
	optest.Bench(b, cases)
}
