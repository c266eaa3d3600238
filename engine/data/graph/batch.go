package graph

import "fmt"

// Batch is several graphs as the parts of one, whose edges stay within the parts: nothing is padded.
type Batch struct {
	Graph  *Graph
	Ptr    []int32 // nodes of part k: Ptr[k] to Ptr[k+1]−1, [parts+1]
	Member []int32 // the part that each node is in, [N]
}

// BlockDiagonal puts graphs side by side in the order given: nodes, edges and their data behind one another, node
// numbers moved. Graphs with different widths of features or attributes, or some with weights, types or labels and
// some without, are an error. The names of types and classes are those of the first graph; splits are left out.
func BlockDiagonal(graphs []*Graph) (*Batch, error) {
	b := &Batch{Graph: &Graph{}, Ptr: make([]int32, 1, len(graphs)+1)}
	nodes, edges := 0, 0
	for _, g := range graphs {
		nodes, edges = nodes+g.N, edges+g.Edges()
	}
	if nodes > MaxNodes || edges > MaxEdges {
		return nil, fmt.Errorf(
			"graph: batch of %d nodes and %d edges: want at most %d and %d; take fewer graphs",
			nodes,
			edges,
			MaxNodes,
			MaxEdges,
		)
	}
	out := b.Graph
	out.Source, out.Target = make([]int32, 0, edges), make([]int32, 0, edges)
	b.Member = make([]int32, 0, nodes)
	if len(graphs) > 0 {
		first := graphs[0]
		out.Name, out.Origin, out.Directed = first.Name, first.Origin, first.Directed
		out.EdgeTypes, out.NodeTypes, out.FeatureNames = first.EdgeTypes, first.NodeTypes, first.FeatureNames
		out.Labels = Labels{Task: first.Labels.Task, Classes: first.Labels.Classes, Names: first.Labels.Names}
	}
	for k, g := range graphs {
		if err := out.alike(graphs[0], g); err != nil {
			return nil, fmt.Errorf("graph: batch: graph %d: %w", k, err)
		}
		out.join(g)
		for range g.N {
			b.Member = append(b.Member, int32(k))
		}
		b.Ptr = append(b.Ptr, int32(out.N))
	}
	features, attrs := make([]Matrix, len(graphs)), make([]Matrix, len(graphs))
	for k, g := range graphs {
		features[k], attrs[k] = g.Features, g.EdgeAttr
	}
	out.Features, out.EdgeAttr = stack(features), stack(attrs)
	return b, nil
}

// alike returns an error if a graph has not the same kinds of data as the first of a batch.
func (g *Graph) alike(a, b *Graph) error {
	some := func(x, y []int32, n int) bool { return n > 0 && a.N > 0 && (x == nil) != (y == nil) }
	switch {
	case b.N > 0 && a.N > 0 && a.Features.Cols != b.Features.Cols:
		return fmt.Errorf("%d features a node, the first has %d", b.Features.Cols, a.Features.Cols)
	case b.Edges() > 0 && a.Edges() > 0 && a.EdgeAttr.Cols != b.EdgeAttr.Cols:
		return fmt.Errorf("%d attributes an edge, the first has %d", b.EdgeAttr.Cols, a.EdgeAttr.Cols)
	case b.Edges() > 0 && a.Edges() > 0 && (a.Weight == nil) != (b.Weight == nil):
		return fmt.Errorf("weights on some graphs only")
	case a.Edges() > 0 && some(a.EdgeType, b.EdgeType, b.Edges()), some(a.NodeType, b.NodeType, b.N):
		return fmt.Errorf("types on some graphs only")
	case a.Labels.Task != b.Labels.Task || len(a.Labels.Names) != len(b.Labels.Names):
		return fmt.Errorf("labels of task %q, those of the first %q", b.Labels.Task, a.Labels.Task)
	}
	return nil
}

// join puts the lists of b behind those of g, its nodes moved.
func (g *Graph) join(b *Graph) {
	offset := int32(g.N)
	for e, j := range b.Source {
		g.Source, g.Target = append(g.Source, j+offset), append(g.Target, b.Target[e]+offset)
	}
	g.N += b.N
	g.Weight = append(g.Weight, b.Weight...)
	g.EdgeType = append(g.EdgeType, b.EdgeType...)
	g.NodeType = append(g.NodeType, b.NodeType...)
	g.Labels.Class = append(g.Labels.Class, b.Labels.Class...)
	g.Labels.Value = append(g.Labels.Value, b.Labels.Value...)
}

// stack puts matrices of one width below one another: in CSR form if the first with rows is.
func stack(parts []Matrix) Matrix {
	var out Matrix
	entries := 0
	for _, m := range parts {
		if out.Cols == 0 {
			out.Cols = m.Cols
			if m.Sparse() {
				out.Ptr = make([]int32, 1)
			}
		}
		out.Rows, entries = out.Rows+m.Rows, entries+m.Entries()
	}
	if out.Cols == 0 {
		return Matrix{}
	}
	if out.Ptr == nil {
		out.Data = make([]float32, 0, entries)
		for _, m := range parts {
			out.Data = append(out.Data, m.Dense()...)
		}
		return out
	}
	for _, m := range parts {
		m = m.Compress()
		offset := int32(len(out.Col))
		out.Col, out.Value = append(out.Col, m.Col...), append(out.Value, m.Value...)
		for _, p := range m.Ptr[min(1, len(m.Ptr)):] {
			out.Ptr = append(out.Ptr, p+offset)
		}
	}
	return out
}
