//go:build gpu && cgo && linux && (amd64 || arm64)

package launch_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unsafe"

	"ganglion/cuda"
	"ganglion/engine/launch"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// shipped reads the PTX of a module from the source tree.
func shipped(module string, _ int) ([]byte, error) {
	folder, file, _ := strings.Cut(module, "/")
	return os.ReadFile(root + "/" + folder + "/ptx/" + file + ".ptx")
}

const count = 1000 // elements of the tests below

// scaled is the launch that writes twice from to to.
func (b *bench) scaled(from, to cuda.Address) []cuda.Command {
	b.t.Helper()
	op, x := dense.Scale{Alpha: 2}, f32(count)
	list, err := op.CUDA(b.target, []kernels.Spec{x}, x)
	if err != nil {
		b.t.Fatal(err)
	}
	commands, err := b.modules.Commands("Scale", list, launch.Memory{In: []cuda.Address{from}, Out: to})
	if err != nil {
		b.t.Fatal(err)
	}
	return commands
}

// What the host does wrong is refused before the launch, or found during it.
func TestMistakesOfTheHost(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(b *bench, c *cuda.Command)
		want  string
	}{
		{"nothing", func(*bench, *cuda.Command) {}, ""},
		{"too many threads", func(_ *bench, c *cuda.Command) { c.Block[1] = 5 }, "has 1280 threads, the kernel allows"},
		{"no threads", func(_ *bench, c *cuda.Command) { c.Block[2] = 0 }, "1 to 1024 threads"},
		{"too large a grid", func(_ *bench, c *cuda.Command) { c.Grid[1] = 1 << 16 }, "at most 65535 blocks"},
		{"too much shared memory", func(_ *bench, c *cuda.Command) { c.Shared = 1 << 20 }, "the device allows"},
		{"an argument is missing", func(_ *bench, c *cuda.Command) { c.Args = c.Args[1:] }, "arguments for"},
		{"memory of the host", func(_ *bench, c *cuda.Command) {
			x := make([]float32, count)
			c.Args[len(c.Args)-2] = uint64(uintptr(unsafe.Pointer(&x[0])))
		}, "is in no device buffer (a host pointer?)"},
		{"memory that was freed", func(b *bench, c *cuda.Command) {
			x, err := b.dev.Alloc(4*count, "short-lived")
			if err == nil {
				err = x.Free()
			}
			if err != nil {
				b.t.Fatal(err)
			}
			c.Args[len(c.Args)-2] = uint64(x.Address())
		}, "of freed buffer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, shipped)
			commands := b.scaled(b.filled(f32(count)), b.buffer(4*count))
			c.spoil(b, &commands[0])
			err := b.run(commands)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("want %q, is %v", c.want, err)
			}
		})
	}
}

// A launch on a second stream that does not wait for what it reads is found within a few runs, because the emulated
// device runs streams in any order; with the wait all runs are well.
func TestMissingEventIsFound(t *testing.T) {
	for _, waits := range []bool{true, false} {
		b := newBench(t, shipped)
		x := b.filled(f32(count))
		var err error
		for run := 0; run < 40 && err == nil; run++ {
			y, z := b.buffer(4*count), b.buffer(4*count)
			commands := b.scaled(x, y)
			if waits {
				commands = append(commands, cuda.Command{Kind: cuda.Record}, cuda.Command{Kind: cuda.Wait, Stream: 1})
			}
			second := b.scaled(y, z)
			second[0].Stream = 1
			err = b.run(append(commands, second...))
		}
		switch {
		case waits && err != nil:
			t.Error(err)
		case !waits && (!errors.Is(err, cuda.ErrFault) || !strings.Contains(err.Error(), "which nobody has written")):
			t.Errorf("without the wait: %v", err)
		}
	}
}

// An operator's argument that it does not have, a kernel and a module that do not exist are errors that name them.
func TestCommands(t *testing.T) {
	b := newBench(t, shipped)
	good := kernels.Launch{Module: "dense/scale", Entry: "scale_f32", Grid: kernels.Dim{1, 1, 1},
		Block: kernels.Threads(32), Args: []kernels.Arg{kernels.InputArg(2)}}
	absent, unknown, empty := good, good, good
	absent.Module, unknown.Entry, empty.Grid = "dense/absent", "absent_f32", kernels.Dim{0, 1, 1}
	for want, l := range map[string]kernels.Launch{"names input 2 of 0": good, "ptx/absent.ptx": absent,
		"absent_f32": unknown} {
		if _, err := b.modules.Commands("Op [2]", []kernels.Launch{l}, launch.Memory{}); err == nil ||
			!strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "Op [2]: ") {
			t.Errorf("want %q, is %v", want, err)
		}
	}
	if list, err := b.modules.Commands("Op", []kernels.Launch{empty}, launch.Memory{}); err != nil || len(list) != 0 {
		t.Errorf("a grid of no blocks: %d commands, %v", len(list), err)
	}
	if err := b.modules.Close(); err != nil {
		t.Error(err)
	}
}
