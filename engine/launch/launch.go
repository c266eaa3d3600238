// Package launch turns the launches that operators describe into commands of a CUDA device.
package launch

import (
	"fmt"

	"ganglion/cuda"
	"ganglion/kernels"
)

// Modules are the kernels that have been loaded on a device. It is not safe for use by several goroutines.
type Modules struct {
	device *cuda.Device
	read   func(module string, capability int) ([]byte, error)
	loaded map[string]*cuda.Module
}

// NewModules returns an empty set for a device; read finds the PTX of a module (as ptx.Module does).
func NewModules(d *cuda.Device, read func(module string, capability int) ([]byte, error)) *Modules {
	return &Modules{device: d, read: read, loaded: map[string]*cuda.Module{}}
}

// Target describes a device to operators.
func Target(p cuda.Properties) kernels.Target {
	return kernels.Target{Capability: p.Capability, Multiprocessors: p.Multiprocessors, Shared: p.Shared}
}

// function finds a kernel, and loads its module at the first use.
func (m *Modules) function(module, entry string) (*cuda.Function, error) {
	loaded, ok := m.loaded[module]
	if !ok {
		text, err := m.read(module, m.device.Properties().Capability)
		if err != nil {
			return nil, err
		}
		if loaded, err = m.device.Load(module, text); err != nil {
			return nil, err
		}
		m.loaded[module] = loaded
	}
	return loaded.Function(entry)
}

// Memory is where the tensors of an operator lie on the device.
type Memory struct {
	In                   []cuda.Address
	Out, Scratch, Report cuda.Address
}

// Commands resolves the addresses of launches. What stands in errors: the operator and shapes.
func (m *Modules) Commands(what string, list []kernels.Launch, mem Memory) ([]cuda.Command, error) {
	out := make([]cuda.Command, 0, len(list))
	for i := range list {
		l := &list[i]
		c := cuda.Command{Kind: cuda.Launch, What: what, Grid: l.Grid, Block: l.Block, Shared: l.Shared}
		if l.Grid[0] == 0 || l.Grid[1] == 0 || l.Grid[2] == 0 {
			continue
		}
		var err error
		if c.Function, err = m.function(l.Module, l.Entry); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		for _, a := range l.Args {
			if c.Args, err = mem.words(c.Args, a); err != nil {
				return nil, fmt.Errorf("%s: %s.%s: %w", what, l.Module, l.Entry, err)
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// words appends the words of an argument.
func (mem *Memory) words(to []uint64, a kernels.Arg) ([]uint64, error) {
	switch a.Kind {
	case kernels.ArgInput:
		if a.Value >= uint64(len(mem.In)) {
			return nil, fmt.Errorf("an argument names input %d of %d", a.Value, len(mem.In))
		}
		return append(to, uint64(mem.In[a.Value])), nil
	case kernels.ArgOutput:
		return append(to, uint64(mem.Out)), nil
	case kernels.ArgScratch:
		return append(to, uint64(mem.Scratch)+a.Value), nil
	case kernels.ArgReport:
		return append(to, uint64(mem.Report)), nil
	case kernels.ArgValue:
		return append(to, a.Value), nil
	case kernels.ArgBlock:
		return append(to, a.Block...), nil
	}
	return nil, fmt.Errorf("an argument of unknown kind %d", a.Kind)
}

// Close unloads all modules.
func (m *Modules) Close() error {
	for name, l := range m.loaded {
		delete(m.loaded, name)
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}
