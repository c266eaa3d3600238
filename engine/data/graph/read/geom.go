package read

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// The files of a Geom-GCN folder.
const (
	geomEdges = "out1_graph_edges.txt"
	geomNodes = "out1_node_feature_label.txt"
)

// readGeom reads the text form of Geom-GCN: a header and a directed edge a line; a header and a line a node of its
// number, its features and its class, divided by tabs. Features are numbers divided by commas; where the lines have
// different numbers of them, they are the places of ones. Splits are files …_split_….npz of masks, in the folder or in
// splits beside them.
func readGeom(ctx context.Context, d *folder) (*graph.Graph, error) {
	g := &graph.Graph{Name: geomName(d.dir), Origin: d.dir}
	f, err := d.file(geomNodes)
	if err != nil {
		return nil, err
	}
	if err := readGeomNodes(f, g); err != nil {
		return nil, err
	}
	if f, err = d.file(geomEdges); err != nil {
		return nil, err
	}
	l, err := openText(f)
	if err != nil {
		return nil, err
	}
	if err := l.need("a header"); err != nil {
		return nil, err
	}
	if err := readPairs(ctx, l, 0, g); err != nil {
		return nil, err
	}
	g.Directed = !symmetric(g.Source, g.Target, g.N)
	g.Notes = append(g.Notes, "edges are as stored, in one direction where the file has one only")
	if err := readGeomSplits(d, g); err != nil {
		return nil, err
	}
	g.SHA256 = d.sum()
	return g, nil
}

// geomName is the name of the folder, or of the one above raw.
func geomName(dir string) string {
	if base := filepath.Base(dir); base != "raw" && base != "." {
		return base
	}
	if abs, err := filepath.Abs(dir); err == nil && filepath.Base(dir) == "raw" {
		return filepath.Base(filepath.Dir(abs))
	}
	return "geom"
}

func readGeomNodes(f *source.File, g *graph.Graph) error {
	l, err := openText(f)
	if err != nil {
		return err
	}
	if err := l.need("a header"); err != nil {
		return err
	}
	var node []int
	var rows [][]float32
	var classes []float64
	same := true
	for l.next() {
		cols := l.fields('\t')
		if len(cols) != 3 {
			return l.bad("node, features and label, divided by tabs", fmt.Sprintf("%d fields", len(cols)), l.mend())
		}
		i, err := l.integer(cols[0], "a node", 0, graph.MaxNodes)
		if err != nil {
			return err
		}
		class, err := l.integer(cols[2], "a class", -1<<31, 1<<31-1)
		if err != nil {
			return err
		}
		var row []float32
		for word := range bytes.SplitSeq(cols[1], []byte(",")) {
			v, err := l.number(word, "a feature")
			if err != nil {
				return err
			}
			row = append(row, v)
		}
		same = same && (len(rows) == 0 || len(row) == len(rows[0]))
		node, rows, classes = append(node, int(i)), append(rows, row), append(classes, float64(class))
	}
	order, err := permutation(node)
	if err != nil {
		return &graph.Error{File: f.Name, Line: order[0] + 2, Err: err, Remedy: "number the nodes from 0, each once"}
	}
	g.N = len(node)
	sorted := make([]float64, g.N)
	for i, row := range order {
		sorted[i] = classes[row]
	}
	g.Labels = classLabels(sorted)
	if g.Features, err = geomFeatures(rows, order, same); err != nil {
		return &graph.Error{File: f.Name, Err: err, Remedy: "fetch the file again"}
	}
	return nil
}

// geomFeatures lays out rows of features, or of the places of ones, in the order of the nodes.
func geomFeatures(rows [][]float32, order []int, same bool) (graph.Matrix, error) {
	m := graph.Matrix{Rows: len(rows)}
	if same {
		for _, row := range order {
			m.Cols = len(rows[row])
			m.Data = append(m.Data, rows[row]...)
		}
		return compact(m), nil
	}
	m.Ptr = []int32{0}
	for i, row := range order {
		slices.Sort(rows[row])
		for k, v := range slices.Compact(rows[row]) {
			c := int32(v)
			if v < 0 || v >= maxFeature || float32(c) != v {
				return m, fmt.Errorf(
					"lines have different numbers of features, but feature %d of node %d is %v, no place of "+
						"a one",
					k+1,
					i,
					v,
				)
			}
			m.Col, m.Value, m.Cols = append(m.Col, c), append(m.Value, 1), max(m.Cols, int(c)+1)
		}
		m.Ptr = append(m.Ptr, int32(len(m.Col)))
	}
	return m, nil
}

// readGeomSplits reads the masks of each file, in the order of the numbers at the ends of their names.
func readGeomSplits(d *folder, g *graph.Graph) error {
	from := d
	if d.has("splits") {
		sub, err := openFolder(filepath.Join(d.dir, "splits"), d.o)
		if err != nil {
			return err
		}
		from = sub
	}
	var names []string
	for _, n := range from.ending(".npz") {
		if strings.Contains(n, "_split_") {
			names = append(names, n)
		}
	}
	number := func(n string) int {
		k, err := strconv.Atoi(n[strings.LastIndexByte(n, '_')+1:])
		if err != nil {
			return 0
		}
		return k
	}
	slices.SortStableFunc(names, func(a, b string) int { return number(a) - number(b) })
	all := graph.Split{Name: "geom"}
	for _, n := range names {
		f, err := from.file(n + ".npz")
		if err != nil {
			return err
		}
		a, err := source.OpenArchive(f, d.o.Limits)
		if err != nil {
			return err
		}
		r := archive{a, d.o, &graph.Graph{N: g.N}}
		if err := r.masks(); err != nil {
			return err
		}
		if len(r.g.Splits) == 0 {
			return r.bad("train_mask", "masks of training, validation and test", "none")
		}
		all.Part = append(all.Part, r.g.Splits[0].Part...)
	}
	if from != d {
		d.sums = append(d.sums, from.sums...)
	}
	if len(all.Part) > 0 {
		g.Splits = []graph.Split{all}
	}
	return nil
}
