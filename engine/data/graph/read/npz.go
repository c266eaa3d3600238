package read

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/source"
)

// archive is an .npz file on its way to a graph.
type archive struct {
	*source.Archive
	o Options
	g *graph.Graph
}

// isGraphArchive says whether the arrays of an .npz file are those of a graph.
func isGraphArchive(a *source.Archive) bool {
	return a.Has("edge_index") || a.Has("adj_indptr") || a.Has("edges") && a.Has("node_features") ||
		a.Has("adj_data") && a.Has("adj_shape")
}

// readNPZ reads an .npz graph in one of three layouts: edge_index [2, E] with y, x or x_shape, x_indptr, x_indices and
// x_data; that of gnn-benchmark with adj_*, attr_* and labels; the heterophilous one with edges [E, 2], node_features,
// node_labels and masks.
func readNPZ(ctx context.Context, a *source.Archive, o Options) (*graph.Graph, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := archive{a, o, &graph.Graph{Name: baseName(a.Name), Origin: a.Name, SHA256: a.SHA256}}
	var err error
	switch {
	case a.Has("adj_indptr"):
		err = r.benchmark()
	case a.Has("edge_index"):
		err = r.plain()
	default:
		err = r.heterophilous()
	}
	if err != nil {
		return nil, err
	}
	return r.g, nil
}

func (r *archive) bad(key, want, got string) error {
	return &graph.Error{File: r.Name, Column: key, Want: want, Got: got, Remedy: "save the array again"}
}

// plain reads edge_index [2, E], or [E, 2].
func (r *archive) plain() error {
	var n int
	var err error
	for _, step := range []func() error{
		func() error { n, err = r.countNodes("x", "y"); return err },
		func() error { return r.features("x", n) },
		func() error { return r.labels("y", n) },
		func() error { return r.edges("edge_index", n) },
		func() error { return r.edgeData(n) },
		func() error { return r.splits() },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// countNodes finds the number of nodes: the rows of the features, or of the labels, or num_nodes, else one more than
// the highest number that an edge names.
func (r *archive) countNodes(features, labels string) (int, error) {
	for _, key := range []string{features, labels} {
		if r.Has(key) {
			shape, _, err := r.Shape(key)
			if err != nil {
				return 0, err
			}
			if len(shape) == 0 || shape[0] > graph.MaxNodes {
				return 0, r.bad(key, "a row for each node", fmt.Sprintf("the shape %v", shape))
			}
			return shape[0], nil
		}
		if ptr := key + "_indptr"; r.Has(ptr) {
			shape, _, err := r.Shape(ptr)
			if err != nil {
				return 0, err
			}
			if len(shape) != 1 || shape[0] < 1 || shape[0] > graph.MaxNodes {
				return 0, r.bad(ptr, "a row pointer for each node and one more", fmt.Sprintf("the shape %v", shape))
			}
			return shape[0] - 1, nil
		}
	}
	if r.Has("num_nodes") {
		v, _, err := r.Ints("num_nodes")
		if err != nil {
			return 0, err
		}
		if len(v) != 1 || v[0] < 0 || v[0] > graph.MaxNodes {
			return 0, r.bad("num_nodes", "one number of nodes", fmt.Sprint(v))
		}
		return int(v[0]), nil
	}
	v, _, err := r.Ints("edge_index")
	if err != nil {
		return 0, err
	}
	top := int64(-1)
	for _, i := range v {
		top = max(top, i)
	}
	if top >= graph.MaxNodes {
		return 0, r.bad("edge_index", fmt.Sprintf("nodes below %d", graph.MaxNodes), fmt.Sprint(top))
	}
	r.g.Notes = append(r.g.Notes, fmt.Sprintf("the number of nodes, %d, comes from the edges alone", top+1))
	return int(top + 1), nil
}

// edges reads pairs of nodes, [2, E] or [E, 2], and adds the other direction of each to a list of undirected ones.
func (r *archive) edges(key string, n int) error {
	v, shape, err := r.Ints(key)
	if err != nil {
		return err
	}
	if len(shape) != 2 || shape[0] != 2 && shape[1] != 2 {
		return r.bad(key, "edges of shape [2, edges]", fmt.Sprintf("the shape %v", shape))
	}
	e := len(v) / 2
	if e > graph.MaxEdges/2 {
		return r.bad(key, fmt.Sprintf("at most %d edges", graph.MaxEdges/2), fmt.Sprint(e))
	}
	src, dst := make([]int32, e), make([]int32, e)
	for k := range e {
		a, b := k, e+k
		if shape[0] != 2 || shape[1] == 2 && key == "edges" {
			a, b = 2*k, 2*k+1
		}
		for _, end := range []struct {
			at int
			to []int32
		}{{a, src}, {b, dst}} {
			if i := v[end.at]; i < 0 || i >= int64(n) {
				return &graph.Error{File: r.Name, Column: key, Want: fmt.Sprintf("nodes from 0 to %d", n-1),
					Got: fmt.Sprintf("%d in edge %d", i, k), Remedy: "number the nodes from 0, or mend the edge"}
			} else {
				end.to[k] = int32(i)
			}
		}
	}
	r.g.N, r.g.Source, r.g.Target = n, src, dst
	return nil
}

// edgeData reads weights, attributes and types of the edges, and then sees to the directions.
func (r *archive) edgeData(n int) error {
	g := r.g
	for _, key := range []string{"edge_weight", "edge_attr", "edge_type"} {
		if !r.Has(key) {
			continue
		}
		v, shape, err := r.Floats(key)
		if err != nil {
			return err
		}
		if len(shape) == 0 || shape[0] != g.Edges() || len(shape) > 2 || len(shape) == 2 && key != "edge_attr" {
			return r.bad(key, fmt.Sprintf("a row for each of %d edges", g.Edges()), fmt.Sprintf("the shape %v", shape))
		}
		if err := r.setEdgeData(key, v, shape); err != nil {
			return err
		}
	}
	r.bothWays(n)
	return nil
}

func (r *archive) setEdgeData(key string, v []float64, shape []int) error {
	g := r.g
	if key == "edge_type" {
		types := 0
		for k, t := range v {
			if t != math.Trunc(t) || t < 0 || t >= 1<<16 {
				return r.bad(key, "types from 0", fmt.Sprintf("%v at edge %d", t, k))
			}
			g.EdgeType = append(g.EdgeType, int32(t))
			types = max(types, int(t)+1)
		}
		g.EdgeTypes = numbered(types)
		return nil
	}
	f, err := r.finite(key, v)
	if err != nil {
		return err
	}
	if key == "edge_weight" {
		g.Weight = f
		return nil
	}
	g.EdgeAttr = graph.Matrix{Rows: shape[0], Cols: len(f) / max(1, shape[0]), Data: f}
	return nil
}

func (r *archive) finite(key string, v []float64) ([]float32, error) {
	out := make([]float32, len(v))
	for k, x := range v {
		if out[k] = float32(x); math.IsNaN(x) || math.IsInf(float64(out[k]), 0) {
			return nil, r.bad(key, "finite numbers", fmt.Sprintf("%v at element %d", x, k))
		}
	}
	return out, nil
}

// bothWays adds the reverse of each edge if the file names each pair once, the lower number first.
func (r *archive) bothWays(n int) {
	g := r.g
	once := !r.o.Directed && g.Edges() > 0
	for e, j := range g.Source {
		once = once && j < g.Target[e]
	}
	if once {
		*g = *g.Undirected()
		g.Notes = append(g.Notes, fmt.Sprintf("each of %d pairs of nodes stands once in the file: both directions are "+
			"taken", g.Edges()/2))
		return
	}
	g.Directed = !symmetric(g.Source, g.Target, n)
}

// symmetric says whether each edge has its reverse.
func symmetric(src, dst []int32, n int) bool {
	a, b := graph.Graph{N: n, Source: src, Target: dst}, graph.Graph{N: n, Source: dst, Target: src}
	p, q := a.Coalesce(), b.Coalesce()
	return slices.Equal(p.Source, q.Source) && slices.Equal(p.Target, q.Target)
}

// features reads the features of the nodes: prefix itself, or prefix_shape, prefix_indptr, prefix_indices and
// prefix_data of a matrix in CSR form. A dense matrix of mostly zeros becomes one in CSR form.
func (r *archive) features(prefix string, n int) error {
	switch {
	case r.Has(prefix + "_indptr"):
		m, err := r.sparse(prefix + "_")
		if err != nil {
			return err
		}
		if m.Rows != n {
			return r.bad(prefix+"_indptr", fmt.Sprintf("a row for each of %d nodes", n), fmt.Sprint(m.Rows))
		}
		r.g.Features = m
	case r.Has(prefix):
		v, shape, err := r.Floats(prefix)
		if err != nil {
			return err
		}
		if len(shape) == 1 {
			shape = []int{shape[0], 1}
		}
		if len(shape) != 2 || shape[0] != n {
			return r.bad(prefix, fmt.Sprintf("a row of features for each of %d nodes", n),
				fmt.Sprintf("the shape %v", shape))
		}
		f, err := r.finite(prefix, v)
		if err != nil {
			return err
		}
		r.g.Features = compact(graph.Matrix{Rows: n, Cols: shape[1], Data: f})
	default:
		r.g.Notes = append(r.g.Notes, "the nodes have no features")
	}
	return nil
}

// compact puts a matrix of which at most a quarter is not zero, and which has many columns, into CSR form.
func compact(m graph.Matrix) graph.Matrix {
	used := 0
	for _, v := range m.Data {
		if v != 0 {
			used++
		}
	}
	if m.Cols < 32 || 4*used > len(m.Data) {
		return m
	}
	return m.Compress()
}

// sparse reads a matrix in CSR form: prefix + shape, indptr, indices, data.
func (r *archive) sparse(prefix string) (graph.Matrix, error) {
	shape, _, err := r.Ints(prefix + "shape")
	if err != nil {
		return graph.Matrix{}, err
	}
	if len(shape) != 2 || shape[0] < 0 || shape[1] < 0 || shape[0] > graph.MaxNodes || shape[1] > graph.MaxNodes {
		return graph.Matrix{}, r.bad(prefix+"shape", "two sizes", fmt.Sprint(shape))
	}
	var index [2][]int64
	for k, key := range []string{"indptr", "indices"} {
		if index[k], _, err = r.Ints(prefix + key); err != nil {
			return graph.Matrix{}, err
		}
	}
	values, _, err := r.Floats(prefix + "data")
	if err != nil {
		return graph.Matrix{}, err
	}
	m, err := matrix(int(shape[0]), int(shape[1]), index[0], index[1], values)
	if err != nil {
		return m, &graph.Error{File: r.Name, Column: prefix + "indptr", Err: err,
			Remedy: "save it again as a CSR matrix"}
	}
	return m, nil
}

// benchmark reads the layout of gnn-benchmark: a matrix adj, attr as features, labels. Directions stay as stored.
func (r *archive) benchmark() error {
	adj, err := r.sparse("adj_")
	if err != nil {
		return err
	}
	if adj.Rows != adj.Cols {
		return r.bad("adj_shape", "a square matrix", fmt.Sprintf("%d × %d", adj.Rows, adj.Cols))
	}
	r.g.N = adj.Rows
	r.g.Source, r.g.Target, r.g.Weight = matrixEdges(adj)
	prefix := "attr"
	if !r.Has("attr_indptr") && r.Has("attr_matrix") {
		prefix = "attr_matrix"
	}
	if err := r.features(prefix, adj.Rows); err != nil {
		return err
	}
	if err := r.labels("labels", adj.Rows); err != nil {
		return err
	}
	r.g.Directed = !symmetric(r.g.Source, r.g.Target, r.g.N)
	return r.splits()
}

// matrixEdges lists the entries of a matrix as edges from row to column; weights are nil if all are 1.
func matrixEdges(m graph.Matrix) (src, dst []int32, weight []float32) {
	src = make([]int32, 0, len(m.Col))
	for i := range m.Rows {
		for range m.Ptr[i+1] - m.Ptr[i] {
			src = append(src, int32(i))
		}
	}
	if slices.ContainsFunc(m.Value, func(v float32) bool { return v != 1 }) {
		weight = m.Value
	}
	return src, m.Col, weight
}

// heterophilous reads edges [E, 2], each pair once, node_features, node_labels and masks.
func (r *archive) heterophilous() error {
	n, err := r.countNodes("node_features", "node_labels")
	if err != nil {
		return err
	}
	if err := r.features("node_features", n); err != nil {
		return err
	}
	if err := r.labels("node_labels", n); err != nil {
		return err
	}
	if err := r.edges("edges", n); err != nil {
		return err
	}
	g := r.g
	if r.o.Directed || strings.Contains(g.Name, "directed") {
		g.Directed = true
	} else {
		*g = *g.Undirected()
	}
	return r.splits()
}
