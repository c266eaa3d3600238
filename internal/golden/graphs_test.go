package golden_test

import (
	"fmt"
	"slices"
	"testing"

	"ganglion/engine"
	graphs "ganglion/engine/data/graph"
	"ganglion/internal/golden"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
	"ganglion/models/layer/message"
)

// graphOf is the graph of a case; suffix is that of its array of edges.
func graphOf(c golden.Case, suffix string, nodes int) *graphs.Graph {
	v := c.Arrays["edge_index"+suffix]
	n := v.Shape[1]
	g := &graphs.Graph{N: nodes, Source: int32s(v.Int[:n]), Target: int32s(v.Int[n:])}
	for _, w := range c.Arrays["edge_weight"].Float {
		g.Weight = append(g.Weight, float32(w))
	}
	return g
}

// sameEdges compares a list of edges with an array.
func sameEdges(t *testing.T, c golden.Case, array string, g *graphs.Graph) {
	t.Helper()
	want := int32s(c.Arrays[array].Int)
	if got := slices.Concat(g.Source, g.Target); !slices.Equal(got, want) {
		t.Errorf("%s: %s is %v, want %v", c.Name, array, got, want)
	}
}

// sameInts compares whole numbers with an array.
func sameInts(t *testing.T, c golden.Case, array string, got []int32) {
	t.Helper()
	if want := int32s(c.Arrays[array].Int); !slices.Equal(got, want) {
		t.Errorf("%s: %s is %v, want %v", c.Name, array, got, want)
	}
}

func wideList(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// utilities compares the operations on graphs. Weights of graphs are float32.
func utilities(t *testing.T, c golden.Case, d kernels.DType) {
	g := graphOf(c, "", int(c.Number("num_nodes")))
	once := g.Coalesce()
	sameEdges(t, c, "coalesce_index", once)
	expect(t, c, "graph", "coalesce_weight", wideList(once.Weight), messages32)
	sameEdges(t, c, "undirected_index", g.Undirected())
	loops := g.WithRemainingLoops(2)
	sameEdges(t, c, "remaining_loops_index", loops)
	expect(t, c, "graph", "remaining_loops_weight", wideList(loops.Weight), messages32)
	part, err := g.KHop(int32s(c.Arrays["seeds"].Int), 2)
	if err != nil {
		t.Fatal(err)
	}
	sameInts(t, c, "khop2_nodes", part.Nodes)
	sameEdges(t, c, "khop2_edge_index", part.Graph)
	sameInts(t, c, "khop2_seed_pos", part.Seeds)
	mask := make([]int32, g.Edges())
	for _, e := range part.Edges {
		mask[e] = 1
	}
	sameInts(t, c, "khop2_edge_mask", mask)
	bare := g.WithoutLoops().WithLoops(1)
	for _, name := range []string{"lap_sym_index", "lap_rw_index", "lap_index"} {
		sameEdges(t, c, name, bare)
	}
	laplacians(t, c, d)
}

// laplacians compares the three Laplacians: with λ = 2 the scaled one is L − I.
func laplacians(t *testing.T, c golden.Case, d kernels.DType) {
	for kind, array := range []string{"lap_sym", "lap_rw", "lap"} {
		b := &bench{t: t, c: c, feeds: map[string]kernels.Tensor{}, grads: map[string]*kernels.Node{}}
		g, err := engine.Build(array, d, func(s *engine.Scope) {
			b.Scope = s
			e, _, _, _ := b.bare()
			edges, diagonal := message.Cheb{Kind: message.Laplacian(kind), Lambda: 2}.Scaled(s, e)
			inverse := b.ints("inverse", sparse.Inverse(b.perm))
			edges = b.Apply(sparse.Permute{}, edges, inverse, b.ints("permuted", b.perm))
			b.expected(array, b.Apply(dense.Concat{}, edges, b.Apply(dense.Scale{Alpha: 1, Beta: 1}, diagonal)))
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := engine.Compile(g, engine.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		b.compare(p, nil, true)
		p.Close()
	}
}

// batching compares graphs side by side.
func batching(t *testing.T, c golden.Case, _ kernels.DType) {
	var list []*graphs.Graph
	for k := range int(c.Number("count")) {
		x := c.Arrays[fmt.Sprint("x", k)]
		g := graphOf(c, fmt.Sprint(k), x.Shape[0])
		g.Features = graphs.Matrix{Rows: x.Shape[0], Cols: x.Shape[1]}
		for _, v := range x.Float {
			g.Features.Data = append(g.Features.Data, float32(v))
		}
		list = append(list, g)
	}
	b, err := graphs.BlockDiagonal(list)
	if err != nil {
		t.Fatal(err)
	}
	sameEdges(t, c, "edge_index", b.Graph)
	sameInts(t, c, "batch", b.Member)
	sameInts(t, c, "ptr", b.Ptr)
	expect(t, c, "graph", "x", wideList(b.Graph.Features.Dense()), messages32)
}
