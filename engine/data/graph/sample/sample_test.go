package sample

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ganglion/engine/data/graph"
	"ganglion/engine/data/graph/generate"
)

// random is a directed graph with duplicates, loops, isolated nodes and a hub.
func random(t *testing.T, n, edges int, seed uint64) *graph.Graph {
	t.Helper()
	g, err := generate.Hub(n, edges, 0.3, seed)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func sampler(t *testing.T, g *graph.Graph, o Options) *Sampler {
	t.Helper()
	s, err := New(g.Into(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func take(t *testing.T, s *Sampler, seeds []int32, epoch int) *Batch {
	t.Helper()
	b := &Batch{}
	if err := s.Sample(b, seeds, epoch); err != nil {
		t.Fatal(err)
	}
	return b
}

// check fails unless the batch is a part of the graph: edges are edges of it, seeds are where they are said to be,
// targets are a prefix of the sources.
func check(t *testing.T, g *graph.Graph, b *Batch, seeds []int32) {
	t.Helper()
	src, dst, edge := b.Edges(g.Into())
	for k, e := range edge {
		if g.Source[e] != b.Nodes[src[k]] || g.Target[e] != b.Nodes[dst[k]] {
			t.Fatalf("edge %d is %d → %d, in the graph edge %d is %d → %d", k, b.Nodes[src[k]], b.Nodes[dst[k]], e,
				g.Source[e], g.Target[e])
		}
	}
	for k, i := range seeds {
		if b.Nodes[b.Seeds[k]] != i {
			t.Fatalf("seed %d is node %d, want %d", k, b.Nodes[b.Seeds[k]], i)
		}
	}
	for layer := 1; layer < len(b.Hops); layer++ {
		k := b.Block(layer)
		if k.Rows > k.Cols || len(k.Ptr) != k.Rows+1 && len(k.Ptr) != len(b.Ptr) {
			t.Fatalf("layer %d: %d rows, %d columns, %d row pointers", layer, k.Rows, k.Cols, len(k.Ptr))
		}
		for _, j := range k.Col {
			if int(j) >= k.Cols {
				t.Fatalf("layer %d: source %d of %d", layer, j, k.Cols)
			}
		}
	}
}

// With all neighbours the nodes are those of the k-hop part, and the edges those into nodes that were expanded.
func TestAllIsKHop(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, hops := rapid.IntRange(1, 40).Draw(rt, "nodes"), rapid.IntRange(1, 4).Draw(rt, "hops")
		g := random(t, n, rapid.IntRange(0, 120).Draw(rt, "edges"), rapid.Uint64().Draw(rt, "seed"))
		seeds := rapid.SliceOfN(rapid.Int32Range(0, int32(n-1)), 0, 9).Draw(rt, "seeds")
		induced := rapid.Bool().Draw(rt, "induced")
		s := sampler(t, g, Options{Fanouts: slices.Repeat([]int{-1}, hops), Induced: induced})
		b := take(t, s, seeds, 0)
		check(t, g, b, seeds)
		want, err := g.KHop(seeds, hops)
		if err != nil {
			t.Fatal(err)
		}
		nodes := slices.Clone(b.Nodes)
		slices.Sort(nodes)
		if !slices.Equal(nodes, want.Nodes) {
			rt.Fatalf("nodes %v, want %v", nodes, want.Nodes)
		}
		_, _, edges := b.Edges(g.Into())
		slices.Sort(edges)
		if !induced {
			inner, err := g.KHop(seeds, hops-1)
			if err != nil {
				t.Fatal(err)
			}
			want.Edges = nil
			for e, i := range g.Target {
				if slices.Contains(inner.Nodes, i) {
					want.Edges = append(want.Edges, int32(e))
				}
			}
		}
		if !slices.Equal(edges, want.Edges) {
			rt.Fatalf("edges %v, want %v", edges, want.Edges)
		}
	})
}

func TestFanouts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(rt, "nodes")
		g := random(t, n, rapid.IntRange(0, 600).Draw(rt, "edges"), rapid.Uint64().Draw(rt, "graph"))
		o := Options{Fanouts: rapid.SliceOfN(rapid.IntRange(1, 40), 1, 3).Draw(rt, "fan-outs"),
			Replace: rapid.Bool().Draw(rt, "replace"), Disjoint: rapid.Bool().Draw(rt, "disjoint"),
			Seed: rapid.Uint64().Draw(rt, "seed")}
		seeds := rapid.SliceOfN(rapid.Int32Range(0, int32(n-1)), 0, 20).Draw(rt, "seeds")
		s := sampler(t, g, o)
		b, degree := take(t, s, seeds, 3), g.InDegree()
		check(t, g, b, seeds)
		for layer, f := range o.Fanouts {
			lo := int32(0)
			if layer > 0 {
				lo = b.Hops[layer-1]
			}
			for k := lo; k < b.Hops[layer]; k++ {
				want := min(f, int(degree[b.Nodes[k]]))
				if o.Replace && want > 0 {
					want = f
				}
				if got := int(b.Ptr[k+1] - b.Ptr[k]); got != want {
					rt.Fatalf(
						"node %d of degree %d has %d edges at fan-out %d, want %d",
						k,
						degree[b.Nodes[k]],
						got,
						f,
						want,
					)
				}
				entries := slices.Clone(b.Entry[b.Ptr[k]:b.Ptr[k+1]])
				slices.Sort(entries)
				if !o.Replace && len(slices.Compact(entries)) != want {
					rt.Fatalf("node %d has an edge twice", k)
				}
			}
		}
		if o.Disjoint {
			checkTrees(rt, b)
		} else if len(slices.Compact(slices.Sorted(slices.Values(b.Nodes)))) != len(b.Nodes) {
			rt.Fatal("a node stands twice in the batch")
		}
	})
}

// checkTrees fails if an edge leads from one tree to another, or a tree has a node twice.
func checkTrees(rt *rapid.T, b *Batch) {
	source, target := (Block{Ptr: b.Ptr, Col: b.Source}).Edges()
	for e, j := range source {
		if b.Member[j] != b.Member[target[e]] {
			rt.Fatalf("an edge joins trees %d and %d", b.Member[j], b.Member[target[e]])
		}
	}
	seen := map[[2]int32]bool{}
	for k, i := range b.Nodes {
		if key := [2]int32{b.Member[k], i}; seen[key] {
			rt.Fatalf("tree %d has node %d twice", key[0], i)
		} else {
			seen[key] = true
		}
	}
}

// Each set of f neighbours must be equally likely: χ² over the edges, and over the pairs of edges.
func TestUniform(t *testing.T) {
	const degree, epochs = 7, 14000
	g := &graph.Graph{N: degree + 1}
	for j := range int32(degree) {
		g.Source, g.Target = append(g.Source, j+1), append(g.Target, 0)
	}
	for _, c := range []struct {
		f       int
		replace bool
	}{{1, false}, {3, false}, {6, false}, {4, true}} {
		s := sampler(t, g, Options{Fanouts: []int{c.f}, Replace: c.replace, Seed: 5})
		var single [degree]float64
		pairs := map[[2]int32]float64{}
		b := &Batch{}
		for epoch := range epochs {
			if err := s.Sample(b, []int32{0}, epoch); err != nil {
				t.Fatal(err)
			}
			for k, e := range b.Entry {
				single[e]++
				for _, other := range b.Entry[:k] {
					pairs[[2]int32{min(e, other), max(e, other)}]++
				}
			}
		}
		want, chi2 := float64(epochs*c.f)/degree, 0.0
		for _, n := range single {
			chi2 += (n - want) * (n - want) / want
		}
		if limit := 6 + 5*math.Sqrt(2*6); chi2 > limit {
			t.Errorf("fan-out %d: χ² of the edges %.1f, limit %.1f", c.f, chi2, limit)
		}
		if c.replace || c.f == 1 {
			continue
		}
		if len(pairs) != degree*(degree-1)/2 {
			t.Errorf("fan-out %d: %d pairs came up", c.f, len(pairs))
		}
		want, chi2 = float64(epochs*c.f*(c.f-1)/2)/21, 0
		for _, n := range pairs {
			chi2 += (n - want) * (n - want) / want
		}
		if limit := 20 + 5*math.Sqrt(2*20); chi2 > limit {
			t.Errorf("fan-out %d: χ² of the pairs %.1f, limit %.1f", c.f, chi2, limit)
		}
	}
}

// The mean over drawn neighbours is the mean over all, on average.
func TestMeanIsUnbiased(t *testing.T) {
	const degree, epochs = 101, 10000
	g := &graph.Graph{N: degree + 1}
	want := 0.0
	for j := range int32(degree) {
		g.Source, g.Target = append(g.Source, j+1), append(g.Target, 0)
		want += math.Sqrt(float64(j+1)) / degree
	}
	for _, f := range []int{2, 10, 50} {
		s := sampler(t, g, Options{Fanouts: []int{f}, Seed: 2})
		b := &Batch{}
		sum, square := 0.0, 0.0
		for epoch := range epochs {
			if err := s.Sample(b, []int32{0}, epoch); err != nil {
				t.Fatal(err)
			}
			mean := 0.0
			for _, j := range b.Source {
				mean += math.Sqrt(float64(b.Nodes[j])) / float64(f)
			}
			sum, square = sum+mean, square+mean*mean
		}
		mean := sum / epochs
		sd := math.Sqrt((square/epochs - mean*mean) / epochs)
		if math.Abs(mean-want) > 5*sd {
			t.Errorf("fan-out %d: mean %.5f, want %.5f ± %.5f", f, mean, want, sd)
		}
	}
}

// The batches of an epoch are the same for any number of workers, and those of a fresh sampler.
func TestEpoch(t *testing.T) {
	g := random(t, 300, 4000, 1)
	seeds := make([]int32, 300)
	for i := range seeds {
		seeds[i] = int32(i)
	}
	run := func(workers, epoch int) (text []string) {
		s := sampler(t, g, Options{Fanouts: []int{4, 3}, Seed: 9})
		err := s.Epoch(context.Background(), seeds, 17, epoch, workers, func(step int, b *Batch) error {
			if step != len(text) {
				t.Errorf("step %d comes as number %d", step, len(text))
			}
			text = append(text, fmt.Sprint(b.Nodes, b.Seeds, b.Hops, b.Ptr, b.Source, b.Entry))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	want := run(1, 2)
	if len(want) != 18 || slices.Equal(want, run(1, 3)) {
		t.Fatalf("%d steps, or two epochs alike", len(want))
	}
	for _, workers := range []int{2, 4, 8, 30} {
		if !slices.Equal(run(workers, 2), want) {
			t.Errorf("%d workers give other batches", workers)
		}
	}
}

func TestEpochEnds(t *testing.T) {
	s := sampler(t, random(t, 30, 60, 1), Options{Fanouts: []int{2}})
	seeds := make([]int32, 30)
	stop := errors.New("stop")
	if err := s.Epoch(context.Background(), seeds, 1, 0, 3, func(step int, _ *Batch) error {
		if step == 4 {
			return stop
		}
		return nil
	}); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Epoch(ctx, seeds, 1, 0, 3, func(int, *Batch) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	seeds[7] = 99
	if err := s.Epoch(context.Background(), seeds, 4, 0, 3, func(int, *Batch) error { return nil }); err == nil {
		t.Error("a seed out of range is accepted")
	}
}

func TestErrors(t *testing.T) {
	in := random(t, 3, 5, 1).Into()
	for _, o := range []Options{{}, {Fanouts: []int{0}}, {Fanouts: []int{-2}}, {Fanouts: []int{-1}, Replace: true},
		{Fanouts: make([]int, 300)}} {
		if _, err := New(in, o); err == nil {
			t.Errorf("options %v are accepted", o)
		}
	}
	if _, err := New(graph.Neighbours{}, Options{Fanouts: []int{1}}); err == nil {
		t.Error("no row pointers are accepted")
	}
	s := sampler(t, random(t, 3, 5, 1), Options{Fanouts: []int{1}})
	for _, seeds := range [][]int32{{3}, {-1}} {
		if err := s.Sample(&Batch{}, seeds, 0); err == nil {
			t.Errorf("seeds %v are accepted", seeds)
		}
	}
	if err := s.Sample(&Batch{}, nil, -1); err == nil {
		t.Error("epoch -1 is accepted")
	}
	if err := s.Epoch(context.Background(), nil, 0, 0, 1, nil); err == nil {
		t.Error("batches of size 0 are accepted")
	}
}

// A sampler that has run often begins anew when its batch numbers are used up.
func TestBatchNumbersWrap(t *testing.T) {
	g := random(t, 20, 60, 4)
	s, fresh := sampler(t, g, Options{Fanouts: []int{3, 3}}), sampler(t, g, Options{Fanouts: []int{3, 3}})
	s.batch = math.MaxUint32 - 1
	for epoch := range 4 {
		a, b := take(t, s, []int32{1, 2}, epoch), take(t, fresh, []int32{1, 2}, epoch)
		if !slices.Equal(a.Nodes, b.Nodes) || !slices.Equal(a.Source, b.Source) {
			t.Fatalf("epoch %d differs", epoch)
		}
	}
}
