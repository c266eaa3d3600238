package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"ganglion/cuda"
	"ganglion/engine/exec"
	"ganglion/engine/plan"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// ErrUnused is returned by Program.Slot for an input that no output and no state depends on.
var ErrUnused = errors.New("unused input")

// ErrFeed is the error of a run whose inputs do not fit the program.
var ErrFeed = errors.New("feed")

// Slot is the number of an input of a program.
type Slot int

// Feed is the value of one input for one run. The tensor's memory is lent for the run; it must not belong to the
// program's store.
type Feed struct {
	Slot   Slot
	Tensor kernels.Tensor
	// Version, if it is not 0, promises that the elements are those of the last tensor that was fed to this slot with
	// the same version. On the processor, steps that depend on nothing but such inputs and constants are run again only
	// after one of the versions has changed: what is made of the structure of a graph, for instance, or products of
	// fixed features. Their results stay in memory of their own for that.
	Version uint64
}

// Feeds are the inputs of one run, in any order.
type Feeds []Feed

// Program is a compiled graph. It is not safe for use by several goroutines at a time.
type Program struct {
	graph   *Graph
	opts    Options
	store   *Store
	pool    *par.Pool
	ownPool bool
	path    cpu.Path

	origin plan.Origin
	to     plan.Map
	plan   *plan.Graph
	homes  []plan.Home
	blocks [][]byte
	slots  []slot

	arena       *Arena
	deviceArena *cuda.Arena
	current     *special   // what the last run used
	cache       []*special // of input sizes, see maxSpecial
	clock       uint64
	reports     []StepReport
	ran         bool
}

// slot is an input of a program.
type slot struct {
	name string
	spec kernels.Spec // as declared
	used bool
	fed  kernels.Tensor
	run  uint64 // the last run that fed it

	version uint64 // of what is fed
}

// maxSpecial is the number of sets of input sizes whose plans are kept.
const maxSpecial = 16

// special is a program planned for one set of input sizes.
type special struct {
	specs []kernels.Spec // of the inputs, by slot
	still []bool         // whether they are fed with a version
	held  []uint64       // the versions of the last complete run, nil before it
	plan  *plan.Plan
	cpu   *exec.CPU // bound to base, nil before the first run
	base  *byte     // the beginning of the arena to which it is bound
	used  uint64

	reserve *exec.Reserve // to which it is bound

	device *exec.CUDA // bound to the device, if the program has one
}

// Graph is the graph that was compiled.
func (p *Program) Graph() *Graph { return p.graph }

// Store is the memory of the parameters and states.
func (p *Program) Store() *Store { return p.store }

// Close ends the program's threads, unless they were given to it, and frees what it holds on a device; what fails there
// fails again when the device is closed. The program cannot be run afterwards.
func (p *Program) Close() {
	if p.ownPool && p.pool != nil {
		p.pool.Close()
	}
	p.releaseDevice()
}

// Slot returns the number of an input. An input that nothing depends on gives ErrUnused: it need not be fed.
func (p *Program) Slot(name string) (Slot, error) {
	for i, s := range p.slots {
		if s.name != name {
			continue
		}
		if !s.used {
			return Slot(i), fmt.Errorf("engine: %s: %w: %s", p.graph.name, ErrUnused, name)
		}
		return Slot(i), nil
	}
	names := make([]string, len(p.slots))
	for i, s := range p.slots {
		names[i] = s.name
	}
	return -1, fmt.Errorf("engine: program %s has no input %q; it has %q", p.graph.name, name, names)
}

// Run executes the program once. All used inputs must be fed, with the declared types and numbers of dimensions;
// sizes may differ from run to run, and the first run with new sizes makes a plan for them. A steady run allocates
// nothing.
//
// After an error states and parameters are as before, unless the error says otherwise. The context is looked at
// between steps until the first step that writes to a state.
func (p *Program) Run(ctx context.Context, feeds Feeds) error {
	if err := p.feed(feeds); err != nil {
		return fmt.Errorf("engine: run %s: %w", p.graph.name, err)
	}
	if err := p.execute(ctx); err != nil {
		return fmt.Errorf("engine: run %s: %w", p.graph.name, err)
	}
	p.ran = true
	return nil
}

// execute runs the current plan on the device, if the program has one, or on the processor.
func (p *Program) execute(ctx context.Context) error {
	if p.opts.Device == nil {
		if err := p.store.Sync(); err != nil {
			return err
		}
		return p.onCPU(ctx)
	}
	if err := p.store.push(); err != nil {
		return err
	}
	if err := p.current.device.Run(ctx); err != nil {
		return err
	}
	if p.current.plan.Writes() {
		p.store.wrote()
	}
	return nil
}

// onCPU runs the current plan on the processor, without what holds from its last run.
func (p *Program) onCPU(ctx context.Context) error {
	s := p.current
	same := p.arena.holds == s.cpu && s.held != nil
	for i := range s.held {
		same = same && s.held[i] == p.slots[i].version
	}
	p.arena.holds = nil
	s.cpu.Still(same)
	if err := s.cpu.Run(ctx); err != nil {
		return err
	}
	if s.held == nil {
		s.held = make([]uint64, len(p.slots))
	}
	for i := range s.held {
		s.held[i] = p.slots[i].version
	}
	p.arena.holds = s.cpu
	return nil
}

// feed checks the inputs, chooses the plan for their sizes and binds them.
func (p *Program) feed(feeds Feeds) error {
	p.clock++
	for i := range feeds {
		f := &feeds[i]
		if f.Slot < 0 || int(f.Slot) >= len(p.slots) {
			return fmt.Errorf("%w %d: no such slot", ErrFeed, f.Slot)
		}
		s := &p.slots[f.Slot]
		if f.Tensor.DType != s.spec.DType || f.Tensor.Rank() != s.spec.Rank() || !filled(&f.Tensor) {
			return fmt.Errorf("%w %s: want %v (sizes may differ), got %v with %d elements in memory",
				ErrFeed, s.name, s.spec, f.Tensor.Spec, elements(&f.Tensor))
		}
		if s.run == p.clock {
			return fmt.Errorf("%w %s: fed twice", ErrFeed, s.name)
		}
		if p.stored(&f.Tensor) {
			return fmt.Errorf("%w %s: its memory is memory of the store, which the run may overwrite; feed a copy",
				ErrFeed, s.name)
		}
		s.fed, s.run, s.version = f.Tensor, p.clock, f.Version
	}
	for i := range p.slots {
		if s := &p.slots[i]; s.used && s.run != p.clock {
			return fmt.Errorf("%w %s: missing; it is %v", ErrFeed, s.name, s.spec)
		}
	}
	if !p.fits(p.current) {
		if err := p.choose(); err != nil {
			return err
		}
	}
	p.current.used = p.clock
	if err := p.rebind(p.current); err != nil {
		return err
	}
	if p.opts.Device != nil {
		if err := p.bindDevice(p.current); err != nil {
			return err
		}
	}
	for i := range p.slots {
		s := &p.slots[i]
		switch {
		case !s.used:
		case p.current.device != nil:
			p.current.device.Feed(i, s.fed)
		default:
			p.current.cpu.Feed(i, s.fed)
		}
	}
	return nil
}

// stored reports whether a tensor lies in the memory of parameters and states.
func (p *Program) stored(t *kernels.Tensor) bool {
	mem := t.Memory()
	if len(mem) == 0 {
		return false
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
	for _, b := range p.blocks {
		lo := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		if at < lo+uintptr(len(b)) && lo < at+uintptr(len(mem)) {
			return true
		}
	}
	return false
}

// fits reports whether a plan is for the sizes of what has been fed.
func (p *Program) fits(s *special) bool {
	for i := range p.slots {
		if f := &p.slots[i]; f.used && (!slices.Equal(f.fed.Shape, s.specs[i].Shape) ||
			(f.version != 0) != s.still[i]) {
			return false
		}
	}
	return true
}

// choose makes the plan for what has been fed the current one.
func (p *Program) choose() error {
	for _, s := range p.cache {
		if p.fits(s) {
			p.current = s
			return nil
		}
	}
	specs, still := make([]kernels.Spec, len(p.slots)), make([]bool, len(p.slots))
	for i, s := range p.slots {
		specs[i] = s.spec
		if s.used {
			specs[i], still[i] = kernels.S(s.spec.DType, slices.Clone(s.fed.Shape)...), s.version != 0
		}
	}
	s, err := p.specialiseStill(specs, still)
	if err != nil {
		return err
	}
	p.current = s
	return nil
}

// specialise plans for input sizes, none of the inputs still.
func (p *Program) specialise(inputs []kernels.Spec) (*special, error) {
	return p.specialiseStill(inputs, make([]bool, len(p.slots)))
}

// specialiseStill plans for input sizes and still inputs, and keeps the plan, in the place of the one that was unused
// for longest when there are too many.
func (p *Program) specialiseStill(inputs []kernels.Spec, still []bool) (*special, error) {
	pl, err := p.planStill(inputs, still)
	if err != nil {
		return nil, err
	}
	if p.arena == nil {
		p.arena = new(Arena)
	}
	s := &special{specs: inputs, still: still, plan: pl, used: p.clock}
	if len(p.cache) == maxSpecial {
		oldest := 0
		for i, c := range p.cache {
			if c.used < p.cache[oldest].used {
				oldest = i
			}
		}
		if err := p.cache[oldest].closeDevice(); err != nil {
			return nil, err
		}
		p.cache = slices.Delete(p.cache, oldest, oldest+1)
	}
	p.cache = append(p.cache, s)
	return s, nil
}

// planFor plans for input sizes, none of the inputs still.
func (p *Program) planFor(inputs []kernels.Spec) (*plan.Plan, error) { return p.planStill(inputs, nil) }

// planStill plans for input sizes and still inputs.
func (p *Program) planStill(inputs []kernels.Spec, still []bool) (*plan.Plan, error) {
	specs, err := plan.Infer(p.plan, inputs)
	if err != nil {
		return nil, err
	}
	return plan.Make(p.plan, specs, plan.Options{Homes: p.homes, Workers: p.pool.Workers(), KeepAll: p.opts.KeepAll,
		Still: still})
}

// rebind makes an arena that is large enough for a plan, and binds the plan to it if it is not bound, or was bound to
// another. It is left until the first run, so that what a program needs can be asked before it is taken.
func (p *Program) rebind(s *special) error {
	if err := p.arena.fit(s.plan); err != nil {
		return err
	}
	base, reserve := unsafe.SliceData(p.arena.mem), p.arena.reserve
	if s.cpu != nil && s.base == base && s.reserve == reserve {
		return nil
	}
	for _, c := range p.cache { // what is bound elsewhere must not hold on to the old memory
		if c.base != base || c.reserve != reserve {
			c.cpu, c.base, c.reserve = nil, nil, nil
		}
	}
	s.cpu, s.base, s.reserve = p.bind(s, false), base, reserve
	return nil
}

// bind lays a plan over the program's memory. With split, the steps of fused groups are run one by one.
func (p *Program) bind(s *special, split bool) *exec.CPU {
	return exec.NewCPU(s.plan, exec.Memory{Arena: p.arena.mem, Store: p.blocks, Reserve: p.arena.reserve},
		exec.Options{Path: p.path, Pool: p.pool, Strict: p.opts.Strict, Split: split})
}

// Value returns an output of the last run. Its memory is the program's and holds until the next run.
func (p *Program) Value(name string) (kernels.Tensor, error) {
	if !p.ran {
		return kernels.Tensor{}, fmt.Errorf("engine: value %q: the program %s has not been run", name, p.graph.name)
	}
	for i := range p.plan.Outputs {
		if p.plan.Outputs[i].Name == name {
			return p.output(i)
		}
	}
	return kernels.Tensor{}, fmt.Errorf("engine: program %s has no output %q; it has %q", p.graph.name, name,
		p.graph.Outputs())
}

// output is output number i of the last run.
func (p *Program) output(i int) (kernels.Tensor, error) {
	if m := p.current.device; m != nil {
		return m.Output(i)
	}
	return p.current.cpu.Output(i), nil
}

// StepReport is what an iterative kernel said about the last run.
type StepReport struct {
	Op     string // as in implicit.Solve
	Path   string // the scope in which the op was written
	Report *kernels.Report
}

// Reports lists what the iterative kernels said about the last run, in order of execution. The list and what it
// points to hold until the next run.
func (p *Program) Reports() []StepReport {
	p.reports = p.reports[:0]
	var m interface {
		Len() int
		Index(i int) int
		Report(i int) *kernels.Report
	} = p.current.cpu
	if p.current.device != nil {
		m = p.current.device
	}
	for i := range m.Len() {
		r := m.Report(i)
		if r == nil || *r == (kernels.Report{}) {
			continue
		}
		n := &p.plan.Nodes[p.current.plan.Steps[m.Index(i)].Node]
		p.reports = append(p.reports, StepReport{n.OpName(), n.Path, r})
	}
	return p.reports
}

// elements is the number of elements that a tensor has memory for.
func elements(t *kernels.Tensor) int {
	switch t.DType {
	case kernels.Float32:
		return len(t.F32)
	case kernels.Float64:
		return len(t.F64)
	case kernels.Int32:
		return len(t.I32)
	}
	return len(t.U8)
}

func filled(t *kernels.Tensor) bool { return elements(t) == t.Size() }
