package sparse

import (
	"math"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/optest"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// heads are shapes of rows: heads and channels, among them those with kernels of their own.
var heads = [][2]int{{1, 1}, {1, 3}, {1, 7}, {2, 3}, {3, 8}, {8, 8}, {8, 16}, {4, 16}, {1, 64}, {17, 2}, {1, 257}}

func TestGAT(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, hc := range [][2]int{{1, 1}, {1, 3}, {2, 3}, {8, 8}} {
			h, u, v := optest.Normal(g.s.Cols(), hc[0], hc[1]), optest.Normal(g.s.Cols(), hc[0]),
				optest.Normal(g.s.Rows(), hc[0])
			cases = append(cases,
				optest.Case{Name: name(g.name, hc), Op: GAT{Slope: 0.2}, In: args(g.s, h, u, v), Linear: true},
				optest.Case{Name: name(g.name, hc, "edges"), Op: GAT{Slope: 0.2},
					In: append(args(g.s, h, u, v), optest.Normal(g.s.Entries(), hc[0]))})
		}
	}
	s := random(t, 6, 40, 30, 300, true)
	for _, hc := range heads {
		cases = append(cases, optest.Case{Name: name("wide", hc), Op: GAT{Slope: 0.2}, NoGrad: true, // see above
			In: args(s, optest.Normal(30, hc[0], hc[1]), optest.Normal(30, hc[0]), optest.Normal(40, hc[0]))})
	}
	for _, n := range []int{6000, 15000, 40000} {
		s := random(t, uint64(n), 3, 5, n, true)
		cases = append(cases, optest.Case{Name: name("long", n), Op: GAT{Slope: 0.2}, NoGrad: true, // the size
			In: append(args(s, optest.Normal(5, 2, 3), optest.Normal(5, 2), optest.Normal(3, 2)), optest.Normal(n, 2))})
	}
	optest.Check(t, cases)
	f := kernels.Float32
	refuse(t, GAT{}, "input 0 must be [3, heads, channels]", kernels.S(f, 2, 2, 2), kernels.S(f, 3, 2),
		kernels.S(f, 2, 2))
	refuse(t, GAT{}, "input 1 must be", kernels.S(f, 3, 2, 2), kernels.S(f, 3, 1), kernels.S(f, 2, 2))
	refuse(t, GAT{Slope: 1.5}, "at most 1", kernels.S(f, 3, 2, 2), kernels.S(f, 3, 2), kernels.S(f, 2, 2))
	refuse(t, GAT{}, "wants 8 inputs", kernels.S(f, 3, 2, 2))
}

func TestGATGrad(t *testing.T) {
	var cases []optest.Case
	add := func(what string, s Structure, heads, channels int, edges, grad bool) {
		h, u, v := optest.Normal(s.Cols(), heads, channels), optest.Normal(s.Cols(), heads),
			optest.Normal(s.Rows(), heads)
		y := optest.Normal(s.Rows(), heads, channels)
		in := args(s, h, u, v, y, y)
		if edges {
			in = append(in, optest.Normal(s.Entries(), heads))
		}
		tol := 0.0
		if s.Entries() > piece {
			tol = 1e-4 // seen: 6e-5, sums of thousands of numbers of both signs
		}
		cases = append(cases, optest.Case{Name: name(what, heads, "x", channels, edges), Op: GATGrad{Slope: 0.2},
			In: in, NoGrad: !grad, // checked on the small graphs
			Tol32: tol})
	}
	for _, g := range graphs(t) {
		add(g.name, g.s, 1, 3, false, true)
		add(g.name, g.s, 2, 2, true, true)
	}
	s := random(t, 6, 40, 30, 300, true)
	for _, hc := range heads {
		add("wide", s, hc[0], hc[1], false, false)
	}
	for _, n := range []int{6000, 15000, 40000} {
		s := random(t, uint64(n), 3, 2, n, true)
		add(name("long", n), s, 2, 3, n == 15000, false)
	}
	optest.Check(t, cases)
	f := kernels.Float32
	refuse(t, GATGrad{}, "input 3 must be", kernels.S(f, 3, 2, 2), kernels.S(f, 3, 2), kernels.S(f, 2, 2),
		kernels.S(f, 3, 2, 2), kernels.S(f, 2, 2, 2))
}

func TestGATv2(t *testing.T) {
	var cases []optest.Case
	add := func(what string, s Structure, hc [2]int, grad bool) {
		shape := func(n int) optest.Arg { return optest.Normal(n, hc[0], hc[1]) }
		a := optest.Normal(hc[0], hc[1])
		y := shape(s.Rows())
		tol := 0.0
		if s.Entries() > piece {
			tol = 2e-4 // seen: 1e-4, sums of thousands of numbers of both signs
		}
		cases = append(cases,
			optest.Case{Name: name(what, hc), Op: GATv2{Slope: 0.2}, In: args(s, shape(s.Cols()), y, a), NoGrad: !grad,
				Tol32: tol},
			optest.Case{Name: name(what, hc, "grad"), Op: GATv2Grad{Slope: 0.2}, NoGrad: !grad, // see the small graphs
				In: args(s, shape(s.Cols()), y, a, y, y), Tol32: tol})
	}
	for _, g := range graphs(t) {
		add(g.name, g.s, [2]int{1, 3}, true)
		add(g.name, g.s, [2]int{2, 2}, true)
	}
	s := random(t, 6, 40, 30, 300, true)
	for _, hc := range heads {
		add("wide", s, hc, false)
	}
	for _, n := range []int{6000, 15000} {
		add(name("long", n), random(t, uint64(n), 3, 2, n, true), [2]int{2, 3}, false)
	}
	optest.Check(t, cases)
	f := kernels.Float32
	refuse(t, GATv2{}, "input 1 must be", kernels.S(f, 3, 2, 2), kernels.S(f, 3, 2, 2), kernels.S(f, 2, 2))
	refuse(t, GATv2{}, "input 2 must be", kernels.S(f, 3, 2, 2), kernels.S(f, 2, 2, 2), kernels.S(f, 2, 3))
	refuse(t, GATv2{Slope: 2}, "at most 1", kernels.S(f, 3, 2, 2), kernels.S(f, 2, 2, 2), kernels.S(f, 2, 2))
}

// TestGATDecompose compares the fused operators with the compositions that they replace.
func TestGATDecompose(t *testing.T) {
	for _, g := range graphs(t) {
		n, m := g.s.Cols(), g.s.Rows()
		first := [][]int{{n, 2, 3}, {n, 2}, {m, 2}}
		unfused(t, g, GAT{Slope: 0.2}, first)
		unfused(t, g, GAT{Slope: 0.2}, first, []int{g.s.Entries(), 2})
		first = append(first, []int{m, 2, 3}, []int{m, 2, 3})
		unfused(t, g, GATGrad{Slope: 0.2}, first)
		unfused(t, g, GATGrad{Slope: 0.2}, first, []int{g.s.Entries(), 2})
		first = [][]int{{n, 2, 3}, {m, 2, 3}, {2, 3}}
		unfused(t, g, GATv2{Slope: 0.2}, first)
		unfused(t, g, GATv2Grad{Slope: 0.2}, append(first, first[1], first[1]))
	}
}

func TestPart(t *testing.T) {
	block := optest.Normal(17)
	like := []optest.Arg{block, optest.Normal(2, 3), optest.Normal(0, 5), optest.Normal(11)}
	var cases []optest.Case
	for i := range 3 {
		cases = append(cases, optest.Case{Name: name(i), Op: Part{Index: i}, In: like, Linear: true, Exact: true})
	}
	optest.Check(t, cases)
	f := kernels.Float32
	optest.Errors(t, Part{Index: 1}, "no part 1", kernels.S(f, 2), kernels.S(f, 2))
	optest.Errors(t, Part{}, "make up [3]", kernels.S(f, 2), kernels.S(f, 3))
}

func TestHeadMatrix(t *testing.T) {
	var cases []optest.Case
	for _, hc := range [][]int{{1, 1}, {1, 3}, {4, 5}, {0, 3}, {3, 0}} {
		cases = append(cases,
			optest.Case{Name: name(hc), Op: HeadMatrix{}, Linear: true, Exact: true,
				In: []optest.Arg{optest.Normal(hc...)}})
		if hc[0] > 0 {
			cases = append(cases, optest.Case{Name: name("back", hc), Op: HeadMatrix{Back: true}, Linear: true,
				Exact: true, In: []optest.Arg{optest.Normal(hc[0]*hc[1], hc[0])}})
		}
	}
	optest.Check(t, cases)
	optest.Errors(t, HeadMatrix{Back: true}, "no multiple", kernels.S(kernels.Float32, 5, 2))
}

// TestDeviation has shares that add up to 1, for which alone the operator is what its formula says.
func TestDeviation(t *testing.T) {
	var cases []optest.Case
	for _, g := range graphs(t) {
		for _, row := range [][]int{{}, {3}, {2, 9}, {0}} {
			shape := rowsOfShape(g.s.Entries(), row)
			raw := kernels.New(kernels.S(kernels.Float64, shape...))
			for i := range raw.F64 {
				raw.F64[i] = float64(i*7%11) - 5
			}
			p, err := kernels.RunRef(Softmax{}, append([]kernels.Tensor{raw}, g.s.Tensors()...))
			if err != nil {
				t.Fatal(err)
			}
			cases = append(cases, optest.Case{Name: name(g.name, row), Op: Deviation{},
				NoGrad: true, // a change of p leaves shares that do not add up to 1
				In:     args(g.s, optest.Values(p), optest.Normal(shape...))})
		}
	}
	optest.Check(t, cases)
	refuse(t, Deviation{}, "input 1 must be", kernels.S(kernels.Float32, 4, 2), kernels.S(kernels.Float32, 4, 3))
}

// TestDeviationCancels has a share next to 1, where g − Σ p·g has no digits left: in float32 each gradient is right to
// rounding nevertheless.
func TestDeviationCancels(t *testing.T) {
	s, err := Segments([]int32{0, 3})
	if err != nil {
		t.Fatal(err)
	}
	p := kernels.FromSlice([]float32{3e-9, 1, 2e-10}, 3)
	g := kernels.FromSlice([]float32{0.7, -1.3, 0.2}, 3)
	for _, path := range cpu.Paths() {
		pool := par.New(1)
		c := kernels.NewCall(Deviation{}, path, pool)
		c.In = append([]kernels.Tensor{p, g}, s.Tensors()...)
		c.Out, c.Work = kernels.New(p.Spec), make([]byte, 1000)
		Deviation{}.CPU(c)
		mean := 3e-9*2 + 2e-10*1.5
		for i, want := range []float64{3e-9 * 2, -mean, 2e-10 * 1.5} {
			if got := float64(c.Out.F32[i]); math.Abs(got-want) > 1e-6*math.Abs(want) {
				t.Errorf("%v: element %d is %v, want %v", path, i, got, want)
			}
		}
		pool.Close()
	}
}
