package sample

import (
	"context"
	"testing"

	"ganglion/engine/data/graph/generate"
)

// BenchmarkNeighbour samples fan-outs 15 and 10 in batches of 1024 seeds over a whole epoch.
func BenchmarkNeighbour(b *testing.B) {
	for _, c := range []struct {
		name         string
		nodes, pairs int
	}{{"facebook-size", 22470, 171002}, {"r-mat", 100000, 1000000}} {
		g, err := generate.RMAT(c.nodes, c.pairs, .57, .19, .19, 7)
		if err != nil {
			b.Fatal(err)
		}
		s, err := New(g.Into(), Options{Fanouts: []int{15, 10}, Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		seeds := make([]int32, g.N)
		for i := range seeds {
			seeds[i] = int32(i)
		}
		for _, workers := range []int{1, 2} {
			b.Run(c.name+"/workers="+string(rune('0'+workers)), func(b *testing.B) {
				edges := 0
				for epoch := 0; b.Loop(); epoch++ {
					err := s.Epoch(context.Background(), seeds, 1024, epoch, workers, func(_ int, part *Batch) error {
						edges += len(part.Source)
						return nil
					})
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)*float64(len(seeds))/b.Elapsed().Seconds(), "seeds/s")
				b.ReportMetric(float64(edges)/b.Elapsed().Seconds()/1e6, "Medges/s")
			})
		}
	}
}
