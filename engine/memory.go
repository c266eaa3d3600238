package engine

import (
	"fmt"

	"ganglion/engine/exec"
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// Arena is memory of intermediate values that programs share. Its zero value is empty and ready for use.
type Arena struct {
	mem     []byte
	reserve *exec.Reserve
	least   int
	holds   *exec.CPU // what was run last, completely; nil for nothing
}

// AtLeast makes the arena have n bytes at least when it is first taken, which is when a program runs: so that it need
// not grow for the program that runs later and needs more.
func (a *Arena) AtLeast(n int) { a.least = max(a.least, n) }

// fit makes the arena large enough for a plan.
func (a *Arena) fit(pl *plan.Plan) error {
	if pl.Arena > len(a.mem) {
		a.holds = nil
		a.mem = alignedBytes(max(pl.Arena, a.least))
	}
	if pl.Reserve <= a.reserve.Size() {
		return nil
	}
	r, err := exec.NewReserve(pl.Reserve)
	if err == nil {
		a.reserve, a.holds = r, nil
	}
	return err
}

// Share makes the program use an arena that others use too, from its next run on. They must never run at the same time,
// and the outputs of one hold until the next run of any. Memory on a device is not shared.
func (p *Program) Share(a *Arena) { p.arena = a }

// Memory is what a program needs, in bytes. Parameters and states are those of its store, which programs may share.
type Memory struct {
	Parameters int // that are trained
	States     int // moments of the optimiser and all else that outlives a run
	Constants  int
	Arena      int // intermediate values and scratch memory
	Live       int // of the arena, what is in use when most is; the rest is lost to gaps
	Crest      int // the step at which most is in use, as Explain numbers it; -1 when nothing is
	// Reserve is for cases that seldom come, such as samples that resist a solver, outside of the arena. Until one
	// comes it is not touched, and takes nothing where the system backs memory when it is first touched.
	Reserve int
}

// Memory tells what the program needs for the sizes of the last run (before the first run: the sizes of the graph).
// The arena is taken when the program runs.
func (p *Program) Memory() Memory { return p.memoryOf(p.current.plan) }

// MemoryAt tells what the program would need if its inputs had other sizes: resize returns the spec of the input of
// the given name, which was declared as the given spec. Nothing is taken or changed.
func (p *Program) MemoryAt(resize func(name string, declared kernels.Spec) kernels.Spec) (Memory, error) {
	specs := make([]kernels.Spec, len(p.slots))
	for i, s := range p.slots {
		specs[i] = resize(s.name, s.spec)
	}
	pl, err := p.planStill(specs, p.current.still)
	if err != nil {
		return Memory{}, fmt.Errorf("engine: memory of %s: %w", p.graph.name, err)
	}
	return p.memoryOf(pl), nil
}

func (p *Program) memoryOf(pl *plan.Plan) Memory {
	m := Memory{Arena: pl.Arena, Live: pl.Live, Crest: pl.Crest, Reserve: pl.Reserve}
	m.Parameters, m.States = p.store.sizes()
	for i := range pl.Graph.Nodes {
		if n := &pl.Graph.Nodes[i]; n.Kind == plan.Const {
			m.Constants += n.Spec.Bytes()
		}
	}
	return m
}

// sizes are the bytes of the parameters and of the states.
func (s *Store) sizes() (params, states int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.vars {
		if v.param {
			params += v.spec.Bytes()
		} else {
			states += v.spec.Bytes()
		}
	}
	return params, states
}
