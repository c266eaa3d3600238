package read

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ganglion/engine/data/graph"
)

// ogb reads the CSV files of an OGB folder: edge, num-node-list and num-edge-list; node-feat, edge-feat, node-label and
// graph-label where they are there. With labels of nodes it is one graph, else a collection. The splits stand in
// split/NAME/{train,valid,test}.csv, in the folder or the one above raw. An edge of a molecule stands once, and its
// reverse is put behind it, as OGB does.
type ogb struct {
	*folder
	nodes, edges []int // of each graph
	src, dst     []int32
}

func readOGB(ctx context.Context, d *folder) (Data, error) {
	r := &ogb{folder: d}
	if err := r.structure(ctx); err != nil {
		return Data{}, err
	}
	if d.has("node-label.csv") || len(r.nodes) == 1 && !d.has("graph-label.csv") {
		g, err := r.one(ctx)
		return Data{Graph: g}, err
	}
	c, err := r.many(ctx)
	return Data{Collection: c}, err
}

// table reads a CSV file of rows numbers a line, all lines of one length; an empty field is NaN where that is allowed.
func (r *ogb) table(ctx context.Context, name string, gaps bool) (v []float64, cols int, err error) {
	f, err := r.file(name + ".csv")
	if err != nil {
		return nil, 0, err
	}
	l, err := openText(f)
	if err != nil {
		return nil, 0, err
	}
	for l.next() {
		if l.line%4096 == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		fields := l.fields(',')
		if cols == 0 {
			cols = len(fields)
		}
		if len(fields) != cols {
			return nil, 0, l.bad(
				fmt.Sprintf("%d numbers, as in the first line", cols),
				fmt.Sprint(len(fields)),
				l.mend(),
			)
		}
		for _, b := range fields {
			x, perr := strconv.ParseFloat(string(b), 64)
			missing := len(b) == 0 || perr == nil && math.IsNaN(x)
			if missing && gaps {
				x, perr = math.NaN(), nil
			} else if missing || math.IsInf(x, 0) {
				perr = strconv.ErrRange
			}
			if perr != nil {
				return nil, 0, l.bad("a finite number", quote(b), l.mend())
			}
			v = append(v, x)
		}
	}
	return v, cols, nil
}

// sizes reads a file of a number a line.
func (r *ogb) sizes(ctx context.Context, name string, most int) ([]int, error) {
	v, cols, err := r.table(ctx, name, false)
	if err != nil {
		return nil, err
	}
	out, sum := make([]int, len(v)), 0
	for k, x := range v {
		if cols != 1 || x != math.Trunc(x) || x < 0 || x > float64(most-sum) {
			return nil, &graph.Error{File: r.path(name), Line: k + 1, Want: "one size from 0, not too many in all",
				Got: fmt.Sprint(x), Remedy: "fetch the set again"}
		}
		out[k] = int(x)
		sum += out[k]
	}
	return out, nil
}

func (r *ogb) path(name string) string { return filepath.Join(r.dir, name+".csv") }

func (r *ogb) structure(ctx context.Context) error {
	var err error
	if r.nodes, err = r.sizes(ctx, "num-node-list", graph.MaxNodes); err != nil {
		return err
	}
	if r.edges, err = r.sizes(ctx, "num-edge-list", graph.MaxEdges/2); err != nil {
		return err
	}
	if len(r.nodes) != len(r.edges) || len(r.nodes) == 0 {
		return &graph.Error{File: r.path("num-edge-list"), Want: fmt.Sprintf("%d lines, as num-node-list has, and some",
			len(r.nodes)), Got: fmt.Sprint(len(r.edges)), Remedy: "fetch the set again"}
	}
	v, cols, err := r.table(ctx, "edge", false)
	if err != nil {
		return err
	}
	total := total(r.edges)
	if len(v) > 0 && cols != 2 || len(v) != 2*total {
		return &graph.Error{File: r.path("edge"), Want: fmt.Sprintf("%d lines of two nodes", total),
			Got: fmt.Sprintf("%d of %d", len(v)/max(1, cols), cols), Remedy: "fetch the set again"}
	}
	at := 0
	for k, n := range r.nodes {
		for range r.edges[k] {
			j, i := v[2*at], v[2*at+1]
			if j != math.Trunc(j) || i != math.Trunc(i) || j < 0 || i < 0 || j >= float64(n) || i >= float64(n) {
				return &graph.Error{
					File:   r.path("edge"),
					Line:   at + 1,
					Want:   fmt.Sprintf("two nodes from 0 to %d", n-1),
					Got:    fmt.Sprintf("%v and %v", j, i),
					Remedy: fmt.Sprintf("mend line %d", at+1),
				}
			}
			r.src, r.dst = append(r.src, int32(j)), append(r.dst, int32(i))
			at++
		}
	}
	return nil
}

func total(v []int) int {
	n := 0
	for _, x := range v {
		n += x
	}
	return n
}

// rows reads a table that must have the given number of lines; the zero matrix if there is no such file.
func (r *ogb) rows(ctx context.Context, name string, rows int, what string) (graph.Matrix, error) {
	if !r.has(name + ".csv") {
		return graph.Matrix{}, nil
	}
	v, cols, err := r.table(ctx, name, false)
	if err != nil {
		return graph.Matrix{}, err
	}
	if len(v) != rows*cols {
		return graph.Matrix{}, r.short(name, len(v)/max(1, cols), rows, what)
	}
	m := graph.Matrix{Rows: rows, Cols: cols, Data: make([]float32, len(v))}
	for k, x := range v {
		m.Data[k] = float32(x)
	}
	return m, nil
}

func (r *ogb) short(name string, got, want int, what string) error {
	return &graph.Error{File: r.path(name), Want: fmt.Sprintf("%d lines for %d %s", want, want, what),
		Got: fmt.Sprint(got), Remedy: "fetch the set again"}
}

// labels reads node-label or graph-label.
func (r *ogb) labels(ctx context.Context, name string, rows int, what string) (graph.Labels, error) {
	if !r.has(name + ".csv") {
		return graph.Labels{}, nil
	}
	v, cols, err := r.table(ctx, name, true)
	if err != nil {
		return graph.Labels{}, err
	}
	if len(v) != rows*max(1, cols) {
		return graph.Labels{}, r.short(name, len(v)/max(1, cols), rows, what)
	}
	if cols == 1 {
		for k, x := range v {
			if math.IsNaN(x) && name == "node-label" {
				v[k] = -1 // a node without a class
			}
		}
	}
	l, err := makeLabels(v, max(1, cols), "label")
	if err != nil {
		return l, &graph.Error{File: r.path(name), Err: err, Remedy: "fetch the set again"}
	}
	return l, nil
}

func (r *ogb) one(ctx context.Context) (*graph.Graph, error) {
	if len(r.nodes) != 1 {
		return nil, &graph.Error{File: r.path("num-node-list"), Want: "one graph, as there are labels of nodes",
			Got: fmt.Sprint(len(r.nodes)), Remedy: "fetch the set again"}
	}
	n := r.nodes[0]
	g := &graph.Graph{Name: geomName(r.dir), Origin: r.dir, N: n, Source: r.src, Target: r.dst}
	var err error
	if g.Features, err = r.rows(ctx, "node-feat", n, "nodes"); err != nil {
		return nil, err
	}
	if g.EdgeAttr, err = r.rows(ctx, "edge-feat", len(r.src), "edges"); err != nil {
		return nil, err
	}
	if g.Labels, err = r.labels(ctx, "node-label", n, "nodes"); err != nil {
		return nil, err
	}
	if g.Splits, err = r.splits(ctx, n); err != nil {
		return nil, err
	}
	if g.Directed = !isSymmetric(g); g.Directed {
		g.Notes = append(g.Notes, "edges are as stored, in one direction where the file has one only")
	}
	g.SHA256 = r.sum()
	return g, nil
}

func (r *ogb) many(ctx context.Context) (*graph.Collection, error) {
	c := &graph.Collection{Name: geomName(r.dir), Origin: r.dir}
	features, err := r.rows(ctx, "node-feat", total(r.nodes), "nodes")
	if err != nil {
		return nil, err
	}
	attr, err := r.rows(ctx, "edge-feat", len(r.src), "edges")
	if err != nil {
		return nil, err
	}
	if c.Labels, err = r.labels(ctx, "graph-label", len(r.nodes), "graphs"); err != nil {
		return nil, err
	}
	node, edge := 0, 0
	for k, n := range r.nodes {
		g := &graph.Graph{Name: fmt.Sprintf("%s[%d]", c.Name, k), N: n, Directed: r.o.Directed}
		if features.Cols > 0 {
			g.Features = graph.Matrix{Rows: n, Cols: features.Cols,
				Data: features.Data[node*features.Cols : (node+n)*features.Cols]}
		}
		r.addEdges(g, edge, edge+r.edges[k], attr)
		node, edge = node+n, edge+r.edges[k]
		c.Graphs = append(c.Graphs, g)
	}
	if c.Splits, err = r.splits(ctx, len(c.Graphs)); err != nil {
		return nil, err
	}
	c.SHA256 = r.sum()
	return c, nil
}

// addEdges gives a graph the edges from lo to hi−1, each followed by its reverse unless directions are to stay.
func (r *ogb) addEdges(g *graph.Graph, lo, hi int, attr graph.Matrix) {
	d := attr.Cols
	for e := lo; e < hi; e++ {
		g.Source, g.Target = append(g.Source, r.src[e]), append(g.Target, r.dst[e])
		g.EdgeAttr.Data = append(g.EdgeAttr.Data, attr.Data[e*d:(e+1)*d]...)
		if !r.o.Directed {
			g.Source, g.Target = append(g.Source, r.dst[e]), append(g.Target, r.src[e])
			g.EdgeAttr.Data = append(g.EdgeAttr.Data, attr.Data[e*d:(e+1)*d]...)
		}
	}
	if d > 0 {
		g.EdgeAttr.Rows, g.EdgeAttr.Cols = g.Edges(), d
	}
}

// splits reads split/NAME/{train,valid,test}.csv, the numbers of the rows of each part.
func (r *ogb) splits(ctx context.Context, rows int) ([]graph.Split, error) {
	base := filepath.Join(r.dir, "split")
	if filepath.Base(r.dir) == "raw" && !r.has("split") {
		base = filepath.Join(filepath.Dir(r.dir), "split")
	}
	top, err := openFolder(base, r.o)
	if err != nil {
		return nil, nil
	}
	var out []graph.Split
	for _, name := range top.names {
		d, err := openFolder(filepath.Join(base, name), r.o)
		if err != nil || !d.has("train.csv") {
			continue
		}
		part := slices.Repeat([]int8{graph.Unused}, rows)
		for p, file := range []string{"train", "valid", "test"} {
			own := &ogb{folder: d}
			v, cols, err := own.table(ctx, file, false)
			if err != nil {
				return nil, err
			}
			for k, x := range v {
				if cols != 1 || x != math.Trunc(x) || x < 0 || x >= float64(rows) || part[int(x)] != graph.Unused {
					return nil, &graph.Error{File: own.path(file), Line: k/max(1, cols) + 1,
						Want: fmt.Sprintf("a number from 0 to %d, in one part only", rows-1), Got: fmt.Sprint(x),
						Remedy: "fetch the set again"}
				}
				part[int(x)] = int8(p)
			}
		}
		r.sums = append(r.sums, d.sums...)
		out = append(out, graph.Split{Name: strings.ToLower(name), Part: [][]int8{part}})
	}
	return out, nil
}
