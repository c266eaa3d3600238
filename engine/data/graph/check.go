package graph

import (
	"fmt"
	"math"
)

// MaxNodes and MaxEdges are the most nodes and edges a graph can have, so that int32 numbers them.
const (
	MaxNodes = math.MaxInt32 - 1
	MaxEdges = math.MaxInt32 - 1
)

// Check returns an error that says what is damaged: lengths that do not fit, an edge, label or type out of range, a
// weight or feature that is not finite.
func (g *Graph) Check() error {
	if err := g.check(); err != nil {
		return fmt.Errorf("graph %q: %w", g.Name, err)
	}
	return nil
}

func (g *Graph) check() error {
	if g.N < 0 || g.N > MaxNodes || len(g.Source) > MaxEdges {
		return fmt.Errorf("want at most %d nodes and %d edges, got %d and %d", MaxNodes, MaxEdges, g.N, len(g.Source))
	}
	if len(g.Source) != len(g.Target) {
		return fmt.Errorf("want as many sources as targets, got %d and %d", len(g.Source), len(g.Target))
	}
	for e, j := range g.Source {
		if i := g.Target[e]; j < 0 || int(j) >= g.N {
			return fmt.Errorf("edge %d: want a source from 0 to %d, got %d", e, g.N-1, j)
		} else if i < 0 || int(i) >= g.N {
			return fmt.Errorf("edge %d: want a target from 0 to %d, got %d", e, g.N-1, i)
		}
	}
	if err := g.checkEdgeData(); err != nil {
		return err
	}
	if m := g.Features; m.Rows != g.N && (m.Rows != 0 || m.Cols != 0) {
		return fmt.Errorf("want a row of features for each of %d nodes, got %d", g.N, m.Rows)
	}
	if err := g.Features.check(); err != nil {
		return fmt.Errorf("features: %w", err)
	}
	if n := len(g.FeatureNames); n != 0 && n != g.Features.Cols {
		return fmt.Errorf("want %d names of features, got %d", g.Features.Cols, n)
	}
	if err := types("node", g.NodeType, g.NodeTypes, g.N); err != nil {
		return err
	}
	if err := g.Labels.check(g.N, "nodes"); err != nil {
		return err
	}
	return checkSplits(g.Splits, g.N, "nodes")
}

func (g *Graph) checkEdgeData() error {
	if len(g.Weight) != 0 && len(g.Weight) != g.Edges() {
		return fmt.Errorf("want %d weights, one an edge, got %d", g.Edges(), len(g.Weight))
	}
	for e, w := range g.Weight {
		if math.IsNaN(float64(w)) || math.IsInf(float64(w), 0) {
			return fmt.Errorf("edge %d: want a finite weight, got %v", e, w)
		}
	}
	if m := g.EdgeAttr; m.Rows != g.Edges() && (m.Rows != 0 || m.Cols != 0) {
		return fmt.Errorf("want a row of attributes for each of %d edges, got %d", g.Edges(), m.Rows)
	}
	if err := g.EdgeAttr.check(); err != nil {
		return fmt.Errorf("attributes of edges: %w", err)
	}
	return types("edge", g.EdgeType, g.EdgeTypes, g.Edges())
}

func types(what string, of []int32, names []string, n int) error {
	if len(of) != 0 && len(of) != n {
		return fmt.Errorf("want %d %s types, got %d", n, what, len(of))
	}
	for k, t := range of {
		if t < 0 || int(t) >= len(names) {
			return fmt.Errorf("%s %d: want a type from 0 to %d, got %d", what, k, len(names)-1, t)
		}
	}
	return nil
}

func checkSplits(splits []Split, rows int, what string) error {
	for _, s := range splits {
		if err := s.check(rows, what); err != nil {
			return err
		}
	}
	return nil
}

// Check returns an error that says which graph, label or split is damaged, or whose features differ in number.
func (c *Collection) Check() error {
	for k, g := range c.Graphs {
		if err := g.check(); err != nil {
			return fmt.Errorf("collection %q: graph %d: %w", c.Name, k, err)
		}
		a, b := g.Features.Cols, c.Graphs[0].Features.Cols
		if a != b || g.EdgeAttr.Cols != c.Graphs[0].EdgeAttr.Cols && g.Edges() > 0 && c.Graphs[0].Edges() > 0 {
			return fmt.Errorf(
				"collection %q: graph %d has %d features a node and %d an edge, graph 0 has %d and %d",
				c.Name,
				k,
				a,
				g.EdgeAttr.Cols,
				b,
				c.Graphs[0].EdgeAttr.Cols,
			)
		}
	}
	if err := c.Labels.check(len(c.Graphs), "graphs"); err != nil {
		return fmt.Errorf("collection %q: %w", c.Name, err)
	}
	if err := checkSplits(c.Splits, len(c.Graphs), "graphs"); err != nil {
		return fmt.Errorf("collection %q: %w", c.Name, err)
	}
	return nil
}

// Check returns an error that says which triple names an entity or relation out of range.
func (t *Triples) Check() error {
	for p, part := range [][]Triple{t.Train, t.Valid, t.Test} {
		for k, f := range part {
			if f.Head < 0 || int(f.Head) >= len(t.Entities) || f.Tail < 0 || int(f.Tail) >= len(t.Entities) ||
				f.Relation < 0 || int(f.Relation) >= len(t.Relations) {
				return fmt.Errorf(
					"triples %q: triple %d of part %d, %v: want %d entities and %d relations, from 0",
					t.Name,
					k,
					p,
					f,
					len(t.Entities),
					len(t.Relations),
				)
			}
		}
	}
	return nil
}
