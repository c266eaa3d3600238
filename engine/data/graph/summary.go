package graph

import (
	"math"
	"slices"
)

// Summary is what there is to say about graphs at a glance, for printing and for JSON.
type Summary struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	SHA256 string `json:"sha256"`
	Kind   string `json:"kind"` // nodes, graphs or triples: what is learnt about

	Graphs     int            `json:"graphs"`
	Nodes      int            `json:"nodes"` // in all graphs; entities
	Edges      int            `json:"edges"` // in all graphs, both directions counted; triples
	Directed   bool           `json:"directed"`
	Weighted   bool           `json:"weighted"`
	Features   int            `json:"features"`   // of a node
	Density    float64        `json:"density"`    // share of the features that is stored
	Attributes int            `json:"attributes"` // of an edge
	EdgeTypes  int            `json:"edge_types"` // relations
	Loops      int            `json:"loops"`
	Duplicates int            `json:"duplicates"` // edges equal to one before them
	Isolated   int            `json:"isolated"`   // nodes without any edge but loops
	Components int            `json:"components"`
	Degree     Degrees        `json:"degree"` // edges into a node
	Task       Task           `json:"task"`
	Classes    []ClassSummary `json:"classes,omitempty"`
	Targets    []string       `json:"targets,omitempty"`
	Unlabelled int            `json:"unlabelled"` // rows without a label
	Splits     []SplitSummary `json:"splits,omitempty"`
	Notes      []string       `json:"notes,omitempty"`
}

// Degrees tell how the numbers of edges into a node are spread.
type Degrees struct {
	Min    int     `json:"min"`
	Median int     `json:"median"`
	Mean   float64 `json:"mean"`
	Max    int     `json:"max"`
}

// ClassSummary is the number of rows of a class.
type ClassSummary struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// SplitSummary is a stored split, the number of its divisions, and the sizes of the parts of the first one.
type SplitSummary struct {
	Name      string `json:"name"`
	Divisions int    `json:"divisions"`
	Train     int    `json:"train"`
	Valid     int    `json:"valid"`
	Test      int    `json:"test"`
}

// Summarize describes a graph.
func (g *Graph) Summarize() Summary {
	s := Summary{Name: g.Name, Source: g.Origin, SHA256: g.SHA256, Kind: "nodes", Notes: g.Notes}
	s.shape([]*Graph{g})
	s.labels(g.Labels, g.Splits)
	return s
}

// Summarize describes a collection.
func (c *Collection) Summarize() Summary {
	s := Summary{Name: c.Name, Source: c.Origin, SHA256: c.SHA256, Kind: "graphs", Notes: c.Notes}
	s.shape(c.Graphs)
	s.labels(c.Labels, c.Splits)
	return s
}

// Summarize describes a knowledge graph, as one graph of typed edges.
func (t *Triples) Summarize() Summary {
	g := &Graph{N: len(t.Entities), Directed: true, EdgeTypes: t.Relations}
	for _, part := range [][]Triple{t.Train, t.Valid, t.Test} {
		for _, f := range part {
			g.Source, g.Target = append(g.Source, f.Head), append(g.Target, f.Tail)
			g.EdgeType = append(g.EdgeType, f.Relation)
		}
	}
	s := Summary{Name: t.Name, Source: t.Origin, SHA256: t.SHA256, Kind: "triples", Notes: t.Notes}
	s.shape([]*Graph{g})
	s.Splits = []SplitSummary{{"published", 1, len(t.Train), len(t.Valid), len(t.Test)}}
	return s
}

// shape counts nodes and edges.
func (s *Summary) shape(graphs []*Graph) {
	s.Graphs = len(graphs)
	var degrees []int32
	stored, places := 0, 0
	for _, g := range graphs {
		s.Nodes, s.Edges = s.Nodes+g.N, s.Edges+g.Edges()
		s.Directed, s.Weighted = s.Directed || g.Directed, s.Weighted || g.Weight != nil
		s.Features = max(s.Features, g.Features.Cols)
		s.Attributes = max(s.Attributes, g.EdgeAttr.Cols)
		s.EdgeTypes = max(s.EdgeTypes, len(g.EdgeTypes))
		stored, places = stored+g.Features.Entries(), places+g.Features.Rows*g.Features.Cols
		bare := g.WithoutLoops()
		s.Loops += g.Edges() - bare.Edges()
		s.Duplicates += g.Edges() - g.Coalesce().Edges()
		in, out := bare.InDegree(), bare.OutDegree()
		for i := range in {
			if in[i]+out[i] == 0 {
				s.Isolated++
			}
		}
		_, parts := g.Components()
		s.Components += parts
		degrees = append(degrees, g.InDegree()...)
	}
	if places > 0 {
		s.Density = float64(stored) / float64(places)
	}
	if n := len(degrees); n > 0 {
		slices.Sort(degrees)
		s.Degree = Degrees{int(degrees[0]), int(degrees[n/2]), math.Round(1e4*float64(s.Edges)/float64(n)) / 1e4,
			int(degrees[n-1])}
	}
}

func (s *Summary) labels(l Labels, splits []Split) {
	s.Task, s.Targets = l.Task, l.Names
	for c, n := range l.Counts() {
		s.Classes = append(s.Classes, ClassSummary{l.Classes[c], n})
	}
	for i := range l.Rows() {
		if !l.Known(i) {
			s.Unlabelled++
		}
	}
	for _, p := range splits {
		if len(p.Part) > 0 {
			s.Splits = append(s.Splits, SplitSummary{p.Name, len(p.Part), len(p.Rows(0, Train)), len(p.Rows(0, Valid)),
				len(p.Rows(0, Test))})
		}
	}
}
