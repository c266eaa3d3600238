package plan

import (
	"slices"

	"ganglion/kernels"
)

// Space names a kind of memory.
type Space uint8

// The kinds of memory.
const (
	Nowhere Space = iota
	Arena         // the program's own, reused within a run
	Store         // of parameters and states: block Index
	Fixed         // of constant node Index
	Fed           // of input Index, lent for a run
)

// Place is where a value lies: Offset is in bytes from the beginning of the space's part Index.
type Place struct {
	Space  Space
	Index  int
	Offset int
}

// align is the alignment of everything in the arena, in bytes.
const align = 64

func aligned(n int) int { return (n + align - 1) &^ (align - 1) }

// buffer is a piece of memory that several values may share, one after another or as parts.
type buffer struct {
	space       Space
	index       int
	size        int // bytes, of an arena buffer
	first, last int // positions of the first op that writes it and of the last that reads it
	offset      int // in the arena
	live        []member
}

// member is a value in a buffer.
type member struct {
	node, lo, hi int // bytes [lo, hi) of the buffer
	last         int // position of its last reader
}

// spot is a part of a buffer.
type spot struct{ buf, off int }

// placing is the assignment of values to buffers, in the order of execution.
type placing struct {
	g     *Graph
	p     *persistence
	specs []kernels.Spec
	order []int
	pos   []int // position of each op
	last  []int // position of each value's last direct reader
	keep  bool
	still []bool // see still; nil for none

	bufs   []buffer
	at     []spot
	claims []claim
	packs  map[int]int // buffer of a Pack whose parts are computed in place
	copies map[int][]int
	over   []int // the input over which each op is computed, or -1
	store  map[int]int
	end    int
}

// claim says that a value is to be computed in its place inside a Pack.
type claim struct{ pack, off int }

// arrange gives every value a spot. Values wanted after the run live until position end.
func arrange(p *persistence, order []int, o Options) *placing {
	n := len(p.g.Nodes)
	m := &placing{g: p.g, p: p, specs: p.specs, order: order, keep: o.KeepAll, end: len(order),
		pos: make([]int, n), last: make([]int, n), at: make([]spot, n), over: slices.Repeat([]int{-1}, n),
		packs: map[int]int{}, copies: map[int][]int{}, store: map[int]int{}}
	for i := range m.pos {
		m.pos[i], m.at[i] = -1, spot{-1, 0}
	}
	for at, id := range order {
		m.pos[id] = at
		m.last[id] = at
	}
	for at, id := range order {
		n := &p.g.Nodes[id]
		for i, c := range n.In {
			if !shapeOnly(n, i) {
				m.last[c] = at
			}
		}
	}
	for _, o := range p.g.Outputs {
		m.last[o.Node] = m.end
	}
	m.still = still(p, o.Still)
	m.lasting()
	m.lastOfStates()
	m.leaves(o.Homes)
	m.claim()
	for _, id := range order {
		m.put(id)
	}
	return m
}

// lastOfStates keeps the next values until the end, and the states that have none for ever.
func (m *placing) lastOfStates() {
	moves := map[int]bool{}
	for _, u := range m.g.Updates {
		m.last[u.Next] = m.end
		moves[u.State] = u.Next != u.State
	}
	for id := range m.g.Nodes {
		if m.g.Nodes[id].Kind == State && !moves[id] {
			m.last[id] = m.end
		}
	}
}

// leaves places what exists before the run.
func (m *placing) leaves(homes []Home) {
	for id := range m.g.Nodes {
		n := &m.g.Nodes[id]
		switch n.Kind {
		case Input:
			m.join(id, m.newBuffer(buffer{space: Fed, index: n.Slot}), 0)
		case Const:
			m.join(id, m.newBuffer(buffer{space: Fixed, index: id}), 0)
		case State:
			h := homes[n.Slot]
			b, ok := m.store[h.Block]
			if !ok {
				b = m.newBuffer(buffer{space: Store, index: h.Block})
				m.store[h.Block] = b
			}
			m.join(id, b, h.Offset)
		}
	}
}

// claim lets the parts of a Pack be computed in their places: outer packs first, so that inner ones are parts
// themselves.
func (m *placing) claim() {
	m.claims = slices.Repeat([]claim{{-1, 0}}, len(m.g.Nodes))
	for i := len(m.order) - 1; i >= 0; i-- {
		id := m.order[i]
		k, ok := m.g.Nodes[id].Op.(kernels.Packer)
		if !ok {
			continue
		}
		n := &m.g.Nodes[id]
		in := specsAt(m.specs, n.In)
		for j, c := range n.In {
			if c = m.source(c); c >= 0 && m.claims[c].pack < 0 {
				m.claims[c] = claim{id, k.Part(in, j) * in[j].DType.Size()}
			}
		}
	}
}

// source is the op that computes all of part c, looking through views that only change the shape; -1 when there is
// none.
func (m *placing) source(c int) int {
	for {
		n := &m.g.Nodes[c]
		if n.Kind != Apply && n.Kind != Foreign || m.specs[c].Size() == 0 || m.p.link[c] >= 0 {
			return -1
		}
		off, ok := viewOf(n, m.specs)
		if !ok {
			return c
		}
		if m.specs[n.In[0]].Size() != m.specs[c].Size() || off != 0 {
			return -1
		}
		c = n.In[0]
	}
}

// put places the value of an op.
func (m *placing) put(id int) {
	n := &m.g.Nodes[id]
	if n.Kind == Apply {
		if off, ok := viewOf(n, m.specs); ok {
			from := m.at[n.In[0]]
			m.join(id, from.buf, from.off+off)
			return
		}
		if k, ok := n.Op.(kernels.Packer); ok {
			m.pack(id, k)
			return
		}
	}
	if m.claims[id].pack >= 0 {
		s := m.inPack(id)
		m.join(id, s.buf, s.off)
		return
	}
	if i := m.inPlace(id, n); i >= 0 {
		from := m.at[n.In[i]]
		m.over[id] = i
		m.join(id, from.buf, from.off)
		return
	}
	m.join(id, m.newArena(m.specs[id].Bytes(), m.pos[id]), 0)
}

// inPack is the spot of a claimed value: in the buffer of the outermost pack.
func (m *placing) inPack(id int) spot {
	off, pack := 0, id
	for m.claims[pack].pack >= 0 {
		off += m.claims[pack].off
		pack = m.claims[pack].pack
	}
	b, ok := m.packs[pack]
	if !ok {
		b = m.newArena(m.specs[pack].Bytes(), m.pos[id])
		m.packs[pack] = b
	}
	return spot{b, off}
}

// pack places a Pack: where its parts are if they lie one behind another, else in a buffer into which the others are
// copied.
func (m *placing) pack(id int, k kernels.Packer) {
	n := &m.g.Nodes[id]
	in := specsAt(m.specs, n.In)
	_, own := m.packs[id]
	own = own || m.claims[id].pack >= 0
	var s spot
	if own {
		s = m.inPack(id)
	} else {
		s = m.adjoining(n, in)
	}
	if s.buf < 0 {
		s = spot{m.newArena(m.specs[id].Bytes(), m.pos[id]), 0}
	}
	for j, c := range n.In {
		want := spot{s.buf, s.off + k.Part(in, j)*in[j].DType.Size()}
		if m.at[c] != want && in[j].Size() > 0 {
			m.copies[id] = append(m.copies[id], j)
		}
	}
	m.join(id, s.buf, s.off)
}

// adjoining is the spot of the first part if all parts lie one behind another.
func (m *placing) adjoining(n *Node, in []kernels.Spec) spot {
	s := spot{-1, 0}
	end := 0
	for j, c := range n.In {
		if in[j].Size() == 0 {
			continue
		}
		at := m.at[c]
		if s.buf < 0 {
			s = at
		} else if at.buf != s.buf || at.off != end {
			return spot{-1, 0}
		}
		end = at.off + in[j].Bytes()
	}
	return s
}

// inPlace chooses the input over which an op is computed, or -1. Memory is free to be overwritten when nothing else
// in it is read now or later; the store is overwritten only where persist has planned it.
func (m *placing) inPlace(id int, n *Node) int {
	k, ok := n.Op.(kernels.InPlacer)
	if !ok || n.Kind != Apply || m.keep {
		return -1
	}
	if _, ok := n.Op.(kernels.CPUOp); !ok {
		return -1
	}
	for _, i := range m.candidates(id) {
		c := n.In[i]
		if !k.InPlace(i) || !m.specs[c].Equal(m.specs[id]) || m.specs[id].Size() == 0 || countOf(n.In, c) != 1 {
			continue
		}
		space := m.bufs[m.at[c].buf].space
		if space != Arena && (space != Store || m.p.link[id] != i) {
			continue
		}
		if m.free(c, m.pos[id]) {
			return i
		}
	}
	return -1
}

// candidates returns the inputs' numbers in the order in which they are tried: the one that persist has planned
// before all others, then the one that was computed last, so that chains of elementwise ops stay in one buffer.
func (m *placing) candidates(id int) []int {
	in := m.g.Nodes[id].In
	list := make([]int, len(in))
	first := 0
	for i, c := range in {
		list[i] = i
		if m.pos[c] > m.pos[in[first]] {
			first = i
		}
	}
	if i := m.p.link[id]; i >= 0 {
		first = i
	}
	list[0], list[first] = list[first], list[0]
	return list
}

// free reports whether the memory of value c may be overwritten at position now by an op that reads c itself in place.
func (m *placing) free(c, now int) bool {
	b := &m.bufs[m.at[c].buf]
	lo := m.at[c].off
	hi := lo + m.specs[c].Bytes()
	b.live = slices.DeleteFunc(b.live, func(x member) bool { return x.last < now })
	for _, x := range b.live {
		if x.lo < hi && lo < x.hi && (x.last > now || x.node != c) {
			return false
		}
	}
	return true
}

// join makes a value a member of a buffer.
func (m *placing) join(id, buf, off int) {
	m.at[id] = spot{buf, off}
	b := &m.bufs[buf]
	b.last = max(b.last, m.last[id])
	if b.space == Arena || b.space == Store {
		b.live = append(b.live, member{id, off, off + m.specs[id].Bytes(), m.last[id]})
	}
}

func (m *placing) newBuffer(b buffer) int {
	m.bufs = append(m.bufs, b)
	return len(m.bufs) - 1
}

func (m *placing) newArena(size, first int) int {
	return m.newBuffer(buffer{space: Arena, size: size, first: first, last: first})
}

// place is the final place of a spot.
func (m *placing) place(s spot) Place {
	b := &m.bufs[s.buf]
	return Place{b.space, b.index, b.offset + s.off}
}
