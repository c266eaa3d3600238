// Package fusion makes one kernel of a group of elementwise steps on a CUDA device, by NVIDIA's run-time compiler where
// there is one. Values that are used only inside the group never reach memory. Without the compiler the steps are
// launched one by one; nothing else changes.
package fusion

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ganglion/cuda"
	"ganglion/cuda/nvrtc"
	"ganglion/engine/launch"
	"ganglion/kernels"
)

// threads is the number of threads of a block.
const threads = 256

// Options of Open. The zero value takes the compiler that the dynamic loader finds.
type Options struct {
	// Compiler is the path of the library libnvrtc, "" or "auto" for what the dynamic loader finds, "off" for none.
	Compiler string
	// Cache is the folder in which compiled kernels are kept, "" for ganglion/kernels in the user's folder of caches.
	Cache string
}

// Fuser makes the kernels of groups on one device. It is not safe for use by several goroutines. A nil *Fuser makes
// none.
type Fuser struct {
	dev      *cuda.Device
	compiler *nvrtc.Compiler
	flags    []string
	cache    nvrtc.Cache
	none     error  // why there are no fused kernels, nil if there are
	note     string // why kernels are not kept, "" if they are
	made     map[string]made
}

// made is a kernel, or why there is none.
type made struct {
	function *cuda.Function
	note     string
	err      error
}

// Open looks for the compiler. That there is none, or one that the driver is too old for, is no error here: every
// Kernel says so.
func Open(d *cuda.Device, o Options) *Fuser {
	f := &Fuser{dev: d, made: map[string]made{}}
	if f.compiler, f.none = nvrtc.Open(o.Compiler); f.none != nil {
		return f
	}
	if f.none = f.compiler.Usable(d.Properties().Driver); f.none != nil {
		return f
	}
	f.flags = []string{"--gpu-architecture=" + target(f.compiler), "-std=c++17", "-default-device"}
	if f.cache.Dir = o.Cache; o.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			f.note = fmt.Sprintf("compiled in every process: %v", err)
			return f
		}
		f.cache.Dir = filepath.Join(dir, "ganglion", "kernels")
	}
	return f
}

// target is the oldest architecture that the compiler has and the engine supports: elementwise kernels gain nothing
// from newer ones, and what is compiled serves every device.
func target(c *nvrtc.Compiler) string {
	if major, _ := c.Version(); major >= 13 {
		return "compute_75"
	}
	return "compute_70"
}

// Kernel is a kernel for a group with its launch, to be completed by addresses.
type Kernel struct {
	Program
	Function *cuda.Function
	Note     string // what is to be said about it, "" for nothing
}

// Kernel makes the kernel of a group, or says why the steps are to be launched one by one. Asking again costs little.
func (f *Fuser) Kernel(g *Groups, group int) (Kernel, error) {
	if f == nil {
		return Kernel{}, errors.New("fusion is switched off")
	}
	if f.none != nil {
		return Kernel{}, f.none
	}
	p, err := g.Program(group)
	if err != nil {
		return Kernel{}, err
	}
	m, ok := f.made[p.Source]
	if !ok {
		m = f.make(p.Source)
		f.made[p.Source] = m
	}
	return Kernel{p, m.function, m.note}, m.err
}

// make compiles and loads a kernel.
func (f *Fuser) make(source string) made {
	const name = "fused.cu"
	var ptx []byte
	var err error
	note := f.note
	if f.cache.Dir == "" {
		ptx, err = f.compiler.Compile(name, source, f.flags)
	} else {
		ptx, err = f.cache.Compile(f.compiler, name, source, f.flags)
	}
	if unkept := (*nvrtc.CacheError)(nil); errors.As(err, &unkept) {
		note, err = unkept.Error(), nil
	}
	if err != nil {
		return made{err: err}
	}
	m, err := f.dev.Load("fused", ptx)
	if err != nil {
		return made{err: err}
	}
	function, err := m.Function(entry)
	return made{function, note, err}
}

// Command is the launch of the kernel. address tells where the value of a node lies.
func (f *Fuser) Command(k Kernel, what string, address func(node int) cuda.Address) cuda.Command {
	grid := launch.Target(f.dev.Properties()).Loop(k.N, threads)
	args := []uint64{uint64(k.N), uint64(k.Row)}
	for _, id := range k.Pointers {
		args = append(args, uint64(address(id)))
	}
	return cuda.Command{Kind: cuda.Launch, What: what, Function: k.Function, Grid: grid,
		Block: kernels.Threads(threads), Args: args}
}
