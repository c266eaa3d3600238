package engine

import (
	"fmt"
	"runtime"

	"ganglion/engine/exec"
	"ganglion/engine/plan"
	"ganglion/internal/asm/selfcheck"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
	"ganglion/kernels/implicit/lane"
)

// Options of Compile. The zero value is a program on all processors with a store of its own.
type Options struct {
	// Workers is the number of threads, 0 for GOMAXPROCS. Results do not depend on it.
	Workers int
	// Pool runs the kernels; nil for a pool of Workers threads of the program's own, which Close ends. Programs may
	// share a pool.
	Pool *par.Pool
	// Path forces a set of kernels, nil for the best that the processor has.
	Path *cpu.Path
	// Seed is what new parameters and states are filled from.
	Seed uint64
	// Store holds the parameters and states, nil for a new one.
	Store *Store
	// Strict makes an op without a CPU kernel an error of Compile, and an iteration that did not converge an error of
	// Run.
	Strict bool
	// Device runs the program, nil for the processor. Steps without a kernel there run on the processor, between
	// copies; Strict makes them an error.
	Device *Device
	// Eager launches the kernels of a device one by one at every run, instead of capturing them once.
	Eager bool
	// Precision is that of the operands of products, by default that of the graph. Processor and devices round alike.
	Precision plan.Precision
	// Halve keeps values that products read in 16 bits, as bfloat16; it needs the precision BF16.
	Halve bool
	// KeepAll uses no memory twice, so that Program.Read finds the value of every node that was computed.
	KeepAll bool
}

// Compile turns a graph into a program. The first call in a process checks the kernels of this processor.
func Compile(g *Graph, o Options) (*Program, error) {
	selfcheck.Run(lane.SelfCheck)
	p := &Program{graph: g, opts: o, store: o.Store, pool: o.Pool, path: cpu.Best()}
	if o.Path != nil {
		p.path = *o.Path
	}
	if o.Workers < 0 {
		return nil, fmt.Errorf("engine: compile %s: %d workers", g.name, o.Workers)
	}
	if p.store == nil {
		p.store = NewStore()
	}
	if p.pool == nil {
		workers := o.Workers
		if workers == 0 {
			workers = runtime.GOMAXPROCS(0)
		}
		p.pool = par.New(workers)
		p.ownPool = true
	}
	if err := p.compile(); err != nil {
		p.Close()
		return nil, fmt.Errorf("engine: compile %s: %w", g.name, err)
	}
	return p, nil
}

func (p *Program) compile() error {
	lowered, origin, err := plan.Lower(p.graph.source())
	if err != nil {
		return err
	}
	p.origin = origin
	opt, to := p.passes(lowered)
	opt, last, err := plan.Reduce(opt, p.opts.Precision)
	if err != nil {
		return err
	}
	to = to.Then(last)
	if p.opts.Halve {
		if p.opts.Precision != plan.BF16 {
			return fmt.Errorf("values are kept in 16 bits for products of precision bf16, not %v", p.opts.Precision)
		}
		opt, last = plan.Halve(opt)
		to = to.Then(last)
	}
	p.plan, p.to = opt, to
	if err := p.checkKernels(); err != nil {
		return err
	}
	if p.homes, p.blocks, err = p.store.admit(p.graph, groups(opt), p.opts.Seed); err != nil {
		return err
	}
	p.slots = make([]slot, len(p.graph.order[kindInput]))
	for i, n := range p.graph.order[kindInput] {
		l := p.graph.leaf(n)
		p.slots[i] = slot{name: l.name, spec: l.spec}
	}
	for _, n := range opt.Nodes {
		if n.Kind == plan.Input {
			p.slots[n.Slot].used = true
		}
	}
	specs := make([]kernels.Spec, len(p.slots))
	for i, s := range p.slots {
		specs[i] = s.spec
	}
	p.current, err = p.specialise(specs)
	return err
}

// passes runs the graph passes in their order.
func (p *Program) passes(g *plan.Graph) (*plan.Graph, plan.Map) {
	to := make(plan.Map, len(g.Nodes))
	for i := range to {
		to[i] = i
	}
	then := func(next *plan.Graph, m plan.Map) {
		g, to = next, to.Then(m)
	}
	then(plan.Dead(g))
	then(plan.Merge(g))
	then(plan.Fold(g, p.eval))
	then(plan.Simplify(g))
	then(plan.Convolve(g))
	then(plan.Associate(g))
	then(plan.Merge(g))
	then(plan.Slopes(g))
	then(plan.Merge(g))
	if !p.opts.KeepAll {
		then(plan.Shapes(g))
		then(plan.Dead(g))
		then(plan.Epilogues(g))
		then(plan.Images(g))
	}
	then(plan.Dead(g))
	then(plan.Detach(g))
	return g, to
}

// eval computes constants.
func (p *Program) eval(op kernels.Op, in []kernels.Tensor) (kernels.Tensor, bool) {
	t, r, err := exec.Eval(op, in, exec.Options{Path: p.path, Pool: p.pool})
	return t, err == nil && r.Status == kernels.Fine
}

// checkKernels refuses, in strict programs, ops without a CPU kernel.
func (p *Program) checkKernels() error {
	if !p.opts.Strict {
		return nil
	}
	for i := range p.plan.Nodes {
		n := &p.plan.Nodes[i]
		if n.Kind != plan.Apply && n.Kind != plan.Foreign {
			continue
		}
		if r, reason := n.Runner(); r == plan.Reference || r == plan.Do {
			return plan.Locate(n.Path, fmt.Errorf("%s: %w: strict: %s", n.OpName(), kernels.ErrNoKernel, reason))
		}
	}
	return nil
}

// groups lists, for every Pack of states only, their numbers: they are to adjoin in the store.
func groups(g *plan.Graph) [][]int {
	var out [][]int
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Kind != plan.Apply {
			continue
		}
		if _, ok := n.Op.(kernels.Packer); !ok {
			continue
		}
		var list []int
		for _, c := range n.In {
			if g.Nodes[c].Kind == plan.State {
				list = append(list, g.Nodes[c].Slot)
			}
		}
		if len(list) == len(n.In) {
			out = append(out, list)
		}
	}
	return out
}
