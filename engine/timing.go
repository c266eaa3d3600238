package engine

import (
	"context"
	"fmt"
	"time"
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
	pl, m := p.current.plan, p.current.cpu
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
