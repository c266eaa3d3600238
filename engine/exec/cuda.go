package exec

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"ganglion/cuda"
	"ganglion/engine/fusion"
	"ganglion/engine/launch"
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// DeviceMemory is where the spaces of a plan lie on a device.
type DeviceMemory struct {
	Arena cuda.Address
	Store []cuda.Address // blocks of parameters and states
}

// CUDA runs a plan on a device. Steps without a kernel there run on the processor, in host memory of the same layout,
// between copies of what they read and write. All other steps in a row are one plan of the device, captured at its
// second run.
type CUDA struct {
	Plan    *plan.Plan
	dev     *cuda.Device
	host    *CPU // the plan in host memory
	mem     DeviceMemory
	parts   []devicePart
	buffers []*cuda.Buffer // constants, inputs and reports
	fixed   map[int]cuda.Address
	feeds   []deviceFeed
	pinned  *cuda.Pinned // inputs, and then reports
	reports []deviceReport
	report  int // where the reports begin in pinned memory
	runs    int
	eager   bool
	strict  bool
}

// devicePart is a stretch of steps on the device, or one step on the processor.
type devicePart struct {
	commands *cuda.Plan
	first    int   // executed step that it begins with
	step     int   // executed step of the processor, or -1
	of       []int // by command: its executed step, or -1
	down, up []deviceCopy
}

// deviceCopy is a tensor in host memory and on the device.
type deviceCopy struct {
	host   kernels.Tensor
	device cuda.Address
}

// deviceFeed is an input: its place in pinned memory and on the device.
type deviceFeed struct {
	used   bool
	from   int // in pinned memory
	size   int
	device cuda.Address
}

// deviceReport is the report of an executed step: words in pinned memory from at on, -1 if the step has none.
type deviceReport struct {
	at     int
	report kernels.Report
}

// DeviceOptions are the options of NewCUDA.
type DeviceOptions struct {
	Modules *launch.Modules
	Target  kernels.Target
	Eager   bool // launch one by one at every run
	Strict  bool // a kernel that reports that it did not converge ends the run with an error
	// Fuser makes single kernels of the plan's groups, nil for none. Groups that it has no kernel for are launched step
	// by step.
	Fuser *fusion.Fuser
	Keep  bool // write the values of all nodes to memory
	// Library says that the device has a library for products.
	Library bool
	// Stretch is the work, in bytes and floating-point operations, after which a run waits for the device and looks at
	// its context. 0 is 2³⁷, some hundredths of a second.
	Stretch float64
}

// NewCUDA binds a plan to memory of a device. host is the same plan in host memory, with its groups split; its
// arena may be empty if every step has a kernel on the device (see OnDevice).
func NewCUDA(dev *cuda.Device, p *plan.Plan, host *CPU, mem DeviceMemory, o DeviceOptions) (*CUDA, error) {
	m := &CUDA{Plan: p, dev: dev, host: host, mem: mem, eager: o.Eager, strict: o.Strict, fixed: map[int]cuda.Address{}}
	b := &deviceBinder{CUDA: m, o: o}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%w%s", err, closing(m.Close()))
	}
	return m, nil
}

// closing is the text of a second error.
func closing(err error) string {
	if err == nil {
		return ""
	}
	return "; " + err.Error()
}

// Close frees what the plan holds on the device.
func (m *CUDA) Close() error {
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	for _, p := range m.parts {
		if p.commands != nil {
			keep(p.commands.Close())
		}
	}
	for _, b := range m.buffers {
		keep(b.Free())
	}
	if m.pinned != nil {
		keep(m.pinned.Free())
	}
	m.parts, m.buffers, m.pinned = nil, nil, nil
	return first
}

// Feed lends the memory of t to input slot; it is copied when the run begins.
func (m *CUDA) Feed(slot int, t kernels.Tensor) {
	m.host.Feed(slot, t)
	if slot < len(m.feeds) && m.feeds[slot].used {
		f := &m.feeds[slot]
		copy(m.pinned.Bytes()[f.from:f.from+f.size], t.Memory())
	}
}

// Run executes all steps. The context is looked at between the parts until the first that writes to a state; from there
// on the run is completed, so that states are always those of a whole number of runs.
func (m *CUDA) Run(ctx context.Context) error {
	within := context.WithoutCancel(ctx)
	for i := range m.parts {
		p := &m.parts[i]
		if err := m.stopped(ctx, p); err != nil {
			return err
		}
		if p.commands == nil {
			if err := m.onHost(p); err != nil {
				return m.host.Failed(p.step, err)
			}
			continue
		}
		if m.runs == 1 && !m.eager {
			if err := p.commands.Capture(within); err != nil {
				return err
			}
		}
		if err := p.commands.Run(within); err != nil {
			return err
		}
	}
	m.runs++
	return m.collect()
}

// stopped is an error if the context is over and a run may still be given up before a part.
func (m *CUDA) stopped(ctx context.Context, p *devicePart) error {
	if p.first < m.Len() && m.Index(p.first) > m.Plan.Commit {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stopped before step %d of %d: %w", p.first, m.Len(), err)
	}
	return nil
}

// Profile is Run, command by command; it tells f how long each executed step took. It is slow.
func (m *CUDA) Profile(ctx context.Context, f func(step int, took time.Duration)) error {
	within := context.WithoutCancel(ctx)
	for i := range m.parts {
		p := &m.parts[i]
		if err := m.stopped(ctx, p); err != nil {
			return err
		}
		if p.commands == nil {
			start := time.Now()
			if err := m.onHost(p); err != nil {
				return m.host.Failed(p.step, err)
			}
			f(p.step, time.Since(start))
			continue
		}
		times, err := p.commands.Profile(within)
		if err != nil {
			return err
		}
		sum := time.Duration(0)
		for k, took := range times {
			sum += took
			if step := p.of[k]; step >= 0 && (k+1 == len(times) || p.of[k+1] != step) {
				f(step, sum)
				sum = 0
			}
		}
	}
	return m.collect()
}

// onHost runs a step on the processor.
func (m *CUDA) onHost(p *devicePart) error {
	for _, c := range p.down {
		if err := m.dev.CopyOut(c.host.Memory(), c.device); err != nil {
			return err
		}
	}
	if err := m.host.Step(p.step); err != nil {
		return err
	}
	for _, c := range p.up {
		if err := m.dev.CopyIn(c.device, c.host.Memory()); err != nil {
			return err
		}
	}
	return nil
}

// collect reads the reports.
func (m *CUDA) collect() error {
	for i := range m.reports {
		r := &m.reports[i]
		if r.at < 0 {
			continue
		}
		var w [kernels.ReportWords]uint32
		words := m.pinned.Bytes()[m.report+r.at:]
		for k := range w {
			w[k] = binary.LittleEndian.Uint32(words[4*k:])
		}
		r.report = kernels.DecodeReport(w)
		if m.strict && r.report.Status != kernels.Fine {
			return m.host.Failed(i, unconverged(&r.report))
		}
	}
	return nil
}

// Report is what the kernel of executed step i said about the last run; nil for steps that say nothing.
func (m *CUDA) Report(i int) *kernels.Report {
	if r := &m.reports[i]; r.at >= 0 {
		return &r.report
	}
	return m.host.Report(i)
}

// Len is the number of executed steps.
func (m *CUDA) Len() int { return m.host.Len() }

// Index is the number, in the plan, of executed step i.
func (m *CUDA) Index(i int) int { return m.host.Index(i) }

// Output copies an output of the last run to the host.
func (m *CUDA) Output(i int) (kernels.Tensor, error) {
	return m.read(m.Plan.Outputs[i], m.host.Output(i))
}

// Value copies any node to the host, after a run of a plan in which no memory is used twice.
func (m *CUDA) Value(id int) (kernels.Tensor, error) {
	return m.read(m.Plan.Places[id], m.host.Value(id))
}

func (m *CUDA) read(at plan.Place, t kernels.Tensor) (kernels.Tensor, error) {
	if at.Space != plan.Arena && at.Space != plan.Store || t.Bytes() == 0 {
		return t, nil
	}
	return t, m.dev.CopyOut(t.Memory(), m.address(at))
}

// address is where a place lies on the device.
func (m *CUDA) address(at plan.Place) cuda.Address {
	off := cuda.Address(at.Offset)
	switch at.Space {
	case plan.Arena:
		return m.mem.Arena + off
	case plan.Store:
		return m.mem.Store[at.Index] + off
	case plan.Fixed:
		return m.fixed[at.Index] + off
	case plan.Fed:
		return m.feeds[at.Index].device + off
	}
	return 0
}
