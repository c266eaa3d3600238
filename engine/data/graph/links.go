package graph

import (
	"fmt"
	"slices"

	"ganglion/internal/philox"
)

// Pairs is a list of pairs of nodes, some of them edges.
type Pairs struct {
	Source, Target []int32
	Label          []float32 // 1 for an edge, 0 for none
}

// Links is a division of the edges of a graph: what messages may pass over, and which pairs to tell from such that are
// no edges.
type Links struct {
	Graph              *Graph // all nodes, the edges of training alone
	Train, Valid, Test Pairs  // as many edges as others, the edges first
}

// SplitLinks hides shares of the edges for validation and test, drawn by the seed, and draws as many different pairs of
// different nodes that are no edge of the whole graph. Of an undirected graph both directions of a pair go together,
// and pairs are listed once, the lower number first; loops stay with training messages and are in no list.
func (g *Graph) SplitLinks(valid, test float64, seed uint64) (*Links, error) {
	if !(valid >= 0 && test >= 0 && valid+test < 1) {
		return nil, fmt.Errorf(
			"graph %q: links: want shares of validation and test from 0 that leave some for training, "+
				"got %v and %v",
			g.Name,
			valid,
			test,
		)
	}
	edges, loops := g.pairs()
	random := philox.New(seed, streamLinks, 0)
	random.Shuffle(edges)
	nValid, nTest := int(valid*float64(len(edges))), int(test*float64(len(edges)))
	parts := [3][]int32{edges[nValid+nTest:], edges[:nValid], edges[nValid : nValid+nTest]}
	out := &Links{Graph: g.messages(loops, slices.Concat(parts[Valid], parts[Test]))}
	known := g.pairSet()
	for p, to := range []*Pairs{&out.Train, &out.Valid, &out.Test} {
		slices.Sort(parts[p])
		for _, e := range parts[p] {
			to.add(g.pair(g.Source[e], g.Target[e]), 1)
		}
		negative := philox.New(seed, streamNegatives, uint32(p))
		if err := g.addNegatives(to, len(parts[p]), known, &negative); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pairs lists one edge of each pair of different nodes, and the loops.
func (g *Graph) pairs() (edges, loops []int32) {
	seen := make(map[uint64]bool, g.Edges())
	for e, j := range g.Source {
		key := g.pair(j, g.Target[e])
		switch {
		case j == g.Target[e]:
			loops = append(loops, int32(e))
		case !seen[key]:
			seen[key] = true
			edges = append(edges, int32(e))
		}
	}
	return edges, loops
}

// messages is the graph without hidden edges, and of an undirected graph without their reverses.
func (g *Graph) messages(loops, hidden []int32) *Graph {
	hide := map[uint64]bool{}
	for _, e := range hidden {
		hide[g.pair(g.Source[e], g.Target[e])] = true
	}
	kept := slices.Clone(loops)
	for e, j := range g.Source {
		if j != g.Target[e] && !hide[g.pair(j, g.Target[e])] {
			kept = append(kept, int32(e))
		}
	}
	slices.Sort(kept)
	return g.keep(kept)
}

// pair is the key of an edge; both directions of an undirected one have the same.
func (g *Graph) pair(j, i int32) uint64 {
	if !g.Directed && j > i {
		j, i = i, j
	}
	return uint64(uint32(j))<<32 | uint64(uint32(i))
}

func (g *Graph) pairSet() map[uint64]bool {
	known := make(map[uint64]bool, g.Edges())
	for e, j := range g.Source {
		known[g.pair(j, g.Target[e])] = true
	}
	return known
}

// addNegatives adds pairs of different nodes that are not known, and makes them known so that none comes twice.
func (g *Graph) addNegatives(to *Pairs, count int, known map[uint64]bool, random *philox.Stream) error {
	for tries := 0; count > 0; tries++ {
		if tries > 100*(count+100) {
			return fmt.Errorf(
				"graph %q: links: hardly any pair of nodes is no edge: %d more are wanted; hide a smaller "+
					"share of the edges",
				g.Name,
				count,
			)
		}
		j, i := int32(random.Below(uint32(g.N))), int32(random.Below(uint32(g.N)))
		key := g.pair(j, i)
		if i == j || known[key] {
			continue
		}
		known[key] = true
		to.add(key, 0)
		count--
		tries = 0
	}
	return nil
}

// add appends a pair by its key.
func (p *Pairs) add(key uint64, label float32) {
	p.Source, p.Target = append(p.Source, int32(key>>32)), append(p.Target, int32(uint32(key)))
	p.Label = append(p.Label, label)
}
