package optest

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ganglion/cuda"
	"ganglion/engine/launch"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// device is where the cases of a table run their CUDA kernels.
type device struct {
	dev     *cuda.Device
	modules *launch.Modules
	target  kernels.Target
}

// Device is a device on which tests run kernels apart from a table.
type Device struct{ d *device }

// OpenDevice opens the first device, as Check does, or returns nil if there is none.
func OpenDevice(t *testing.T) *Device {
	t.Helper()
	if d := openAny(t); d != nil {
		return &Device{d}
	}
	return nil
}

// Run executes the CUDA kernels of op once, in buffers that hold NaN before, and returns output and report.
func (d *Device) Run(t *testing.T, op kernels.CUDAOp, in ...kernels.Tensor) (kernels.Tensor, kernels.Report) {
	t.Helper()
	out, err := op.Infer(inSpecs(in))
	if err != nil {
		t.Fatal(err)
	}
	return d.d.run(t, Case{Op: op}, in, out, -1)
}

// openDevice opens the first device for the cases that have CUDA kernels, or returns nil if there is none: in a build
// without the tag gpu, or on a machine without a device. With GANGLION_REQUIRE_EMU=1 that fails the test.
func openDevice(t *testing.T, cases []Case) *device {
	t.Helper()
	wanted := false
	for _, c := range cases {
		_, ok := c.Op.(kernels.CUDAOp)
		wanted = wanted || ok
	}
	if !wanted {
		return nil
	}
	return openAny(t)
}

func openAny(t *testing.T) *device {
	t.Helper()
	if os.Getenv(seedEnv) == "" {
		t.Setenv(seedEnv, "1")
	}
	dev, err := cuda.Open(0)
	if err != nil {
		if os.Getenv("GANGLION_REQUIRE_EMU") == "1" {
			t.Fatalf("GANGLION_REQUIRE_EMU is set: %v", err)
		}
		return nil
	}
	d := &device{dev, launch.NewModules(dev, readPTX), launch.Target(dev.Properties())}
	t.Cleanup(func() {
		if err := dev.Close(); err != nil {
			t.Errorf("closing the device: %v", err)
		}
	})
	return d
}

// readPTX reads the PTX of a module from the source tree: tests run in the folder of their package, and the package of
// a family cannot import the list of all families.
func readPTX(module string, capability int) ([]byte, error) {
	folder, file, _ := strings.Cut(module, "/")
	if data, err := os.ReadFile(filepath.Join("..", folder, "ptx", file+".sm80.ptx")); err == nil && capability >= 80 {
		return data, nil
	}
	return os.ReadFile(filepath.Join("..", folder, "ptx", file+".ptx"))
}

// emulatedElements is the largest number of elements of a case that is run on the emulated device, which is slow.
const emulatedElements = 1 << 17

// seedEnv makes the emulated device take streams, and unless it is 0 blocks, in a random order. It is read once a
// process.
const seedEnv = "CUEMU_SEED"

// affords tells whether a case is small enough for the device.
func (d *device) affords(t *testing.T, in []kernels.Tensor, out kernels.Spec) bool {
	n := out.Size()
	for _, a := range in {
		n += a.Size()
	}
	if n > emulatedElements && d.dev.Properties().Emulated {
		t.Logf("%d elements: not run on the emulated device", n)
		return false
	}
	return true
}

// check runs the kernels of a case a number of times on the device, in buffers of their own, with the same bits each
// time although the emulated device takes blocks in another order; and once in place where that is allowed. It compares
// with the reference; the report must be that of the processor.
func (d *device) check(t *testing.T, c Case, in []kernels.Tensor, dtype kernels.DType, runs int) {
	want, err := kernels.RunRef(c.Op, in)
	if err != nil {
		t.Fatalf("reference: %v", err)
	}
	ref := c.wide(t, in)
	got, report := d.run(t, c, in, want.Spec, -1)
	c.compare(t, got, ref, dtype)
	for i := 1; i < runs; i++ {
		if again, _ := d.run(t, c, in, want.Spec, -1); differ(again, got) != "" {
			t.Errorf("run %d differs: %s", i+1, differ(again, got))
		}
	}
	for _, other := range d.others(c.Op.(kernels.CUDAOp), inSpecs(in), want.Spec) {
		result, _ := other.run(t, c, in, want.Spec, -1)
		c.compare(t, result, ref, dtype)
	}
	if _, ok := c.Op.(kernels.CPUOp); ok {
		pool := par.New(1)
		defer pool.Close()
		call, _ := c.bind(cpu.Best(), pool, in, want.Spec, -1)
		c.Op.(kernels.CPUOp).CPU(call)
		if r := call.Report; r.Status != report.Status || r.Failed != report.Failed {
			t.Errorf("reports %v with %d failed, on the processor %v with %d", report.Status, report.Failed, r.Status,
				r.Failed)
		}
	}
	p, ok := c.Op.(kernels.InPlacer)
	for i := range in {
		if !ok || !p.InPlace(i) || !in[i].Spec.Equal(want.Spec) {
			continue
		}
		over, _ := d.run(t, c, in, want.Spec, i)
		if msg := differ(over, got); msg != "" {
			t.Errorf("in place over input %d: %s", i, msg)
		}
	}
}

// leastCapability is that of the oldest devices that the kernels are for.
const leastCapability = 70

// others are the device as if it were of the least capability, as if it had a single multiprocessor, which is filled by
// fewer and larger tiles, and both: those for which the op has other kernels than for the device and the others.
func (d *device) others(op kernels.CUDAOp, in []kernels.Spec, out kernels.Spec) []*device {
	entries := func(target kernels.Target) string {
		list, err := op.CUDA(target, in, out)
		if err != nil {
			return ""
		}
		var names strings.Builder
		for _, l := range list {
			names.WriteString(l.Module + "/" + l.Entry + " ")
		}
		return names.String()
	}
	seen := []string{"", entries(d.target)}
	var list []*device
	for _, capability := range []int{d.target.Capability, leastCapability} {
		for _, multiprocessors := range []int{d.target.Multiprocessors, 1} {
			o := *d
			o.target.Capability, o.target.Multiprocessors = capability, multiprocessors
			if names := entries(o.target); !slices.Contains(seen, names) {
				seen, list = append(seen, names), append(list, &o)
			}
		}
	}
	return list
}

// At is the device as if it were of another compute capability, which is not above its own.
func (d *Device) At(capability int) *Device {
	o := *d.d
	o.target.Capability = capability
	return &Device{&o}
}

// Target describes the device to operators.
func (d *Device) Target() kernels.Target { return d.d.target }

// run executes the launches once; over is the input that the output lies over, or -1.
func (d *device) run(t *testing.T, c Case, in []kernels.Tensor, out kernels.Spec, over int) (kernels.Tensor,
	kernels.Report) {
	t.Helper()
	op, specs := c.Op.(kernels.CUDAOp), inSpecs(in)
	list, err := op.CUDA(d.target, specs, out)
	if err != nil {
		t.Fatalf("CUDA: %v", err)
	}
	note(t, list, specs, out)
	var mem launch.Memory
	for i, a := range in {
		if c.shapeOnly(i) {
			a = a.Clone()
			spoil(a)
		}
		mem.In = append(mem.In, d.buffer(t, a.Bytes(), a.Memory()))
	}
	if mem.Out = d.buffer(t, out.Bytes(), nil); over >= 0 {
		mem.Out = mem.In[over]
	}
	if s, ok := c.Op.(kernels.CUDAScratcher); ok {
		mem.Scratch = d.buffer(t, s.CUDAWorkspace(d.target, specs, out), nil)
	}
	words := make([]byte, 4*kernels.ReportWords)
	mem.Report = d.buffer(t, len(words), words)
	commands, err := d.modules.Commands(fmt.Sprint(kernels.Name(op), specs), list, mem)
	if err != nil {
		t.Fatal(err)
	}
	d.perform(t, commands)
	result := kernels.New(out)
	d.read(t, result.Memory(), mem.Out)
	d.read(t, words, mem.Report)
	var r [kernels.ReportWords]uint32
	for i := range r {
		r[i] = binary.LittleEndian.Uint32(words[4*i:])
	}
	return result, kernels.DecodeReport(r)
}

// buffer allocates memory that holds NaN (on a real device too), or data.
func (d *device) buffer(t *testing.T, n int, data []byte) cuda.Address {
	t.Helper()
	b, err := d.dev.Alloc(n, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Free(); err != nil {
			t.Errorf("freeing a buffer: %v", err)
		}
	})
	if data == nil {
		data = make([]byte, n)
		for i := range data {
			data[i] = fill
		}
	}
	if n == 0 {
		return b.Address()
	}
	if err := d.dev.CopyIn(b.Address(), data); err != nil {
		t.Fatal(err)
	}
	return b.Address()
}

func (d *device) read(t *testing.T, to []byte, from cuda.Address) {
	t.Helper()
	if len(to) == 0 {
		return
	}
	if err := d.dev.CopyOut(to, from); err != nil {
		t.Fatal(err)
	}
}

func (d *device) perform(t *testing.T, commands []cuda.Command) {
	t.Helper()
	p, err := d.dev.NewPlan("test", commands)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(); err != nil {
			t.Errorf("closing the plan: %v", err)
		}
	}()
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}
