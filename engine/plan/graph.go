// Package plan turns a gorgonia expression graph into a plan: which kernels run, in which order, and where every
// value lies.
//
// It executes nothing. Each pass is a pure function: Lower reads gorgonia's graph into a Graph of our own ops, Dead,
// Merge, Fold, Simplify and Fuse make a smaller Graph of it, and Make gives every node a place in memory and a
// position in time.
package plan

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/kernels"
)

// Kind says where the value of a node comes from.
type Kind uint8

// The kinds of node.
const (
	Input   Kind = iota + 1 // fed before every run
	State                   // a parameter or state: memory that outlives the run
	Const                   // known when planning
	Apply                   // one of our ops over other nodes
	Foreign                 // an op of gorgonia that has no lowering: it runs through its own Do
)

// Node is one value of a graph and how it is made.
type Node struct {
	Kind  Kind
	Op    kernels.Op     // of an Apply
	Do    gorgonia.Op    // of a Foreign
	In    []int          // the inputs of an Apply or Foreign, in order, with repeats
	Spec  kernels.Spec   // at the sizes the graph was written with
	Name  string         // of an Input or State
	Slot  int            // the number of an Input or State among its kind, in order of declaration
	Path  string         // the scope in which the node was written, for messages
	Value kernels.Tensor // of a Const
	Args  []tensor.Dtype // of a Foreign: the types in which its op takes its inputs; further inputs only come before it
	Notes []string       // what the passes did to this node, in order
}

// OpName is the op's name for plans and messages, as in dense.GEMM; the kind of node when there is no op.
func (n *Node) OpName() string {
	switch n.Kind {
	case Apply:
		return kernels.Name(n.Op)
	case Foreign:
		return n.Do.String()
	}
	return [...]string{"", "input", "state", "const"}[n.Kind]
}

// OpText is the op with its attributes.
func (n *Node) OpText() string {
	if n.Kind == Apply {
		return strings.TrimPrefix(kernels.Identity(n.Op), "*")
	}
	return n.OpName()
}

// Output is a node whose value is wanted after a run.
type Output struct {
	Name string
	Node int
}

// Update says that a state takes over the value of node Next at the end of a run. State is the node of the state's
// old value.
type Update struct{ State, Next int }

// Graph is a list of nodes in which every node stands behind its inputs.
type Graph struct {
	Nodes   []Node
	Outputs []Output
	Updates []Update
}

// Map tells where a pass put the nodes of the graph it was given: the new number of each old node, or -1 when it is
// gone.
type Map []int

// Then is the map of two passes one after the other.
func (m Map) Then(next Map) Map {
	out := make(Map, len(m))
	for i, to := range m {
		out[i] = -1
		if to >= 0 {
			out[i] = next[to]
		}
	}
	return out
}

// String lists the graph, one node a line: the golden form of the tests.
func (g *Graph) String() string {
	var b strings.Builder
	for id := range g.Nodes {
		n := &g.Nodes[id]
		fmt.Fprintf(&b, "%%%d = %s", id, n.OpText())
		switch n.Kind {
		case Input, State:
			fmt.Fprintf(&b, " %s", n.Name)
		case Apply, Foreign:
			fmt.Fprintf(&b, "(%s)", refs(n.In))
		}
		fmt.Fprintf(&b, " %v", n.Spec)
		if n.Kind == Const && n.Spec.Size() == 1 {
			fmt.Fprintf(&b, " %v", scalarText(n.Value))
		}
		if n.Path != "" {
			fmt.Fprintf(&b, "  # %s", n.Path)
		}
		b.WriteByte('\n')
	}
	for _, o := range g.Outputs {
		fmt.Fprintf(&b, "output %s = %%%d\n", o.Name, o.Node)
	}
	for _, u := range g.Updates {
		fmt.Fprintf(&b, "update %s = %%%d\n", g.Nodes[u.State].Name, u.Next)
	}
	return b.String()
}

func refs(in []int) string {
	s := make([]string, len(in))
	for i, id := range in {
		s[i] = fmt.Sprintf("%%%d", id)
	}
	return strings.Join(s, ", ")
}

func scalarText(t kernels.Tensor) string {
	switch t.DType {
	case kernels.Float32:
		return fmt.Sprint(t.F32[0])
	case kernels.Float64:
		return fmt.Sprint(t.F64[0])
	case kernels.Int32:
		return fmt.Sprint(t.I32[0])
	}
	return fmt.Sprint(t.U8[0])
}

// rewriter builds a new graph from an old one, node by node in order.
type rewriter struct {
	out *Graph
	to  Map
}

// add appends a node, whose inputs are numbers in the new graph, and returns its number.
func (r *rewriter) add(n Node) int {
	r.out.Nodes = append(r.out.Nodes, n)
	return len(r.out.Nodes) - 1
}

// node returns a node of the new graph.
func (r *rewriter) node(id int) *Node { return &r.out.Nodes[id] }

// rewrite calls f for each node of g in order, its inputs already renumbered; f returns the number, in the new graph,
// of the node that stands for it from now on, or -1 when nothing needs it.
func (g *Graph) rewrite(f func(r *rewriter, id int, n Node) int) (*Graph, Map) {
	r := &rewriter{out: &Graph{Nodes: make([]Node, 0, len(g.Nodes))}, to: make(Map, len(g.Nodes))}
	for id, n := range g.Nodes {
		if len(n.In) > 0 {
			in := make([]int, len(n.In))
			for i, c := range n.In {
				in[i] = r.to[c]
			}
			n.In = in
		}
		r.to[id] = f(r, id, n)
	}
	for _, o := range g.Outputs {
		r.out.Outputs = append(r.out.Outputs, Output{o.Name, r.to[o.Node]})
	}
	for _, u := range g.Updates {
		r.out.Updates = append(r.out.Updates, Update{r.to[u.State], r.to[u.Next]})
	}
	return r.out, r.to
}

// inSpecs returns the specs of a node's inputs at the sizes the graph was written with.
func (g *Graph) inSpecs(n *Node) []kernels.Spec {
	in := make([]kernels.Spec, len(n.In))
	for i, c := range n.In {
		in[i] = g.Nodes[c].Spec
	}
	return in
}

// note returns a copy of the node's notes with one more.
func (n *Node) note(format string, args ...any) []string {
	return append(append([]string(nil), n.Notes...), fmt.Sprintf(format, args...))
}
