package engine

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"ganglion/engine/plan"
	"ganglion/kernels"
)

// Graph is a computation that Build wrote: a gorgonia expression graph with the roles of its inputs and outputs.
type Graph struct {
	name    string
	dtype   kernels.DType
	expr    *gorgonia.ExprGraph
	leaves  map[*Node]*leaf
	byName  map[string]*Node
	order   [kinds][]*Node
	next    map[*Node]*Node // what a state's value becomes
	updated []*Node         // the states with a next value, in order of declaration of the updates
	outputs []output
	paths   map[*Node]string // where each node was written
	asIs    func(n *Node) bool
	running map[*Node]plan.Running
}

// leafKind says what an input node of the graph is to us.
type leafKind uint8

const (
	kindInput leafKind = iota
	kindParam
	kindState
	kindConst
	kinds
)

// String is the kind in words.
func (k leafKind) String() string { return [...]string{"input", "parameter", "state", "constant"}[k] }

type leaf struct {
	kind   leafKind
	name   string
	spec   kernels.Spec
	init   Init
	stream uint32
	value  kernels.Tensor
}

type output struct {
	name string
	node *Node
}

func newGraph(name string, dtype kernels.DType) *Graph {
	return &Graph{
		name: name, dtype: dtype, expr: gorgonia.NewGraph(gorgonia.WithGraphName(name)),
		leaves: map[*Node]*leaf{}, byName: map[string]*Node{}, next: map[*Node]*Node{}, paths: map[*Node]string{},
	}
}

// Name is the name that was given to Build.
func (g *Graph) Name() string { return g.name }

// DType is the float type of the graph.
func (g *Graph) DType() kernels.DType { return g.dtype }

// ExprGraph is gorgonia's graph: the same computation can be run on gorgonia's own machines.
func (g *Graph) ExprGraph() *gorgonia.ExprGraph { return g.expr }

// Inputs returns the nodes that are fed, in order of declaration.
func (g *Graph) Inputs() []*Node { return append([]*Node(nil), g.order[kindInput]...) }

// Params returns the parameters in order of declaration.
func (g *Graph) Params() []*Node { return append([]*Node(nil), g.order[kindParam]...) }

// States returns the states in order of declaration.
func (g *Graph) States() []*Node { return append([]*Node(nil), g.order[kindState]...) }

// Next returns the node whose value a parameter or state takes over after a run; the node itself when it has no update.
func (g *Graph) Next(state *Node) *Node {
	if n, ok := g.next[state]; ok {
		return n
	}
	return state
}

// Outputs returns the names of the outputs in order of declaration.
func (g *Graph) Outputs() []string {
	names := make([]string, len(g.outputs))
	for i, o := range g.outputs {
		names[i] = o.name
	}
	return names
}

// Output returns the node of an output.
func (g *Graph) Output(name string) (*Node, error) {
	for _, o := range g.outputs {
		if o.name == name {
			return o.node, nil
		}
	}
	return nil, fmt.Errorf("engine: graph %s has no output %q; it has %q", g.name, name, g.Outputs())
}

// NameOf is the name of an input, parameter or state, with its path; "" for other nodes.
func (g *Graph) NameOf(n *Node) string {
	if l := g.leaf(n); l != nil && l.kind != kindConst {
		return l.name
	}
	return ""
}

// Lookup returns the input, parameter or state of the given name, or nil.
func (g *Graph) Lookup(name string) *Node { return g.byName[name] }

func (g *Graph) leaf(n *Node) *leaf { return g.leaves[n] }

func (g *Graph) nodesOf(k leafKind) []*Node { return g.order[k] }

func (g *Graph) add(n *Node, l leaf) {
	g.leaves[n] = &l
	if l.kind != kindConst {
		g.byName[l.name] = n
	}
	g.order[l.kind] = append(g.order[l.kind], n)
}

// locate remembers where a node was written first.
func (g *Graph) locate(n *Node, path string) {
	if _, ok := g.paths[n]; !ok {
		g.paths[n] = path
	}
}

// source describes the graph to the planner. Parameters come before states in the numbers of states.
func (g *Graph) source() plan.Source {
	src := plan.Source{Leaves: make(map[*Node]plan.Leaf, len(g.leaves)),
		Path: func(n *Node) string { return g.paths[n] }}
	src.AsIs, src.Running = g.asIs, g.running
	for i, n := range g.order[kindInput] {
		src.Leaves[n] = plan.Leaf{Kind: plan.Input, Name: g.leaf(n).name, Slot: i}
	}
	for i, n := range g.stateful() {
		src.Leaves[n] = plan.Leaf{Kind: plan.State, Name: g.leaf(n).name, Slot: i}
	}
	for _, n := range g.order[kindConst] {
		src.Leaves[n] = plan.Leaf{Kind: plan.Const, Value: g.leaf(n).value}
	}
	for _, o := range g.outputs {
		src.Outputs = append(src.Outputs, plan.SourceOutput{Name: o.name, Node: o.node})
	}
	for _, s := range g.updated {
		src.Updates = append(src.Updates, plan.SourceUpdate{State: s, Next: g.next[s]})
	}
	return src
}

// stateful lists what lives in a store: parameters, then states.
func (g *Graph) stateful() []*Node {
	return append(append([]*Node(nil), g.order[kindParam]...), g.order[kindState]...)
}

// FromExprGraph takes over a graph that was written with gorgonia alone. Its inputs are the nodes without an op that
// the outputs depend on, under their own names; its outputs are called by their positions: 0, 1, …
func FromExprGraph(name string, outputs ...*Node) (*Graph, error) {
	if len(outputs) == 0 || outputs[0] == nil {
		return nil, fmt.Errorf("engine: graph %s: no outputs", name)
	}
	g := newGraph(name, kernels.DTypeOf(outputs[0].Dtype()))
	g.expr = outputs[0].Graph()
	for i, out := range outputs {
		if out == nil || out.Graph() != g.expr {
			return nil, fmt.Errorf("engine: graph %s: output %d belongs to another graph", name, i)
		}
		for _, n := range below(out) {
			if n.Op() != nil || g.leaf(n) != nil {
				continue
			}
			l := leaf{kind: kindInput, name: n.Name(), spec: kernels.SpecOf(n)}
			if g.byName[l.name] != nil || l.name == "" {
				return nil, fmt.Errorf("engine: graph %s: there are two inputs, or one without a name, called %q",
					name, l.name)
			}
			g.add(n, l)
		}
		g.outputs = append(g.outputs, output{fmt.Sprint(i), out})
	}
	return g, nil
}
