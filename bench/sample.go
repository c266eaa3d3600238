package bench

import (
	"context"

	"ganglion/engine/data/graph/generate"
	"ganglion/engine/data/graph/sample"
	"ganglion/kernels"
)

func sampleWorkload() workload {
	return workload{"sample", "an epoch of neighbour sampling, batches of 1024 seeds", "W2s", sampleCases}
}

// sampledGraph is a graph that batches are cut from.
type sampledGraph struct {
	name         string
	nodes, pairs int
	features     int
}

// sampleCases are a graph of the size of Facebook's pages and a larger one, with and without fetching the features of
// the nodes. Sampling is the processor's on every device.
func sampleCases(e env) []bench {
	graphs := []sampledGraph{{"fb", 22470, 171002, 128}, {"rmat", 100_000, 1_000_000, 128}}
	if e.quick {
		graphs = []sampledGraph{{"tiny", 50, 100, 3}}
	}
	var out []bench
	for _, g := range graphs {
		for _, features := range []bool{true, false} {
			size := Size{{"op", "neighbour_sampling"}, {"graph", g.name}, {"fanout", []int{15, 10}}, {"batch", 1024},
				{"features", features}}
			out = append(out, bench{size, func(e env) (*runner, error) { return openSample(e, g, features) }})
		}
	}
	return out
}

func openSample(e env, g sampledGraph, features bool) (*runner, error) {
	const batch = 1024
	whole, err := generate.RMAT(g.nodes, g.pairs, 0.57, 0.19, 0.19, seed)
	if err != nil {
		return nil, err
	}
	s, err := sample.New(whole.Into(), sample.Options{Fanouts: []int{15, 10}, Seed: seed})
	if err != nil {
		return nil, err
	}
	x, err := normal(kernels.Float32, 0, g.nodes, g.features)
	if err != nil {
		return nil, err
	}
	var rows []float32 // of the nodes of a batch
	seeds := make([]int32, g.nodes)
	for i := range seeds {
		seeds[i] = int32(i)
	}
	epoch, edges, fetched := 0, 0, 0
	step := func() error {
		edges, fetched = 0, 0
		err := s.Epoch(context.Background(), seeds, batch, epoch, e.pool.Workers(), func(_ int, b *sample.Batch) error {
			edges += len(b.Source)
			if features {
				rows = rows[:0]
				for _, i := range b.Nodes {
					rows = append(rows, x.F32[int(i)*g.features:(int(i)+1)*g.features]...)
				}
				fetched += len(rows)
			}
			return nil
		})
		epoch++
		return err
	}
	work := func() Work { // each edge is drawn, and written twice; each feature is read and written
		bytes := float64(12*edges + 8*fetched)
		return Work{Bytes: bytes, Set: bytes}
	}
	facts := func() []Fact { return []Fact{{"seeds", float64(g.nodes)}, {"edges", float64(edges)}} }
	return &runner{step: step, work: work, facts: facts}, nil
}
