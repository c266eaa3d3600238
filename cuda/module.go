package cuda

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ganglion/cuda/driver"
)

// Module is loaded PTX.
type Module struct {
	device    *Device
	name      string
	handle    driver.Module
	params    map[string][]int // by kernel: the words of 8 bytes of each parameter
	functions []*Function
}

// Function is a kernel of a module.
type Function struct {
	module  *Module
	name    string
	handle  driver.Function
	params  []int // words of 8 bytes of each parameter
	words   int   // of all
	threads int   // of the largest block
	static  int   // bytes of shared memory
	dynamic int   // bytes of dynamic shared memory that it may be launched with
}

var (
	entryPattern = regexp.MustCompile(`(?s)\.entry\s+(\w+)\s*\(([^)]*)\)|\.entry\s+(\w+)\s*[\r\n{.]`)
	wordPattern  = regexp.MustCompile(`\.param\s+(\.align\s+\d+\s+)?\.(\w+)\s+` +
		`(?:\.ptr\s+(?:\.[a-z]+\s+)?(?:\.align\s+\d+\s+)?)?\w+(\[\d+\])?`)
)

// parameters lists those of each kernel of a PTX text: the words of 8 bytes that they take, one for a number and more
// for a struct.
func parameters(ptx []byte) map[string][]int {
	out := make(map[string][]int)
	for _, m := range entryPattern.FindAllSubmatch(ptx, -1) {
		if len(m[3]) > 0 {
			out[string(m[3])] = nil
			continue
		}
		var words []int
		for _, p := range wordPattern.FindAllSubmatch(m[2], -1) {
			n := 1
			if len(p[3]) > 0 {
				bytes, _ := strconv.Atoi(string(p[3][1 : len(p[3])-1])) // digits, by the pattern
				n = (bytes + 7) / 8
			}
			words = append(words, n)
		}
		out[string(m[1])] = words
	}
	return out
}

// Load loads PTX text, which the driver compiles for the device. The name stands in errors.
func (d *Device) Load(name string, ptx []byte) (*Module, error) {
	if i := bytes.IndexByte(ptx, 0); i >= 0 {
		return nil, fmt.Errorf("cuda:%d: module %s: PTX with a NUL at byte %d", d.properties.Index, name, i)
	}
	m := &Module{device: d, name: name, params: parameters(ptx)}
	image := append(slices.Clip(ptx), 0)
	err := d.do(func() error {
		var log string
		var r driver.Result
		if m.handle, log, r = driver.Load(image); r != driver.Success {
			err := failure(d.properties.Index, "cuModuleLoadDataEx", r, "module "+name)
			if r.Sticky() {
				return d.failed(err.Call, r, err.What)
			}
			if log = strings.TrimSpace(log); log != "" {
				err.Text = log
			}
			return err
		}
		d.modules = append(d.modules, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Close unloads the module; its functions must not be used any more.
func (m *Module) Close() error {
	d := m.device
	return d.do(func() error {
		i := slices.Index(d.modules, m)
		if i < 0 {
			return fmt.Errorf("cuda:%d: module %s: is closed already", d.properties.Index, m.name)
		}
		d.modules = slices.Delete(d.modules, i, i+1)
		return d.check("cuModuleUnload", driver.Unload(m.handle), "module "+m.name)
	})
}

// Function finds a kernel. Asking again gives the same *Function.
func (m *Module) Function(name string) (*Function, error) {
	d := m.device
	what := m.name + " " + name
	f := &Function{module: m, name: name, params: m.params[name]}
	for _, n := range f.params {
		f.words += n
	}
	err := d.do(func() error {
		for _, old := range m.functions {
			if old.name == name {
				f = old
				return nil
			}
		}
		var r driver.Result
		if f.handle, r = driver.FindFunction(m.handle, name); r != driver.Success {
			err := failure(d.properties.Index, "cuModuleGetFunction", r, what)
			err.Remedy = "the kernels of the module are " + strings.Join(m.kernels(), " ")
			return err
		}
		if f.threads, r = driver.FunctionThreads(f.handle); r != driver.Success {
			return d.failed("cuFuncGetAttribute", r, what)
		}
		if f.static, r = driver.FunctionShared(f.handle); r != driver.Success {
			return d.failed("cuFuncGetAttribute", r, what)
		}
		f.dynamic = d.properties.SharedPerBlock - f.static
		m.functions = append(m.functions, f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// kernels lists the names in the module.
func (m *Module) kernels() []string {
	var names []string
	for name := range m.params {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Occupancy is the number of blocks of that many threads, with that much dynamic shared memory, that a multiprocessor
// can hold at a time.
func (f *Function) Occupancy(threads, shared int) (blocks int, err error) {
	d := f.module.device
	err = d.do(func() error {
		var r driver.Result
		blocks, r = driver.Occupancy(f.handle, threads, shared)
		return d.check("cuOccupancyMaxActiveBlocksPerMultiprocessor", r, f.String())
	})
	return blocks, err
}

// String is the name of module and kernel.
func (f *Function) String() string { return f.module.name + " " + f.name }
