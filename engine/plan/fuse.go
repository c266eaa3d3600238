package plan

import (
	"fmt"
	"slices"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Group is a run of elementwise steps of one shape that share values. They are run together, block by block, so that
// these stay in the processor's cache; each block goes through the same kernels as it would without fusion, and the
// result has the same bits. No step writes where another one reads, unless at the very same place.
type Group struct {
	Steps []int // of the plan, in order
	// Row is the number of elements of a row: of the last dimensions, without the first ones, over which smaller inputs
	// are repeated. Blocks hold whole rows.
	Row int
}

// pointwise reports whether an element of the output depends only on the elements of the inputs at its place (or the
// place that broadcasting gives it), so that the op can be run on a part of its inputs.
func pointwise(op kernels.Op) bool {
	switch op.(type) {
	case dense.Unary, dense.Scale, dense.Binary, dense.AddN:
		return true
	}
	return false
}

// fuse is the pass that finds groups. Steps that run nothing may stand between the steps of a group.
func fuse(p *Plan) []Group {
	var out []Group
	open := Group{}
	flush := func() {
		if len(open.Steps) > 1 {
			if open.Row == 0 {
				open.Row = 1
			}
			out = append(out, open)
		}
		open = Group{}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Run == Nothing {
			continue
		}
		row, ok := p.rowOf(s)
		if !ok {
			flush()
			continue
		}
		if len(open.Steps) > 0 && !p.continues(&open, s, row) {
			flush()
		}
		open.Steps = append(open.Steps, i)
		open.Row = max(open.Row, row)
	}
	flush()
	for g, group := range out {
		for k, i := range group.Steps {
			p.Steps[i].Group = g
			if k > 0 {
				p.Steps[i].Reason = fmt.Sprintf("fused into step %d", group.Steps[0])
			}
		}
	}
	return out
}

// maxGroup is the number of steps of a group: a block of all their values is to stay in the second cache.
const maxGroup = 16

// continues reports whether step s, with its row, can go on with a group.
func (p *Plan) continues(g *Group, s *Step, row int) bool {
	n := &p.Graph.Nodes[s.Node]
	if p.Steps[g.Steps[0]].Still != s.Still {
		return false
	}
	if len(g.Steps) == maxGroup || g.Row != 0 && row != 0 && g.Row != row {
		return false
	}
	shared := false
	for _, i := range g.Steps {
		m := &p.Graph.Nodes[p.Steps[i].Node]
		out := p.Steps[i].Node
		if !p.Specs[out].Equal(p.Specs[s.Node]) || !p.apart(out, s.Node) {
			return false
		}
		for _, c := range n.In {
			if !p.apart(out, c) {
				return false
			}
			shared = shared || c == out || slices.Contains(m.In, c) && p.Specs[c].Equal(p.Specs[out])
		}
		for _, c := range m.In {
			if !p.apart(c, s.Node) {
				return false
			}
		}
	}
	return shared
}

// apart reports whether the values of two nodes lie apart, or are of one shape and lie at the same place: then a step
// over blocks of one does not disturb other blocks of the other.
func (p *Plan) apart(a, b int) bool {
	x, y := p.Places[a], p.Places[b]
	if x.Space != y.Space || x.Index != y.Index {
		return true
	}
	if x.Offset == y.Offset && p.Specs[a].Equal(p.Specs[b]) {
		return true
	}
	return x.Offset+p.Specs[a].Bytes() <= y.Offset || y.Offset+p.Specs[b].Bytes() <= x.Offset
}

// rowOf reports whether a step can be part of a group, and the length of the rows that its inputs demand: 0 when they
// demand none.
func (p *Plan) rowOf(s *Step) (row int, ok bool) {
	n := &p.Graph.Nodes[s.Node]
	out := p.Specs[s.Node]
	if s.Run != Kernel || s.Scrap > 0 || !pointwise(n.Op) || p.Places[s.Node].Space != Arena || out.Size() == 0 {
		return 0, false
	}
	for _, c := range n.In {
		in := p.Specs[c].Shape
		switch {
		case slices.Equal(in, out.Shape):
		case p.Specs[c].Size() == 1 && len(in) <= len(out.Shape):
		default:
			for len(in) > 0 && in[0] == 1 {
				in = in[1:]
			}
			if len(in) >= len(out.Shape) || !slices.Equal(in, out.Shape[len(out.Shape)-len(in):]) {
				return 0, false
			}
			size := p.Specs[c].Size()
			if row != 0 && row != size {
				return 0, false
			}
			row = size
		}
	}
	return row, true
}
