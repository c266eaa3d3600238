package read

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ganglion/engine/data/graph"
)

// damage is a damaged input: the files of a folder, the file to load in it, and what the error has to say.
type damage struct {
	name  string
	files map[string]string
	load  string // "" for the folder
	opts  Options
	want  []string
}

// spoil is a set of files with one of them changed, or left out if text is "-".
func spoil(files map[string]string, name, text string) map[string]string {
	out := maps.Clone(files)
	if out[name] = text; text == "-" {
		delete(out, name)
	}
	return out
}

// damagedArchive is an .npz graph with one array changed.
func damagedArchive(t testing.TB, name string, all []array, a array, want ...string) damage {
	return damage{name, map[string]string{"a.npz": npz(t, replace(all, a)...)}, "a.npz", Options{},
		append(want, "a.npz: ")}
}

func planetoidFiles(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, part := range []string{"x", "allx", "tx", "y", "ally", "ty", "graph", "test.index"} {
		b, err := os.ReadFile(filepath.Join("testdata/tiny", "ind.tiny."+part))
		if err != nil {
			t.Fatal(err)
		}
		files["ind.tiny."+part] = string(b)
	}
	return files
}

func archiveDamage(t testing.TB) []damage {
	p, h := plainArrays(), heteroArrays()
	bad := func(name string, a array, want ...string) damage { return damagedArchive(t, name, p, a, want...) }
	whole := npz(t, p...)
	return []damage{
		bad("edge out of range", array{name: "edge_index", shape: []int{2, 3}, data: []int32{0, 0, 2, 1, 2, 4}},
			`"edge_index"`, "nodes from 0 to 3, got 4 in edge 2"),
		bad("negative index", array{name: "edge_index", shape: []int{2, 3}, data: []int32{0, -1, 2, 1, 2, 3}},
			"got -1 in edge 1"),
		bad(
			"edges of three rows",
			array{name: "edge_index", shape: []int{3, 1}, data: []int32{0, 1, 2}},
			"the shape [3 1]",
		),
		bad("short row pointer", array{name: "x_indptr", shape: []int{4}, data: []int32{0, 2, 2, 4}},
			"want 5 row pointers for 4 rows, got 4"),
		bad("row pointer that descends", array{name: "x_indptr", shape: []int{5}, data: []int32{0, 2, 1, 3, 4}},
			"row pointer 2 is 1 behind 2"),
		bad("row pointer beyond the end", array{name: "x_indptr", shape: []int{5}, data: []int32{0, 2, 9, 9, 4}},
			"row pointer 2 is 9"),
		bad("column out of range", array{name: "x_indices", shape: []int{4}, data: []int32{2, 0, 3, 1}},
			"want a column from 0 to 2, got 3"),
		bad(
			"label count",
			array{name: "y", shape: []int{3}, data: []int32{1, 0, 1}},
			`"y"`,
			"a label for each of 4 nodes",
		),
		bad("feature that is not a number", array{name: "x_data", shape: []int{4}, data: []float32{3, nan(), 1, 2}},
			"want a finite number, got NaN"),
		bad("node in two parts", array{name: "val_idx", shape: []int{1}, data: []int32{3}}, `"val_idx"`, "3 at 0"),
		bad("huge sizes", array{name: "x_shape", shape: []int{2}, data: []int64{1 << 62, 3}}, `"x_shape"`, "two sizes"),
		damagedArchive(t, "mask length", h, array{"val_masks", []int{2, 2}, []int8{0, 1, 1, 0}, true}, `"val_masks"`,
			"a mask of 3 nodes"),
		damagedArchive(t, "mask overlap", h, array{"val_masks", []int{2, 3}, []int8{1, 1, 1, 0, 0, 0}, true},
			"division 0: node 0 is in two parts"),
		{"NaN weight", map[string]string{"a.npz": npz(t, append(p, array{name: "edge_weight", shape: []int{3},
			data: []float32{1, nan(), 1}})...)}, "a.npz", Options{}, []string{`"edge_weight"`, "NaN at element 1"}},
		{
			"npz cut off",
			map[string]string{"a.npz": whole[:len(whole)-40]},
			"a.npz",
			Options{},
			[]string{"a.npz: want a whole"},
		},
	}
}

func textDamage() []damage {
	tu, m := tuFiles(), musaeFiles()
	text := func(name, content string, want ...string) damage {
		return damage{name, map[string]string{"g.txt": content}, "g.txt", Options{}, want}
	}
	return []damage{
		{
			"TU edge between graphs",
			spoil(tu, "T_A.txt", "1, 2\n3, 4\n"),
			"",
			Options{},
			[]string{"T_A.txt:2:", "1 and 2"},
		},
		{
			"TU edge out of range",
			spoil(tu, "T_A.txt", "1, 2\n1, 6\n"),
			"",
			Options{},
			[]string{"T_A.txt:2:", "1 to 5, got 6"},
		},
		{
			"TU labels missing",
			spoil(tu, "T_graph_labels.txt", "-"),
			"",
			Options{},
			[]string{"T_graph_labels.txt: want the file"},
		},
		{
			"TU label count",
			spoil(tu, "T_graph_labels.txt", "1\n"),
			"",
			Options{},
			[]string{"T_graph_labels.txt", "2 graphs, got 1"},
		},
		{"TU nodes unsorted", spoil(tu, "T_graph_indicator.txt", "1\n2\n1\n2\n2\n"), "", Options{},
			[]string{"T_graph_indicator.txt:3:", "graph 2 again or graph 3, got 1"}},
		{"TU row short", spoil(tu, "T_node_attributes.txt", "0.5, 1\n1\n1, 1\n2, 1\n2, 1\n"), "", Options{},
			[]string{"T_node_attributes.txt:2:", "2 numbers"}},
		{
			"TU no number",
			spoil(tu, "T_node_labels.txt", "7\n3\nx\n3\n3\n"),
			"",
			Options{},
			[]string{"T_node_labels.txt:3:", `"x"`},
		},
		text("text neighbour", "1\n2 0\n0 1 2\n0 0\n", "g.txt:3:", "a neighbour from 0 to 1, got 2"),
		text("text cut off", "2\n1 0\n0 0\n", "g.txt:3:", "the end of the file"),
		text("text too long", "1\n1 0\n0 0\n5 5\n", "g.txt:4:", "the end behind 1 graphs"),
		text("text attributes", "1\n2 0\n0 0 1\n0 0\n", "g.txt:4:", "1 attributes"),
		{"MUSAE edge", spoil(m, "m_edges.csv", "id_1,id_2\n0,1\n1,3\n"), "", Options{},
			[]string{"m_edges.csv:3: want edge 1: a node from 0 to 2, got 3", "mend line 3"}},
		{"MUSAE node twice", spoil(m, "m_target.csv", "id,t\n0,a\n1,b\n1,b\n"), "", Options{},
			[]string{"m_target.csv:4:", "node 1 stands twice"}},
		{
			"MUSAE features of no node",
			spoil(m, "m.json", `{"7": [1]}`),
			"",
			Options{},
			[]string{"m.json: byte", `node "7"`},
		},
		{"MUSAE nested features", spoil(m, "m.json", `{"1": [[1]]}`), "", Options{}, []string{"m.json: byte"}},
		{"MUSAE features cut off", spoil(m, "m.json", `{"1": [1], "2": [`), "", Options{}, []string{"m.json: byte"}},
	}
}

// moreDamage is that of the other text formats.
func moreDamage(t testing.TB) []damage {
	o := ogbNodeFiles()
	pair := gz(t, "source,target\n"+strings.Repeat("0,1\n1,2\n", 500))
	return []damage{
		{
			"Geom-GCN fields",
			spoil(geomFiles(t), geomNodes, "h\th\th\n0\t1,0\n"),
			"",
			Options{},
			[]string{geomNodes + ":2:"},
		},
		{
			"OGB sizes",
			spoil(o, "num-edge-list.csv", "3\n"),
			"",
			Options{},
			[]string{"edge.csv", "3 lines of two nodes"},
		},
		{"OGB edge", spoil(o, "edge.csv", "0,1\n2,3\n"), "", Options{}, []string{"edge.csv:2:", "0 to 2"}},
		{
			"OGB features",
			spoil(o, "node-feat.csv", "1\n2\n"),
			"",
			Options{},
			[]string{"node-feat.csv", "3 lines for 3 nodes"},
		},
		{"OGB split", spoil(o, "split/time/test.csv", "1\n"), "", Options{}, []string{"test.csv:1:", "one part only"}},
		{"triple", spoil(tripleFiles(), "valid.txt", "a\tb\n"), "", Options{}, []string{"valid.txt:1:", "2 fields"}},
		{
			"matrix entry",
			map[string]string{"a.mtx": strings.Replace(marketFile, "3 2 1", "4 2 1", 1)},
			"a.mtx",
			Options{},
			[]string{"a.mtx:6:", "1 to 3, got 4"},
		},
		{"matrix value", map[string]string{"a.mtx": strings.Replace(marketFile, "0.5", "nan", 1)}, "a.mtx", Options{},
			[]string{"a.mtx:4:", "finite"}},
		{
			"matrix of many entries",
			map[string]string{"a.mtx": "%%MatrixMarket matrix coordinate real general\n3 3 2000000000\n"},
			"a.mtx",
			Options{},
			[]string{"a.mtx:2:", "the number of entries"},
		},
		{
			"edge fields",
			map[string]string{"edges.csv": "source,target\n0,1\n1\n"},
			"",
			Options{},
			[]string{"edges.csv:3:"},
		},
		{
			"edge no number",
			map[string]string{"edges.csv": "0,1\n1,x\n"},
			"",
			Options{},
			[]string{"edges.csv:2:", `"x"`},
		},
		{
			"features of a node twice",
			map[string]string{"edges.csv": edgesFile, "nodes.csv": "id,f\n0,1\n1,1\n0,2\n"},
			"",
			Options{},
			[]string{"nodes.csv:4:", `"0" again, as in line 2`},
		},
		{"features short", map[string]string{"edges.csv": edgesFile, "nodes.csv": "id,f\n0,1\n1\n"}, "", Options{},
			[]string{"nodes.csv:3:", "2 fields"}},
		{"edge to no node", map[string]string{"edges.csv": edgesFile, "nodes.csv": "id,f\n0,1\n1,1\n"}, "", Options{},
			[]string{"edges.csv:3:", "0 to 1, got 2"}},
		{
			"gzip cut off",
			map[string]string{"edges.csv.gz": pair[:len(pair)-10]},
			"",
			Options{},
			[]string{"edges.csv.gz: want a whole gzip"},
		},
		{"zero byte", map[string]string{"edges.csv": "0,1\n1,\x00\n"}, "", Options{}, []string{"edges.csv: byte 6"}},
	}
}

func pickleDamage(t testing.TB) []damage {
	p := planetoidFiles(t)
	g := p["ind.tiny.graph"]
	return []damage{
		{"pickle cut off", spoil(p, "ind.tiny.allx", p["ind.tiny.allx"][:200]), "", Options{},
			[]string{"ind.tiny.allx: byte", "cut off", "fetch the original file"}},
		{"pickle of a function", spoil(p, "ind.tiny.graph", "cos\nsystem\n(S'id'\ntR."), "", Options{},
			[]string{"ind.tiny.graph:", `"os.system" is not allowed`}},
		{"pickle missing", spoil(p, "ind.tiny.tx", "-"), "", Options{}, []string{"ind.tiny.tx: want the file"}},
		{
			"pickle of other features",
			spoil(p, "ind.tiny.tx", p["ind.tiny.allx"]),
			"",
			Options{},
			[]string{"5 × 4 elements for 3"},
		},
		{
			"pickle of an array as graph",
			spoil(p, "ind.tiny.graph", p["ind.tiny.y"]),
			"",
			Options{},
			[]string{"ind.tiny.graph:"},
		},
		{"neighbour out of range", spoil(p, "ind.tiny.graph", strings.Replace(g, "I8\n", "I99\n", 1)), "", Options{},
			[]string{"ind.tiny.graph:", "99"}},
		{
			"test node twice",
			spoil(p, "ind.tiny.test.index", "8\n5\n8\n"),
			"",
			Options{},
			[]string{"test.index:3:", "8 again"},
		},
		{
			"test node in training",
			spoil(p, "ind.tiny.test.index", "8\n5\n1\n"),
			"",
			Options{},
			[]string{"test.index:3:", "got 1"},
		},
		{
			"test nodes missing",
			spoil(p, "ind.tiny.test.index", "8\n5\n"),
			"",
			Options{},
			[]string{"test.index", "3 lines"},
		},
	}
}

func nan() float32 {
	zero := float32(0)
	return zero / zero
}

// Every damage is told with file, position and remedy; nothing panics.
func TestDamage(t *testing.T) {
	for _, c := range slices.Concat(archiveDamage(t), textDamage(), moreDamage(t), pickleDamage(t)) {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(folderOf(t, c.files), c.load)
			d, err := Load(context.Background(), path, c.opts)
			var e *graph.Error
			if !errors.As(err, &e) {
				t.Fatalf("%+v, error %v", d, err)
			}
			if e.Remedy == "" || e.File == "" {
				t.Errorf("no file or remedy in %q", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
		})
	}
}
