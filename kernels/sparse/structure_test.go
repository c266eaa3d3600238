package sparse

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
)

func TestBuild(t *testing.T) {
	src, dst := []int32{2, 0, 1, 2, 2}, []int32{1, 1, 0, 1, 0}
	s, perm, err := Build(2, 3, src, dst)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want []int32
	}{
		{"ptr", s.Ptr, []int32{0, 2, 5}}, {"col", s.Col, []int32{1, 2, 2, 0, 2}},
		{"perm", perm, []int32{2, 4, 0, 1, 3}}, {"tptr", s.TPtr, []int32{0, 1, 2, 5}},
		{"tcol", s.TCol, []int32{1, 0, 1, 1, 0}}, {"tpos", s.TPos, []int32{3, 0, 2, 4, 1}},
		{"inverse", Inverse(perm), []int32{2, 3, 0, 4, 1}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
	if s.Rows() != 2 || s.Cols() != 3 || s.Entries() != 5 {
		t.Errorf("%d rows, %d columns, %d entries", s.Rows(), s.Cols(), s.Entries())
	}
}

func TestBuildErrors(t *testing.T) {
	for _, c := range []struct {
		rows, cols int
		src, dst   []int32
		want       string
	}{
		{2, 2, []int32{0}, nil, "1 sources and 0 destinations"},
		{2, 2, []int32{0}, []int32{2}, "edge 0 has destination 2, there are 2 nodes"},
		{2, 2, []int32{0, -1}, []int32{1, 1}, "edge 1 has source -1"},
		{-1, 2, nil, nil, "-1 rows"}, {math.MaxInt32, 2, nil, nil, "must be from 0"},
	} {
		if _, _, err := Build(c.rows, c.cols, c.src, c.dst); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	for _, bounds := range [][]int32{nil, {1}, {0, 3, 2}, {0, -1}} {
		if _, err := Segments(bounds); err == nil {
			t.Errorf("bounds %v are accepted", bounds)
		}
	}
	if _, err := Index(2, []int32{0, 2}); err == nil {
		t.Error("an index out of range is accepted")
	}
	if err := (Structure{}).Check(); err == nil {
		t.Error("no structure at all passes the check")
	}
	if _, _, _, err := WithLoops(2, []int32{3}, []int32{3}); err == nil {
		t.Error("a loop out of range is accepted")
	}
	if _, _, _, err := WithLoops(2, []int32{1}, nil); err == nil {
		t.Error("lists of different lengths are accepted")
	}
}

func TestSegmentsAndIndex(t *testing.T) {
	a, err := Segments([]int32{0, 2, 2, 5})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Index(3, []int32{0, 0, 2, 2, 2})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Ptr, b.Ptr) || !slices.Equal(a.Col, b.Col) || !slices.Equal(a.TCol, b.TCol) || a.Check() != nil {
		t.Errorf("segments %v, index %v", a, b)
	}
}

func TestWithLoops(t *testing.T) {
	s, d, from, err := WithLoops(3, []int32{1, 0, 1, 2}, []int32{1, 1, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s, []int32{0, 2, 0, 1, 2}) || !slices.Equal(d, []int32{1, 0, 0, 1, 2}) ||
		!slices.Equal(from, []int32{1, 3, -1, 2, -1}) {
		t.Errorf("edges %v → %v from %v", s, d, from)
	}
}

// TestSecondDerivatives compares the gradient of Σ u∘∂L/∂in with differences, for the composition that has every
// operator in it: weights are normalised, softmax of inner products, a product with them, and one with the largest.
func TestSecondDerivatives(t *testing.T) {
	s := random(t, 11, 5, 5, 14, false)
	in := []kernels.Tensor{kernels.New(kernels.S(kernels.Float64, 5, 2, 3)),
		kernels.New(kernels.S(kernels.Float64, 14))}
	for i := range in[0].F64 {
		in[0].F64[i] = math.Sin(float64(3*i + 1))
	}
	for i := range in[1].F64 {
		in[1].F64[i] = 1.5 + math.Cos(float64(i))
	}
	build := func(given map[*kernels.Node]kernels.Tensor, b kernels.Builder) (*kernels.Node, []*kernels.Node) {
		g := gorgonia.NewGraph()
		input := func(v kernels.Tensor, name string) *kernels.Node {
			n := gorgonia.NewTensor(g, v.DType.Tensor(), v.Rank(), gorgonia.WithShape(v.Shape...),
				gorgonia.WithName(name))
			given[n] = v
			return n
		}
		x, w := input(in[0], "x"), input(in[1], "w")
		var st []*kernels.Node
		for i, v := range s.Tensors() {
			st = append(st, input(v, string(rune('a'+i))))
		}
		p := b.Apply(Softmax{}, nodes(st, b.Apply(SDDMM{Heads: true}, nodes(st, x, x)...))...)
		y := b.Apply(SpMM{}, append(nodes(st, x), p)...)
		y = b.Apply(SpMM{Kind: Mean}, append(nodes(st, y), Normalise(b, w, st...))...)
		z := b.Apply(SpMM{Kind: Max}, nodes(st, x)...)
		y = times(b, y, times(b, z, y))
		grads := reverse(t, b, y, b.Apply(scaleOf(1), y), x, w)
		scalar := times(b, grads[0], times(b, x, x))
		return b.Apply(sumAll, scalar), []*kernels.Node{x, w}
	}
	value := func() float64 {
		given := map[*kernels.Node]kernels.Tensor{}
		var n *kernels.Node
		if err := kernels.Try(func(b kernels.Builder) { n, _ = build(given, b) }); err != nil {
			t.Fatal(err)
		}
		v, err := kernels.Eval(given, n)
		if err != nil {
			t.Fatal(err)
		}
		return v[0].F64[0]
	}
	given := map[*kernels.Node]kernels.Tensor{}
	var second []*kernels.Node
	if err := kernels.Try(func(b kernels.Builder) {
		scalar, wrt := build(given, b)
		second = reverse(t, b, scalar, b.Apply(scaleOf(1), scalar), wrt...)
	}); err != nil {
		t.Fatal(err)
	}
	got, err := kernels.Eval(given, second...)
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	for k, of := range in {
		for at, v := range of.F64 {
			of.F64[at] = v + h
			up := value()
			of.F64[at] = v - h
			want := (up - value()) / (2 * h)
			of.F64[at] = v
			if g := got[k].F64[at]; math.Abs(g-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("second derivative by input %d, element %d: %v, differences say %v", k, at, g, want)
			}
		}
	}
}

func TestCompressed(t *testing.T) {
	for _, g := range graphs(t) {
		s, err := Compressed(g.s.Cols(), g.s.Ptr, g.s.Col)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", g.name, err)
		}
		if !slices.Equal(s.Ptr, g.s.Ptr) || !slices.Equal(s.Col, g.s.Col) || !slices.Equal(s.TPtr, g.s.TPtr) {
			t.Errorf("%s: %v, Build gives %v", g.name, s, g.s)
		}
	}
	for _, bad := range []struct {
		cols     int
		ptr, col []int32
	}{{3, nil, nil}, {3, []int32{1, 1}, []int32{0}}, {3, []int32{0, 2, 1}, []int32{0}}, {3, []int32{0, 2}, []int32{0}},
		{3, []int32{0, 1}, []int32{3}}, {3, []int32{0, 1}, []int32{-1}}, {-1, []int32{0}, nil}} {
		if _, err := Compressed(bad.cols, bad.ptr, bad.col); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}
