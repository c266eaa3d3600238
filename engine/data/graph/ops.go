package graph

import (
	"fmt"
	"slices"
)

// with is a copy of the graph that has the given edges, each with the data of edge from[e] of g, or, where that is −1,
// with weight and attributes fill and a type of its own.
func (g *Graph) with(src, dst, from []int32, fill float32) *Graph {
	out := *g
	out.Source, out.Target = src, dst
	if g.Weight != nil {
		out.Weight = make([]float32, len(from))
		for k, e := range from {
			if out.Weight[k] = fill; e >= 0 {
				out.Weight[k] = g.Weight[e]
			}
		}
	}
	if c := g.EdgeAttr.Cols; c > 0 {
		dense := g.EdgeAttr.Dense()
		out.EdgeAttr = Matrix{Rows: len(from), Cols: c, Data: make([]float32, 0, len(from)*c)}
		for _, e := range from {
			if e >= 0 {
				out.EdgeAttr.Data = append(out.EdgeAttr.Data, dense[int(e)*c:(int(e)+1)*c]...)
			} else {
				out.EdgeAttr.Data = append(out.EdgeAttr.Data, slices.Repeat([]float32{fill}, c)...)
			}
		}
	}
	if g.EdgeType != nil {
		out.EdgeType = make([]int32, len(from))
		for k, e := range from {
			if out.EdgeType[k] = int32(len(g.EdgeTypes)); e >= 0 {
				out.EdgeType[k] = g.EdgeType[e]
			}
		}
		if slices.Contains(from, -1) {
			out.EdgeTypes = append(slices.Clone(g.EdgeTypes), "loop")
		}
	}
	return &out
}

// keep is a copy of the graph that has the given edges of g alone, in this order.
func (g *Graph) keep(edges []int32) *Graph {
	src, dst := make([]int32, len(edges)), make([]int32, len(edges))
	for k, e := range edges {
		src[k], dst[k] = g.Source[e], g.Target[e]
	}
	return g.with(src, dst, edges, 0)
}

// Coalesce returns the graph with its edges in the order of (source, target, type), where edges equal in these become
// one whose weight and attributes are their sums, in the order of the list. It takes O(nodes + edges).
func (g *Graph) Coalesce() *Graph {
	order := make([]int32, g.Edges())
	for e := range order {
		order[e] = int32(e)
	}
	if g.EdgeType != nil {
		order = sortedBy(order, g.EdgeType, len(g.EdgeTypes))
	}
	order = sortedBy(sortedBy(order, g.Target, g.N), g.Source, g.N)
	same := func(a, b int32) bool {
		return g.Source[a] == g.Source[b] && g.Target[a] == g.Target[b] && (g.EdgeType == nil ||
			g.EdgeType[a] == g.EdgeType[b])
	}
	var first []int32
	for k, e := range order {
		if k == 0 || !same(order[k-1], e) {
			first = append(first, e)
		}
	}
	out := g.keep(first)
	if len(first) == len(order) {
		return out
	}
	attr, c := g.EdgeAttr.Dense(), g.EdgeAttr.Cols
	at := -1
	for k, e := range order {
		if k == 0 || !same(order[k-1], e) {
			at++
			continue
		}
		if g.Weight != nil {
			out.Weight[at] += g.Weight[e]
		}
		for j := range c {
			out.EdgeAttr.Data[at*c+j] += attr[int(e)*c+j]
		}
	}
	return out
}

// sortedBy sorts items stably by their keys below n, in O(n + items).
func sortedBy(items, key []int32, n int) []int32 {
	next := make([]int32, n+1)
	for _, e := range items {
		next[key[e]+1]++
	}
	for i := range n {
		next[i+1] += next[i]
	}
	out := make([]int32, len(items))
	for _, e := range items {
		out[next[key[e]]] = e
		next[key[e]]++
	}
	return out
}

// Undirected returns the coalesced graph of all edges and their reverses, each of which has the data of its edge. The
// weights of an edge and of one that is its reverse already are added, those of a loop twice.
func (g *Graph) Undirected() *Graph {
	both := make([]int32, 2*g.Edges())
	for e := range g.Source {
		both[e], both[g.Edges()+e] = int32(e), int32(e)
	}
	out := g.with(slices.Concat(g.Source, g.Target), slices.Concat(g.Target, g.Source), both, 0).Coalesce()
	out.Directed = false
	return out
}

// WithoutLoops returns the graph without edges from a node to itself.
func (g *Graph) WithoutLoops() *Graph {
	var edges []int32
	for e, j := range g.Source {
		if j != g.Target[e] {
			edges = append(edges, int32(e))
		}
	}
	return g.keep(edges)
}

// WithLoops returns the graph with one more edge from each node to itself behind the others, in the order of the
// nodes; weight and attributes of the new ones are fill.
func (g *Graph) WithLoops(fill float32) *Graph {
	from := make([]int32, g.Edges(), g.Edges()+g.N)
	for e := range from {
		from[e] = int32(e)
	}
	src, dst := slices.Clone(g.Source), slices.Clone(g.Target)
	for i := range int32(g.N) {
		src, dst, from = append(src, i), append(dst, i), append(from, -1)
	}
	return g.with(src, dst, from, fill)
}

// WithRemainingLoops returns the graph with exactly one edge from each node to itself, behind the others in the order
// of the nodes: the last of those that the node has, else a new one whose weight and attributes are fill.
func (g *Graph) WithRemainingLoops(fill float32) *Graph {
	loop := slices.Repeat([]int32{-1}, g.N)
	var src, dst, from []int32
	for e, j := range g.Source {
		if j == g.Target[e] {
			loop[j] = int32(e)
			continue
		}
		src, dst, from = append(src, j), append(dst, g.Target[e]), append(from, int32(e))
	}
	for i, e := range loop {
		src, dst, from = append(src, int32(i)), append(dst, int32(i)), append(from, e)
	}
	return g.with(src, dst, from, fill)
}

// InDegree returns the number of edges into each node, [N].
func (g *Graph) InDegree() []int32 { return counts(g.Target, g.N) }

// OutDegree returns the number of edges out of each node, [N].
func (g *Graph) OutDegree() []int32 { return counts(g.Source, g.N) }

func counts(of []int32, n int) []int32 {
	c := make([]int32, n)
	for _, i := range of {
		c[i]++
	}
	return c
}

// Subgraph is a part of a graph.
type Subgraph struct {
	Graph *Graph
	Nodes []int32 // of the whole graph that node i of the part is, [Graph.N]
	Edges []int32 // of the whole graph that edge e of the part is
	Seeds []int32 // of the part that each node asked for is
}

// Induced returns the part of the given nodes, numbered in the order given, and all edges among them, in the order of
// the graph, with features, labels and splits. Seeds are the nodes themselves. A node out of range or named twice is
// an error.
func (g *Graph) Induced(nodes []int32) (*Subgraph, error) {
	place := slices.Repeat([]int32{-1}, g.N)
	for k, i := range nodes {
		if i < 0 || int(i) >= g.N || place[i] >= 0 {
			return nil, fmt.Errorf(
				"graph %q: induced: want different nodes from 0 to %d, got %d at %d",
				g.Name,
				g.N-1,
				i,
				k,
			)
		}
		place[i] = int32(k)
	}
	s := &Subgraph{Nodes: slices.Clone(nodes)}
	for e, j := range g.Source {
		if place[j] >= 0 && place[g.Target[e]] >= 0 {
			s.Edges = append(s.Edges, int32(e))
		}
	}
	s.Graph = g.keep(s.Edges)
	for e, j := range s.Graph.Source {
		s.Graph.Source[e], s.Graph.Target[e] = place[j], place[s.Graph.Target[e]]
	}
	s.Graph.takeNodes(g, nodes)
	for k := range nodes {
		s.Seeds = append(s.Seeds, int32(k))
	}
	return s, nil
}

// takeNodes gives the graph the data of the given nodes of g.
func (g *Graph) takeNodes(from *Graph, nodes []int32) {
	g.N = len(nodes)
	if from.Features.Cols > 0 {
		g.Features = from.Features.Take(nodes)
	}
	g.Labels = from.Labels.Take(nodes)
	if from.NodeType != nil {
		g.NodeType = make([]int32, len(nodes))
		for k, i := range nodes {
			g.NodeType[k] = from.NodeType[i]
		}
	}
	g.Splits = nil
	for _, s := range from.Splits {
		part := make([][]int8, len(s.Part))
		for d, p := range s.Part {
			part[d] = make([]int8, len(nodes))
			for k, i := range nodes {
				part[d][k] = p[i]
			}
		}
		g.Splits = append(g.Splits, Split{s.Name, part})
	}
}

// KHop returns the part of all nodes from which a seed is reached by at most k edges, ascending, and all edges among
// them. A seed out of range is an error.
func (g *Graph) KHop(seeds []int32, k int) (*Subgraph, error) {
	in, near := g.Into(), make([]bool, g.N)
	var frontier []int32
	for at, i := range seeds {
		if i < 0 || int(i) >= g.N {
			return nil, fmt.Errorf("graph %q: k-hop: want seeds from 0 to %d, got %d at %d", g.Name, g.N-1, i, at)
		}
		if !near[i] {
			near[i], frontier = true, append(frontier, i)
		}
	}
	for hop := 0; hop < k && len(frontier) > 0; hop++ {
		var next []int32
		for _, i := range frontier {
			for _, j := range in.Node[in.Ptr[i]:in.Ptr[i+1]] {
				if !near[j] {
					near[j], next = true, append(next, j)
				}
			}
		}
		frontier = next
	}
	var nodes []int32
	place := make([]int32, g.N)
	for i, is := range near {
		if is {
			place[i], nodes = int32(len(nodes)), append(nodes, int32(i))
		}
	}
	s, err := g.Induced(nodes)
	if err != nil {
		return nil, err
	}
	s.Seeds = make([]int32, len(seeds))
	for at, i := range seeds {
		s.Seeds[at] = place[i]
	}
	return s, nil
}

// Neighbours lists for each node i the nodes at the other ends of its edges, Node[Ptr[i]:Ptr[i+1]], and which edges
// these are, in the order of the edges.
type Neighbours struct {
	Ptr  []int32 // [N+1]
	Node []int32 // [E]
	Edge []int32 // [E]
}

// Into lists the edges into each node: their sources.
func (g *Graph) Into() Neighbours { return neighbours(g.N, g.Target, g.Source) }

// OutOf lists the edges out of each node: their targets.
func (g *Graph) OutOf() Neighbours { return neighbours(g.N, g.Source, g.Target) }

func neighbours(n int, key, other []int32) Neighbours {
	nb := Neighbours{Ptr: make([]int32, n+1), Node: make([]int32, len(key)), Edge: make([]int32, len(key))}
	for _, i := range key {
		nb.Ptr[i+1]++
	}
	for i := range n {
		nb.Ptr[i+1] += nb.Ptr[i]
	}
	next := slices.Clone(nb.Ptr)
	for e, i := range key {
		nb.Node[next[i]], nb.Edge[next[i]] = other[e], int32(e)
		next[i]++
	}
	return nb
}

// Components numbers the parts of the graph that hold together when directions do not count, in the order of their
// first nodes, and says which one each node is in, [N].
func (g *Graph) Components() (of []int32, count int) {
	parent := make([]int32, g.N)
	for i := range parent {
		parent[i] = int32(i)
	}
	root := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for e, j := range g.Source {
		a, b := root(j), root(g.Target[e])
		parent[max(a, b)] = min(a, b)
	}
	of = make([]int32, g.N)
	for i := range of {
		if r := root(int32(i)); int(r) == i {
			of[i] = int32(count)
			count++
		} else {
			of[i] = of[r]
		}
	}
	return of, count
}

// LargestComponent returns the part with the most nodes, of equal ones the first, with its nodes ascending.
func (g *Graph) LargestComponent() (*Subgraph, error) {
	of, count := g.Components()
	size := counts(of, count)
	best, nodes := int32(0), []int32(nil)
	for c, n := range size {
		if n > size[best] {
			best = int32(c)
		}
	}
	for i, c := range of {
		if c == best {
			nodes = append(nodes, int32(i))
		}
	}
	return g.Induced(nodes)
}
