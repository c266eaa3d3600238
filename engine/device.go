package engine

import (
	"errors"
	"fmt"
	"sync"

	"ganglion/cuda"
	"ganglion/engine/exec"
	"ganglion/engine/fusion"
	"ganglion/engine/launch"
	"ganglion/engine/plan"
	"ganglion/kernels"
	"ganglion/kernels/ptx"
)

// Device is a CUDA device on which programs run; several may share it, one running at a time.
type Device struct {
	dev     *cuda.Device
	modules *launch.Modules
	target  kernels.Target
	fuser   *fusion.Fuser
	library bool // of products
	stretch float64

	mu   sync.Mutex
	late error // the first error of freeing memory of a program or store, which could not be told there
}

// MinCapability is the least compute capability that the kernels run on, major times ten plus minor.
const MinCapability = 70

// OpenDevice opens a CUDA device by its index. Errors say in one line why there is none: no build tag gpu, no driver,
// no device, or one that is too old for the kernels.
func OpenDevice(index int) (*Device, error) { return OpenDeviceWith(index, DeviceOptions{}) }

// OpenDeviceWith is OpenDevice with options. A run-time compiler that cannot be had is no error: Program.Explain tells
// which steps are launched one by one, and why.
func OpenDeviceWith(index int, o DeviceOptions) (*Device, error) {
	dev, err := cuda.Open(index)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if p := dev.Properties(); p.Capability < MinCapability {
		err := fmt.Errorf("engine: %v: the kernels want compute capability %d.%d: %w", p, MinCapability/10,
			MinCapability%10, cuda.ErrUnavailable)
		return nil, errors.Join(err, dev.Close())
	}
	library, err := useCUBLAS(dev, o.CUBLAS)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("engine: %w", err), dev.Close())
	}
	return &Device{dev: dev, modules: launch.NewModules(dev, ptx.Module), target: launch.Target(dev.Properties()),
		library: library, fuser: fusion.Open(dev, fusion.Options{Compiler: o.Compiler, Cache: o.Cache})}, nil
}

// Name is like cuda:0, or cuda:0 (emulated) on the emulator of the tests.
func (d *Device) Name() string {
	p := d.dev.Properties()
	if p.Emulated {
		return fmt.Sprintf("cuda:%d (emulated)", p.Index)
	}
	return fmt.Sprintf("cuda:%d", p.Index)
}

// Properties describes the device.
func (d *Device) Properties() cuda.Properties { return d.dev.Properties() }

// Memory says how much memory of the device is in use.
func (d *Device) Memory() cuda.Stats { return d.dev.Stats() }

// Close frees all that programs hold on the device. Programs that were compiled for it cannot be run afterwards. The
// error may be of a program or store that was closed before.
func (d *Device) Close() error {
	err := d.dev.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		err = d.late
	}
	d.late = nil
	return err
}

// keep keeps an error of freeing for Close. A device that was lost has said so before.
func (d *Device) keep(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && d.late == nil && !errors.Is(err, cuda.ErrFault) && !errors.Is(err, cuda.ErrClosed) {
		d.late = fmt.Errorf("engine: freeing memory: %w", err)
	}
}

// mirror is the copy of a store on a device. Either side may be ahead: the device after a run that wrote states, the
// host after its memory was handed out.
type mirror struct {
	device *Device
	blocks []*cuda.Buffer
	ahead  bool  // the device holds newer values
	lent   bool  // the host's memory was handed out since the last push, and may hold newer values
	err    error // of a pull that had no way to tell
}

// attach makes the mirror of a store, or extends it by new blocks, and returns where the blocks lie.
func (s *Store) attach(d *Device) ([]cuda.Address, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mirror == nil {
		s.mirror = &mirror{device: d}
	}
	m := s.mirror
	if m.device != d {
		return nil, fmt.Errorf("the store lives on %s, the program on %s: Detach the store, or give the program one "+
			"of its own", m.device.Name(), d.Name())
	}
	for i := len(m.blocks); i < len(s.blocks); i++ {
		b, err := d.dev.Alloc(len(s.blocks[i]), "parameters and states")
		if err != nil {
			return nil, err
		}
		m.blocks = append(m.blocks, b)
		m.lent = true
	}
	at := make([]cuda.Address, len(m.blocks))
	for i, b := range m.blocks {
		at[i] = b.Address()
	}
	return at, nil
}

// push brings the host's values to the device if they may be newer.
func (s *Store) push() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mirror
	if m == nil {
		return nil
	}
	if m.err != nil {
		return m.err
	}
	if !m.lent {
		return nil
	}
	for i, b := range m.blocks {
		if len(s.blocks[i]) == 0 {
			continue
		}
		if err := m.device.dev.CopyIn(b.Address(), s.blocks[i]); err != nil {
			return err
		}
	}
	m.lent = false
	return nil
}

// pull brings the device's values to the host if they are newer, and marks the host's memory as handed out. The caller
// holds the lock. An error is kept and returned by all that follows.
func (s *Store) pull() error {
	m := s.mirror
	if m == nil {
		return nil
	}
	if m.ahead && m.err == nil {
		for i, b := range m.blocks {
			if len(s.blocks[i]) == 0 {
				continue
			}
			if m.err = m.device.dev.CopyOut(s.blocks[i], b.Address()); m.err != nil {
				m.err = fmt.Errorf("engine: reading parameters and states from %s: %w", m.device.Name(), m.err)
				break
			}
		}
		m.ahead = m.err != nil
	}
	m.lent = true
	return m.err
}

// wrote notes that a run on the device wrote states.
func (s *Store) wrote() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mirror != nil {
		s.mirror.ahead = true
	}
}

// Sync brings the values of parameters and states from the device, where they are newer, to the host. Tensor and Params
// do so too; Sync tells what went wrong.
func (s *Store) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pull()
}

// Detach brings the values of parameters and states from the device to the host, and frees their memory there. Programs
// that ran there must have been closed. When the values could not be brought, it and all later calls return the error;
// one of freeing comes with Device.Close.
func (s *Store) Detach() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mirror
	if m == nil {
		return nil
	}
	err := s.pull()
	for _, b := range m.blocks {
		m.device.keep(b.Free())
	}
	if m.blocks = nil; m.err == nil {
		s.mirror = nil
	}
	return err
}

// bindDevice binds a plan to the device if it is not bound, or if the arena there had to grow.
func (p *Program) bindDevice(s *special) error {
	d := p.opts.Device
	if p.deviceArena == nil {
		p.deviceArena = d.dev.NewArena("values of " + p.graph.name)
	}
	if s.device != nil && p.deviceArena.Size() >= s.plan.Arena {
		return nil
	}
	if p.deviceArena.Size() < s.plan.Arena {
		for _, c := range p.cache {
			if err := c.closeDevice(); err != nil {
				return err
			}
		}
		if _, err := p.deviceArena.Reserve(s.plan.Arena); err != nil {
			return err
		}
	}
	if err := p.checkDevice(s.plan); err != nil {
		return err
	}
	store, err := p.store.attach(d)
	if err != nil {
		return err
	}
	mem := exec.DeviceMemory{Arena: p.deviceArena.Address(), Store: store}
	s.device, err = exec.NewCUDA(d.dev, s.plan, p.bind(s, true), mem,
		exec.DeviceOptions{Modules: d.modules, Target: d.target, Eager: p.opts.Eager, Strict: p.opts.Strict,
			Fuser: d.fuser, Keep: p.opts.KeepAll, Library: d.library, Stretch: d.stretch})
	return err
}

// checkDevice refuses, in strict programs, steps that the device has no kernel for.
func (p *Program) checkDevice(pl *plan.Plan) error {
	if !p.opts.Strict {
		return nil
	}
	for i := range pl.Steps {
		s := &pl.Steps[i]
		if s.Run == plan.Nothing || s.Run == plan.Moves {
			continue
		}
		if _, err := exec.OnDevice(pl, s, p.opts.Device.target); err != nil {
			n := &pl.Graph.Nodes[s.Node]
			return plan.Locate(n.Path, fmt.Errorf("strict: %s: %w", n.OpName(), err))
		}
	}
	return nil
}

// closeDevice frees what the plan holds on the device.
func (s *special) closeDevice() error {
	m := s.device
	if s.device = nil; m == nil {
		return nil
	}
	return m.Close()
}

// releaseDevice frees what the program holds on the device. Errors come with Device.Close.
func (p *Program) releaseDevice() {
	if p.opts.Device == nil {
		return
	}
	for _, c := range p.cache {
		p.opts.Device.keep(c.closeDevice())
	}
	if p.deviceArena != nil {
		p.opts.Device.keep(p.deviceArena.Free())
	}
}
