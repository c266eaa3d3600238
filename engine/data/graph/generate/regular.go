package generate

import (
	"fmt"

	"ganglion/engine/data/graph"
)

// Ring returns the cycle of n nodes, n from 3.
func Ring(n int) (*graph.Graph, error) { return Circulant(n, 1) }

// Circulant returns the graph of n nodes in which i and i+s mod n are an edge for each of the steps s, from 1 to n/2.
// With the steps 1 and s it is the circular skip-link graph CSL(n, s), which message passing cannot tell from those
// with other s.
func Circulant(n int, steps ...int) (*graph.Graph, error) {
	if n < 3 || n > graph.MaxNodes || len(steps) == 0 || len(steps) > maxPairs/n {
		return nil, fmt.Errorf(
			"generate: circulant: %d nodes and %d steps: want at least 3 nodes and one step, and %d "+
				"pairs at most",
			n,
			len(steps),
			maxPairs,
		)
	}
	g := &graph.Graph{Name: fmt.Sprintf("circulant(%d, %v)", n, steps), Origin: "generated", N: n}
	for _, s := range steps {
		if s < 1 || s > n/2 {
			return nil, fmt.Errorf("generate: circulant: step %d: want from 1 to %d", s, n/2)
		}
		for i := range n {
			g.Source, g.Target = append(g.Source, int32(i)), append(g.Target, int32((i+s)%n))
		}
	}
	return both(g), nil
}

// Grid returns rows × cols nodes, numbered row by row, joined to those beside, above and below; where it is periodic,
// also across the borders.
func Grid(rows, cols int, periodic bool) (*graph.Graph, error) {
	if rows < 0 || cols < 0 || rows > graph.MaxNodes || cols > graph.MaxNodes || int64(rows)*int64(cols) > maxPairs/2 {
		return nil, fmt.Errorf("generate: grid: %d × %d nodes: want from 0 to %d in all", rows, cols, maxPairs/2)
	}
	g := &graph.Graph{Name: fmt.Sprintf("grid(%d, %d)", rows, cols), Origin: "generated", N: rows * cols}
	join := func(i, j int) {
		if i != j {
			g.Source, g.Target = append(g.Source, int32(i)), append(g.Target, int32(j))
		}
	}
	for r := range rows {
		for c := range cols {
			if c+1 < cols || periodic {
				join(r*cols+c, r*cols+(c+1)%cols)
			}
			if r+1 < rows || periodic {
				join(r*cols+c, (r+1)%rows*cols+c)
			}
		}
	}
	return both(g), nil
}
