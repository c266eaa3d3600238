package engine

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine/plan"
	"ganglion/kernels"
)

// compile makes the program, or sets m.err.
func (m *Machine) compile() {
	w := m.survey()
	g, err := m.graph(w)
	if err == nil {
		var p *Program
		if p, err = Compile(g, m.cfg.options); err == nil {
			m.program = p
			m.prepare(g, w)
			return
		}
	}
	m.program, m.err = nil, fmt.Errorf("engine: %w: %w", ErrMachine, err)
}

// wanted are the nodes whose values a machine computes, each once, in order.
type wanted struct {
	nodes []*Node
	index map[*Node]int
}

func (w *wanted) add(n *Node) {
	if _, ok := w.index[n]; !ok && n != nil {
		w.index[n] = len(w.nodes)
		w.nodes = append(w.nodes, n)
	}
}

// statement reports the kind of a statement of gorgonia, "" for other nodes.
func statement(n *Node) string {
	if n.Op() == nil {
		return ""
	}
	switch kind := reflect.TypeOf(n.Op()).String(); kind {
	case "gorgonia.readOp", "gorgonia.letOp":
		return kind
	}
	return ""
}

// survey finds what is to be computed, and the statements and slices of the graph.
func (m *Machine) survey() *wanted {
	w := &wanted{index: map[*Node]int{}}
	m.reads, m.sets, m.cuts, m.duals = nil, nil, nil, nil
	all := m.expr.AllNodes()
	used := make(map[*Node]bool, len(all))
	for _, n := range all {
		if s, ok := n.Op().(slicer); ok {
			m.cuts = append(m.cuts, machineCut{n, rangeOf(s)})
		}
		if statement(n) == "" {
			for _, c := range kernels.Children(n) {
				used[c] = true
			}
		}
	}
	for _, n := range m.cfg.only {
		w.add(n)
	}
	if len(m.cfg.only) == 0 {
		for _, n := range all {
			m.want(w, n, used[n])
		}
	}
	for _, n := range m.cfg.keep {
		w.add(n)
	}
	if m.cfg.dual {
		m.wantDuals(w, all)
	}
	return w
}

// want adds what a node of the graph asks for.
func (m *Machine) want(w *wanted, n *Node, used bool) {
	switch statement(n) {
	case "gorgonia.readOp":
		from := kernels.Children(n)[0]
		into := (*gorgonia.Value)(reflect.ValueOf(n.Op()).FieldByName("into").UnsafePointer())
		m.reads = append(m.reads, machineRead{from, into})
		w.add(from)
		return
	case "gorgonia.letOp":
		pair := kernels.Children(n)
		m.sets = append(m.sets, machineSet{pair[0], pair[1]})
		w.add(pair[1])
		return
	}
	switch {
	case constant(n):
	case n.Op() == nil:
		w.add(n.Deriv())
	case !used || m.cfg.trace || loss(n):
		w.add(n)
	}
}

// loss reports whether a node is what a gradient was taken of, or a term of it: a number whose derivative is constant.
// Programs look at its value although it is no root, since derivatives use it.
func loss(n *Node) bool { return n.IsScalar() && n.Deriv() != nil && constant(n.Deriv()) }

// constant reports whether a node is a constant of gorgonia.
func constant(n *Node) bool {
	_, ok := n.Op().(interface{ Value() gorgonia.Value })
	return ok
}

// wantDuals adds the derivatives that are bound to the nodes themselves.
func (m *Machine) wantDuals(w *wanted, all gorgonia.Nodes) {
	nodes := m.cfg.dualNodes
	if len(nodes) == 0 {
		for _, n := range all {
			if n.Op() == nil {
				nodes = append(nodes, n)
			}
		}
	}
	seen := map[*Node]bool{}
	for _, n := range nodes {
		if n == nil || seen[n] || n.Deriv() == nil {
			continue
		}
		seen[n] = true
		w.add(n.Deriv())
		m.duals = append(m.duals, machineDual{n, w.index[n.Deriv()]})
	}
}

// graph takes the graph over into a Graph of ours.
func (m *Machine) graph(w *wanted) (*Graph, error) {
	if len(w.nodes) == 0 {
		return nil, fmt.Errorf("the graph has nothing to compute")
	}
	g := newGraph("gorgonia", kernels.Float32)
	g.expr = m.expr
	if len(m.moving) > 0 || m.cfg.asIs {
		g.asIs = func(n *Node) bool { return m.cfg.asIs || m.moving[n] }
	}
	for i, n := range w.nodes {
		if n.Graph() != m.expr {
			return nil, fmt.Errorf("%s is no node of this graph", describe(n))
		}
		g.outputs = append(g.outputs, output{fmt.Sprint(i), n})
	}
	below := belowAll(w.nodes)
	m.norms, m.modes = normalisations(g, below), modesOf(below)
	for _, n := range below {
		if n.Op() != nil {
			g.paths[n] = fmt.Sprintf("%%%x", n.ID())
			continue
		}
		l := leaf{kind: kindInput, name: n.Name(), spec: plan.SpecOf(n)}
		if l.spec.DType == kernels.Invalid {
			return nil, fmt.Errorf("input %s: %w: want float32, float64, int, int32, byte or bool, got %v", n.Name(),
				kernels.ErrDType, n.Dtype())
		}
		if g.byName[l.name] != nil || l.name == "" {
			l.name = fmt.Sprintf("%s#%x", l.name, n.ID())
		}
		g.add(n, l)
	}
	return g, nil
}

// prepare makes the places from which inputs are read and to which results go. Values that other runs left at nodes
// which are not kept are taken away, so that nobody reads them for results of this machine.
func (m *Machine) prepare(g *Graph, w *wanted) {
	m.inputs, m.feeds, m.results = nil, nil, make([]*machineResult, len(w.nodes))
	for i := range m.norms {
		m.norms[i].find(m.program)
	}
	for i, n := range g.order[kindInput] {
		if m.program.slots[i].used {
			m.inputs = append(m.inputs, machineInput{node: n, spec: g.leaf(n).spec})
			m.feeds = append(m.feeds, Feed{Slot: Slot(i)})
		}
	}
	for i, n := range w.nodes {
		m.results[i] = newResult(n)
	}
	for _, n := range m.expr.AllNodes() {
		if _, ok := w.index[n]; !ok && n.Op() != nil && statement(n) == "" {
			*bound(n) = nil
		}
	}
}

// slicer is an op of gorgonia that takes or fills a part of a tensor. The part can be changed between runs, by
// UnsafeLet.
type slicer interface{ IsSlice() tensor.Slice }

// machineCut is a node with such an op, and the part that the program was compiled for.
type machineCut struct {
	node *Node
	at   [4]int
}

// rangeOf is start, end and step; zeros for everything.
func rangeOf(s slicer) [4]int {
	part := s.IsSlice()
	if part == nil {
		return [4]int{}
	}
	return [4]int{1, part.Start(), part.End(), part.Step()}
}

// slicesMoved reports whether a slice has been changed since the program was compiled. From then on it runs through its
// own Do, which looks at the part in every run.
func (m *Machine) slicesMoved() bool {
	moved := false
	for i := range m.cuts {
		c := &m.cuts[i]
		if !m.moving[c.node] && rangeOf(c.node.Op().(slicer)) != c.at {
			m.moving[c.node] = true
			moved = true
		}
	}
	return moved
}
