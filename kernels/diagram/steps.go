package diagram

// way is how a node is made of its parent.
type way uint8

const (
	walked   way = iota // run by run
	rowSums             // the parent's last axis is summed
	lineSums            // another axis of the parent is summed
	bothSums            // rowSums, and lineSums of the parent's last axis but one for a second node
)

// step makes one node of a side, or two of one parent.
type step struct {
	way
	node, mate int // mate: of bothSums, the one of lineSums
	inner      int // of lineSums: the elements behind the axis that is summed
}

// schedule lists the steps of reducing a side. A step of two nodes stands where the first would: its parent is ready,
// and backwards all children of both have been added.
func (s *side) schedule() []step {
	var out []step
	seen := make([]bool, len(s.nodes))
	for i := 1; i < len(s.nodes); i++ {
		if seen[i] {
			continue
		}
		next := s.step(i)
		for j := i + 1; j < len(s.nodes) && next.way != walked; j++ {
			other := s.step(j)
			if seen[j] || s.nodes[j].parent != s.nodes[i].parent || next.way+other.way != rowSums+lineSums ||
				max(next.inner, other.inner) != s.n || s.nodes[i].size != s.nodes[j].size {
				continue
			}
			if next.way == lineSums {
				next, other = other, next
			}
			next = step{bothSums, next.node, other.node, s.n}
			seen[j] = true
			break
		}
		out = append(out, next)
	}
	return out
}

// step finds the way of a node.
func (s *side) step(i int) step {
	n := s.nodes[i]
	r := n.run
	last := len(r.extents) - 1
	switch {
	case r.forms != [2]int{}:
	case r.step == 1 && (last < 0 || last == 0 && r.strides[0] == s.n):
		return step{way: rowSums, node: i}
	case last < 0 || last > 1 || r.strides[last] != 1 || r.step != r.extents[last]:
	case last == 0 || r.strides[0] == s.n*r.extents[last]:
		return step{way: lineSums, node: i, inner: r.extents[last]}
	}
	return step{node: i}
}
