package sample

import (
	"context"
	"fmt"

	"ganglion/engine/data/graph"
	"ganglion/internal/philox"
)

// rounds is how often each node may move to the part of most of its neighbours.
const rounds = 10

// Partition divides the nodes into parts of about equal sizes, none larger than 11/10 of the mean rounded up, with few
// edges between them: nodes are given out in the order of breadth-first searches, each to the part with the most of its
// neighbours, weighted by the room that is left there (Stanton, Kliot: Streaming Graph Partitioning, 2012), and then
// move a few rounds to where most of their neighbours are. Directions do not count. It is a pure function of graph,
// parts and seed, and takes O(nodes + edges) and parts.
func Partition(g *graph.Graph, parts int, seed uint64) ([]int32, error) {
	if parts < 1 || g.N > 0 && parts > g.N {
		return nil, fmt.Errorf(
			"sample: %d parts of %d nodes: want from 1 part to as many as there are nodes",
			parts,
			g.N,
		)
	}
	p := &partition{in: g.Into(), out: g.OutOf(), of: make([]int32, g.N), size: make([]int, parts),
		most: (11*g.N + 10*parts - 1) / (10 * parts), near: make([]int, parts)}
	for i := range p.of {
		p.of[i] = -1
	}
	order := make([]int32, g.N)
	for i := range order {
		order[i] = int32(i)
	}
	random := philox.New(seed, label, 1)
	random.Shuffle(order)
	p.spread(order)
	for range rounds {
		if p.improve(order) == 0 {
			break
		}
	}
	return p.of, nil
}

// partition is the parts of a graph in the making.
type partition struct {
	in, out graph.Neighbours
	of      []int32 // part of each node, −1 for none
	size    []int   // of each part
	most    int     // a part may hold
	near    []int   // neighbours in each part, all 0 between uses
	touched []int32 // parts whose near is not 0
}

// spread gives nodes out in the order of breadth-first searches from the nodes of order.
func (p *partition) spread(order []int32) {
	seen := make([]bool, len(p.of))
	var queue []int32
	for _, start := range order {
		if seen[start] {
			continue
		}
		seen[start], queue = true, append(queue[:0], start)
		for head := 0; head < len(queue); head++ {
			i := queue[head]
			p.give(i, p.best(i, -1))
			for _, nb := range []graph.Neighbours{p.in, p.out} {
				for _, j := range nb.Node[nb.Ptr[i]:nb.Ptr[i+1]] {
					if !seen[j] {
						seen[j], queue = true, append(queue, j)
					}
				}
			}
		}
	}
}

func (p *partition) give(i, part int32) {
	p.of[i] = part
	p.size[part]++
}

// best is the part with room that has most of the neighbours of i, weighted by the room: of equal ones the smallest.
// home, if not −1, is the part that i is in, which others must beat by neighbours alone.
func (p *partition) best(i, home int32) int32 {
	for _, nb := range []graph.Neighbours{p.in, p.out} {
		for _, j := range nb.Node[nb.Ptr[i]:nb.Ptr[i+1]] {
			if c := p.of[j]; c >= 0 && j != i {
				if p.near[c] == 0 {
					p.touched = append(p.touched, c)
				}
				p.near[c]++
			}
		}
	}
	best, score := home, 0.0
	if home >= 0 {
		score = float64(p.near[home])
	}
	for _, c := range p.touched {
		room := float64(p.most-p.size[c]) / float64(p.most)
		v := float64(p.near[c])
		if home < 0 {
			v *= room
		}
		if c != home && room > 0 && (v > score || home < 0 && v == score && best >= 0 && p.size[c] < p.size[best]) {
			best, score = c, v
		}
	}
	for _, c := range p.touched {
		p.near[c] = 0
	}
	p.touched = p.touched[:0]
	if best >= 0 {
		return best
	}
	for c := range p.size { // no neighbour has a part with room
		if best < 0 || p.size[c] < p.size[best] {
			best = int32(c)
		}
	}
	return best
}

// improve moves each node to the part of most of its neighbours, if there is room, and returns how many moved.
func (p *partition) improve(order []int32) int {
	moved := 0
	for _, i := range order {
		if home := p.of[i]; p.size[home] > 1 {
			if to := p.best(i, home); to != home {
				p.size[home]--
				p.give(i, to)
				moved++
			}
		}
	}
	return moved
}

// Cut is the number of edges between different parts.
func Cut(g *graph.Graph, part []int32) int {
	n := 0
	for e, j := range g.Source {
		if part[j] != part[g.Target[e]] {
			n++
		}
	}
	return n
}

// Clusters calls use with batches of join parts each, drawn in a new order every epoch, and all edges among their
// nodes, those between the parts of a batch included (Chiang et al.: Cluster-GCN, 2019). Workers and batches are as in
// Epoch.
func (s *Sampler) Clusters(ctx context.Context, part []int32, join, epoch, workers int,
	use func(step int, b *Batch) error) error {
	if len(part) != len(s.place) || join < 1 || workers < 1 || epoch < 0 {
		return fmt.Errorf(
			"sample: clusters: want a part for each of %d nodes, and batches and workers above 0, got %d, %d "+
				"and %d",
			len(s.place),
			len(part),
			join,
			workers,
		)
	}
	var members [][]int32
	for i, c := range part {
		if c < 0 || int(c) >= len(part) {
			return fmt.Errorf("sample: clusters: node %d is in part %d: want parts from 0", i, c)
		}
		for int(c) >= len(members) {
			members = append(members, nil)
		}
		members[c] = append(members[c], int32(i))
	}
	ids := make([]int32, len(members))
	for c := range ids {
		ids[c] = int32(c)
	}
	ids = Order(ids, s.o.Seed, epoch)
	steps := (len(ids) + join - 1) / join
	return ahead(ctx, steps, workers, func() func(int, *Batch) error {
		own := s.Clone()
		return func(step int, b *Batch) error {
			var nodes []int32
			for _, c := range ids[step*join : min((step+1)*join, len(ids))] {
				nodes = append(nodes, members[c]...)
			}
			return own.Part(b, nodes)
		}
	}, use)
}
