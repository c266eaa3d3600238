// Package exec runs plans. CPU is the runner for the processor: it is bound once to a plan and its memory, and then
// runs without allocating.
package exec

import (
	"context"
	"fmt"
	"runtime"

	"ganglion/engine/plan"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// Memory is where the spaces of a plan lie.
type Memory struct {
	Arena   []byte
	Store   [][]byte // blocks of parameters and states
	Reserve *Reserve // of the plan's size at least; nil for plans without
}

// CPU runs a plan on the processor.
type CPU struct {
	Plan   *plan.Plan
	steps  []step
	index  []int // of each executed step among the plan's steps
	still  bool  // the values of still steps hold: Run leaves these steps out
	saves  []move
	stores []move
	out    []*kernels.Tensor
	feeds  [][]fed
	fed    []kernels.Tensor // what Feed was given last, by slot
	mem    Memory
	strict bool
}

// step is one executed step.
type step struct {
	run   plan.Runner
	op    kernels.CPUOp
	call  *kernels.Call
	moves []move
	wide  *wide
	do    *foreign
	fused *fused // a group; the fields above are unused
}

// move copies one tensor to another of the same spec.
type move struct{ from, to *kernels.Tensor }

// fed is a tensor that lies in an input: at offset elements from its beginning.
type fed struct {
	t      *kernels.Tensor
	offset int
}

// Options of NewCPU.
type Options struct {
	Path   cpu.Path
	Pool   *par.Pool
	Strict bool // a kernel that reports that it did not converge ends the run with an error
	Split  bool // run the steps of groups one by one
}

// NewCPU binds a plan to memory. The arena holds plan.Arena bytes at least and is aligned to 64 bytes.
func NewCPU(p *plan.Plan, mem Memory, o Options) *CPU {
	b := &binder{p: p, mem: mem, opts: o, feeds: make([][]fed, p.Inputs())}
	m := &CPU{Plan: p, mem: mem, strict: o.Strict}
	for i := range p.Steps {
		s := &p.Steps[i]
		switch {
		case s.Run == plan.Nothing:
			continue
		case s.Group < 0 || o.Split:
			m.steps = append(m.steps, b.step(s))
		case p.Groups[s.Group].Steps[0] == i:
			m.steps = append(m.steps, step{fused: b.fused(&p.Groups[s.Group])})
		default:
			continue
		}
		m.index = append(m.index, i)
	}
	m.saves, m.stores = b.moves(p.Saves), b.moves(p.Stores)
	for i, o := range p.Graph.Outputs {
		t := new(kernels.Tensor)
		b.bind(t, p.Outputs[i], p.Specs[o.Node])
		m.out = append(m.out, t)
	}
	m.feeds = b.feeds
	m.fed = make([]kernels.Tensor, len(b.feeds))
	return m
}

// Feed lends the memory of t to input slot. The spec is the one that was planned for.
func (m *CPU) Feed(slot int, t kernels.Tensor) {
	if slot >= len(m.feeds) {
		return
	}
	m.fed[slot] = t
	for _, f := range m.feeds[slot] {
		window(f.t, t, f.offset)
	}
}

// window points *t, whose spec stays, at the memory of src from offset on.
func window(t *kernels.Tensor, src kernels.Tensor, offset int) {
	n := t.Size()
	switch t.DType {
	case kernels.Float32:
		t.F32 = src.F32[offset : offset+n : offset+n]
	case kernels.Float64:
		t.F64 = src.F64[offset : offset+n : offset+n]
	case kernels.Int32:
		t.I32 = src.I32[offset : offset+n : offset+n]
	case kernels.Byte:
		t.U8 = src.U8[offset : offset+n : offset+n]
	}
}

// Still says whether what the still steps computed in the run before holds for the next ones, which then leave these
// steps out. Nothing else may have used the arena since.
func (m *CPU) Still(yes bool) { m.still = yes }

// Output returns the value of an output of the last run; it is overwritten by the next.
func (m *CPU) Output(i int) kernels.Tensor { return *m.out[i] }

// Value returns the value of any node after a run of a plan in which no memory is used twice.
func (m *CPU) Value(id int) kernels.Tensor {
	at, spec := m.Plan.Places[id], m.Plan.Specs[id]
	if at.Space == plan.Fed {
		t := kernels.Tensor{Spec: spec}
		window(&t, m.fed[at.Index], at.Offset/spec.DType.Size())
		return t
	}
	return lay(m.Plan, m.mem, at, spec)
}

// Len is the number of executed steps.
func (m *CPU) Len() int { return len(m.steps) }

// Index is the number, in the plan, of executed step i.
func (m *CPU) Index(i int) int { return m.index[i] }

// Report is what the kernel of executed step i said about the last run; nil for steps that run no kernel.
func (m *CPU) Report(i int) *kernels.Report {
	if c := m.steps[i].call; c != nil {
		return c.Report
	}
	return nil
}

// Result is the output of executed step i, which is no group.
func (m *CPU) Result(i int) kernels.Tensor {
	switch s := &m.steps[i]; s.run {
	case plan.Kernel:
		return s.call.Out
	case plan.Reference:
		return *s.wide.out
	case plan.Do:
		return *s.do.out
	}
	return kernels.Tensor{}
}

// Run executes all steps. The context is looked at between steps until the first step that writes to a state; from
// there on the run is completed, so that states are always those of a whole number of runs. A failure behind that
// point is reported as such.
func (m *CPU) Run(ctx context.Context) error {
	for i := range m.steps {
		if m.still && m.Plan.Steps[m.index[i]].Still {
			continue
		}
		if m.index[i] < m.Plan.Commit {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("stopped before step %d of %d: %w", i, len(m.steps), err)
			}
		}
		if err := m.Step(i); err != nil {
			return m.Failed(i, err)
		}
	}
	if m.Plan.Commit == len(m.Plan.Steps) && len(m.stores) > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped after the last step: %w", err)
		}
	}
	m.Finish()
	return nil
}

// Finish brings the next values of the states, where they lie elsewhere, to the states. Run does it.
func (m *CPU) Finish() {
	copyAll(m.saves)
	copyAll(m.stores)
}

// Step executes one step.
func (m *CPU) Step(i int) error {
	s := &m.steps[i]
	if s.fused != nil {
		s.fused.execute()
		return nil
	}
	switch s.run {
	case plan.Kernel:
		*s.call.Report = kernels.Report{}
		s.op.CPU(s.call)
		runtime.KeepAlive(m) // whose reserve is not Go's
		if m.strict && s.call.Report.Status != kernels.Fine {
			return unconverged(s.call.Report)
		}
	case plan.Moves:
		copyAll(s.moves)
	case plan.Reference:
		s.wide.run()
	case plan.Do:
		return s.do.run()
	}
	return nil
}

func unconverged(r *kernels.Report) error {
	return fmt.Errorf("%w: %v: %d of %d problems missed the tolerance after up to %d iterations, worst residual %.3g",
		kernels.ErrNotConverged, r.Status, r.Failed, r.Samples, r.Iterations, r.Worst)
}

// Failed names the step in an error of Step, and says so when states may hold values of half a run.
func (m *CPU) Failed(i int, err error) error {
	s := &m.Plan.Steps[m.index[i]]
	n := &m.Plan.Graph.Nodes[s.Node]
	err = plan.Locate(n.Path, fmt.Errorf("%s: %w", n.OpName(), err))
	if m.index[i] >= m.Plan.Commit {
		return fmt.Errorf("%w (states had been overwritten before: reload them)", err)
	}
	return err
}

func copyAll(list []move) {
	for _, m := range list {
		m.from.CopyTo(*m.to)
	}
}
