package engine

import (
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// Poison fills the program's own memory with NaN, so that a read of what was not written in this run shows.
func (p *Program) Poison() {
	p.arena.holds = nil
	for i := range p.arena.mem {
		p.arena.mem[i] = 0xff
	}
}

// Plan is the plan of the last run.
func (p *Program) Plan() *plan.Plan { return p.current.plan }

// Consts are the values of the graph's constants.
func (g *Graph) Consts() map[*Node]kernels.Tensor {
	out := map[*Node]kernels.Tensor{}
	for _, n := range g.order[kindConst] {
		out[n] = g.leaf(n).value
	}
	return out
}

// Bound is the number of plans that hold on to an arena.
func (p *Program) Bound() int {
	n := 0
	for _, s := range p.cache {
		if s.cpu != nil {
			n++
		}
	}
	return n
}

// Cached is the number of plans that are kept.
func (p *Program) Cached() int { return len(p.cache) }

// Split makes the plan of the last run execute the steps of its groups one by one.
func (p *Program) Split() error {
	if err := p.rebind(p.current); err != nil {
		return err
	}
	p.current.cpu = p.bind(p.current, true)
	return nil
}

// ReserveTaken is the size of what an arena has in reserve.
func (a *Arena) ReserveTaken() int { return a.reserve.Size() }

// ArenaTaken is the size of the program's own memory.
func (p *Program) ArenaTaken() int { return len(p.arena.mem) }

// Stretch sets the work after which programs that are bound from now on look at their context.
func (d *Device) Stretch(work float64) { d.stretch = work }
