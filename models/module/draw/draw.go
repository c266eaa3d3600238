// Package draw draws the structure of a pruned graph: its adjacency matrix sorted by module, and the condensation of
// its modules.
//
// Pictures are made by one drawing code for PNG (144 pixels per inch) and SVG, and the condensation also as DOT
// text. Equal graphs give equal bytes.
package draw

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Edge is a kept edge From → To with its weight.
type Edge struct {
	From, To int
	Weight   float64
}

// Graph is a pruned graph with its modules, which are its strongly connected components.
type Graph struct {
	Nodes  int    // number of nodes
	Edges  []Edge // kept edges, nodes counted from 0
	Module []int  // [Nodes] the module of each node: any number that its members share
	Level  []int  // [Nodes] the level of each node's module in the condensation: sources are 0
	Title  string // heading of the picture; may be empty
}

// Format is the file format of a picture.
type Format string

// The formats of pictures.
const (
	PNG Format = "png"
	SVG Format = "svg"
)

// ParseFormat returns the format of that name, or an error that lists the names.
func ParseFormat(name string) (Format, error) {
	switch f := Format(strings.ToLower(name)); f {
	case PNG, SVG:
		return f, nil
	}
	return "", fmt.Errorf("draw: unknown picture format %q: want png or svg", name)
}

// module is one strongly connected component in the sorted structure.
type module struct {
	level int
	first int // position of its first node in the order
	nodes int
	inner int // kept edges between its nodes
}

// structure is a graph sorted by (level, module, node).
type structure struct {
	order   []int    // node at each position
	place   []int    // position of each node
	modules []module // in order
	of      []int    // index in modules of each node
	levels  int      // number of levels
}

// check refuses a graph whose parts do not fit together.
func (g Graph) check() error {
	if g.Nodes < 0 {
		return fmt.Errorf("draw: a graph cannot have %d nodes", g.Nodes)
	}
	if len(g.Module) != g.Nodes || len(g.Level) != g.Nodes {
		return fmt.Errorf("draw: %d nodes need as many modules and levels, got %d and %d",
			g.Nodes, len(g.Module), len(g.Level))
	}
	for i, e := range g.Edges {
		if e.From < 0 || e.From >= g.Nodes || e.To < 0 || e.To >= g.Nodes {
			return fmt.Errorf("draw: edge %d: %d → %d is outside of %d nodes", i, e.From, e.To, g.Nodes)
		}
		if math.IsNaN(e.Weight) || math.IsInf(e.Weight, 0) {
			return fmt.Errorf("draw: edge %d: %d → %d has weight %v, want a finite number", i, e.From, e.To, e.Weight)
		}
	}
	level := make(map[int]int)
	for v, m := range g.Module {
		l, seen := level[m]
		switch {
		case g.Level[v] < 0 || g.Level[v] >= g.Nodes:
			return fmt.Errorf("draw: node %d has level %d, want 0 to %d", v, g.Level[v], g.Nodes-1)
		case seen && l != g.Level[v]:
			return fmt.Errorf("draw: module %d has nodes on levels %d and %d (node %d)", m, l, g.Level[v], v)
		}
		level[m] = g.Level[v]
	}
	return nil
}

// checkLevels refuses edges between modules that do not lead to a higher level.
func (g Graph) checkLevels() error {
	for i, e := range g.Edges {
		if g.Module[e.From] != g.Module[e.To] && g.Level[e.From] >= g.Level[e.To] {
			return fmt.Errorf("draw: edge %d: %d → %d leads from level %d to level %d, want a higher one",
				i, e.From, e.To, g.Level[e.From], g.Level[e.To])
		}
	}
	return nil
}

// sorted returns the structure of a checked graph.
func (g Graph) sorted() structure {
	s := structure{order: make([]int, g.Nodes), place: make([]int, g.Nodes), of: make([]int, g.Nodes)}
	for v := range s.order {
		s.order[v] = v
	}
	slices.SortFunc(s.order, func(a, b int) int {
		if d := g.Level[a] - g.Level[b]; d != 0 {
			return d
		}
		if d := g.Module[a] - g.Module[b]; d != 0 {
			return d
		}
		return a - b
	})
	for i, v := range s.order {
		if i == 0 || g.Module[v] != g.Module[s.order[i-1]] {
			s.modules = append(s.modules, module{level: g.Level[v], first: i})
		}
		s.place[v], s.of[v] = i, len(s.modules)-1
		s.modules[s.of[v]].nodes++
		s.levels = g.Level[v] + 1
	}
	for _, e := range g.Edges {
		if s.of[e.From] == s.of[e.To] {
			s.modules[s.of[e.From]].inner++
		}
	}
	return s
}

// summary is the line of counts under a picture.
func (g Graph) summary(s structure) string {
	several, largest := 0, 0
	for _, m := range s.modules {
		if m.nodes > 1 {
			several++
		}
		largest = max(largest, m.nodes)
	}
	text := count(g.Nodes, "node") + " · " + count(len(g.Edges), "kept edge")
	if pairs := float64(g.Nodes) * float64(g.Nodes-1); pairs > 0 {
		text += fmt.Sprintf(" (%.3g %%)", 100*float64(len(g.Edges))/pairs)
	}
	text += " · " + count(len(s.modules), "module")
	if several > 0 && len(s.modules) > 1 {
		text += fmt.Sprintf(" (%d larger than one node, up to %d)", several, largest)
	}
	return text + " · " + count(s.levels, "level")
}

// count writes a number with its noun: 1 node, 2 nodes.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%s %ss", grouped(n), noun)
}

// grouped writes n with commas between thousands.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
