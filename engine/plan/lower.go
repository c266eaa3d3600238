package plan

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
)

// ErrInput is the error for a graph with an input node that nobody declared.
var ErrInput = errors.New("undeclared input")

// Leaf is the role of an input node of gorgonia's graph.
type Leaf struct {
	Kind  Kind // Input, State or Const
	Name  string
	Slot  int            // number among the inputs, or among the states
	Value kernels.Tensor // of a Const
}

// SourceOutput and SourceUpdate are Output and Update in terms of gorgonia's nodes.
type (
	SourceOutput struct {
		Name string
		Node *kernels.Node
	}
	SourceUpdate struct{ State, Next *kernels.Node }
)

// Source is a graph to be lowered. Its roots are the outputs and the next values of the states; what they do not need
// is left out.
type Source struct {
	Leaves  map[*kernels.Node]Leaf
	Path    func(n *kernels.Node) string
	Outputs []SourceOutput
	Updates []SourceUpdate
	// AsIs names the ops of gorgonia that run through their own Do even if they have a lowering; nil for none.
	AsIs func(n *kernels.Node) bool
	// Running are the inputs that stand for the state of batch normalisations of gorgonia; those without run through
	// their own Do.
	Running map[*kernels.Node]Running
}

// Origin maps the nodes of gorgonia's graph to those of the lowered graph.
type Origin map[*kernels.Node]int

// lowering is a Lower at work.
type lowering struct {
	src   Source
	g     *Graph
	at    Origin
	rules map[string]lowerRule
	made  map[any]*kernels.Node // the node that applies an op with a state, by the op's address
	norms map[*kernels.Node]moments
	next  []Output // next values of running means and variances
}

// Lower reads a graph into our own ops: depth first from the roots, so that a value stands close before its first
// use. Built-in ops of gorgonia become ours where there is a rule, and Foreign nodes elsewhere.
func Lower(src Source) (*Graph, Origin, error) {
	l := &lowering{src: src, g: new(Graph), at: Origin{}, rules: lowerings(), norms: map[*kernels.Node]moments{}}
	for _, o := range src.Outputs {
		id, err := l.visit(o.Node)
		if err != nil {
			return nil, nil, fmt.Errorf("output %s: %w", o.Name, err)
		}
		l.g.Outputs = append(l.g.Outputs, Output{o.Name, id})
	}
	for _, u := range src.Updates {
		state, err := l.visit(u.State)
		if err != nil {
			return nil, nil, err
		}
		next, err := l.visit(u.Next)
		if err != nil {
			return nil, nil, fmt.Errorf("next value of %s: %w", src.Leaves[u.State].Name, err)
		}
		l.g.Updates = append(l.g.Updates, Update{state, next})
	}
	l.g.Outputs = append(l.g.Outputs, l.next...)
	return l.g, l.at, nil
}

// visit lowers everything below root, then root, without recursion (graphs are deep).
func (l *lowering) visit(root *kernels.Node) (int, error) {
	type frame struct {
		n    *kernels.Node
		kids []*kernels.Node
		next int
	}
	var stack []frame
	push := func(n *kernels.Node) {
		if _, ok := l.at[n]; !ok {
			stack = append(stack, frame{n: n, kids: l.needs(n)})
		}
	}
	push(root)
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if f.next < len(f.kids) {
			f.next++
			push(f.kids[f.next-1])
			continue
		}
		n, kids := f.n, f.kids
		stack = stack[:len(stack)-1]
		if _, ok := l.at[n]; ok {
			continue
		}
		id, err := l.lower(n, kids)
		if err != nil {
			return 0, Locate(l.src.Path(n), err)
		}
		l.at[n] = id
	}
	return l.at[root], nil
}

// lower adds one node, whose children have been added, and returns the number of the node that holds its value.
func (l *lowering) lower(n *kernels.Node, kids []*kernels.Node) (int, error) {
	if leaf, ok := l.src.Leaves[n]; ok {
		return l.add(Node{Kind: leaf.Kind, Spec: SpecOf(n), Name: leaf.Name, Slot: leaf.Slot,
			Value: leaf.Value}, n), nil
	}
	in := make([]int, len(kids))
	for i, c := range kids {
		in[i] = l.at[c]
	}
	if op, ok := kernels.KernelOf(n); ok {
		return l.add(Node{Kind: Apply, Op: op, In: in, Spec: kernels.SpecOf(n)}, n), nil
	}
	if n.Op() == nil {
		return 0, fmt.Errorf("%w: node %q %v is neither an input, a parameter, a state nor a constant of this graph",
			ErrInput, n.Name(), kernels.SpecOf(n))
	}
	return l.builtin(n, in)
}

func (l *lowering) add(n Node, from *kernels.Node) int {
	n.Path = l.src.Path(from)
	l.g.Nodes = append(l.g.Nodes, n)
	return len(l.g.Nodes) - 1
}

// constant adds the value of one of gorgonia's constants.
func (l *lowering) constant(n *kernels.Node, v gorgonia.Value) (int, error) {
	t, err := kernels.FromValue(v)
	if err != nil {
		return 0, fmt.Errorf("constant %v: %w", n.Op(), err)
	}
	return l.add(Node{Kind: Const, Spec: t.Spec, Value: t}, n), nil
}
