package plan

import (
	"fmt"
	"slices"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Group is a chain of elementwise steps, each computed over the output of the one before. They are run together,
// block by block, so that the values between them stay in the processor's cache; each block goes through the same
// kernels as it would without fusion, and the result has the same bits.
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
	case dense.Unary, dense.Scale, dense.Binary:
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
		if n := len(open.Steps); n > 0 && !p.continues(&p.Steps[open.Steps[n-1]], s, open.Row, row) {
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

// continues reports whether step s, with its row, can go on with a group that ends in step last and has the given row.
func (p *Plan) continues(last, s *Step, groupRow, row int) bool {
	n := &p.Graph.Nodes[s.Node]
	return s.Over >= 0 && n.In[s.Over] == last.Node && p.Specs[last.Node].Equal(p.Specs[s.Node]) &&
		(groupRow == 0 || row == 0 || groupRow == row)
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
