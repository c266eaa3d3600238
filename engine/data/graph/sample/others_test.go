package sample

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/graph/generate"
)

// induced fails unless the batch has all edges of the graph among its nodes, and no others.
func induced(t *testing.T, g *graph.Graph, b *Batch) {
	t.Helper()
	want, err := g.Induced(b.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	_, _, edges := b.Edges(g.Into())
	slices.Sort(edges)
	if !slices.Equal(edges, want.Edges) {
		t.Errorf("edges %v, want %v", edges, want.Edges)
	}
}

func TestWalk(t *testing.T) {
	g, err := generate.RMAT(400, 1200, .57, .19, .19, 3)
	if err != nil {
		t.Fatal(err)
	}
	s := sampler(t, g, Options{Fanouts: []int{1}, Seed: 4})
	seeds := []int32{5, 9, 5, 77}
	b := &Batch{}
	if err := s.Walk(b, seeds, 6, 1); err != nil {
		t.Fatal(err)
	}
	check(t, g, b, seeds)
	induced(t, g, b)
	if len(b.Nodes) > 3+4*6 || len(b.Nodes) < 8 {
		t.Errorf("%d nodes of four walks of 6 steps", len(b.Nodes))
	}
	near, err := g.KHop(seeds, 6)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range b.Nodes {
		if !slices.Contains(near.Nodes, i) {
			t.Errorf("node %d is farther than 6 steps", i)
		}
	}
	// The first step from a node is uniform over its neighbours.
	ring, err := generate.Circulant(9, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	s = sampler(t, ring, Options{Fanouts: []int{1}})
	var count [9]float64
	const draws = 4000
	for epoch := range draws {
		if err := s.Walk(b, []int32{0}, 1, epoch); err != nil {
			t.Fatal(err)
		}
		count[b.Nodes[1]]++
	}
	chi2 := 0.0
	for _, i := range []int{1, 2, 7, 8} {
		chi2 += (count[i] - draws/4) * (count[i] - draws/4) / (draws / 4)
	}
	if limit := 3 + 5*math.Sqrt(6); chi2 > limit {
		t.Errorf("χ² %.1f, limit %.1f", chi2, limit)
	}
	if s.Walk(b, []int32{0}, -1, 0) == nil || s.Walk(b, []int32{9}, 1, 0) == nil {
		t.Error("a walk of -1 steps, or from no node, is accepted")
	}
}

func TestLayers(t *testing.T) {
	g, err := generate.RMAT(500, 4000, .57, .19, .19, 3)
	if err != nil {
		t.Fatal(err)
	}
	s := sampler(t, g, Options{Fanouts: []int{1}, Seed: 6})
	seeds, sizes := []int32{1, 2, 3, 4, 5, 6}, []int{20, 30}
	b := &Batch{}
	if err := s.Layers(b, seeds, sizes, 0); err != nil {
		t.Fatal(err)
	}
	check(t, g, b, seeds)
	for k := range sizes {
		if n := int(b.Hops[k+1] - b.Hops[k]); n != sizes[k] {
			t.Errorf("layer %d has %d new nodes, want %d", k, n, sizes[k])
		}
	}
	for i := range len(b.Ptr) - 1 {
		sum := 0.0
		for _, w := range b.Weight[b.Ptr[i]:b.Ptr[i+1]] {
			sum += float64(w)
		}
		if b.Ptr[i+1] > b.Ptr[i] && math.Abs(sum-1) > 1e-5 {
			t.Errorf("the weights into node %d sum to %v", i, sum)
		}
	}
	// With room for all it is the k-hop part.
	if err := s.Layers(b, seeds, []int{1000, 1000}, 0); err != nil {
		t.Fatal(err)
	}
	all, err := g.KHop(seeds, 2)
	if err != nil {
		t.Fatal(err)
	}
	if nodes := slices.Sorted(slices.Values(b.Nodes)); !slices.Equal(nodes, all.Nodes) {
		t.Errorf("%d nodes, want %d", len(nodes), len(all.Nodes))
	}
	for _, bad := range [][]int{nil, {0}, make([]int, 300)} {
		if s.Layers(b, seeds, bad, 0) == nil {
			t.Errorf("sizes %v are accepted", bad)
		}
	}
}

func TestShadow(t *testing.T) {
	g := random(t, 60, 500, 2)
	s, err := Shadow(g.Into(), []int{3, 2}, 8)
	if err != nil {
		t.Fatal(err)
	}
	seeds := []int32{4, 4, 17}
	b := take(t, s, seeds, 0)
	check(t, g, b, seeds)
	if !slices.Equal(b.Seeds, []int32{0, 1, 2}) {
		t.Errorf("seeds %v", b.Seeds)
	}
	edge, first := 0, 0
	source, target, _ := b.Edges(g.Into())
	for tree := range int32(3) {
		var nodes []int32
		for k, m := range b.Member {
			if m == tree {
				nodes = append(nodes, b.Nodes[k])
			}
		}
		want, err := g.Induced(nodes)
		if err != nil {
			t.Fatal(err)
		}
		for e := range source {
			if b.Member[target[e]] == tree {
				if edge++; b.Member[source[e]] != tree {
					t.Error("an edge joins two trees")
				}
			}
		}
		if edge-first != want.Graph.Edges() {
			t.Errorf("tree %d has %d edges, want %d", tree, edge-first, want.Graph.Edges())
		}
		first = edge
	}
}

// The partitioner finds four planted parts nearly, keeps sizes, and depends on the seed alone.
func TestPartition(t *testing.T) {
	p := [][]float64{{.1, .002, .002, .002}, {.002, .1, .002, .002}, {.002, .002, .1, .002}, {.002, .002, .002, .1}}
	g, err := generate.SBM([]int{200, 200, 200, 200}, p, 5)
	if err != nil {
		t.Fatal(err)
	}
	part, err := Partition(g, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	size := make([]int, 4)
	for _, c := range part {
		size[c]++
	}
	if top := slices.Max(size); top > 220 {
		t.Errorf("sizes %v", size)
	}
	planted, cut := Cut(g, g.Labels.Class), Cut(g, part)
	even := make([]int32, g.N)
	for i := range even {
		even[i] = int32(i % 4)
	}
	if none := Cut(g, even); 2*cut > none || cut < planted*9/10 {
		t.Errorf("%d of %d edges are cut; the planted parts cut %d, numbers mod 4 %d", cut, g.Edges(), planted, none)
	}
	again, err := Partition(g, 4, 1)
	if err != nil || !slices.Equal(again, part) {
		t.Errorf("another partition for the same seed, error %v", err)
	}
	for _, parts := range []int{0, 801} {
		if _, err := Partition(g, parts, 1); err == nil {
			t.Errorf("%d parts are accepted", parts)
		}
	}
	if one, err := Partition(&graph.Graph{}, 3, 1); err != nil || len(one) != 0 {
		t.Errorf("no nodes: %v, %v", one, err)
	}
}

func TestClusters(t *testing.T) {
	g, err := generate.RMAT(300, 2000, .57, .19, .19, 9)
	if err != nil {
		t.Fatal(err)
	}
	part, err := Partition(g, 10, 2)
	if err != nil {
		t.Fatal(err)
	}
	s := sampler(t, g, Options{Fanouts: []int{1}, Seed: 3})
	run := func(workers int) (text []string) {
		var nodes []int32
		err := s.Clusters(context.Background(), part, 3, 5, workers, func(_ int, b *Batch) error {
			induced(t, g, b)
			nodes = append(nodes, b.Nodes...)
			text = append(text, fmt.Sprint(b.Nodes, b.Ptr, b.Source))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(nodes)
		if len(nodes) != g.N || len(slices.Compact(nodes)) != g.N {
			t.Errorf("an epoch has %d nodes of %d", len(nodes), g.N)
		}
		return text
	}
	if want := run(1); len(want) != 4 || !slices.Equal(run(3), want) {
		t.Errorf("%d batches, or others with three workers", len(want))
	}
	for _, bad := range [][]int32{nil, slices.Repeat([]int32{-1}, g.N), slices.Repeat([]int32{300}, g.N)} {
		if s.Clusters(context.Background(), bad, 1, 0, 1, nil) == nil {
			t.Error("damaged parts are accepted")
		}
	}
}
