package plan

import (
	"slices"

	"ganglion/kernels"
)

// Home is where a state lives in the store: bytes [Offset, Offset+its size) of one block.
type Home struct{ Block, Offset int }

// region is a part of the store; the zero value, which is empty, stands for memory elsewhere.
type region struct{ block, lo, hi int }

func (r region) empty() bool { return r.lo == r.hi }

func (r region) overlaps(s region) bool {
	return r.block == s.block && r.lo < s.hi && s.lo < r.hi && !r.empty() && !s.empty()
}

// Copy is y = x: what the planner adds where a value must outlive the memory it lies in.
type Copy struct{}

var (
	_ kernels.Differentiable = Copy{}
	_ kernels.CPUOp          = Copy{}
)

// Infer returns the spec of x.
func (o Copy) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], nil
}

// Ref copies.
func (Copy) Ref(out kernels.Tensor, in []kernels.Tensor) { in[0].CopyTo(out) }

// CPU copies.
func (Copy) CPU(c *kernels.Call) { c.In[0].CopyTo(c.Out) }

// Grad passes the gradient through; there is none for an input that is not float.
func (Copy) Grad(_ kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	if !kernels.SpecOf(in[0]).DType.IsFloat() {
		return []*kernels.Node{nil}
	}
	return []*kernels.Node{dout}
}

// Detach is the pass that copies old values of updated states that are asked for after the run (as an output, or as
// the next value of another state): the run overwrites the memory in which they lie.
func Detach(g *Graph) (*Graph, Map) {
	updated := map[int]bool{}
	for _, u := range g.Updates {
		if u.Next != u.State {
			updated[u.State] = true
		}
	}
	old := make([]bool, len(g.Nodes)) // the value lies in the memory of an updated state
	for id := range g.Nodes {
		n := &g.Nodes[id]
		old[id] = updated[id]
		if mayAlias(n) {
			old[id] = slices.ContainsFunc(n.In, func(c int) bool { return old[c] })
		}
	}
	out, to := g.rewrite(func(r *rewriter, _ int, n Node) int { return r.add(n) })
	copies := map[int]int{}
	detached := func(id int) int {
		if !old[id] {
			return id
		}
		if _, ok := copies[id]; !ok {
			n := out.Nodes[id]
			out.Nodes = append(out.Nodes, Node{Kind: Apply, Op: Copy{}, In: []int{id}, Spec: n.Spec, Path: n.Path,
				Notes: []string{"value before the update, kept for after the run"}})
			copies[id] = len(out.Nodes) - 1
		}
		return copies[id]
	}
	for i, o := range out.Outputs {
		out.Outputs[i].Node = detached(o.Node)
	}
	for i, u := range out.Updates {
		if u.Next != u.State {
			out.Updates[i].Next = detached(u.Next)
		}
	}
	return out, to
}

// persistence decides which ops write their output over the memory of states, and what must run before them.
type persistence struct {
	g      *Graph
	specs  []kernels.Spec
	old    []region // of nodes whose value lies in the store before any update
	at     []region // where a node lies if the links so far are followed
	frozen []region // states without an update: never to be written
	users  [][]int
	link   []int   // link[n] = i: n is computed over its input i, which lies in the store; -1 for the others
	before [][]int // before[n]: nodes that must run before n although n does not use them
	after  [][]int // the same the other way round
	stored []int   // nodes that lie in the store
}

// searchLimit bounds how many nodes are looked at to find how one state's next value can be computed over its memory.
const searchLimit = 4096

// persist finds, for each state with an update, the chain of in-place ops and views that leads from the state to its
// next value. With keep, nothing is computed over a state.
func persist(g *Graph, specs []kernels.Spec, homes []Home, keep bool) *persistence {
	n := len(g.Nodes)
	p := &persistence{g: g, specs: specs, users: users(g), before: make([][]int, n), after: make([][]int, n)}
	p.link = slices.Repeat([]int{-1}, n)
	p.old = make([]region, n)
	for id := range g.Nodes {
		p.old[id] = p.home(id, homes)
	}
	p.at = slices.Clone(p.old)
	for id, r := range p.old {
		if !r.empty() {
			p.stored = append(p.stored, id)
		}
	}
	if keep {
		return p
	}
	next := map[int]int{}
	for _, u := range g.Updates {
		next[u.State] = u.Next
	}
	for id := range g.Nodes {
		if n, ok := next[id]; g.Nodes[id].Kind == State && (!ok || n == id) {
			p.frozen = append(p.frozen, p.old[id])
		}
	}
	for _, u := range g.Updates {
		if u.Next != u.State {
			p.follow(u)
		}
	}
	return p
}

// home is the part of the store in which a node's value lies before any update.
func (p *persistence) home(id int, homes []Home) region {
	n := &p.g.Nodes[id]
	if n.Kind == State {
		h := homes[n.Slot]
		return region{h.Block, h.Offset, h.Offset + p.specs[id].Bytes()}
	}
	if off, ok := viewOf(n, p.specs); ok {
		return p.part(p.old[n.In[0]], id, off)
	}
	if _, ok := packOf(n); ok {
		return p.packed(n)
	}
	return region{}
}

// part is the region of view id inside r, from byte offset on.
func (p *persistence) part(r region, id, offset int) region {
	if r.empty() {
		return region{}
	}
	lo := r.lo + offset
	return region{r.block, lo, lo + p.specs[id].Bytes()}
}

// packed is the region of a Pack whose parts lie one behind another in the store.
func (p *persistence) packed(n *Node) region {
	var all region
	for _, c := range n.In {
		r := p.old[c]
		switch {
		case p.specs[c].Size() == 0:
		case r.empty():
			return region{}
		case all.empty():
			all = r
		case r.block != all.block || r.lo != all.hi:
			return region{}
		default:
			all.hi = r.hi
		}
	}
	return all
}

// step is one way back from a value to the value in whose memory it lies.
type step struct {
	node   int // the node that is looked at
	lo, hi int // the bytes of it that are looked for
	via    int // the step before, -1 for the first
	input  int // in that step's node, node is this input, computed over: -1 for views and packs
}

// follow searches backwards from the next value, nearest nodes first, for the state's own memory, and commits to the
// chain if it may be written.
func (p *persistence) follow(u Update) {
	goal := p.old[u.State]
	queue := []step{{node: u.Next, lo: 0, hi: goal.hi - goal.lo, via: -1, input: -1}}
	seen := map[[2]int]bool{}
	for i := 0; i < len(queue) && len(queue) < searchLimit; i++ {
		s := queue[i]
		if seen[[2]int{s.node, s.lo}] {
			continue
		}
		seen[[2]int{s.node, s.lo}] = true
		if s.node == u.State {
			if s.lo == 0 {
				p.commit(queue, i)
				return
			}
			continue
		}
		queue = p.back(queue, i)
	}
}

// back appends the ways back from step i.
func (p *persistence) back(queue []step, i int) []step {
	s := queue[i]
	n := &p.g.Nodes[s.node]
	if n.Kind != Apply {
		return queue
	}
	in := specsAt(p.specs, n.In)
	if off, ok := viewOf(n, p.specs); ok {
		return append(queue, step{n.In[0], s.lo + off, s.hi + off, i, -1})
	}
	if k, ok := n.Op.(kernels.Packer); ok {
		for j, c := range n.In {
			lo := k.Part(in, j) * in[j].DType.Size()
			if lo <= s.lo && s.hi <= lo+in[j].Bytes() && in[j].Size() > 0 {
				queue = append(queue, step{c, s.lo - lo, s.hi - lo, i, -1})
			}
		}
		return queue
	}
	if k, ok := n.Op.(kernels.InPlacer); ok {
		for j, c := range n.In {
			if k.InPlace(j) && in[j].Equal(p.specs[s.node]) && (p.link[s.node] == j || p.link[s.node] < 0) {
				queue = append(queue, step{c, s.lo, s.hi, i, j})
			}
		}
	}
	return queue
}

// commit makes links of the in-place steps of the chain that ends at step i, the ones nearest to the state first, as
// far as that is legal.
func (p *persistence) commit(queue []step, i int) {
	for ; queue[i].via >= 0; i = queue[i].via {
		s := queue[i]
		over := queue[s.via].node
		if s.input < 0 || p.link[over] >= 0 {
			continue
		}
		if !p.write(over, s.node) {
			return
		}
		p.link[over] = s.input
	}
}

// place notes that a computed value lies in r, and so do its views.
func (p *persistence) place(id int, r region) {
	if r.empty() {
		return
	}
	p.at[id] = r
	p.stored = append(p.stored, id)
	for _, u := range p.users[id] {
		n := &p.g.Nodes[u]
		if off, ok := viewOf(n, p.specs); ok && n.In[0] == id && p.at[u].empty() {
			p.place(u, p.part(r, u, off))
		}
	}
}

// write plans that node over is computed in the memory of its input from. It is illegal when a state without an
// update lies there, or when something that needs the old contents also needs the new.
func (p *persistence) write(over, from int) bool {
	r := p.at[from]
	if r.empty() || slices.ContainsFunc(p.frozen, r.overlaps) || countOf(p.g.Nodes[over].In, from) != 1 {
		return false
	}
	readers := p.readers(over, r)
	if p.reaches(over, readers) {
		return false
	}
	p.before[over] = append(p.before[over], readers...)
	for _, b := range readers {
		p.after[b] = append(p.after[b], over)
	}
	p.place(over, r)
	return true
}

// readers lists all nodes, other than over, that look at memory of r as it is before over writes it.
func (p *persistence) readers(over int, r region) []int {
	var out []int
	for _, id := range p.stored {
		if !p.at[id].overlaps(r) {
			continue
		}
		if p.g.Nodes[id].Kind != State && id != over {
			out = append(out, id)
		}
		for _, u := range p.users[id] {
			if u != over {
				out = append(out, u)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// reaches reports whether any of targets is over itself or depends on it, by use or by an order that was decided
// before.
func (p *persistence) reaches(over int, targets []int) bool {
	want := map[int]bool{}
	for _, t := range targets {
		want[t] = true
	}
	seen := map[int]bool{over: true}
	stack := []int{over}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if want[n] {
			return true
		}
		for _, next := range [][]int{p.users[n], p.after[n]} {
			for _, u := range next {
				if !seen[u] {
					seen[u] = true
					stack = append(stack, u)
				}
			}
		}
	}
	return false
}

// users lists, for each node, the nodes that have it as an input, each once.
func users(g *Graph) [][]int {
	out := make([][]int, len(g.Nodes))
	for id := range g.Nodes {
		for _, c := range g.Nodes[id].In {
			if k := len(out[c]); k == 0 || out[c][k-1] != id {
				out[c] = append(out[c], id)
			}
		}
	}
	return out
}

func specsAt(specs []kernels.Spec, ids []int) []kernels.Spec {
	out := make([]kernels.Spec, len(ids))
	for i, id := range ids {
		out[i] = specs[id]
	}
	return out
}

func countOf(list []int, v int) int {
	n := 0
	for _, x := range list {
		if x == v {
			n++
		}
	}
	return n
}
