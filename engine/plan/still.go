package plan

import "slices"

// still finds the nodes that depend on nothing but constants and the inputs that stay the same from run to run: their
// values of the run before can be used again. What is written into a state is not among them.
func still(p *persistence, inputs []bool) []bool {
	if !slices.Contains(inputs, true) {
		return nil
	}
	g := p.g
	out := make([]bool, len(g.Nodes))
	for id := range g.Nodes {
		n := &g.Nodes[id]
		switch n.Kind {
		case Const:
			out[id] = true
		case Input:
			out[id] = n.Slot < len(inputs) && inputs[n.Slot]
		case Apply:
			out[id] = p.link[id] < 0 && len(n.In) > 0
			for _, c := range n.In {
				out[id] = out[id] && out[c]
			}
		}
	}
	for _, u := range g.Updates {
		out[u.Next] = false
	}
	return out
}

// isStill is still for one node.
func (m *placing) isStill(id int) bool { return m.still != nil && m.still[id] }

// lasting keeps the values of still nodes that others read until the next run.
func (m *placing) lasting() {
	if m.still == nil {
		return
	}
	for id := range m.g.Nodes {
		n := &m.g.Nodes[id]
		if n.Kind != Apply && n.Kind != Foreign || m.still[id] {
			continue
		}
		for _, c := range n.In {
			if m.still[c] {
				m.last[c] = m.end
			}
		}
	}
	for _, o := range m.g.Outputs {
		if m.still[o.Node] {
			m.last[o.Node] = m.end
		}
	}
}

// settle makes the memory of those values theirs for the whole of a run.
func (m *placing) settle() {
	for id := range m.g.Nodes {
		if at := m.at[id]; m.isStill(id) && m.last[id] == m.end && at.buf >= 0 {
			if b := &m.bufs[at.buf]; b.space == Arena {
				b.first, b.last = 0, m.end
			}
		}
	}
}
