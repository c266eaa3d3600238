package engine

import (
	"fmt"

	"ganglion/engine/exec"
	"ganglion/kernels"
)

// DeviceMemory is what programs hold on their device, in bytes, the driver's own memory and the code of the kernels
// apart.
type DeviceMemory struct {
	Store int `json:"store_bytes"` // parameters and states, which programs may share
	Arena int `json:"arena_bytes"` // intermediate values
	Plans int `json:"plan_bytes"`  // of each set of input sizes: inputs, constants, scratch memory, reports
}

// Total is the sum.
func (m DeviceMemory) Total() int { return m.Store + m.Arena + m.Plans }

// DeviceMemoryAt tells what the program holds on its device once it has run with inputs of these sizes; each of resize
// returns the spec of the input of the given name, which was declared as the given spec. Nothing is taken or changed.
// Without a device all is 0.
func (p *Program) DeviceMemoryAt(resize ...func(name string, declared kernels.Spec) kernels.Spec) (DeviceMemory,
	error) {
	var m DeviceMemory
	if p.opts.Device == nil {
		return m, nil
	}
	m.Store = p.store.blockBytes()
	for _, r := range resize {
		specs := make([]kernels.Spec, len(p.slots))
		for i, s := range p.slots {
			specs[i] = r(s.name, s.spec)
		}
		pl, err := p.planFor(specs)
		if err != nil {
			return m, fmt.Errorf("engine: memory of %s on %s: %w", p.graph.name, p.opts.Device.Name(), err)
		}
		m.Arena = max(m.Arena, pl.Arena)
		m.Plans += exec.DeviceBytes(pl, p.opts.Device.target, p.opts.Device.library)
	}
	return m, nil
}

// blockBytes is the memory of the store's blocks.
func (s *Store) blockBytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := 0
	for _, b := range s.blocks {
		sum += len(b)
	}
	return sum
}

// Free is the memory of the device that nobody uses, in bytes.
func (d *Device) Free() (int64, error) { return d.dev.Free() }
