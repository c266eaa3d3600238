package read

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folderOf writes files, by name, into a new folder.
func folderOf(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// array is one of an .npz file. data is []int8, []int32, []int64, []float32 or []float64.
type array struct {
	name    string
	shape   []int
	data    any
	fortran bool
}

// npz writes an .npz file.
func npz(t testing.TB, arrays ...array) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, a := range arrays {
		descr := map[string]string{"[]int8": "|i1", "[]int32": "<i4", "[]int64": "<i8", "[]float32": "<f4",
			"[]float64": "<f8"}[fmt.Sprintf("%T", a.data)]
		shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(a.shape), " ", ", "), "[]") + ","
		order := "False"
		if a.fortran {
			order = "True"
		}
		head := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }\n", descr, order, shape)
		w, err := z.Create(a.name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, "\x93NUMPY\x01\x00%c%c%s", byte(len(head)), byte(len(head)>>8), head)
		if err := binary.Write(w, binary.LittleEndian, a.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func gz(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func load1(t *testing.T, path string, o Options) Data {
	t.Helper()
	d, err := Load(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The parts of an .npz graph of 4 nodes and 3 pairs.
func plainArrays() []array {
	return []array{{name: "edge_index", shape: []int{2, 3}, data: []int32{0, 0, 2, 1, 2, 3}},
		{name: "y", shape: []int{4}, data: []int32{1, 0, -1, 1}},
		{name: "x_shape", shape: []int{2}, data: []int64{4, 3}},
		{name: "x_indptr", shape: []int{5}, data: []int32{0, 2, 2, 3, 4}},
		{name: "x_indices", shape: []int{4}, data: []int32{2, 0, 1, 1}},
		{name: "x_data", shape: []int{4}, data: []float32{3, 1, 1, 2}},
		{name: "train_idx", shape: []int{2}, data: []int32{3, 0}},
		{name: "val_idx", shape: []int{1}, data: []int32{1}},
		{name: "test_idx", shape: []int{0}, data: []int32{}}}
}

// heteroArrays are a graph of 3 nodes whose matrices are in Fortran order: the features [[1, 4], [2, 5], [3, 6]].
func heteroArrays() []array {
	return []array{{"node_features", []int{3, 2}, []float32{1, 2, 3, 4, 5, 6}, true},
		{"node_labels", []int{3}, []int64{0, 1, 0}, false},
		{"edges", []int{2, 2}, []int64{0, 1, 1, 2}, true},
		{"train_masks", []int{2, 3}, []int8{1, 0, 0, 0, 0, 1}, true},
		{"val_masks", []int{2, 3}, []int8{0, 1, 1, 0, 0, 0}, true},
		{"test_masks", []int{2, 3}, []int8{0, 0, 0, 1, 1, 0}, true}}
}

// replace returns the arrays with one of them changed.
func replace(all []array, a array) []array {
	out := append([]array(nil), all...)
	for k := range out {
		if out[k].name == a.name {
			out[k] = a
		}
	}
	return out
}

// The files of a TU set of two graphs, a path of three nodes and a pair, with everything a set may have.
func tuFiles() map[string]string {
	return map[string]string{
		"T_A.txt":               "1, 2\n2, 1\n4, 5\n2, 3\n3, 2\n5, 4\n",
		"T_graph_indicator.txt": "1\n1\n1\n2\n2\n",
		"T_graph_labels.txt":    "1\n-1\n",
		"T_node_labels.txt":     "7\n3\n7\n3\n3\n",
		"T_node_attributes.txt": "0.5, 1\n1, 1\n1.5, 1\n2, 1\n2.5, 1\n",
		"T_edge_labels.txt":     "0\n0\n4\n1\n1\n4\n",
		"T_edge_attributes.txt": "1\n1\n3\n2\n2\n3\n",
	}
}

func musaeFiles() map[string]string {
	return map[string]string{
		"m_edges.csv":  "id_1,id_2\n0,1\n1,2\n2,2\n",
		"m.json":       `{"2": [4, 1], "0": [0], "1": []}`,
		"m_target.csv": "id,name,page_type\n1,\"b, c\",tv\n0,a,company\n2,d,tv\n",
	}
}

func geomFiles(t testing.TB) map[string]string {
	masks := func(train, val, test []int8) string {
		return npz(t, array{name: "train_mask", shape: []int{3}, data: train},
			array{name: "val_mask", shape: []int{3}, data: val}, array{name: "test_mask", shape: []int{3}, data: test})
	}
	return map[string]string{
		geomEdges:              "node_id\tnode_id\n0\t1\n2\t1\n",
		geomNodes:              "node_id\tfeature\tlabel\n2\t0,1\t1\n0\t1,0\t0\n1\t0,0\t1\n",
		"splits/g_split_1.npz": masks([]int8{0, 1, 0}, []int8{1, 0, 0}, []int8{0, 0, 1}),
		"splits/g_split_0.npz": masks([]int8{1, 0, 0}, []int8{0, 1, 0}, []int8{0, 0, 1}),
	}
}

func ogbFiles(t testing.TB) map[string]string {
	return map[string]string{
		"raw/edge.csv.gz":             gz(t, "0,1\n1,2\n0,1\n"),
		"raw/num-node-list.csv.gz":    gz(t, "3\n2\n"),
		"raw/num-edge-list.csv.gz":    gz(t, "2\n1\n"),
		"raw/node-feat.csv.gz":        gz(t, "1,2\n3,4\n5,6\n7,8\n9,10\n"),
		"raw/edge-feat.csv.gz":        gz(t, "1\n2\n3\n"),
		"raw/graph-label.csv.gz":      gz(t, "0,1\n1,\n"),
		"split/scaffold/train.csv.gz": gz(t, "1\n"),
		"split/scaffold/valid.csv.gz": gz(t, ""),
		"split/scaffold/test.csv.gz":  gz(t, "0\n"),
	}
}

func ogbNodeFiles() map[string]string {
	return map[string]string{
		"edge.csv":             "0,1\n2,1\n",
		"num-node-list.csv":    "3\n",
		"num-edge-list.csv":    "2\n",
		"node-feat.csv":        "1\n2\n3\n",
		"node-label.csv":       "0\n1\nnan\n",
		"split/time/train.csv": "0\n",
		"split/time/valid.csv": "1\n",
		"split/time/test.csv":  "2\n",
	}
}

func tripleFiles() map[string]string {
	return map[string]string{
		"train.txt": "a\tlikes\tb\nb\tknows\tc\n",
		"valid.txt": "a\tknows\tc\n",
		"test.txt":  "d\tlikes\ta\n",
	}
}

const (
	graphTextFile = "2\n3 1\n5 1 1\n0 2 0 2\n5 1 1\n2 0\n0 1 1\n0 1 0\n"
	marketFile    = "%%MatrixMarket matrix coordinate real symmetric\n% a remark\n3 3 3\n2 1 0.5\n3 3 2\n3 2 1\n"
	edgesFile     = "source,target,weight\n0,1,0.5\n1,2,2\n"
	nodesFile     = "id,f1,f2,label\n2,5,6,b\n0,1,2,a\n1,3,4,b\n"
)
