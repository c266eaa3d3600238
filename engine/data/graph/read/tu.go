package read

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"ganglion/engine/data/graph"
)

// tu reads the text files of a TU folder: NAME_A, an edge a line of two nodes from 1; NAME_graph_indicator, the graph
// of each node, from 1 and ascending; NAME_graph_labels or NAME_graph_attributes; and, where they are there, labels and
// attributes of nodes and edges. Node labels become one feature each, then come node attributes; edge labels are edge
// types. Files without a graph's nodes in one piece are refused.
type tu struct {
	*folder
	name  string
	c     *graph.Collection
	first []int32 // node of each graph, [graphs+1]
	of    []int32 // graph of each node
	order []int32 // the lines of NAME_A in the order of the graphs' edges
}

func readTU(ctx context.Context, d *folder, name string) (*graph.Collection, error) {
	t := &tu{folder: d, name: name, c: &graph.Collection{Name: name, Origin: d.dir}}
	for _, step := range []func() error{t.graphs, t.labels, t.edges, t.nodeData, t.edgeData} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	for _, g := range t.c.Graphs {
		g.Directed = !symmetric(g.Source, g.Target, g.N)
	}
	t.c.SHA256 = d.sum()
	return t.c, nil
}

// each calls line for each line of NAME_part.txt, and returns their number.
func (t *tu) each(part string, line func(l *lines, k int) error) (int, error) {
	f, err := t.file(t.name + "_" + part + ".txt")
	if err != nil {
		return 0, err
	}
	l, err := openText(f)
	if err != nil {
		return 0, err
	}
	k := 0
	for ; l.next(); k++ {
		if err := line(l, k); err != nil {
			return 0, err
		}
	}
	return k, nil
}

func (t *tu) graphs() error {
	t.first = []int32{0}
	_, err := t.each("graph_indicator", func(l *lines, k int) error {
		v, err := l.integer(l.text, "the number of a graph", 1, graph.MaxNodes)
		if err != nil {
			return err
		}
		last := len(t.first) - 1
		switch {
		case int(v) == last:
		case int(v) == last+1:
			t.first = append(t.first, int32(k))
		default:
			return l.bad(
				fmt.Sprintf("graph %d again or graph %d", last, last+1),
				fmt.Sprint(v),
				"sort the nodes by graph",
			)
		}
		t.first[len(t.first)-1]++
		t.of = append(t.of, int32(v-1))
		return nil
	})
	if err != nil {
		return err
	}
	for k := range len(t.first) - 1 {
		t.c.Graphs = append(t.c.Graphs, &graph.Graph{Name: fmt.Sprintf("%s[%d]", t.name, k),
			N: int(t.first[k+1] - t.first[k])})
	}
	return nil
}

func (t *tu) labels() error {
	var v []float64
	part := "graph_labels"
	if !t.has(t.name+"_graph_labels.txt") && t.has(t.name+"_graph_attributes.txt") {
		part = "graph_attributes"
	}
	n, err := t.each(part, func(l *lines, _ int) error {
		f := l.fields(',')
		if len(f) != 1 {
			return l.bad("one label", fmt.Sprintf("%d fields", len(f)), l.mend())
		}
		x, err := l.number(f[0], "the label of a graph")
		v = append(v, float64(x))
		return err
	})
	if err != nil {
		return err
	}
	if n != len(t.c.Graphs) {
		return t.count(part, n, len(t.c.Graphs), "graphs")
	}
	t.c.Labels = classLabels(v)
	if part == "graph_attributes" {
		l := graph.Labels{Task: graph.Regress, Names: []string{"target"}}
		for _, x := range v {
			l.Value = append(l.Value, float32(x))
		}
		t.c.Labels = l
	}
	return nil
}

// count is an error about a file of the wrong length.
func (t *tu) count(part string, got, want int, what string) error {
	return &graph.Error{File: filepath.Join(t.dir, t.name+"_"+part+".txt"), Line: got,
		Want: fmt.Sprintf("%d lines for %d %s", want, want, what), Got: fmt.Sprint(got),
		Remedy: "fetch all files of the set from one place"}
}

// edges reads NAME_A. The edges of a graph stay in the order of the file.
func (t *tu) edges() error {
	n := int64(len(t.of))
	var src, dst []int32
	_, err := t.each("A", func(l *lines, k int) error {
		f := l.fields(separator(l.text))
		if len(f) != 2 {
			return l.bad("two nodes", fmt.Sprintf("%d fields", len(f)), l.mend())
		}
		j, err := l.integer(f[0], "a node", 1, n)
		if err != nil {
			return err
		}
		i, err := l.integer(f[1], "a node", 1, n)
		if err != nil {
			return err
		}
		if t.of[j-1] != t.of[i-1] {
			return l.bad("two nodes of one graph", fmt.Sprintf("nodes of graphs %d and %d", t.of[j-1]+1, t.of[i-1]+1),
				l.mend())
		}
		src, dst = append(src, int32(j-1)), append(dst, int32(i-1))
		return nil
	})
	if err != nil {
		return err
	}
	t.order = make([]int32, 0, len(src))
	in := graph.Graph{N: len(t.c.Graphs)} // graphs as nodes: their edges in order, by counting
	for _, j := range src {
		in.Source, in.Target = append(in.Source, 0), append(in.Target, t.of[j])
	}
	if len(src) > 0 {
		t.order = in.Into().Edge
	}
	for _, e := range t.order {
		k := t.of[src[e]]
		g := t.c.Graphs[k]
		g.Source, g.Target = append(g.Source, src[e]-t.first[k]), append(g.Target, dst[e]-t.first[k])
	}
	return nil
}

// numbers reads a file of a list of numbers a line, all of one length; nil if it is not there.
func (t *tu) numbers(part string, want int, what string) ([][]float32, error) {
	if !t.has(t.name + "_" + part + ".txt") {
		return nil, nil
	}
	out := [][]float32{}
	n, err := t.each(part, func(l *lines, k int) error {
		f := l.fields(',')
		if k > 0 && len(f) != len(out[0]) {
			return l.bad(fmt.Sprintf("%d numbers, as in the first line", len(out[0])), fmt.Sprint(len(f)), l.mend())
		}
		row := make([]float32, len(f))
		for c, word := range f {
			var err error
			if row[c], err = l.number(word, "a label or attribute"); err != nil {
				return err
			}
		}
		out = append(out, row)
		return nil
	})
	if err == nil && n != want {
		err = t.count(part, n, want, what)
	}
	return out, err
}

// wholes are the rows of one whole number each of a file of labels.
func (t *tu) wholes(part string, rows [][]float32) ([]int32, error) {
	out := make([]int32, len(rows))
	for k, row := range rows {
		if out[k] = int32(row[0]); float32(out[k]) != row[0] || len(row) != 1 {
			return nil, &graph.Error{
				File:   filepath.Join(t.dir, t.name+"_"+part+".txt"),
				Line:   k + 1,
				Want:   "one whole number",
				Got:    fmt.Sprint(row),
				Remedy: "write labels as whole numbers, others as attributes",
			}
		}
	}
	return out, nil
}

func (t *tu) nodeData() error {
	labels, err := t.numbers("node_labels", len(t.of), "nodes")
	if err != nil {
		return err
	}
	attr, err := t.numbers("node_attributes", len(t.of), "nodes")
	if err != nil {
		return err
	}
	var names, column []int32
	if labels != nil {
		whole, err := t.wholes("node_labels", labels)
		if err != nil {
			return err
		}
		if names, column = ranks(whole); len(names) > maxTags {
			return t.count("node_labels", len(names), maxTags, "different labels at most")
		}
	}
	if labels == nil && attr == nil {
		t.c.Notes = append(
			t.c.Notes,
			"the nodes have neither labels nor attributes: their degrees may serve as features",
		)
	}
	titles := featureNames(names, attr)
	for k, g := range t.c.Graphs {
		lo, hi := t.first[k], t.first[k+1]
		var a [][]float32
		var c []int32
		if attr != nil {
			a = attr[lo:hi]
		}
		if labels != nil {
			c = column[lo:hi]
		}
		setFeatures(g, titles, len(names), c, a)
	}
	return nil
}

func (t *tu) edgeData() error {
	labels, err := t.numbers("edge_labels", len(t.order), "edges")
	if err != nil {
		return err
	}
	attr, err := t.numbers("edge_attributes", len(t.order), "edges")
	if err != nil {
		return err
	}
	var place []int32
	var names []string
	if labels != nil {
		whole, err := t.wholes("edge_labels", labels)
		if err != nil {
			return err
		}
		var values []int32
		values, place = ranks(whole)
		for _, v := range values {
			names = append(names, fmt.Sprint(v))
		}
	}
	at := 0
	for _, g := range t.c.Graphs {
		mine := t.order[at : at+g.Edges()]
		at += g.Edges()
		if labels != nil {
			g.EdgeTypes, g.EdgeType = names, make([]int32, len(mine))
			for k, e := range mine {
				g.EdgeType[k] = place[e]
			}
		}
		if len(attr) > 0 {
			g.EdgeAttr = graph.Matrix{Rows: len(mine), Cols: len(attr[0])}
			for _, e := range mine {
				g.EdgeAttr.Data = append(g.EdgeAttr.Data, attr[e]...)
			}
		}
	}
	return nil
}

// tuName is the name of the TU set in the folder, or "".
func (d *folder) tuName() string {
	names := d.ending("_graph_indicator.txt")
	i := slices.IndexFunc(names, func(n string) bool { return d.has(n + "_A.txt") })
	if i < 0 {
		return ""
	}
	return names[i]
}
