package read

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// maxFeature caps the number of a feature of a bag of words.
const maxFeature = 1 << 24

// readMUSAE reads NAME_edges.csv, a header and a pair of nodes a line; NAME.json or NAME_features.json, an object from
// a node to the list of its features; NAME_target.csv, a header and a line a node, whose first column is the node and
// whose last is the label: texts are classes, in alphabetic order. Pairs are undirected; loops are kept.
func readMUSAE(ctx context.Context, d *folder, name string) (*graph.Graph, error) {
	g := &graph.Graph{Name: name, Origin: d.dir}
	f, err := d.file(name + "_target.csv")
	if err != nil {
		return nil, err
	}
	if err := readTargets(f, g); err != nil {
		return nil, err
	}
	features := name + ".json"
	if !d.has(features) {
		features = name + "_features.json"
	}
	if f, err = d.file(features); err != nil {
		return nil, err
	}
	if err := readBags(ctx, f, g); err != nil {
		return nil, err
	}
	if f, err = d.file(name + "_edges.csv"); err != nil {
		return nil, err
	}
	l, err := openText(f)
	if err != nil {
		return nil, err
	}
	if err := l.need("a header"); err != nil {
		return nil, err
	}
	if err := readPairs(ctx, l, ',', g); err != nil {
		return nil, err
	}
	*g = *bothDirections(g)
	g.SHA256 = d.sum()
	return g, nil
}

// readPairs reads the rest of a file as edges of a graph whose number of nodes is known.
func readPairs(ctx context.Context, l *lines, sep byte, g *graph.Graph) error {
	for l.next() {
		if l.line%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		f := l.fields(sep)
		if len(f) != 2 {
			return l.bad("two nodes", fmt.Sprintf("%d fields", len(f)), l.mend())
		}
		if err := addPair(l, f, g); err != nil {
			return err
		}
	}
	return nil
}

func addPair(l *lines, f [][]byte, g *graph.Graph) error {
	if len(g.Source) >= graph.MaxEdges/2 {
		return l.bad(fmt.Sprintf("at most %d edges", graph.MaxEdges/2), "more", "take a part of the graph")
	}
	for k, to := range []*[]int32{&g.Source, &g.Target} {
		i, err := l.integer(f[k], fmt.Sprintf("edge %d: a node", len(g.Target)), 0, int64(g.N-1))
		if err != nil {
			return err
		}
		*to = append(*to, int32(i))
	}
	return nil
}

// bothDirections adds the reverse of each edge and says what became of the list.
func bothDirections(g *graph.Graph) *graph.Graph {
	n, loops := g.Edges(), 0
	for e, j := range g.Source {
		if j == g.Target[e] {
			loops++
		}
	}
	out := g.Undirected()
	out.Notes = append(
		out.Notes,
		fmt.Sprintf("%d pairs of the file, %d of them loops, make %d edges in both directions; "+
			"double ones are joined", n, loops, out.Edges()),
	)
	return out
}

// readTargets reads the nodes and their labels.
func readTargets(f *source.File, g *graph.Graph) error {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(f.Data, []byte("\xef\xbb\xbf"))))
	r.ReuseRecord = true
	var texts []string
	var node []int
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := 0, 0
		if err == nil {
			line, _ = r.FieldPos(0)
		}
		if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
			return &graph.Error{
				File:   f.Name,
				Line:   bad.Line,
				Err:    bad.Err,
				Remedy: fmt.Sprintf("mend line %d", bad.Line),
			}
		} else if err != nil {
			return &graph.Error{File: f.Name, Err: err, Remedy: "fetch the file again"}
		}
		if line == 1 {
			continue
		}
		i, err := strconv.Atoi(rec[0])
		if err != nil || i < 0 || i > graph.MaxNodes || len(rec) < 2 {
			return &graph.Error{File: f.Name, Line: line, Want: "the number of a node and a label",
				Got: fmt.Sprintf("%.40q", rec[0]), Remedy: fmt.Sprintf("mend line %d", line)}
		}
		node, texts = append(node, i), append(texts, rec[len(rec)-1])
	}
	order, err := permutation(node)
	if err != nil {
		return &graph.Error{File: f.Name, Line: order[0] + 2, Err: err, Remedy: "number the nodes from 0, each once"}
	}
	g.N = len(node)
	sorted := make([]string, g.N)
	for i, row := range order {
		sorted[i] = texts[row]
	}
	g.Labels = textLabels(sorted, "target")
	return nil
}

// permutation returns for each number from 0 to len(of)−1 where it stands; or an error, and the place of what is wrong.
func permutation(of []int) ([]int, error) {
	at := slices.Repeat([]int{-1}, len(of))
	for k, i := range of {
		if i < 0 || i >= len(of) {
			return []int{k}, fmt.Errorf("node %d: want nodes from 0 to %d, as there are lines", i, len(of)-1)
		}
		if at[i] >= 0 {
			return []int{k}, fmt.Errorf("node %d stands twice", i)
		}
		at[i] = k
	}
	return at, nil
}

// textLabels makes labels of texts: numbers that count classes from 0 are classes, other numbers targets; other texts
// classes in alphabetic order. An empty text is a missing label.
func textLabels(texts []string, name string) graph.Labels {
	values := make([]float64, len(texts))
	numbers, top, whole := true, 0.0, true
	for i, s := range texts {
		v, err := strconv.ParseFloat(s, 64)
		if s == "" {
			v, err = math.NaN(), nil
		}
		numbers = numbers && err == nil && !math.IsInf(v, 0)
		values[i] = v
		if s != "" {
			top, whole = max(top, v), whole && v == math.Trunc(v) && v >= 0
		}
	}
	l := graph.Labels{Task: graph.Classify}
	classes := slices.Compact(slices.Sorted(slices.Values(texts)))
	if len(classes) > 0 && classes[0] == "" {
		classes = classes[1:]
	}
	if numbers && whole && len(classes) == int(top)+1 && 2*len(classes) <= len(texts) {
		l.Classes = numbered(len(classes))
		for _, v := range values {
			c := int32(-1)
			if v == v {
				c = int32(v)
			}
			l.Class = append(l.Class, c)
		}
		return l
	}
	if numbers {
		l = graph.Labels{Task: graph.Regress, Names: []string{name}}
		for _, v := range values {
			l.Value = append(l.Value, float32(v))
		}
		return l
	}
	l.Classes = classes
	for _, s := range texts {
		c, ok := slices.BinarySearch(classes, s)
		if !ok {
			c = -1
		}
		l.Class = append(l.Class, int32(c))
	}
	return l
}

// readBags reads a JSON object from the number of a node to the list of its features, each 1 where it occurs.
func readBags(ctx context.Context, f *source.File, g *graph.Graph) error {
	d := json.NewDecoder(bytes.NewReader(f.Data))
	bad := func(err error) error {
		return &graph.Error{File: f.Name, Byte: d.InputOffset(), Want: "an object from nodes to lists of features",
			Got: err.Error(), Remedy: "fetch the file again"}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return bad(fmt.Errorf("%v", t))
	}
	bags := make([][]int32, g.N)
	top, given := int32(-1), 0
	for d.More() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		key, err := d.Token()
		if err != nil {
			return bad(err)
		}
		word, _ := key.(string)
		i, err := strconv.Atoi(word)
		if err != nil || i < 0 || i >= g.N {
			return bad(fmt.Errorf("node %.20q, where there are nodes from 0 to %d", word, g.N-1))
		}
		if bags[i] != nil {
			return bad(fmt.Errorf("node %d twice", i))
		}
		if err := d.Decode(&bags[i]); err != nil {
			return bad(err)
		}
		slices.Sort(bags[i])
		bags[i] = slices.Compact(bags[i])
		if n := len(bags[i]); n > 0 && (bags[i][0] < 0 || bags[i][n-1] >= maxFeature) {
			return bad(fmt.Errorf("a feature of node %d out of the range from 0 to %d", i, maxFeature-1))
		} else if n > 0 {
			top = max(top, bags[i][n-1])
		}
		given++
	}
	if _, err := d.Token(); err != nil {
		return bad(err)
	}
	m := graph.Matrix{Rows: g.N, Cols: int(top) + 1, Ptr: make([]int32, 1, g.N+1)}
	for _, bag := range bags {
		m.Col = append(m.Col, bag...)
		m.Ptr = append(m.Ptr, int32(len(m.Col)))
	}
	m.Value = slices.Repeat([]float32{1}, len(m.Col))
	g.Features = m
	if given < g.N {
		g.Notes = append(g.Notes, fmt.Sprintf("%d of %d nodes have no list of features", g.N-given, g.N))
	}
	return nil
}
