package engine

import (
	"context"
	"fmt"
	"time"

	"ganglion/engine/exec"
)

// Timing says when one step of a run was executed. A group of fused steps is one step and carries the name of its
// first op.
type Timing struct {
	Op    string // as in dense.GEMM
	Path  string // the scope in which the op was written
	Start time.Time
	Took  time.Duration
}

// RunTimed is Run, and tells f about every step when it has been executed.
func (p *Program) RunTimed(ctx context.Context, feeds Feeds, f func(Timing)) error {
	if err := p.feed(feeds); err != nil {
		return fmt.Errorf("engine: run %s: %w", p.graph.name, err)
	}
	if m := p.current.device; m != nil {
		return p.runProfiled(ctx, m, f)
	}
	pl, m := p.current.plan, p.current.cpu
	p.arena.holds = nil
	for i := range m.Len() {
		at := m.Index(i)
		if err := ctx.Err(); err != nil && at < pl.Commit {
			return fmt.Errorf("engine: run %s: stopped before step %d of %d: %w", p.graph.name, i, m.Len(), err)
		}
		start := time.Now()
		if err := m.Step(i); err != nil {
			return fmt.Errorf("engine: run %s: %w", p.graph.name, m.Failed(i, err))
		}
		n := &p.plan.Nodes[pl.Steps[at].Node]
		f(Timing{Op: n.OpName(), Path: n.Path, Start: start, Took: time.Since(start)})
	}
	m.Finish()
	p.ran = true
	return nil
}

// runProfiled is RunTimed on a device: each command of the plan is waited for, and timed by the device.
func (p *Program) runProfiled(ctx context.Context, m *exec.CUDA, f func(Timing)) error {
	if err := p.store.push(); err != nil {
		return fmt.Errorf("engine: run %s: %w", p.graph.name, err)
	}
	start := time.Now()
	err := m.Profile(ctx, func(i int, took time.Duration) {
		n := &p.plan.Nodes[p.current.plan.Steps[m.Index(i)].Node]
		f(Timing{Op: n.OpName(), Path: n.Path, Start: start, Took: took})
		start = start.Add(took)
	})
	if err != nil {
		return fmt.Errorf("engine: run %s: %w", p.graph.name, err)
	}
	if p.current.plan.Writes() {
		p.store.wrote()
	}
	p.ran = true
	return nil
}
