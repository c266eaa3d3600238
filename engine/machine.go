package engine

import (
	"context"
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"

	"ganglion/engine/plan"
	"ganglion/kernels"
)

// ErrMachine is the kind of error of a graph that a Machine cannot take, and of a machine used after Close.
var ErrMachine = errors.New("machine")

// Machine runs a graph that was written with gorgonia alone, as gorgonia.NewTapeMachine does. It is a gorgonia.VM: of a
// program written for that machine only the constructor changes.
//
// A run reads the values of the input nodes, so what Let and the solvers of gorgonia bind or change between two runs
// counts. It binds the values of these nodes, and of no others: the roots of the graph, what a Read statement reads,
// losses, the derivatives of inputs (so that Node.Grad and the solvers find them), and what Keep names. The tensors
// bound to a node are the same ones after every run, with new contents. Nodes that are not computed, or not kept, have
// no value.
//
// The graph is run as it was written: gradients are those that gorgonia.Grad made, its wrong rules included (those of
// Log2, InverseSqrt, AveragePool2D and ByIndices along another axis than the first; Scope.Grad corrects or refuses
// them). An op of gorgonia without a kernel of ours runs through its own Do; Explain lists these. Unlike the machines
// of gorgonia, a run need not be preceded by Reset, a Set statement does what it says (after the run its first node has
// the value of its second), and the values of different nodes never share memory.
//
// A Machine is for one goroutine at a time. So is a graph: give each goroutine one of its own.
type Machine struct {
	expr    *gorgonia.ExprGraph
	cfg     machineConfig
	err     error
	closed  bool
	program *Program
	inputs  []machineInput
	feeds   Feeds
	results []*machineResult
	reads   []machineRead
	sets    []machineSet
	duals   []machineDual
	cuts    []machineCut
	moving  map[*Node]bool // slices that have been changed between runs
	norms   []machineNorm
	modes   []machineMode
}

var _ gorgonia.VM = (*Machine)(nil)

// NewMachine compiles a graph. It never fails by itself, as the constructors of gorgonia: the error of a graph that
// cannot be compiled is returned by Err and by every run.
func NewMachine(g *gorgonia.ExprGraph, opts ...MachineOption) *Machine {
	m := &Machine{expr: g, moving: map[*Node]bool{}}
	for _, o := range opts {
		o(&m.cfg)
	}
	if g == nil {
		m.err = fmt.Errorf("engine: %w: no graph", ErrMachine)
		return m
	}
	for _, n := range g.AllNodes() {
		if op, ok := n.Op().(gorgonia.TrainModeOp); ok {
			if err := op.SetTraining(!m.cfg.eval); err != nil {
				m.err = fmt.Errorf("engine: %w: %s: %w", ErrMachine, describe(n), err)
			}
		}
	}
	if m.err == nil {
		m.compile()
	}
	return m
}

// Err is the error of NewMachine, nil when the graph was compiled.
func (m *Machine) Err() error { return m.err }

// RunAll runs the graph once.
func (m *Machine) RunAll() error { return m.Run(context.Background()) }

// Run runs the graph once, unless ctx ends first. After an error the nodes keep the values of the run before.
func (m *Machine) Run(ctx context.Context) error {
	switch {
	case m.closed:
		return fmt.Errorf("engine: %w: run after Close", ErrMachine)
	case m.err != nil:
		return m.err
	}
	if slices, modes := m.slicesMoved(), m.modesChanged(); slices || modes {
		m.program.Close()
		if m.compile(); m.err != nil {
			return m.err
		}
	}
	for i := range m.inputs {
		t, err := m.inputs[i].read()
		if err != nil {
			return fmt.Errorf("engine: %w: %w", ErrMachine, err)
		}
		m.feeds[i].Tensor = t
	}
	if err := m.program.Run(ctx, m.feeds); err != nil {
		return err
	}
	if err := m.check(ctx); err != nil {
		return err
	}
	if err := m.bind(); err != nil {
		return fmt.Errorf("engine: %w: %w", ErrMachine, err)
	}
	return nil
}

// check returns what kernels reported, such as indices out of range, and with the option the op that gave the first
// value that is not finite.
func (m *Machine) check(ctx context.Context) error {
	for _, r := range m.program.Reports() {
		if r.Report.Status != kernels.Fine {
			return fmt.Errorf("engine: %w: %w", ErrMachine, plan.Locate(r.Path, fmt.Errorf("%s: %v: %d of %d failed",
				r.Op, r.Report.Status, r.Report.Failed, r.Report.Samples)))
		}
	}
	if !m.cfg.watch {
		return nil
	}
	found, err := m.program.Diagnose(ctx, m.feeds)
	if err != nil || found == nil {
		return err
	}
	return fmt.Errorf("engine: %w: %v", ErrMachine, found)
}

// Reset does nothing: a run begins at the beginning anyway. Gradients accumulated by BindDualValues stay, as they do in
// gorgonia; solvers clear them.
func (m *Machine) Reset() {}

// Close ends the machine's threads. The values of the nodes stay. It may be called several times.
func (m *Machine) Close() error {
	if m.program != nil && !m.closed {
		m.program.Close()
	}
	m.closed = true
	return nil
}

// Let binds a value to an input of the graph, as gorgonia.Let does.
func (m *Machine) Let(n *Node, be any) error {
	if n == nil || n.Graph() != m.expr {
		return fmt.Errorf("engine: %w: let: %s is no node of this graph", ErrMachine, describe(n))
	}
	return gorgonia.Let(n, be)
}

// Set gives an input the present value of another node, which is copied.
func (m *Machine) Set(to, from *Node) error {
	for _, n := range []*Node{to, from} {
		if n == nil || n.Graph() != m.expr {
			return fmt.Errorf("engine: %w: set: %s is no node of this graph", ErrMachine, describe(n))
		}
	}
	if from.Value() == nil {
		return fmt.Errorf("engine: %w: set: %s has no value: it is not kept, see Keep", ErrMachine, describe(from))
	}
	v, err := gorgonia.CloneValue(from.Value())
	if err != nil {
		return fmt.Errorf("engine: %w: set %s: %w", ErrMachine, describe(to), err)
	}
	return gorgonia.Let(to, v)
}

// Explain lists the steps of a run: which ops were lowered to kernels of ours, and which run through their own Do. It
// is empty when the graph could not be compiled.
func (m *Machine) Explain() Explanation {
	if m.program == nil {
		return Explanation{}
	}
	return m.program.Explain()
}

// Program is the compiled graph, nil when it could not be compiled.
func (m *Machine) Program() *Program { return m.program }
