package graph

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: %s, want %s", what, g, w)
	}
}

func edges(g *Graph) string {
	var b strings.Builder
	for e, j := range g.Source {
		fmt.Fprintf(&b, "%d>%d", j, g.Target[e])
		if g.Weight != nil {
			fmt.Fprintf(&b, ":%v", g.Weight[e])
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

// dirty has an isolated node 4, a double edge 2 → 0, and two loops at node 1.
func dirty() *Graph {
	return &Graph{Name: "dirty", N: 5, Directed: true,
		Source: []int32{2, 1, 0, 2, 1, 3}, Target: []int32{0, 1, 1, 0, 1, 2},
		Weight:   []float32{1, 2, 3, 4, 5, 6},
		EdgeAttr: Matrix{Rows: 6, Cols: 1, Data: []float32{10, 20, 30, 40, 50, 60}},
		Features: Matrix{Rows: 5, Cols: 2, Data: []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		Labels:   Labels{Task: Classify, Class: []int32{0, 1, 0, 1, -1}, Classes: []string{"a", "b"}},
		Splits:   []Split{{"s", [][]int8{{0, 1, 2, 0, -1}}}}}
}

func TestOperations(t *testing.T) {
	g := dirty()
	if err := g.Check(); err != nil {
		t.Fatal(err)
	}
	c := g.Coalesce()
	expect(t, "coalesced", edges(c), "0>1:3 1>1:7 2>0:5 3>2:6")
	expect(t, "attributes", c.EdgeAttr.Data, "[30 70 50 60]")
	expect(t, "undirected", edges(g.Undirected()), "0>1:3 0>2:5 1>0:3 1>1:14 2>0:5 2>3:6 3>2:6")
	expect(t, "without loops", edges(g.WithoutLoops()), "2>0:1 0>1:3 2>0:4 3>2:6")
	expect(t, "with loops", edges(g.WithLoops(9)), "2>0:1 1>1:2 0>1:3 2>0:4 1>1:5 3>2:6 0>0:9 1>1:9 2>2:9 3>3:9 4>4:9")
	r := g.WithRemainingLoops(9)
	expect(t, "with remaining loops", edges(r), "2>0:1 0>1:3 2>0:4 3>2:6 0>0:9 1>1:5 2>2:9 3>3:9 4>4:9")
	expect(t, "attributes", r.EdgeAttr.Data, "[10 30 40 60 9 50 9 9 9]")
	expect(t, "degrees", fmt.Sprint(g.InDegree(), g.OutDegree()), "[2 3 1 0 0] [1 2 2 1 0]")
	of, count := g.Components()
	expect(t, "components", fmt.Sprint(of, count), "[0 0 0 0 1] 2")
	big, err := g.LargestComponent()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "largest component", big.Nodes, "[0 1 2 3]")
	expect(t, "the graph is not changed", edges(g), edges(dirty()))
}

func TestTypedEdges(t *testing.T) {
	g := &Graph{N: 2, Source: []int32{0, 0, 0}, Target: []int32{1, 1, 1}, EdgeType: []int32{1, 0, 1},
		EdgeTypes: []string{"p", "q"}}
	c := g.Coalesce()
	expect(t, "types stay apart", edges(c)+fmt.Sprint(c.EdgeType), "0>1 0>1[0 1]")
	l := g.WithLoops(1)
	expect(t, "loops have a type of their own", fmt.Sprint(l.EdgeType, l.EdgeTypes), "[1 0 1 2 2] [p q loop]")
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

func TestParts(t *testing.T) {
	g := dirty()
	s, err := g.Induced([]int32{2, 0, 3})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "edges", edges(s.Graph)+fmt.Sprint(s.Edges), "0>1:1 0>1:4 2>0:6[0 3 5]")
	expect(t, "features", s.Graph.Features.Data, "[4 5 0 1 6 7]")
	expect(t, "labels", fmt.Sprint(s.Graph.Labels.Class, s.Graph.Splits), "[0 0 1] [{s [[2 0 0]]}]")
	if err := s.Graph.Check(); err != nil {
		t.Error(err)
	}
	k, err := g.KHop([]int32{0, 0}, 1)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "one hop", fmt.Sprint(k.Nodes, k.Seeds)+edges(k.Graph), "[0 2] [0 0]1>0:1 1>0:4")
	for _, nodes := range [][]int32{{5}, {-1}, {1, 1}} {
		if _, err := g.Induced(nodes); err == nil {
			t.Errorf("nodes %v are accepted", nodes)
		}
	}
	if _, err := g.KHop([]int32{7}, 1); err == nil {
		t.Error("a seed out of range is accepted")
	}
}

// drawGraph draws a graph with duplicates, loops and isolated nodes.
func drawGraph(t *rapid.T) *Graph {
	n := rapid.IntRange(0, 12).Draw(t, "nodes")
	g := &Graph{N: n, Directed: true}
	if n == 0 {
		return g
	}
	g.Source = rapid.SliceOfN(rapid.Int32Range(0, int32(n-1)), 0, 40).Draw(t, "sources")
	for range g.Source {
		g.Target = append(g.Target, rapid.Int32Range(0, int32(n-1)).Draw(t, "target"))
		g.Weight = append(g.Weight, float32(rapid.IntRange(-8, 8).Draw(t, "weight")))
	}
	return g
}

// dense is the matrix of weights.
func dense(g *Graph) []float32 {
	m := make([]float32, g.N*g.N)
	for e, j := range g.Source {
		m[int(j)*g.N+int(g.Target[e])] += g.Weight[e]
	}
	return m
}

// The operations agree with those on the dense matrix.
func TestOperationsDense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		n, a := g.N, dense(g)
		c, u := g.Coalesce(), g.Undirected()
		if !slices.Equal(dense(c), a) {
			t.Fatal("coalescing changes the matrix")
		}
		for k := 1; k < c.Edges(); k++ {
			if c.Source[k] < c.Source[k-1] || c.Source[k] == c.Source[k-1] && c.Target[k] <= c.Target[k-1] {
				t.Fatal("edges are not sorted, or double")
			}
		}
		both := dense(u)
		for i := range n {
			for j := range n {
				if both[i*n+j] != a[i*n+j]+a[j*n+i] {
					t.Fatalf("element %d, %d of the undirected graph is %v", i, j, both[i*n+j])
				}
			}
		}
		bare := dense(g.WithoutLoops())
		for i := range n {
			for j := range n {
				if want := a[i*n+j]; i != j && bare[i*n+j] != want || i == j && bare[i*n+j] != 0 {
					t.Fatalf("element %d, %d without loops is %v", i, j, bare[i*n+j])
				}
			}
		}
		in := g.Into()
		for i := range n {
			last := int32(-1)
			for k := in.Ptr[i]; k < in.Ptr[i+1]; k++ {
				if e := in.Edge[k]; e <= last || g.Target[e] != int32(i) || g.Source[e] != in.Node[k] {
					t.Fatalf("entry %d of node %d is edge %d", k, i, e)
				}
				last = in.Edge[k]
			}
		}
	})
}

func TestBlockDiagonal(t *testing.T) {
	a, b := dirty(), dirty()
	b.N, b.Source, b.Target, b.Weight = 2, []int32{1}, []int32{0}, []float32{7}
	b.EdgeAttr = Matrix{Rows: 1, Cols: 1, Data: []float32{70}}
	b.Features = Matrix{Rows: 2, Cols: 2, Data: []float32{9, 8, 7, 6}}
	b.Labels.Class, b.Splits = []int32{1, 0}, nil
	empty := &Graph{Labels: Labels{Task: Classify, Classes: []string{"a", "b"}}}
	all, err := BlockDiagonal([]*Graph{a, empty, b})
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Graph.Check(); err != nil {
		t.Error(err)
	}
	expect(t, "edges", edges(all.Graph), edges(a)+" 6>5:7")
	expect(t, "parts", fmt.Sprint(all.Ptr, all.Member), "[0 5 5 7] [0 0 0 0 0 2 2]")
	expect(t, "features", all.Graph.Features.Data, "[0 1 2 3 4 5 6 7 8 9 9 8 7 6]")
	expect(t, "attributes", all.Graph.EdgeAttr.Data, "[10 20 30 40 50 60 70]")
	expect(t, "labels", all.Graph.Labels.Class, "[0 1 0 1 -1 1 0]")

	sparse := dirty()
	sparse.Features = sparse.Features.Compress()
	two, err := BlockDiagonal([]*Graph{sparse, b})
	if err != nil || !two.Graph.Features.Sparse() {
		t.Fatalf("sparse %v, error %v", two.Graph.Features.Sparse(), err)
	}
	expect(t, "sparse features", two.Graph.Features.Dense(), all.Graph.Features.Data)
	if err := two.Graph.Check(); err != nil {
		t.Error(err)
	}
	none, err := BlockDiagonal(nil)
	expect(t, "no graphs", fmt.Sprint(none.Graph.N, none.Ptr, err), "0 [0] <nil>")
	for what, spoil := range map[string]func(g *Graph){
		"features":   func(g *Graph) { g.Features = Matrix{Rows: 5, Cols: 1, Data: make([]float32, 5)} },
		"attributes": func(g *Graph) { g.EdgeAttr = Matrix{} },
		"weights":    func(g *Graph) { g.Weight = nil },
		"types":      func(g *Graph) { g.EdgeType, g.EdgeTypes = make([]int32, 6), []string{"t"} },
		"labels":     func(g *Graph) { g.Labels = Labels{} },
	} {
		g := dirty()
		spoil(g)
		if _, err := BlockDiagonal([]*Graph{dirty(), g}); err == nil || !strings.Contains(err.Error(), "graph 1: ") {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

func TestMatrix(t *testing.T) {
	m := Matrix{Rows: 3, Cols: 4, Data: []float32{0, 1, 0, 3, 0, 0, 0, 0, 5, 0, 0, -5}}
	s := m.Compress()
	expect(t, "compressed", fmt.Sprint(s.Ptr, s.Col, s.Value), "[0 2 2 4] [1 3 0 3] [1 3 5 -5]")
	expect(t, "dense again", s.Dense(), m.Data)
	expect(t, "rows", fmt.Sprint(s.Take([]int32{2, 0, 2}).Dense(), m.Take([]int32{1, 0}).Data),
		"[5 0 0 -5 0 1 0 3 5 0 0 -5] [0 0 0 0 0 1 0 3]")
	expect(t, "normalised", fmt.Sprint(s.NormaliseRows().Value, m.NormaliseRows().Data[:4]),
		"[0.25 0.75 5 -5] [0 0.25 0 0.75]")
	expect(t, "not changed", s.Value, "[1 3 5 -5]")
	expect(t, "entries", fmt.Sprint(s.Entries(), m.Entries()), "4 12")
}

// Each kind of damage is found, and named.
func TestCheck(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for want, spoil := range map[string]func(g *Graph){
		"as many sources as targets":  func(g *Graph) { g.Target = g.Target[:5] },
		"edge 2: want a source":       func(g *Graph) { g.Source[2] = 5 },
		"edge 0: want a target":       func(g *Graph) { g.Target[0] = -1 },
		"6 weights":                   func(g *Graph) { g.Weight = g.Weight[:3] },
		"edge 3: want a finite":       func(g *Graph) { g.Weight[3] = nan },
		"attributes for each":         func(g *Graph) { g.EdgeAttr.Rows = 5 },
		"attributes of edges: want 6": func(g *Graph) { g.EdgeAttr.Data = nil },
		"6 edge types":                func(g *Graph) { g.EdgeType = []int32{0} },
		"edge 0: want a type":         func(g *Graph) { g.EdgeType = make([]int32, 6) },
		"node 1: want a type": func(g *Graph) {
			g.NodeType, g.NodeTypes = []int32{0, 1, 0, 0, 0}, []string{"n"}
		},
		"row of features":       func(g *Graph) { g.Features.Rows = 4 },
		"features: want finite": func(g *Graph) { g.Features.Data[3] = inf },
		"names of features":     func(g *Graph) { g.FeatureNames = []string{"one"} },
		"5 labels":              func(g *Graph) { g.Labels.Class = g.Labels.Class[:2] },
		"label 2: want a class": func(g *Graph) { g.Labels.Class[2] = 2 },
		"without a task":        func(g *Graph) { g.Labels.Task = None },
		`task "x"`:              func(g *Graph) { g.Labels.Task = "x" },
		"a mark for each":       func(g *Graph) { g.Splits[0].Part[0] = nil },
		"got 3 at 1":            func(g *Graph) { g.Splits[0].Part[0][1] = 3 },
		"row pointer":           func(g *Graph) { g.Features = Matrix{Rows: 5, Cols: 2, Ptr: []int32{0}} },
		"behind 2":              func(g *Graph) { g.Features = csr(0, 2, 1, 3, 3, 4) },
		"ascending columns":     func(g *Graph) { g.Features = csr(0, 0, 3, 3, 3, 4) },
		"yes-or-no": func(g *Graph) {
			g.Labels = Labels{Task: MultiLabel, Names: []string{"q"}, Value: []float32{0, 1, nan, 1, 2}}
		},
	} {
		g := dirty()
		spoil(g)
		if err := g.Check(); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.HasPrefix(err.Error(), "graph ") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	c := &Collection{Name: "c", Graphs: []*Graph{dirty(), {N: 1}}}
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "graph 1 has 0 features") {
		t.Errorf("error %v", err)
	}
	c.Graphs[1] = dirty()
	c.Graphs[1].Source[0] = 9
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), `collection "c": graph 1: edge 0`) {
		t.Errorf("error %v", err)
	}
	c.Graphs, c.Labels = c.Graphs[:1], Labels{Task: Classify, Class: []int32{0, 0}, Classes: []string{"a"}}
	if c.Check() == nil {
		t.Error("two labels of one graph are accepted")
	}
	r := &Triples{Entities: []string{"a"}, Relations: []string{"r"}, Test: []Triple{{0, 0, 1}}}
	if err := r.Check(); err == nil || !strings.Contains(err.Error(), "triple 0 of part 2") {
		t.Errorf("error %v", err)
	}
}

// csr is a matrix of 5 rows and 2 columns with 4 entries in columns 0, 1, 1, 0.
func csr(ptr ...int32) Matrix {
	return Matrix{Rows: 5, Cols: 2, Ptr: ptr, Col: []int32{0, 1, 1, 0}, Value: make([]float32, 4)}
}

func TestSummary(t *testing.T) {
	s := dirty().Summarize()
	expect(t, "counts", []int{s.Nodes, s.Edges, s.Loops, s.Duplicates, s.Isolated, s.Components, s.Unlabelled},
		"[5 6 2 2 1 2 1]")
	expect(t, "degrees", s.Degree, "{0 1 1.2 3}")
	expect(t, "splits", fmt.Sprint(s.Splits, s.Classes, s.Density), "[{s 1 2 1 1}] [{a 2} {b 2}] 1")
	r := (&Triples{Entities: []string{"a", "b"}, Relations: []string{"r"}, Train: []Triple{{0, 0, 1}}}).Summarize()
	expect(
		t,
		"triples",
		fmt.Sprint(r.Kind, r.Nodes, r.Edges, r.EdgeTypes, r.Splits),
		"triples2 1 1 [{published 1 1 0 0}]",
	)
	c := (&Collection{Graphs: []*Graph{dirty(), dirty()}}).Summarize()
	expect(t, "collection", fmt.Sprint(c.Kind, c.Graphs, c.Nodes, c.Edges), "graphs2 10 12")
}
