package generate

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"ganglion/engine/data/graph"
	"ganglion/internal/philox"
)

// The streams of random numbers, as the stream number of philox.New.
const (
	streamPairs = 0x67656e65 + iota
	streamRMAT
	streamNames
	streamHub
)

// maxPairs caps the pairs of a generated graph, whose edges are both directions.
const maxPairs = graph.MaxEdges / 2

// ErdosRenyi returns the random graph of n nodes in which each pair is an edge with probability p, from 0 to 1.
func ErdosRenyi(n int, p float64, seed uint64) (*graph.Graph, error) {
	g, err := SBM([]int{n}, [][]float64{{p}}, seed)
	if err != nil {
		return nil, err
	}
	g.Name, g.Labels = fmt.Sprintf("erdos-renyi(%d, %v)", n, p), graph.Labels{}
	return g, nil
}

// SBM returns the stochastic block model: sizes[a] nodes of class a, one class behind the other, and each pair of a
// node of class a and one of class b an edge with probability p[a][b] = p[b][a]. The classes are the labels. It takes
// O(nodes·classes + edges).
func SBM(sizes []int, p [][]float64, seed uint64) (*graph.Graph, error) {
	first := make([]int, len(sizes)+1)
	expect := 0.0
	for a, n := range sizes {
		if n < 0 || first[a]+n > graph.MaxNodes {
			return nil, fmt.Errorf("generate: sbm: size %d of class %d: want from 0, %d nodes in all at most", n, a,
				graph.MaxNodes)
		}
		first[a+1] = first[a] + n
	}
	if len(p) != len(sizes) {
		return nil, fmt.Errorf("generate: sbm: %d rows of probabilities for %d classes", len(p), len(sizes))
	}
	for a, row := range p {
		if len(row) != len(sizes) {
			return nil, fmt.Errorf("generate: sbm: %d probabilities in row %d for %d classes", len(row), a, len(sizes))
		}
		for b, q := range row {
			if !(q >= 0 && q <= 1) || q != p[b][a] {
				return nil, fmt.Errorf(
					"generate: sbm: probability %v of classes %d and %d: want from 0 to 1, and the same "+
						"both ways",
					q,
					a,
					b,
				)
			}
			expect += q * float64(sizes[a]) * float64(sizes[b]) / 2
		}
	}
	if expect > maxPairs/2 {
		return nil, fmt.Errorf("generate: sbm: about %.3g pairs: want at most %d; lower the probabilities", expect,
			maxPairs/2)
	}
	g := &graph.Graph{
		Name:   "sbm",
		Origin: "generated",
		N:      first[len(sizes)],
		Labels: graph.Labels{Task: graph.Classify},
	}
	for a, n := range sizes {
		g.Labels.Classes = append(g.Labels.Classes, fmt.Sprint(a))
		for range n {
			g.Labels.Class = append(g.Labels.Class, int32(a))
		}
	}
	for i := range g.N {
		a := g.Labels.Class[i]
		random := philox.New(seed, streamPairs, uint32(i))
		for b, q := range p[a] {
			end := first[b+1]
			for j := skip(max(i+1, first[b]), end, q, &random); j < end; j = skip(j+1, end, q, &random) {
				g.Source, g.Target = append(g.Source, int32(i)), append(g.Target, int32(j))
			}
		}
	}
	return both(g), nil
}

// skip returns the first of the numbers from j to end−1 that is taken, if each is with probability p; else end.
func skip(j, end int, p float64, random *philox.Stream) int {
	if p <= 0 || j >= end {
		return end
	}
	if p >= 1 {
		return j
	}
	u := (float64(random.Uint32()) + 0.5) / (1 << 32)
	if gap := math.Log(u) / math.Log1p(-p); gap < float64(end-j) {
		return j + int(gap)
	}
	return end
}

// RMAT returns a graph with a heavy tail of degrees, as of social networks (Chakrabarti, Zhan, Faloutsos: R-MAT, 2004):
// of the four quarters of the matrix of pairs an edge falls into the first with probability a, the second b, the third
// c, else the fourth, and again within the quarter. Loops and double pairs are drawn anew, until there are pairs
// different ones; then the nodes are renamed in a random order. The usual values are 0.57, 0.19 and 0.19.
func RMAT(n, pairs int, a, b, c float64, seed uint64) (*graph.Graph, error) {
	if n < 2 || n > graph.MaxNodes || pairs < 0 || pairs > maxPairs || float64(pairs) > 0.2*float64(n)*float64(n-1) {
		return nil, fmt.Errorf(
			"generate: r-mat: %d nodes and %d pairs: want at least 2 nodes, and at most two fifths of "+
				"all pairs",
			n,
			pairs,
		)
	}
	if !(a > 0 && b > 0 && c > 0 && a+b+c < 1) {
		return nil, fmt.Errorf(
			"generate: r-mat: probabilities %v, %v, %v: want all above 0 and their sum below 1",
			a,
			b,
			c,
		)
	}
	levels := bits.Len(uint(n - 1))
	bound := [3]uint32{uint32(a * (1 << 32)), uint32((a + b) * (1 << 32)), uint32((a + b + c) * (1 << 32))}
	seen := make(map[uint64]struct{}, pairs)
	g := &graph.Graph{Name: fmt.Sprintf("r-mat(%d, %d)", n, pairs), Origin: "generated", N: n,
		Source: make([]int32, 0, pairs), Target: make([]int32, 0, pairs)}
	for try := uint64(0); len(g.Source) < pairs; try++ {
		if try > 1000*uint64(pairs+1000) {
			return nil, fmt.Errorf(
				"generate: r-mat: hardly any new pairs are found: want fewer than %d of %d nodes",
				pairs,
				n,
			)
		}
		u, v := place(try, levels, bound, seed)
		if u == v || u >= uint64(n) || v >= uint64(n) {
			continue
		}
		key := min(u, v)<<32 | max(u, v)
		if _, known := seen[key]; known {
			continue
		}
		seen[key] = struct{}{}
		g.Source, g.Target = append(g.Source, int32(key>>32)), append(g.Target, int32(uint32(key)))
	}
	rename(g, seed)
	return both(g), nil
}

// place draws a pair by its number alone.
func place(try uint64, levels int, bound [3]uint32, seed uint64) (u, v uint64) {
	var words [4]uint32
	for level := range levels {
		if level%4 == 0 {
			words = philox.Block([2]uint32{uint32(seed), uint32(seed >> 32)},
				[4]uint32{uint32(try), uint32(try >> 32), uint32(level / 4), streamRMAT})
		}
		w := words[level%4]
		u, v = 2*u, 2*v
		switch {
		case w < bound[0]:
		case w < bound[1]:
			v++
		case w < bound[2]:
			u++
		default:
			u, v = u+1, v+1
		}
	}
	return u, v
}

// rename gives the nodes numbers in a random order.
func rename(g *graph.Graph, seed uint64) {
	to := make([]int32, g.N)
	for i := range to {
		to[i] = int32(i)
	}
	random := philox.New(seed, streamNames, 0)
	random.Shuffle(to)
	for e, j := range g.Source {
		g.Source[e], g.Target[e] = to[j], to[g.Target[e]]
	}
}

// Hub returns a directed graph of edges random edges, duplicates and loops among them, of which a share goes into
// node 0.
func Hub(n, edges int, share float64, seed uint64) (*graph.Graph, error) {
	if n < 1 || n > graph.MaxNodes || edges < 0 || edges > graph.MaxEdges || !(share >= 0 && share <= 1) {
		return nil, fmt.Errorf(
			"generate: hub: %d nodes, %d edges, share %v: want at least one node, edges from 0, and a "+
				"share from 0 to 1",
			n,
			edges,
			share,
		)
	}
	g := &graph.Graph{Name: "hub", Origin: "generated", N: n, Directed: true}
	random := philox.New(seed, streamHub, 0)
	into := int(share * float64(edges))
	for e := range edges {
		j, i := int32(random.Below(uint32(n))), int32(0)
		if e >= into {
			i = int32(random.Below(uint32(n)))
		}
		g.Source, g.Target = append(g.Source, j), append(g.Target, i)
	}
	return g, nil
}

// both adds the reverse of each edge and sorts.
func both(g *graph.Graph) *graph.Graph {
	src, dst := g.Source, g.Target
	g.Source, g.Target = slices.Concat(src, dst), slices.Concat(dst, src)
	return g.Coalesce()
}
