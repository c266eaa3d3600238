package draw

import (
	"ganglion/internal/philox"
)

// source draws numbers for the sample graphs.
type source struct {
	seed, n uint32
}

// below returns a number from 0 to n-1.
func (s *source) below(n int) int {
	s.n++
	u := philox.Block([2]uint32{s.seed, 1}, [4]uint32{s.n, 0, 0, 0})
	return int(uint64(u[0]) * uint64(n) >> 32)
}

func (s *source) weight() float64 { return (float64(s.below(2001)) - 1000) / 700 }

// sample makes a graph whose modules have the given sizes, spread over so many levels, and about so many edges
// between modules.
func sample(seed uint32, title string, levels, between int, sizes ...int) Graph {
	s := source{seed: seed}
	g := Graph{Title: title}
	for m, size := range sizes {
		level := s.below(levels)
		for range size {
			g.Module, g.Level = append(g.Module, 1000-m), append(g.Level, level)
		}
		first := g.Nodes
		g.Nodes += size
		for i := range size * min(size-1, 4) {
			a, b := first+i%size, first+s.below(size)
			if a == b || i < size {
				b = first + (i+1)%size
			}
			g.add(a, b, s.weight())
		}
	}
	for range between * 20 {
		a, b := s.below(g.Nodes), s.below(g.Nodes)
		if between > 0 && g.Level[a] < g.Level[b] && s.below(1+g.Level[b]-g.Level[a]) == 0 {
			g.add(a, b, s.weight())
			between--
		}
	}
	return g
}

func (g *Graph) add(a, b int, w float64) {
	for _, e := range g.Edges {
		if e.From == a && e.To == b {
			return
		}
	}
	g.Edges = append(g.Edges, Edge{a, b, w})
}

// complete is one module with every edge.
func complete(seed uint32, title string, n int) Graph {
	s := source{seed: seed}
	g := Graph{Nodes: n, Title: title, Module: make([]int, n), Level: make([]int, n)}
	for i := range n * n {
		if i/n != i%n {
			g.Edges = append(g.Edges, Edge{i / n, i % n, s.weight()})
		}
	}
	return g
}

// ones is n single-node modules.
func ones(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = 1
	}
	return s
}

func typical() Graph {
	return sample(1, "Gas sensor drift, after training", 7, 210, append(ones(45), 14, 9, 9, 6, 5, 4, 3, 3, 2)...)
}
