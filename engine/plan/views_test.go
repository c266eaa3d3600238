package plan

import (
	"testing"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// A slice costs nothing where its part is contiguous, which depends on the sizes, and is a copy elsewhere.
func TestSlicesAreViews(t *testing.T) {
	for _, c := range []struct {
		shape []int
		op    dense.Slice
		off   int // in bytes, -1 for a copy
	}{
		{[]int{5, 3}, dense.Slice{Axis: 0, Lo: 2, Hi: 4}, 2 * 3 * 8},
		{[]int{5, 3}, dense.Slice{Axis: 0, Lo: -1}, 4 * 3 * 8},
		{[]int{5, 3}, dense.Slice{Axis: 1, Lo: 1}, -1},
		{[]int{5, 3}, dense.Slice{Axis: -1, Hi: -1}, -1},
		{[]int{1, 3}, dense.Slice{Axis: 1, Lo: 1}, 8},
		{[]int{1, 1, 7}, dense.Slice{Axis: -1, Lo: 3, Hi: 5}, 3 * 8},
		{[]int{0, 3}, dense.Slice{Axis: 1, Lo: 1}, -1},
	} {
		w := newWriter(t)
		x := w.input("x", c.shape...)
		y := w.apply(dense.Scale{Alpha: 2}, x)
		part := w.apply(c.op, y)
		w.output("part", w.apply(dense.Scale{Alpha: 3}, part))
		w.output("whole", y)
		p := w.plan(w.lower())
		found := false
		for _, s := range p.Steps {
			if n := &p.Graph.Nodes[s.Node]; n.Op == kernels.Op(c.op) {
				found = true
				off, ok := viewOf(n, p.Specs)
				if ok != (c.off >= 0) || ok && off != c.off || ok != (s.Run == Nothing) {
					t.Errorf("%v of %v: offset %d, %v; want %d\n%v", c.op, c.shape, off, ok, c.off, p)
				}
				if from := p.Places[n.In[0]]; ok && p.Places[s.Node].Offset != from.Offset+off {
					t.Errorf("%v of %v: lies at %v, its input at %v", c.op, c.shape, p.Places[s.Node], from)
				}
			}
		}
		if !found {
			t.Errorf("%v of %v is no step\n%v", c.op, c.shape, p)
		}
	}
}
