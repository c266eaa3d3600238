package plan

import (
	"testing"

	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Steps that overwrite a state run after all others that do not need its new value, so that a run can be given up for
// long.
func TestCommitIsLate(t *testing.T) {
	w := newWriter(t)
	x, n := w.input("x", 8), w.state("n", 8)
	next := w.apply(dense.Scale{Alpha: 1, Beta: 1}, n)
	w.output("count", next)
	w.update(n, next)
	y := x
	for range 10 {
		y = w.apply(dense.Unary{F: act.Tanh}, y)
	}
	w.output("y", y)
	p := w.plan(w.lower())
	if p.Commit != len(p.Steps)-1 || len(p.Stores) != 0 {
		t.Errorf("the first write to a state is step %d of %d\n%v", p.Commit, len(p.Steps), p)
	}
}

// Nothing is planned to be computed over a state that has no update, not even as a part of a block.
func TestFrozenStatesAreNotLinked(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		w := newWriter(t)
		a, b := w.state("a", 4), w.state("b", 4)
		z := relu(w, w.apply(dense.Pack{}, a, b))
		w.update(a, w.apply(dense.NewView(0, 4), z))
		if !frozen {
			w.update(b, w.apply(dense.NewView(4, 4), z))
		}
		g := w.lower()
		p := persist(g, g.specs(), w.homes(), false)
		links := 0
		for _, i := range p.link {
			if i >= 0 {
				links++
			}
		}
		if frozen != (links == 0) {
			t.Errorf("frozen %v: %d ops are computed over states\n%v", frozen, links, g)
		}
	}
}
