package plan

import (
	"fmt"
	"strings"
	"testing"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Two wide branches that end in narrow ones are computed one after the other, not both at once.
func TestOrderFreesMemory(t *testing.T) {
	w := newWriter(t)
	x := w.input("x", 4)
	var wide, narrow []*kernels.Node
	for i := range 4 {
		wide = append(wide, w.apply(Repeat{Times: 100}, w.apply(dense.Scale{Alpha: float64(i)}, x)))
	}
	for _, n := range wide {
		narrow = append(narrow, w.apply(colsum{}, w.apply(dense.Reshape{To: dense.ShapeOf(-1, 4)}, n)))
	}
	w.output("wide", w.apply(dense.Reduce{Kind: dense.Max}, wide[0]))
	for i, n := range narrow {
		w.output(fmt.Sprint("narrow", i), n)
	}
	if p := w.plan(w.lower()); p.Arena > 4*100*8+512 {
		t.Errorf("arena of %d bytes: more than one wide value lives at a time\n%v", p.Arena, p)
	}
}

// The order is a topological one and the same every time.
func TestOrderIsStable(t *testing.T) {
	w := newWriter(t)
	x := w.input("x", 4)
	nodes := []string{}
	y := x
	for range 20 {
		y = add(w, relu(w, y), add(w, x, y))
	}
	w.output("y", y)
	g := w.lower()
	for range 3 {
		nodes = append(nodes, w.plan(g).String())
	}
	if nodes[0] != nodes[1] || nodes[1] != nodes[2] {
		t.Error("three plans of one graph differ")
	}
	p := w.plan(g)
	seen := map[int]bool{}
	for _, s := range p.Steps {
		for _, c := range g.Nodes[s.Node].In {
			if g.Nodes[c].Kind == Apply && !seen[c] {
				t.Fatalf("%%%d runs before its input %%%d", s.Node, c)
			}
		}
		seen[s.Node] = true
	}
}

// Ops that wait for one another are reported, not run.
func TestOrderFindsCycles(t *testing.T) {
	w := newWriter(t)
	x := w.input("x", 4)
	w.output("y", relu(w, relu(w, x)))
	g := w.lower()
	p := persist(g, g.specs(), nil, false)
	p.before[1], p.after[2] = append(p.before[1], 2), append(p.after[2], 1)
	if _, err := order(p); err == nil || !strings.Contains(err.Error(), "wait for one another") {
		t.Errorf("got %v", err)
	}
}
