// Package engine writes graphs, differentiates them, compiles them into static plans and runs them.
//
// Build gives a Scope, with which a model writes its ops into a gorgonia expression graph. Scope.Grad adds the
// gradients. Compile turns the graph into a Program; Program.Run executes it, without an allocation, as often as
// wanted.
package engine

import (
	"fmt"
	"hash/fnv"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/kernels"
	"ganglion/kernels/optim"
)

// Node is a node of a gorgonia expression graph.
type Node = kernels.Node

// Init fills a new parameter or state. What it writes depends on nothing but the tensor's spec, the seed and the
// stream.
type Init interface {
	Fill(t kernels.Tensor, seed uint64, stream uint32) error
}

// Scope is a place in a graph under construction: a path, and the way to write nodes there. Its methods abort the
// enclosing Build on the first error, which Build returns; so a model's code has no errors to pass on.
type Scope struct {
	b    *build
	path string
}

var _ kernels.Builder = (*Scope)(nil)

// build is what all scopes of one Build share.
type build struct {
	g        *Graph
	abort    kernels.Builder // of the enclosing Try
	training bool
	streams  map[string]uint32 // running number of streams of each path
	used     map[uint32]bool   // streams given out
	ones     *Node
	held     []*Node // states whose updates depend on whether the step is applied
}

// BuildOptions says how a graph is written. The zero value is a graph for evaluation.
type BuildOptions struct {
	// Training is what Scope.Training returns: layers that behave differently in training (dropout) ask for it.
	Training bool
}

// Build writes a graph by f, whose float values have type dtype, for evaluation. The first error of a call made
// through the scope comes back, with the path of the scope in which it happened.
func Build(name string, dtype kernels.DType, f func(s *Scope)) (*Graph, error) {
	return BuildOptions{}.Build(name, dtype, f)
}

// Build writes a graph by f, as the function Build does.
func (o BuildOptions) Build(name string, dtype kernels.DType, f func(s *Scope)) (*Graph, error) {
	if !dtype.IsFloat() {
		return nil, fmt.Errorf("engine: build %s: %w: want float32 or float64, got %v", name, kernels.ErrDType, dtype)
	}
	g := newGraph(name, dtype)
	err := kernels.Try(func(b kernels.Builder) {
		f(&Scope{b: &build{
			g: g, abort: b, training: o.Training,
			streams: map[string]uint32{}, used: map[uint32]bool{},
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("engine: build %s: %w", name, err)
	}
	return g, nil
}

// In returns the scope path/name below this one. Names are not empty.
func (s *Scope) In(name string) *Scope {
	if name == "" {
		s.Fail(fmt.Errorf("a scope needs a name"))
	}
	return &Scope{s.b, s.join(name)}
}

// Path is the path of this scope, parts separated by slashes; "" for the outermost.
func (s *Scope) Path() string { return s.path }

// DType is the float type of the graph.
func (s *Scope) DType() kernels.DType { return s.b.g.dtype }

// Training reports whether the graph is written for training.
func (s *Scope) Training() bool { return s.b.training }

// Params returns the parameters that have been declared so far, in order of declaration.
func (s *Scope) Params() []*Node {
	return append([]*Node(nil), s.b.g.nodesOf(kindParam)...)
}

// Stream returns a number for a random op: a hash of the path and of how many streams this path has asked for before.
// It does not depend on other parts of the model, and no two calls of one Build get the same number.
func (s *Scope) Stream() uint32 {
	n := s.b.streams[s.path]
	s.b.streams[s.path]++
	return s.b.stream(fmt.Sprintf("%s#%d", s.path, n))
}

// stream hashes text and steps aside where two texts have one hash.
func (b *build) stream(text string) uint32 {
	for salt := ""; ; salt += "'" {
		h := fnv.New32a()
		h.Write([]byte(text + salt))
		if v := h.Sum32(); !b.used[v] {
			b.used[v] = true
			return v
		}
	}
}

func (s *Scope) join(name string) string {
	if s.path == "" {
		return name
	}
	return s.path + "/" + name
}

// Fail aborts the enclosing Build with err, preceded by the path.
func (s *Scope) Fail(err error) {
	if s.path != "" {
		err = fmt.Errorf("%s: %w", s.path, err)
	}
	s.b.abort.Fail(err)
}

// Apply writes op over the inputs and returns its output node. Equal ops over equal inputs give one node.
func (s *Scope) Apply(op kernels.Op, in ...*Node) *Node {
	n, err := kernels.Apply(op, in...)
	if err != nil {
		s.Fail(err)
	}
	s.b.g.locate(n, s.path)
	return n
}

// Input declares a tensor that is fed before every run. Its sizes may differ from run to run; its type and number of
// dimensions may not.
func (s *Scope) Input(name string, spec kernels.Spec) *Node {
	return s.declare(leaf{kind: kindInput, name: s.join(name), spec: spec})
}

// Param declares a trainable tensor of the graph's float type, which init fills. Its name, and key in checkpoints, is
// path/name.
func (s *Scope) Param(name string, init Init, shape ...int) *Node {
	full := s.join(name)
	return s.declare(leaf{kind: kindParam, name: full, spec: kernels.S(s.DType(), shape...), init: init,
		stream: s.b.stream("init " + full)})
}

// State declares a tensor that keeps its value from run to run and is not trained: moments, step counts, warm starts.
// Update says what its next value is.
func (s *Scope) State(name string, spec kernels.Spec, init Init) *Node {
	full := s.join(name)
	return s.declare(leaf{kind: kindState, name: full, spec: spec, init: init, stream: s.b.stream("init " + full)})
}

// Const puts a fixed tensor, of which a copy is kept, into the graph.
func (s *Scope) Const(t kernels.Tensor) *Node {
	name := fmt.Sprintf("const %d", len(s.b.g.nodesOf(kindConst)))
	return s.declare(leaf{kind: kindConst, name: name, spec: t.Spec, value: t.Clone()})
}

// Update says that the parameter or state holds the value of next after each run. Both have the same spec. Every node
// that reads the state sees the value before the update, wherever it stands in the program.
func (s *Scope) Update(state, next *Node) {
	g := s.b.g
	l := g.leaf(state)
	if l == nil || l.kind != kindParam && l.kind != kindState {
		s.Fail(fmt.Errorf("update: %s is no parameter or state of this graph", describe(state)))
	}
	if next == nil || next.Graph() != g.expr {
		s.Fail(fmt.Errorf("update of %s: the next value is no node of this graph", l.name))
	}
	if got := kernels.SpecOf(next); !got.Equal(l.spec) {
		s.Fail(fmt.Errorf("update of %s: %w: it is %v, the next value is %v", l.name, kernels.ErrShape, l.spec, got))
	}
	if _, ok := g.next[state]; ok {
		s.Fail(fmt.Errorf("update of %s: it has an update already", l.name))
	}
	g.next[state] = next
	g.updated = append(g.updated, state)
}

// UpdateIfApplied is Update for a float state that follows the data, such as running moments, and is to stay as it is
// in a training step that is not applied: see Applied.
func (s *Scope) UpdateIfApplied(state, next *Node) {
	s.Update(state, next)
	s.b.held = append(s.b.held, state)
}

// Applied says that the run is a training step, which ok (float [1]) decides: where it is 0, the states that
// UpdateIfApplied has given a next value so far stay as they are.
func (s *Scope) Applied(ok *Node) {
	g := s.b.g
	for _, state := range s.b.held {
		g.next[state] = s.Apply(optim.Keep{}, state, g.next[state], ok)
	}
	s.b.held = nil
}

// Output gives a node's value a name under which Program.Value finds it after a run.
func (s *Scope) Output(name string, n *Node) {
	full := s.join(name)
	g := s.b.g
	if n == nil || n.Graph() != g.expr {
		s.Fail(fmt.Errorf("output %s is no node of this graph", full))
	}
	for _, o := range g.outputs {
		if o.name == full {
			s.Fail(fmt.Errorf("there are two outputs of the name %s", full))
		}
	}
	g.outputs = append(g.outputs, output{full, n})
}

// declare adds an input node to gorgonia's graph. Its name is unique, since gorgonia would merge inputs of one name.
func (s *Scope) declare(l leaf) *Node {
	g := s.b.g
	if strings.TrimSpace(l.name) == "" || strings.HasSuffix(l.name, "/") {
		s.Fail(fmt.Errorf("an input, parameter or state needs a name"))
	}
	if l.spec.DType.Size() == 0 {
		s.Fail(fmt.Errorf("%s: %w: want float32, float64, int32 or byte, got %v", l.name, kernels.ErrDType,
			l.spec.DType))
	}
	for _, d := range l.spec.Shape {
		if d < 0 {
			s.Fail(fmt.Errorf("%s: %w: negative dimension in %v", l.name, kernels.ErrShape, l.spec))
		}
	}
	if old, ok := g.byName[l.name]; ok {
		s.Fail(fmt.Errorf("the name %s is taken by another %v", l.name, g.leaf(old).kind))
	}
	l.spec.Shape = append([]int{}, l.spec.Shape...)
	n := g.newInput(l)
	g.add(n, l)
	g.locate(n, s.path)
	return n
}

// newInput makes a node of l's spec that is no other node: gorgonia tells nodes apart by a hash of their names.
func (g *Graph) newInput(l leaf) *Node {
	for name := l.name; ; name += "'" {
		opts := []gorgonia.NodeConsOpt{gorgonia.WithShape(l.spec.Shape...), gorgonia.WithName(name)}
		if l.value.DType != kernels.Invalid {
			opts = append(opts, gorgonia.WithValue(kernels.ToValue(l.value)))
		}
		n := gorgonia.NewTensor(g.expr, l.spec.DType.Tensor(), l.spec.Rank(), opts...)
		if g.leaf(n) == nil && n.Name() == name && n.Shape().Eq(tensor.Shape(l.spec.Shape)) {
			return n
		}
	}
}

func describe(n *Node) string {
	if n == nil {
		return "nil"
	}
	return fmt.Sprintf("%q %v", n.Name(), kernels.SpecOf(n))
}
