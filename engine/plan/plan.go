package plan

import (
	"fmt"
	"strings"

	"ganglion/kernels"
)

// Options of Make.
type Options struct {
	Homes   []Home // where each state lives in the store, by slot
	Workers int    // how many threads will run the kernels; scratch memory depends on it, results do not
	// KeepAll means that no memory is used twice and nothing is computed in place: every node can be read after a run.
	KeepAll bool
	// Still tells, by slot, which inputs are mostly the same from run to run. The values of what depends on them alone
	// lie in memory that nothing else uses, so that those steps need not be run again.
	Still []bool
}

// Move is a copy of a value from one place to another.
type Move struct {
	From, To Place
	Spec     kernels.Spec
	Part     int // the input of a Pack that is copied, or the number of the update or output
}

// Step is one op in the order of execution.
type Step struct {
	Node   int
	Run    Runner
	Device string
	Reason string // why it is run so; "" when there is nothing to say
	Over   int    // the input in whose memory the output is computed, or -1
	Moves  []Move // of a pack: the parts that are copied
	Work   Place  // scratch memory
	Scrap  int    // bytes of scratch memory
	Group  int    // of Plan.Groups, or -1
	Still  bool   // the step depends on constants and still inputs only
	// Reserve is the number of bytes of the plan's reserve that the step may need.
	Reserve int
}

// Plan says what is run, in which order, and where everything lies, for one set of input sizes.
type Plan struct {
	Graph   *Graph
	Specs   []kernels.Spec // of each node
	Places  []Place        // of each node
	Steps   []Step
	Groups  []Group // of steps that are run together
	Outputs []Place // of Graph.Outputs
	// Saves run after the steps: values that the Stores would overwrite are brought to safety. Stores then bring the
	// next values of the states, those that were not computed there, to the states.
	Saves, Stores []Move
	Commit        int // the first step that overwrites a state, len(Steps) when only Stores do
	Arena         int // bytes
	Reserve       int // bytes for cases that seldom come, outside of the arena, used by one step at a time
	Unshared      int // bytes that the arena would have if no memory were used twice
	Live          int // bytes of the arena in use at step Crest, the first at which most are; Crest is -1 for none
	Crest         int
}

// Make plans a graph whose nodes have the given specs (see Infer).
func Make(g *Graph, specs []kernels.Spec, o Options) (*Plan, error) {
	p := persist(g, specs, o.Homes, o.KeepAll)
	seq, err := order(p)
	if err != nil {
		return nil, err
	}
	m := arrange(p, seq, o)
	pl := &Plan{Graph: g, Specs: specs, Places: make([]Place, len(g.Nodes)), Steps: make([]Step, len(seq))}
	work := m.scratch(o.Workers)
	saves, stores, safe := m.closing()
	m.settle()
	var bufs []*buffer
	for i := range m.bufs {
		if b := &m.bufs[i]; b.space == Arena {
			bufs = append(bufs, b)
		}
	}
	pl.Arena = allocate(bufs, o.KeepAll)
	pl.Live, pl.Crest = crest(bufs, len(seq))
	for id := range g.Nodes {
		if m.at[id].buf >= 0 {
			pl.Places[id] = m.place(m.at[id])
		}
	}
	for i, id := range seq {
		pl.Steps[i] = m.step(id, work[i])
		pl.Steps[i].Still = m.isStill(id)
		pl.Unshared += aligned(pl.Steps[i].Scrap)
		if pl.Steps[i].Run == Kernel {
			pl.Steps[i].Reserve = m.reserve(id, o.Workers)
			pl.Reserve = max(pl.Reserve, pl.Steps[i].Reserve)
		}
		if pl.Steps[i].Run != Nothing {
			pl.Unshared += aligned(specs[id].Bytes())
		}
	}
	pl.Saves, pl.Stores = m.moves(saves), m.moves(stores)
	for i, o := range g.Outputs {
		pl.Outputs = append(pl.Outputs, pl.Places[o.Node])
		if s, ok := safe[i]; ok {
			pl.Outputs[i] = m.place(s)
		}
	}
	pl.Commit = m.commit(pl)
	pl.Groups = fuse(pl)
	return pl, nil
}

// Inputs is one more than the largest slot of an input.
func (p *Plan) Inputs() int {
	n := 0
	for i := range p.Graph.Nodes {
		if x := &p.Graph.Nodes[i]; x.Kind == Input {
			n = max(n, x.Slot+1)
		}
	}
	return n
}

// Writes tells whether a run overwrites states.
func (p *Plan) Writes() bool { return p.Commit < len(p.Steps) || len(p.Stores) > 0 }

// commit is the first step that writes into the store.
func (m *placing) commit(pl *Plan) int {
	for i, s := range pl.Steps {
		if s.Run != Nothing && pl.Places[s.Node].Space == Store {
			return i
		}
	}
	return len(pl.Steps)
}

// scratch reserves the scratch memory of each op for the time of its step.
func (m *placing) scratch(workers int) []int {
	work := make([]int, len(m.order))
	for i, id := range m.order {
		work[i] = -1
		n := &m.g.Nodes[id]
		k, ok := n.Op.(kernels.Scratcher)
		if !ok || n.Kind != Apply {
			continue
		}
		if r, _, _ := n.choose(aliases(n, m.specs)); r != Kernel {
			continue
		}
		if size := k.Workspace(specsAt(m.specs, n.In), m.specs[id], workers); size > 0 {
			work[i] = m.newArena(size, i)
		}
	}
	return work
}

// reserve is the number of bytes that the kernel of an op may need in cases that seldom come.
func (m *placing) reserve(id, workers int) int {
	n := &m.g.Nodes[id]
	k, ok := n.Op.(kernels.Reserver)
	if !ok {
		return 0
	}
	return k.Reserve(specsAt(m.specs, n.In), m.specs[id], workers)
}

func (m *placing) step(id, work int) Step {
	n := &m.g.Nodes[id]
	s := Step{Node: id, Over: m.over[id], Group: -1}
	s.Run, s.Device, s.Reason = n.choose(aliases(n, m.specs))
	if work >= 0 {
		s.Work, s.Scrap = m.place(spot{work, 0}), m.bufs[work].size
	}
	if list := m.copies[id]; len(list) > 0 {
		k := n.Op.(kernels.Packer)
		in := specsAt(m.specs, n.In)
		s.Run, s.Reason = Moves, fmt.Sprintf("%d of %d parts are not in place", len(list), len(n.In))
		for _, j := range list {
			to := m.place(m.at[id])
			to.Offset += k.Part(in, j) * in[j].DType.Size()
			s.Moves = append(s.Moves, Move{m.place(m.at[n.In[j]]), to, in[j], j})
		}
	}
	return s
}

// transfer is a Move between spots.
type transfer struct {
	from, to spot
	spec     kernels.Spec
	part     int
}

func (m *placing) moves(list []transfer) []Move {
	var out []Move
	for _, t := range list {
		out = append(out, Move{m.place(t.from), m.place(t.to), t.spec, t.part})
	}
	return out
}

// closing lists what is copied after the steps: the next values that were not computed in their state's memory and,
// before that, all values lying in the store which those copies would overwrite.
func (m *placing) closing() (saves, stores []transfer, safe map[int]spot) {
	safe = map[int]spot{}
	for i, u := range m.g.Updates {
		if u.Next != u.State && m.at[u.Next] != m.at[u.State] && m.specs[u.State].Size() > 0 {
			stores = append(stores, transfer{m.at[u.Next], m.at[u.State], m.specs[u.State], i})
		}
	}
	overwritten := func(s spot, size int) bool {
		if m.bufs[s.buf].space != Store {
			return false
		}
		for _, t := range stores {
			if t.to.buf == s.buf && t.to.off < s.off+size && s.off < t.to.off+t.spec.Bytes() {
				return true
			}
		}
		return false
	}
	save := func(from spot, spec kernels.Spec, part int) spot {
		to := spot{m.newArena(spec.Bytes(), m.end), 0}
		saves = append(saves, transfer{from, to, spec, part})
		return to
	}
	for i, o := range m.g.Outputs {
		if s := m.at[o.Node]; overwritten(s, m.specs[o.Node].Bytes()) {
			safe[i] = save(s, m.specs[o.Node], i)
		}
	}
	for i := range stores {
		if t := &stores[i]; overwritten(t.from, t.spec.Bytes()) {
			t.from = save(t.from, t.spec, t.part)
		}
	}
	return saves, stores, safe
}

// String lists the steps with their places: the golden form of the tests.
func (p *Plan) String() string {
	var b strings.Builder
	for i, s := range p.Steps {
		n := &p.Graph.Nodes[s.Node]
		fmt.Fprintf(&b, "%d: %%%d = %s(%s) %v @%v %s", i, s.Node, n.OpText(), refs(n.In), p.Specs[s.Node],
			p.Places[s.Node],
			[...]string{"-", "kernel", "reference", "do", "moves"}[s.Run])
		if s.Over >= 0 {
			fmt.Fprintf(&b, " over %%%d", n.In[s.Over])
		}
		if s.Scrap > 0 {
			fmt.Fprintf(&b, " scratch %d", s.Scrap)
		}
		if s.Reserve > 0 {
			fmt.Fprintf(&b, " reserve %d", s.Reserve)
		}
		if s.Still {
			b.WriteString(" still")
		}
		if s.Group >= 0 {
			fmt.Fprintf(&b, " group %d", s.Group)
		}
		for _, m := range s.Moves {
			fmt.Fprintf(&b, " [%v → %v]", m.From, m.To)
		}
		b.WriteByte('\n')
	}
	for _, m := range p.Saves {
		fmt.Fprintf(&b, "save %v → %v %v\n", m.From, m.To, m.Spec)
	}
	for _, m := range p.Stores {
		fmt.Fprintf(&b, "store %v → %v %v\n", m.From, m.To, m.Spec)
	}
	fmt.Fprintf(&b, "arena %d of %d bytes\n", p.Arena, p.Unshared)
	return b.String()
}

// String is the place in short, as in arena+64.
func (p Place) String() string {
	switch p.Space {
	case Arena:
		return fmt.Sprintf("arena+%d", p.Offset)
	case Store:
		return fmt.Sprintf("store%d+%d", p.Index, p.Offset)
	case Fixed:
		return fmt.Sprintf("const%%%d+%d", p.Index, p.Offset)
	case Fed:
		return fmt.Sprintf("input%d+%d", p.Index, p.Offset)
	}
	return "nowhere"
}
