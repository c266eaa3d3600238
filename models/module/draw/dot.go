package draw

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// DOT writes the condensation as a Graphviz graph: one vertex for each module with its nodes, levels as ranks, edges
// labelled with the number of kept edges between two modules.
func DOT(w io.Writer, g Graph) error {
	if err := g.check(); err != nil {
		return err
	}
	if err := g.checkLevels(); err != nil {
		return err
	}
	s := g.sorted()
	var b bytes.Buffer
	fmt.Fprintf(&b, "digraph modules {\n\trankdir=LR;\n\tlabel=%s;\n\tlabelloc=t;\n", quoted(g.Title))
	fmt.Fprint(&b, "\tnode [shape=circle, style=filled, fillcolor=\"#e6eef4\", color=\"#1f5f8b\"];\n")
	for i, m := range s.modules {
		diameter := 0.3 * math.Sqrt(float64(m.nodes)) // inches
		fmt.Fprintf(&b, "\tm%d [label=\"%d\", tooltip=%s, width=%.2f];\n", i, m.nodes, quoted(s.members(m)), diameter)
	}
	for l := range s.levels {
		fmt.Fprint(&b, "\t{ rank=same;")
		for i, m := range s.modules {
			if m.level == l {
				fmt.Fprintf(&b, " m%d;", i)
			}
		}
		fmt.Fprint(&b, " }\n")
	}
	for _, a := range s.links(g) {
		fmt.Fprintf(&b, "\tm%d -> m%d [label=\"%d\"];\n", a.from, a.to, a.edges)
	}
	fmt.Fprint(&b, "}\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}

// links counts the kept edges from module to module, by (from, to).
func (s structure) links(g Graph) []arrow {
	var all []arrow
	for _, e := range g.Edges {
		if a, b := s.of[e.From], s.of[e.To]; a != b {
			all = append(all, arrow{a, b, 1})
		}
	}
	return merge(all)
}

// merge sorts arrows by (from, to) and adds up equal ones, in place.
func merge(all []arrow) []arrow {
	slices.SortFunc(all, func(a, b arrow) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	out := all[:0]
	for _, a := range all {
		if n := len(out); n > 0 && out[n-1].from == a.from && out[n-1].to == a.to {
			out[n-1].edges += a.edges
		} else {
			out = append(out, a)
		}
	}
	return out
}

// members lists the nodes of a module.
func (s structure) members(m module) string {
	nodes := fmt.Sprint(s.order[m.first : m.first+m.nodes])
	return "nodes " + strings.Trim(nodes, "[]")
}

// quoted is a DOT string.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(printable(text)) + `"`
}
