package read

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ganglion/engine/data/graph"
)

// edges prints the edges of a graph.
func edges(g *graph.Graph) string {
	var b strings.Builder
	for e, j := range g.Source {
		fmt.Fprintf(&b, "%d>%d ", j, g.Target[e])
	}
	return strings.TrimSpace(b.String())
}

// words prints values with a blank between them.
func words(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }

// expect compares what is printed of a graph.
func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: %s, want %s", what, g, w)
	}
}

func TestCora(t *testing.T) {
	g := load1(t, "cora", Options{}).Graph
	s := g.Summarize()
	expect(t, "nodes, edges, features, entries", []int{s.Nodes, s.Edges, s.Features, g.Features.Entries()},
		[]int{2708, 10556, 1433, 49216})
	expect(t, "classes", g.Labels.Counts(), []int{351, 217, 418, 818, 426, 298, 180})
	expect(t, "loops, duplicates, isolated, components", []int{s.Loops, s.Duplicates, s.Isolated, s.Components},
		[]int{0, 0, 0, 78})
	expect(t, "degrees", s.Degree, graph.Degrees{Min: 1, Median: 3, Mean: 3.8981, Max: 168})
	expect(
		t,
		"splits",
		s.Splits,
		[]graph.SplitSummary{{Name: "public", Divisions: 1, Train: 140, Valid: 500, Test: 1000},
			{Name: "geom", Divisions: 10, Train: 1192, Valid: 796, Test: 497}},
	)
	for _, i := range g.Splits[0].Rows(0, graph.Train) {
		if i >= 140 {
			t.Fatalf("node %d is a training node", i)
		}
	}
	if set, ok := FindSet("cora"); !ok || set.Nodes != s.Nodes || 2*set.Edges != s.Edges || set.Features != s.Features {
		t.Errorf("the list has %+v", set)
	}
}

func TestPlanetoid(t *testing.T) {
	g := load1(t, "testdata/tiny", Options{}).Graph
	expect(t, "edges", edges(g), "0>1 0>2 1>0 1>7 2>0 3>8 5>8 7>1 8>3 8>5")
	expect(t, "classes", g.Labels.Class, "[0 1 0 1 -1 0 -1 1 1]")
	expect(t, "split", g.Splits[0].Part[0], "[0 0 1 1 1 2 -1 2 2]")
	expect(t, "features", g.Features.Dense(),
		"[1 0 0 1 0 1 0 0 0 0 0 0 1 1 0 0 0 0 2 0 4 0 0 0 0 0 0 0 0 5 0 0 0 0 0 3]")
	if !g.Features.Sparse() || g.Directed || g.N != 9 {
		t.Errorf("sparse %v, directed %v, %d nodes", g.Features.Sparse(), g.Directed, g.N)
	}
}

func TestPlainNPZ(t *testing.T) {
	dir := folderOf(t, map[string]string{"a.npz": npz(t, plainArrays()...)})
	for _, path := range []string{dir, filepath.Join(dir, "a.npz")} {
		g := load1(t, path, Options{}).Graph
		expect(t, "edges", edges(g), "0>1 0>2 1>0 2>0 2>3 3>2")
		expect(t, "features", g.Features.Dense(), "[1 0 3 0 0 0 0 1 0 0 2 0]")
		expect(t, "classes", g.Labels.Class, "[1 0 -1 1]")
		expect(t, "split", g.Splits[0].Part[0], "[0 1 -1 0]")
	}
	g := load1(t, filepath.Join(dir, "a.npz"), Options{Directed: true}).Graph
	expect(t, "edges as stored", edges(g), "0>1 0>2 2>3")
	if !g.Directed {
		t.Error("is not directed")
	}
}

func TestDenseNPZ(t *testing.T) {
	path := filepath.Join(folderOf(t, map[string]string{"d.npz": npz(t,
		array{name: "edge_index", shape: []int{2, 3}, data: []int64{1, 0, 1, 0, 1, 1}},
		array{name: "x", shape: []int{2, 2}, data: []float64{1, 2, 3, 4}, fortran: true},
		array{name: "y", shape: []int{2, 3}, data: []int8{1, 0, 1, 0, 0, 1}},
		array{name: "edge_weight", shape: []int{3}, data: []float32{.5, .25, 1}},
		array{name: "edge_type", shape: []int{3}, data: []int8{0, 1, 2}},
		array{name: "edge_attr", shape: []int{3, 2}, data: []float32{1, 2, 3, 4, 5, 6}},
		array{name: "split_60_40", shape: []int{1, 2}, data: []int8{0, 1}})}), "d.npz")
	g := load1(t, path, Options{}).Graph
	expect(t, "edges", edges(g), "1>0 0>1 1>1")
	expect(t, "features", g.Features.Data, "[1 3 2 4]")
	expect(t, "labels", words(g.Labels.Task, g.Labels.Value, g.Labels.Names), "multilabel [1 0 1 0 0 1] [0 1 2]")
	expect(t, "data of the edges", words(g.Weight, g.EdgeType, g.EdgeTypes, g.EdgeAttr.Data),
		"[0.5 0.25 1] [0 1 2] [0 1 2] [1 2 3 4 5 6]")
	expect(t, "split", g.Splits[0].Part[0], "[0 2]")
}

func TestBenchmarkNPZ(t *testing.T) {
	path := filepath.Join(folderOf(t, map[string]string{"b.npz": npz(t,
		array{name: "adj_shape", shape: []int{2}, data: []int64{3, 3}},
		array{name: "adj_indptr", shape: []int{4}, data: []int32{0, 2, 2, 3}},
		array{name: "adj_indices", shape: []int{3}, data: []int32{2, 1, 0}},
		array{name: "adj_data", shape: []int{3}, data: []float32{1, 1, 1}},
		array{name: "attr_shape", shape: []int{2}, data: []int64{3, 2}},
		array{name: "attr_indptr", shape: []int{4}, data: []int32{0, 1, 1, 2}},
		array{name: "attr_indices", shape: []int{2}, data: []int32{1, 0}},
		array{name: "attr_data", shape: []int{2}, data: []float32{4, 5}},
		array{name: "labels", shape: []int{3}, data: []int64{0, 1, 1}})}), "b.npz")
	g := load1(t, path, Options{}).Graph
	expect(t, "edges", edges(g), "0>1 0>2 2>0")
	expect(t, "features", g.Features.Dense(), "[0 4 0 0 5 0]")
	expect(t, "labels, directed, weights", words(g.Labels.Class, g.Directed, g.Weight), "[0 1 1] true []")
}

func TestHeterophilousNPZ(t *testing.T) {
	path := filepath.Join(folderOf(t, map[string]string{"h.npz": npz(t, heteroArrays()...)}), "h.npz")
	g := load1(t, path, Options{}).Graph
	expect(t, "edges", edges(g), "0>1 1>0 1>2 2>1")
	expect(t, "features", g.Features.Data, "[1 4 2 5 3 6]")
	// Division 0 of the masks is elements 0, 2 and 4 of the file.
	expect(t, "split", g.Splits[0].Part, "[[0 1 2] [1 2 0]]")
	expect(t, "name", g.Splits[0].Name, "fixed")
}

func TestTU(t *testing.T) {
	c := load1(t, folderOf(t, tuFiles()), Options{}).Collection
	if len(c.Graphs) != 2 {
		t.Fatalf("%d graphs", len(c.Graphs))
	}
	a, b := c.Graphs[0], c.Graphs[1]
	expect(t, "edges", edges(a)+" | "+edges(b), "0>1 1>0 1>2 2>1 | 0>1 1>0")
	expect(t, "classes", words(c.Labels.Class, c.Labels.Classes), "[1 0] [-1 1]")
	expect(t, "features", words(a.Features.Data, b.Features.Data),
		"[0 1 0.5 1 1 0 1 1 0 1 1.5 1] [1 0 2 1 1 0 2.5 1]")
	expect(t, "names", a.FeatureNames, "[label3 label7 attribute1 attribute2]")
	expect(t, "types", words(a.EdgeType, b.EdgeType, a.EdgeTypes), "[0 0 1 1] [2 2] [0 1 4]")
	expect(t, "attributes", words(a.EdgeAttr.Data, b.EdgeAttr.Data), "[1 1 2 2] [3 3]")
	if a.Directed || b.Directed {
		t.Error("graphs are directed")
	}
}

func TestGraphText(t *testing.T) {
	dir := folderOf(t, map[string]string{"g.txt.gz": gz(t, graphTextFile),
		"g_folds.npz": npz(t, array{name: "fold", shape: []int{2, 2}, data: []int8{0, 1, 1, 0}})})
	c := load1(t, filepath.Join(dir, "g.txt.gz"), Options{}).Collection
	expect(t, "edges", edges(c.Graphs[0])+" | "+edges(c.Graphs[1]), "0>1 1>0 1>2 2>1 | 0>1 1>0")
	expect(t, "features", words(c.Graphs[0].Features.Data, c.Graphs[1].Features.Data), "[0 1 1 0 0 1] [1 0 1 0]")
	expect(t, "classes", words(c.Labels.Class, c.Labels.Classes), "[1 0] [0 1]")
	expect(t, "folds", c.Splits[0].Part, "[[0 2] [2 0]]")
}

func TestMUSAE(t *testing.T) {
	g := load1(t, folderOf(t, musaeFiles()), Options{}).Graph
	expect(t, "edges", edges(g), "0>1 1>0 1>2 2>1 2>2")
	expect(t, "features", g.Features.Dense(), "[1 0 0 0 0 0 0 0 0 0 0 1 0 0 1]")
	expect(t, "classes", words(g.Labels.Class, g.Labels.Classes), "[0 1 1] [company tv]")
	files := musaeFiles()
	files["m_target.csv"] = "id,target\n0,171\n1,8089\n2,15\n"
	g = load1(t, folderOf(t, files), Options{}).Graph
	expect(t, "targets", words(g.Labels.Task, g.Labels.Value), "regress [171 8089 15]")
}

func TestGeom(t *testing.T) {
	files := geomFiles(t)
	g := load1(t, folderOf(t, files), Options{}).Graph
	expect(t, "edges, directed", words(edges(g), g.Directed), "0>1 2>1 true")
	expect(t, "features", g.Features.Dense(), "[1 0 0 0 0 1]")
	expect(t, "classes", g.Labels.Class, "[0 1 1]")
	expect(t, "splits", g.Splits[0].Part, "[[0 1 2] [1 0 2]]")
	files[geomNodes] = "node_id\tfeature\tlabel\n0\t3\t0\n1\t1,0\t1\n2\t2\t1\n"
	g = load1(t, folderOf(t, files), Options{}).Graph
	expect(t, "places of ones", g.Features.Dense(), "[0 0 0 1 1 1 0 0 0 0 1 0]")
}

func TestOGB(t *testing.T) {
	dir := folderOf(t, ogbFiles(t))
	c := load1(t, dir, Options{}).Collection
	a, b := c.Graphs[0], c.Graphs[1]
	expect(t, "edges", edges(a)+" | "+edges(b), "0>1 1>0 1>2 2>1 | 0>1 1>0")
	expect(t, "features", words(a.Features.Data, b.Features.Data), "[1 2 3 4 5 6] [7 8 9 10]")
	expect(t, "attributes", words(a.EdgeAttr.Data, b.EdgeAttr.Data), "[1 1 2 2] [3 3]")
	expect(t, "labels", words(c.Labels.Task, c.Labels.Value), "multilabel [0 1 1 NaN]")
	expect(t, "split", words(c.Splits[0].Name, c.Splits[0].Part), "scaffold [[2 0]]")
	expect(t, "edges as stored", edges(load1(t, dir, Options{Directed: true}).Collection.Graphs[0]), "0>1 1>2")

	g := load1(t, folderOf(t, ogbNodeFiles()), Options{}).Graph
	expect(t, "edges, directed", words(edges(g), g.Directed), "0>1 2>1 true")
	expect(t, "classes, split", words(g.Labels.Class, g.Splits), "[0 1 -1] [{time [[0 1 2]]}]")
}

func TestTriples(t *testing.T) {
	r := load1(t, folderOf(t, tripleFiles()), Options{}).Triples
	expect(t, "names", words(r.Entities, r.Relations), "[a b c d] [likes knows]")
	expect(t, "triples", words(r.Train, r.Valid, r.Test), "[{0 0 1} {1 1 2}] [{0 1 2}] [{3 0 0}]")
	expect(t, "note", r.Notes, "[1 entities of test.txt occur in no file before it]")
}

func TestMatrixMarket(t *testing.T) {
	dir := folderOf(t, map[string]string{"a.mtx": marketFile,
		"p.mtx.gz": gz(t, "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 2\n")})
	g := load1(t, filepath.Join(dir, "a.mtx"), Options{}).Graph
	expect(t, "edges", words(edges(g), g.Weight, g.Directed), "0>1 1>0 1>2 2>1 2>2 [0.5 0.5 1 1 2] false")
	g = load1(t, filepath.Join(dir, "p.mtx.gz"), Options{}).Graph
	expect(t, "edges", words(edges(g), g.Weight, g.Directed), "0>1 [] true")
}

func TestEdgeList(t *testing.T) {
	dir := folderOf(t, map[string]string{"e.csv": edgesFile, "n.csv": nodesFile, "s.edgelist": "# a remark\n0 1\n3 1\n",
		"names.csv": "from\tto\nann\tbob\nbob\tcid\n", "f/edges.csv": "source,target\nx,z\n",
		"f/nodes.csv": "id;f1\nz;1\nx;2\ny;3\n"})
	g := load1(t, filepath.Join(dir, "e.csv"), Options{Features: filepath.Join(dir, "n.csv")}).Graph
	expect(t, "edges", words(edges(g), g.Weight), "0>1 1>0 1>2 2>1 [0.5 0.5 2 2]")
	expect(t, "features", words(g.Features.Data, g.FeatureNames), "[1 2 3 4 5 6] [f1 f2]")
	expect(t, "labels", words(g.Labels.Class, g.Labels.Classes), "[0 1 1] [a b]")
	g = load1(t, filepath.Join(dir, "s.edgelist"), Options{Directed: true}).Graph
	expect(t, "edges", words(edges(g), g.N, g.Directed), "0>1 3>1 4 true")
	g = load1(t, filepath.Join(dir, "names.csv"), Options{}).Graph
	expect(t, "named nodes", words(edges(g), g.N), "0>1 1>0 1>2 2>1 3")
	g = load1(t, filepath.Join(dir, "f"), Options{}).Graph
	expect(t, "folder", words(edges(g), g.Features.Data, g.Name), "0>1 1>0 [1 2 3] f")
}

// Tables are no graphs, and what is neither is told.
func TestIs(t *testing.T) {
	dir := folderOf(
		t,
		map[string]string{"t.csv": "a,b,y\n1,2,0\n3,4,1\n", "v.txt": "1 2 3\n4 5 6\n", "e/x.txt": "hello\n",
			"t.npz": npz(t, array{name: "x", shape: []int{1, 1}, data: []int8{1}}), "one.txt": "5\n", "none.csv": ""},
	)
	for _, name := range []string{"t.csv", "v.txt", "e", "t.npz", "one.txt", "none.csv"} {
		if is, err := Is(filepath.Join(dir, name), Options{}); is || err != nil {
			t.Errorf("%s: a graph %v, error %v", name, is, err)
		}
		if _, err := Load(context.Background(), filepath.Join(dir, name), Options{}); err == nil {
			t.Errorf("%s is loaded", name)
		}
	}
	if is, err := Is("cora", Options{}); !is || err != nil {
		t.Errorf("cora: %v, %v", is, err)
	}
	if _, err := Is(filepath.Join(dir, "missing"), Options{}); err == nil {
		t.Error("a missing file has no error")
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, path := range []string{"cora", "testdata/tiny", folderOf(t, tuFiles())} {
		if _, err := Load(ctx, path, Options{}); err != context.Canceled {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestSets(t *testing.T) {
	names := map[string]bool{}
	for _, s := range Sets() {
		if names[s.Name] || s.Title == "" || s.Origin == "" || s.Licence == "" || s.Cite == "" || s.Nodes == 0 ||
			!s.Embedded && len(s.Paths) == 0 || !slices.Contains([]string{"nodes", "graphs", "triples"}, s.Kind) {
			t.Errorf("%+v", s)
		}
		names[s.Name] = true
	}
	dir := folderOf(
		t,
		map[string]string{"MUTAG/MUTAG_A.txt": "1, 2\n2, 1\n", "MUTAG/MUTAG_graph_indicator.txt": "1\n1\n",
			"MUTAG/MUTAG_graph_labels.txt": "1\n"},
	)
	if c := load1(t, "mutag", Options{Dir: dir}).Collection; c.Name != "mutag" || c.Graphs[0].N != 2 {
		t.Errorf("%+v", c)
	}
	for _, o := range []Options{{}, {Dir: dir}} {
		if _, err := Load(context.Background(), "nci1", o); err == nil || !strings.Contains(err.Error(), "--data-dir") {
			t.Errorf("error %v", err)
		}
	}
}
