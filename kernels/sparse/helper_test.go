package sparse

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
)

// graph is a named structure.
type graph struct {
	name string
	s    Structure
}

// random is a graph with the given number of edges; six of ten end in node 0 if hub is set.
func random(t testing.TB, seed uint64, rows, cols, n int, hub bool) Structure {
	t.Helper()
	r := philox.New(seed, 9, 0)
	src, dst := make([]int32, n), make([]int32, n)
	for e := range n {
		src[e], dst[e] = int32(r.Below(uint32(cols))), int32(r.Below(uint32(rows)))
		if hub && r.Below(10) < 6 {
			dst[e] = 0
		}
	}
	s, _, err := Build(rows, cols, src, dst)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// graphs are those on which every operator is tested.
func graphs(t testing.TB) []graph {
	t.Helper()
	list := []graph{
		{"no nodes", random(t, 1, 0, 0, 0, false)}, {"one node", random(t, 1, 1, 1, 0, false)},
		{"no edges", random(t, 1, 4, 4, 0, false)}, {"loops", random(t, 1, 1, 1, 3, false)},
		{"sparse", random(t, 2, 9, 9, 7, false)}, {"duplicates", random(t, 3, 3, 3, 20, false)},
		{"hub", random(t, 4, 12, 12, 50, true)}, {"bipartite", random(t, 5, 7, 4, 21, false)},
	}
	for _, g := range list {
		if err := g.s.Check(); err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
	}
	return list
}

// args are inputs with a structure behind the first ones.
func args(s Structure, first ...optest.Arg) []optest.Arg {
	for _, t := range s.Tensors() {
		first = append(first, optest.Values(t))
	}
	return first
}

// shapes are those of rows: scalars, vectors, and heads.
var shapes = [][]int{{}, {1}, {3}, {7}, {2, 3}, {0}}

// rowsOfShape is a shape of n rows.
func rowsOfShape(n int, row []int) []int { return append([]int{n}, row...) }

func name(parts ...any) string { return fmt.Sprint(parts...) }

// infer is an error test: specs of a structure of 2 × 3 with 4 entries behind the first.
func refuse(t *testing.T, op kernels.Op, want string, first ...kernels.Spec) {
	t.Helper()
	i := kernels.Int32
	optest.Errors(t, op, want, append(first, kernels.S(i, 3), kernels.S(i, 4), kernels.S(i, 4), kernels.S(i, 4),
		kernels.S(i, 4))...)
}

// damaged are structures with a fault each, for x [3, 2] and [2, 2] and values of 4 entries.
func damaged(t testing.TB) []graph {
	good := func() Structure {
		s, _, err := Build(2, 3, []int32{0, 2, 1, 2}, []int32{1, 0, 1, 1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var list []graph
	for what, spoil := range []func(s Structure){
		func(s Structure) { s.Ptr[1], s.TPtr[1] = 5, 5 }, func(s Structure) { s.Ptr[0], s.TPtr[0] = 1, 1 },
		func(s Structure) { s.Ptr[2], s.TPtr[3] = 3, 3 }, func(s Structure) { s.Ptr[1], s.TPtr[1] = -1, -1 },
		func(s Structure) { s.Col[3], s.TCol[3], s.TPos[3] = 3, 2, 4 },
		func(s Structure) { s.Col[0], s.TCol[0], s.TPos[0] = -1, -1, -1 },
	} {
		s := good()
		spoil(s)
		if s.Check() == nil {
			t.Errorf("damage %d passes the check", what)
		}
		list = append(list, graph{name("damage ", what), s})
	}
	return list
}

// philoxOrder is a random permutation.
func philoxOrder(n int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	r := philox.New(8, 9, 0)
	r.Shuffle(order)
	return order
}

// unfused compares an operator with the composition that it replaces, by the references. The structure stands between
// the first inputs and the last.
func unfused(t *testing.T, g graph, op kernels.Fused, first [][]int, last ...[]int) {
	t.Helper()
	r := philox.New(10, 9, 0)
	var in []kernels.Tensor
	draw := func(shapes [][]int) {
		for _, s := range shapes {
			v := kernels.New(kernels.S(kernels.Float64, s...))
			for i := range v.F64 {
				v.F64[i] = float64(r.Uint32())/(1<<31) - 1
			}
			in = append(in, v)
		}
	}
	draw(first)
	in = append(in, g.s.Tensors()...)
	draw(last)
	expr, given, list := gorgonia.NewGraph(), map[*kernels.Node]kernels.Tensor{}, []*kernels.Node{}
	for i, v := range in {
		n := gorgonia.NewTensor(expr, v.DType.Tensor(), v.Rank(), gorgonia.WithShape(v.Shape...),
			gorgonia.WithName(fmt.Sprint("in", i)))
		given[n], list = v, append(list, n)
	}
	var out *kernels.Node
	if err := kernels.Try(func(b kernels.Builder) { out = op.Decompose(b, list) }); err != nil {
		t.Fatalf("%s: %v", g.name, err)
	}
	want, err := kernels.Eval(given, out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := kernels.RunRef(op, in)
	if err != nil {
		t.Fatal(err)
	}
	if msg := optest.Compare(got.F64, want[0].F64, 1e-12); msg != "" || got.Size() != want[0].Size() {
		t.Errorf("%s: %s differs from its parts: %s", g.name, kernels.Name(op), msg)
	}
}
