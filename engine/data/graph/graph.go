package graph

// Graph is one graph of N nodes, numbered from 0, and E = len(Source) edges. A loader returns it; nothing changes it
// afterwards, so graphs may share memory.
type Graph struct {
	Name   string // of the data set, or the file's name without folder and endings
	Origin string // where it comes from: the file or folder, or the origin of a named set
	SHA256 string // of the file as stored; of the checksums, one a line, where there are several files

	N              int
	Source, Target []int32   // [E], from 0 to N−1
	Weight         []float32 // [E]; nil where edges have no weights
	EdgeAttr       Matrix    // [E, attributes], rows in the order of the edges; zero where there are none
	EdgeType       []int32   // [E], from 0; nil where edges have no types
	EdgeTypes      []string  // names of the edge types
	NodeType       []int32   // [N], from 0; nil where nodes have no types
	NodeTypes      []string  // names of the node types
	Features       Matrix    // [N, features]; zero where nodes have none
	FeatureNames   []string  // [features]; nil where they have no names
	Labels         Labels    // of the nodes; zero where they have none
	Directed       bool      // whether there may be an edge without its reverse

	Splits []Split  // of the nodes, that came with the data
	Notes  []string // what was changed, left out or is missing, one sentence each
}

// Edges is the number of edges, in an undirected graph twice that of its pairs.
func (g *Graph) Edges() int { return len(g.Source) }

// Collection is a set of graphs that are learnt from as wholes.
type Collection struct {
	Name   string
	Origin string
	SHA256 string

	Graphs []*Graph // with features of one width; Labels and Splits of a member are of its nodes
	Labels Labels   // of the graphs, one row each
	Splits []Split  // of the graphs
	Notes  []string
}

// Triples is a knowledge graph: facts (head, relation, tail), in parts as published.
type Triples struct {
	Name   string
	Origin string
	SHA256 string

	Entities, Relations []string // names in the order of their first occurrence
	Train, Valid, Test  []Triple
	Notes               []string
}

// Triple is one fact about two entities.
type Triple struct{ Head, Relation, Tail int32 }
