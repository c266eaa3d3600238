package module

import (
	"fmt"
	"math"
	"slices"

	"ganglion/kernels"
	"ganglion/kernels/implicit"
	"ganglion/models/module/draw"
)

// weights is the name of W in the parameters of module/nm and module/deq.
const weights = "modules/W"

// Snapshot is the pruned graph of a network at one moment.
type Snapshot struct {
	Layout implicit.Layout
	W      []float64 // [p, p], all edges; w_ji at row j, column i
}

// Snapshot prunes the graph as the network itself does, from the parameters that get returns by name.
func (m nm) Snapshot(get func(name string) (kernels.Tensor, error)) (Snapshot, error) {
	w, err := get(weights)
	if err != nil {
		return Snapshot{}, err
	}
	s, err := kernels.RunRef(implicit.Structure{Keep: m.layer.Keep}, []kernels.Tensor{w})
	if err != nil {
		return Snapshot{}, fmt.Errorf("structure of the network: %w", err)
	}
	return Snapshot{Layout: implicit.View(s.I32), W: slices.Clone(kernels.Convert(w, kernels.Float64).F64)}, nil
}

// Graph is the snapshot as a picture needs it.
func (s Snapshot) Graph(title string) draw.Graph {
	l := s.Layout
	g := draw.Graph{Nodes: l.Nodes, Title: title, Module: make([]int, l.Nodes), Level: make([]int, l.Nodes),
		Edges: make([]draw.Edge, 0, l.Kept)}
	for i := range l.Nodes {
		g.Module[i], g.Level[i] = int(l.Module[i]), int(l.ModuleLevel[l.Module[i]])
		for _, j := range l.Sources(i) {
			g.Edges = append(g.Edges, draw.Edge{From: int(j), To: i, Weight: s.W[int(j)*l.Nodes+i]})
		}
	}
	return g
}

// Sizes lists the numbers of nodes of the cyclic modules, largest first.
func (s Snapshot) Sizes() []int {
	sizes := []int{}
	for m := range s.Layout.Modules {
		if n := s.Layout.Size(m); n > 1 {
			sizes = append(sizes, n)
		}
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	return sizes
}

// Spread is the mean and the standard deviation of the sizes of all modules, single nodes included.
func (s Snapshot) Spread() (mean, std float64) {
	n := float64(s.Layout.Modules)
	if n == 0 {
		return 0, 0
	}
	mean = float64(s.Layout.Nodes) / n
	for m := range s.Layout.Modules {
		d := float64(s.Layout.Size(m)) - mean
		std += d * d
	}
	return mean, math.Sqrt(std / n)
}
