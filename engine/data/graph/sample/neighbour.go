package sample

import (
	"fmt"
	"slices"

	"ganglion/engine/data/graph"
)

// Options say which neighbours are drawn.
type Options struct {
	Fanouts  []int  // of each layer from the seeds outwards: at most so many edges into a node; −1 is all of them
	Replace  bool   // draw with replacement: exactly so many edges into each node that has any
	Disjoint bool   // a tree of its own for each seed, without nodes in common
	Induced  bool   // all edges among the nodes found, instead of those they were found by
	Seed     uint64 // of all random numbers
}

// maxLayers and maxSeeds are what a counter of random numbers has room for.
const (
	maxLayers = 255
	maxSeeds  = 1 << 24
)

// Sampler draws neighbours. It owns scratch memory of 8 bytes a node, so it is not for several goroutines at a time:
// each takes a Clone, which shares the graph.
type Sampler struct {
	in    graph.Neighbours
	o     Options
	place []uint64 // of each node of the graph: in the batch at hand if the upper half is its number
	batch uint32
	trees table // of (tree, node), where trees are disjoint
	draws draws
	taken []uint32
	round uint32
}

// New makes a sampler over the edges into each node, as Graph.Into lists them.
func New(in graph.Neighbours, o Options) (*Sampler, error) {
	if len(o.Fanouts) == 0 || len(o.Fanouts) > maxLayers {
		return nil, fmt.Errorf("sample: want fan-outs of 1 to %d layers, got %d", maxLayers, len(o.Fanouts))
	}
	for k, f := range o.Fanouts {
		if f == 0 || f < -1 || o.Replace && f < 0 {
			return nil, fmt.Errorf(
				"sample: fan-out %d of layer %d: want a number above 0, or -1 for all, which cannot be "+
					"drawn with replacement",
				f,
				k+1,
			)
		}
	}
	if len(in.Ptr) == 0 {
		return nil, fmt.Errorf("sample: neighbours without row pointers: take those of Graph.Into")
	}
	o.Fanouts = slices.Clone(o.Fanouts)
	return &Sampler{in: in, o: o, place: make([]uint64, len(in.Ptr)-1)}, nil
}

// Clone returns a sampler of the same graph and options for another goroutine.
func (s *Sampler) Clone() *Sampler {
	return &Sampler{in: s.in, o: s.o, place: make([]uint64, len(s.place))}
}

// Sample fills b, whose memory is used again, with what is around the seeds: layer by layer, for each node that the
// layer before has found, edges into it are drawn, and their sources are numbered as they are found. A node is expanded
// once, in the layer behind the one that found it. Random numbers belong to (Options.Seed, epoch, layer, node, draw);
// in disjoint trees to the seed's place, too. A seed out of range is an error.
func (s *Sampler) Sample(b *Batch, seeds []int32, epoch int) error {
	if err := s.start(b, seeds, epoch, s.o.Disjoint); err != nil {
		return err
	}
	lo := 0
	for layer, fanout := range s.o.Fanouts {
		hi := len(b.Nodes)
		first := len(b.Source)
		s.expand(b, lo, hi, layer, fanout, epoch)
		s.number(b, lo, first)
		b.Hops = append(b.Hops, int32(len(b.Nodes)))
		lo = hi
	}
	if s.o.Induced {
		s.induce(b, s.o.Disjoint)
	}
	return nil
}

// begin numbers the seeds.
func (s *Sampler) begin(b *Batch, seeds []int32, disjoint bool) {
	if s.batch++; s.batch == 0 {
		clear(s.place)
		s.batch = 1
	}
	s.trees.clear()
	for k, i := range seeds {
		if disjoint {
			s.trees.add(uint64(k)<<32|uint64(i), int32(k))
			b.Member = append(b.Member, int32(k))
			b.Seeds, b.Nodes = append(b.Seeds, int32(k)), append(b.Nodes, i)
			continue
		}
		b.Seeds = append(b.Seeds, s.include(b, i))
	}
	b.Hops, b.Ptr = append(b.Hops, int32(len(b.Nodes))), append(b.Ptr, 0)
}

// expand draws edges into nodes lo to hi−1 of the batch: Entry gets their places, Source the nodes of the graph.
func (s *Sampler) expand(b *Batch, lo, hi, layer, fanout, epoch int) {
	tree, entries := 0, b.Entry
	for k := lo; k < hi; k++ {
		i := b.Nodes[k]
		from, to := s.in.Ptr[i], s.in.Ptr[i+1]
		degree := int(to - from)
		switch {
		case fanout < 0 || degree <= fanout && !s.o.Replace:
			for e := from; e < to; e++ {
				entries = append(entries, e)
			}
		case degree > 0:
			if s.o.Disjoint {
				tree = int(b.Member[k])
			}
			s.draws.reset(s.o.Seed, epoch, layer, tree, i)
			if !s.o.Replace {
				entries = s.distinct(entries, from, degree, fanout)
				break
			}
			for range fanout {
				entries = append(entries, from+int32(s.draws.below(uint32(degree))))
			}
		}
		b.Ptr = append(b.Ptr, int32(len(entries)))
	}
	b.Entry = entries
	for _, e := range entries[len(b.Source):] {
		b.Source = append(b.Source, s.in.Node[e])
	}
}

// number turns the sources behind first, which are edges into nodes from lo on, into nodes of the batch.
func (s *Sampler) number(b *Batch, lo, first int) {
	if s.o.Disjoint {
		s.numberTrees(b, lo)
		return
	}
	mark := uint64(s.batch) << 32
	nodes, source := b.Nodes, b.Source[first:]
	for k, i := range source {
		at := s.place[i]
		if at&^0xffffffff != mark {
			at = mark | uint64(len(nodes))
			s.place[i] = at
			nodes = append(nodes, i)
		}
		source[k] = int32(uint32(at))
	}
	b.Nodes = nodes
}

func (s *Sampler) numberTrees(b *Batch, lo int) {
	for k := lo; k < len(b.Ptr)-1; k++ {
		tree := b.Member[k]
		for e := b.Ptr[k]; e < b.Ptr[k+1]; e++ {
			i := b.Source[e]
			at, known := s.trees.add(uint64(tree)<<32|uint64(i), int32(len(b.Nodes)))
			if !known {
				b.Nodes, b.Member = append(b.Nodes, i), append(b.Member, tree)
			}
			b.Source[e] = at
		}
	}
}

// induce replaces the edges by all among the nodes, within the trees where these are disjoint.
func (s *Sampler) induce(b *Batch, disjoint bool) {
	b.Ptr, b.Source, b.Entry, b.Hops = append(b.Ptr[:0], 0), b.Source[:0], b.Entry[:0], b.Hops[:0]
	for k, i := range b.Nodes {
		for e := s.in.Ptr[i]; e < s.in.Ptr[i+1]; e++ {
			j := s.in.Node[e]
			at, known := int32(uint32(s.place[j])), s.place[j]>>32 == uint64(s.batch)
			if disjoint {
				at, known = s.trees.find(uint64(b.Member[k])<<32 | uint64(j))
			}
			if known {
				b.Source, b.Entry = append(b.Source, at), append(b.Entry, e)
			}
		}
		b.Ptr = append(b.Ptr, int32(len(b.Source)))
	}
}
