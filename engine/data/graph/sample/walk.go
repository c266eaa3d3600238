package sample

import (
	"fmt"
	"math"
	"slices"

	"ganglion/engine/data/graph"
)

// Walk fills b with the nodes of random walks, one from each seed, of the given number of steps against the edges, and
// all edges among them: the sampler of GraphSAINT (Zeng et al., 2020). A walk ends at a node without edges into it.
// Options.Fanouts play no part. Random numbers belong to (Options.Seed, epoch, step, node, place of the seed).
func (s *Sampler) Walk(b *Batch, seeds []int32, steps, epoch int) error {
	if steps < 0 || steps > maxLayers {
		return fmt.Errorf("sample: walks of %d steps: want from 0 to %d", steps, maxLayers)
	}
	if err := s.start(b, seeds, epoch, false); err != nil {
		return err
	}
	at := slices.Clone(seeds)
	for step := range steps {
		for k, i := range at {
			from, to := s.in.Ptr[i], s.in.Ptr[i+1]
			if from == to {
				continue
			}
			s.draws.reset(s.o.Seed, epoch, step, k, i)
			at[k] = s.in.Node[from+int32(s.draws.below(uint32(to-from)))]
			s.include(b, at[k])
		}
	}
	s.induce(b, false)
	return nil
}

// start checks the seeds and numbers them.
func (s *Sampler) start(b *Batch, seeds []int32, epoch int, disjoint bool) error {
	b.reset()
	n := len(s.place)
	for k, i := range seeds {
		if i < 0 || int(i) >= n {
			return fmt.Errorf("sample: seed %d is node %d: want nodes from 0 to %d", k, i, n-1)
		}
	}
	if len(seeds) > maxSeeds || epoch < 0 || epoch > math.MaxInt32 {
		return fmt.Errorf(
			"sample: want at most %d seeds and an epoch from 0, got %d and %d",
			maxSeeds,
			len(seeds),
			epoch,
		)
	}
	s.begin(b, seeds, disjoint)
	return nil
}

// include numbers a node, unless it has a number.
func (s *Sampler) include(b *Batch, i int32) int32 {
	if at := s.place[i]; at>>32 == uint64(s.batch) {
		return int32(uint32(at))
	}
	k := int32(len(b.Nodes))
	s.place[i] = uint64(s.batch)<<32 | uint64(k)
	b.Nodes = append(b.Nodes, i)
	return k
}

// Part fills b with the given nodes, each of which may stand several times and counts once, and all edges among them.
func (s *Sampler) Part(b *Batch, nodes []int32) error {
	if err := s.start(b, nodes, 0, false); err != nil {
		return err
	}
	s.induce(b, false)
	return nil
}

// Layers fills b layer by layer with at most sizes[t] nodes in layer t, drawn without replacement from all nodes with
// an edge into one of the layer before, with probabilities in proportion to Σ 1/degree² over these edges, as in LADIES
// (Zou et al., 2019); all edges from the nodes drawn, and from those found before, are kept. Weight makes a weighted
// sum over the kept edges an estimate of the mean over all: 1/degree, divided by the chance with which the source was
// drawn, and scaled so that the weights of each target sum to 1. Options.Fanouts play no part.
func (s *Sampler) Layers(b *Batch, seeds []int32, sizes []int, epoch int) error {
	if len(sizes) == 0 || len(sizes) > maxLayers {
		return fmt.Errorf("sample: want sizes of 1 to %d layers, got %d", maxLayers, len(sizes))
	}
	for k, n := range sizes {
		if n < 1 {
			return fmt.Errorf("sample: size %d of layer %d: want a number above 0", n, k+1)
		}
	}
	if err := s.start(b, seeds, epoch, false); err != nil {
		return err
	}
	lo := 0
	for layer, size := range sizes {
		hi := len(b.Nodes)
		chosen := s.importance(b, lo, hi, layer, size, epoch)
		for _, c := range chosen {
			s.include(b, c.node)
		}
		s.keepEdges(b, lo, hi, chosen)
		b.Hops = append(b.Hops, int32(len(b.Nodes)))
		lo = hi
	}
	return nil
}

// candidate is a node that may be drawn into a layer.
type candidate struct {
	node   int32
	weight float64 // Σ 1/degree² of the edges into the layer before
	key    float64
}

// importance draws size nodes that have edges into nodes lo to hi−1 and no number yet: those with the smallest keys
// −log(u)/weight (Efraimidis, Spirakis: Weighted random sampling with a reservoir, 2006), u by node. The result is
// sorted by node; its weights are chances to be drawn.
func (s *Sampler) importance(b *Batch, lo, hi, layer, size, epoch int) []candidate {
	var all []candidate
	var where table
	for _, i := range b.Nodes[lo:hi] {
		from, to := s.in.Ptr[i], s.in.Ptr[i+1]
		d := float64(to - from)
		for _, j := range s.in.Node[from:to] {
			if s.place[j]>>32 == uint64(s.batch) {
				continue
			}
			k, known := where.add(uint64(j), int32(len(all)))
			if !known {
				all = append(all, candidate{node: j})
			}
			all[k].weight += 1 / (d * d)
		}
	}
	sum := 0.0
	for k := range all {
		s.draws.reset(s.o.Seed, epoch, layer, 0, all[k].node)
		all[k].key = -math.Log(s.draws.unit()) / all[k].weight
		sum += all[k].weight
	}
	order := func(a, b candidate) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return int(a.node) - int(b.node)
	}
	slices.SortFunc(all, order)
	chance := 1.0
	if size < len(all) {
		chance, all = float64(size), all[:size]
	}
	for k := range all {
		if all[k].weight /= sum; chance == 1 {
			all[k].weight = 1
		} else {
			all[k].weight = min(1, chance*all[k].weight)
		}
	}
	slices.SortFunc(all, func(a, b candidate) int { return int(a.node) - int(b.node) })
	return all
}

// keepEdges lists the edges into nodes lo to hi−1 from all nodes with a number, with their weights.
func (s *Sampler) keepEdges(b *Batch, lo, hi int, chosen []candidate) {
	var chances table
	for k, c := range chosen {
		chances.add(uint64(c.node), int32(k))
	}
	for _, i := range b.Nodes[lo:hi] {
		first, sum := len(b.Source), 0.0
		for e := s.in.Ptr[i]; e < s.in.Ptr[i+1]; e++ {
			j := s.in.Node[e]
			at := s.place[j]
			if at>>32 != uint64(s.batch) {
				continue
			}
			w := 1.0
			if k, drawn := chances.find(uint64(j)); drawn {
				w = 1 / chosen[k].weight
			}
			sum += w
			b.Source, b.Entry = append(b.Source, int32(uint32(at))), append(b.Entry, e)
			b.Weight = append(b.Weight, float32(w))
		}
		for k := first; k < len(b.Weight); k++ {
			b.Weight[k] = float32(float64(b.Weight[k]) / sum)
		}
		b.Ptr = append(b.Ptr, int32(len(b.Source)))
	}
}

// Shadow makes a sampler of a tree for each seed with all edges among its nodes (Zeng et al.: Decoupling the Depth and
// Scope of Graph Neural Networks, 2021): each seed is computed on a graph of its own, however deep the network is.
func Shadow(in graph.Neighbours, fanouts []int, seed uint64) (*Sampler, error) {
	return New(in, Options{Fanouts: fanouts, Disjoint: true, Induced: true, Seed: seed})
}
