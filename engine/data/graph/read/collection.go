package read

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// maxTags is the most different node labels that become one feature each.
const maxTags = 1 << 12

// many is found for a reader of a collection.
func many(format string, read func(context.Context) (*graph.Collection, error)) *found {
	return &found{format, func(ctx context.Context) (Data, error) {
		c, err := read(ctx)
		return Data{Collection: c}, err
	}}
}

// isGraphText says whether a file is in the text form of DGCNN and GIN: a number of graphs, then a line of a number of
// nodes and a label, then a line a node whose second number counts the neighbours behind it.
func isGraphText(f *source.File) bool {
	l, err := openText(f)
	if err != nil || !l.next() || len(l.fields(0)) != 1 {
		return false
	}
	if _, err := l.integer(l.text, "", 1, graph.MaxNodes); err != nil {
		return false
	}
	if !l.next() {
		return false
	}
	head := l.fields(0)
	if len(head) != 2 {
		return false
	}
	if n, err := l.integer(head[0], "", 0, graph.MaxNodes); err != nil || n == 0 || !l.next() {
		return err == nil && n == 0
	}
	node := l.fields(0)
	if len(node) < 2 {
		return false
	}
	k, err := l.integer(node[1], "", 0, int64(len(node)-2))
	return err == nil && k >= 0
}

// graphText reads the text form of DGCNN and GIN. Tags of nodes become one feature for each that occurs, in ascending
// order; numbers behind the neighbours are features as they are. Ten folds may stand beside it, in NAME_folds.npz.
type graphText struct {
	*lines
	c    *graph.Collection
	tags []int32     // of all nodes
	attr [][]float32 // of all nodes
}

func readGraphText(ctx context.Context, f *source.File, o Options) (*graph.Collection, error) {
	l, err := openText(f)
	if err != nil {
		return nil, err
	}
	t := &graphText{l, &graph.Collection{Name: baseName(f.Name), Origin: f.Name, SHA256: f.SHA256}, nil, nil}
	if err := t.need("the number of graphs"); err != nil {
		return nil, err
	}
	count, err := t.integer(t.text, "the number of graphs", 1, int64(len(f.Data)))
	if err != nil {
		return nil, err
	}
	var labels []float64
	for range count {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		label, err := t.readOne()
		if err != nil {
			return nil, err
		}
		labels = append(labels, label)
	}
	if t.next() {
		return nil, t.bad(fmt.Sprintf("the end behind %d graphs", count), quote(t.text), "mend the number in line 1")
	}
	t.c.Labels = classLabels(labels)
	if err := t.features(); err != nil {
		return nil, err
	}
	return t.c, readFolds(t.c, f.Name, o)
}

// readOne reads a graph and returns its label.
func (t *graphText) readOne() (float64, error) {
	if err := t.need("a line of the number of nodes and the label"); err != nil {
		return 0, err
	}
	head := t.fields(0)
	if len(head) != 2 {
		return 0, t.bad("the number of nodes and the label", fmt.Sprintf("%d words", len(head)), t.mend())
	}
	n, err := t.integer(head[0], "the number of nodes", 0, int64(len(t.rest)))
	if err != nil {
		return 0, err
	}
	label, err := t.integer(head[1], "the label", -1<<31, 1<<31)
	if err != nil {
		return 0, err
	}
	g := &graph.Graph{Name: fmt.Sprintf("%s[%d]", t.c.Name, len(t.c.Graphs)), N: int(n)}
	for i := range int32(n) {
		if err := t.need(fmt.Sprintf("node %d of %d", i, n)); err != nil {
			return 0, err
		}
		if err := t.node(g, i); err != nil {
			return 0, err
		}
	}
	g = g.Coalesce()
	g.Directed = !symmetric(g.Source, g.Target, g.N)
	t.c.Graphs = append(t.c.Graphs, g)
	return float64(label), nil
}

// node reads: tag degree neighbour… attribute….
func (t *graphText) node(g *graph.Graph, i int32) error {
	f := t.fields(0)
	if len(f) < 2 {
		return t.bad("a tag, a degree and the neighbours", fmt.Sprintf("%d words", len(f)), t.mend())
	}
	tag, err := t.integer(f[0], "the tag", 0, 1<<31-1)
	if err != nil {
		return err
	}
	degree, err := t.integer(f[1], "the degree", 0, int64(len(f)-2))
	if err != nil {
		return err
	}
	for _, word := range f[2 : 2+degree] {
		j, err := t.integer(word, "a neighbour", 0, int64(g.N-1))
		if err != nil {
			return err
		}
		g.Source, g.Target = append(g.Source, i), append(g.Target, int32(j))
	}
	var attr []float32
	for _, word := range f[2+degree:] {
		v, err := t.number(word, "an attribute")
		if err != nil {
			return err
		}
		attr = append(attr, v)
	}
	if len(t.attr) > 0 && len(attr) != len(t.attr[0]) {
		return t.bad(
			fmt.Sprintf("%d attributes, as the first node has", len(t.attr[0])),
			fmt.Sprint(len(attr)),
			t.mend(),
		)
	}
	t.tags, t.attr = append(t.tags, int32(tag)), append(t.attr, attr)
	return nil
}

// features lays out tags and attributes.
func (t *graphText) features() error {
	names, column := ranks(t.tags)
	if len(names) > maxTags {
		return &graph.Error{File: t.file, Want: fmt.Sprintf("at most %d different tags", maxTags),
			Got: fmt.Sprint(len(names)), Remedy: "group the tags"}
	}
	if len(names) == 1 && names[0] == 0 {
		names = nil
		t.c.Notes = append(t.c.Notes, "the nodes have no tags: their degrees may serve as features")
	}
	at := 0
	titles := featureNames(names, t.attr)
	for _, g := range t.c.Graphs {
		tags := column[at : at+g.N]
		setFeatures(g, titles, len(names), tags, t.attr[at:at+g.N])
		at += g.N
	}
	return nil
}

// featureNames names one feature for each label, and then the attributes.
func featureNames(labels []int32, attr [][]float32) []string {
	var names []string
	for _, n := range labels {
		names = append(names, fmt.Sprintf("label%d", n))
	}
	if len(attr) > 0 {
		for k := range attr[0] {
			names = append(names, fmt.Sprintf("attribute%d", k+1))
		}
	}
	return names
}

// setFeatures gives a graph features of the given names: the first labels of them are 1 at the node's own column, the
// others its attributes.
func setFeatures(g *graph.Graph, names []string, labels int, column []int32, attr [][]float32) {
	d := len(names)
	if d == 0 {
		return
	}
	m := graph.Matrix{Rows: g.N, Cols: d, Data: make([]float32, g.N*d)}
	for i := range g.N {
		if labels > 0 {
			m.Data[i*d+int(column[i])] = 1
		}
		if d > labels {
			copy(m.Data[i*d+labels:], attr[i])
		}
	}
	g.Features, g.FeatureNames = m, names
}

// ranks returns the different values, ascending, and the place of each among them.
func ranks(v []int32) (values, place []int32) {
	values = slices.Compact(slices.Sorted(slices.Values(v)))
	place = make([]int32, len(v))
	for i, x := range v {
		k, _ := slices.BinarySearch(values, x)
		place[i] = int32(k)
	}
	return values, place
}

// classLabels makes classes of the different whole numbers that occur, ascending, whose names they are; of others
// numbers.
func classLabels(v []float64) graph.Labels {
	whole := make([]int32, len(v))
	for i, x := range v {
		if whole[i] = int32(x); float64(whole[i]) != x {
			l := graph.Labels{Task: graph.Regress, Names: []string{"target"}}
			for _, x := range v {
				l.Value = append(l.Value, float32(x))
			}
			return l
		}
	}
	values, place := ranks(whole)
	l := graph.Labels{Task: graph.Classify, Class: place}
	for _, x := range values {
		l.Classes = append(l.Classes, fmt.Sprint(x))
	}
	return l
}

// readFolds reads NAME_folds.npz beside the file, if it is there: fold [k, graphs] of 0 train and 1 test. An inner
// tenth of the training graphs, drawn with seed 0, is for validation.
func readFolds(c *graph.Collection, file string, o Options) error {
	dir, name := filepath.Dir(file), baseName(file)
	d, err := openFolder(dir, o)
	if err != nil || !d.has(name+"_folds.npz") {
		return nil
	}
	f, err := d.file(name + "_folds.npz")
	if err != nil {
		return err
	}
	a, err := source.OpenArchive(f, o.Limits)
	if err != nil {
		return err
	}
	v, shape, err := a.Ints("fold")
	if err != nil {
		return err
	}
	n := len(c.Graphs)
	if len(shape) != 2 || shape[1] != n {
		return &graph.Error{File: f.Name, Column: "fold", Want: fmt.Sprintf("folds of shape [k, %d]", n),
			Got: fmt.Sprint(shape), Remedy: "take the folds that belong to the file"}
	}
	s := graph.Split{Name: "fold"}
	for k := range shape[0] {
		part := make([]int8, n)
		for i, x := range v[k*n : (k+1)*n] {
			if x != 0 && x != 1 {
				return &graph.Error{File: f.Name, Column: "fold", Want: "0 train or 1 test",
					Got: fmt.Sprintf("%d at graph %d", x, i), Remedy: "save the array again"}
			}
			if x == 1 {
				part[i] = graph.Test
			}
		}
		s.Part = append(s.Part, graph.WithInner(c.Labels, part, 0.1, 0))
	}
	c.Splits = append(c.Splits, s)
	c.Notes = append(c.Notes, fmt.Sprintf("%d folds from %s; a tenth of the training graphs of each is for validation",
		shape[0], strings.TrimPrefix(f.Name, dir+string(filepath.Separator))))
	return nil
}
