//go:build gpu && cgo && linux && (amd64 || arm64)

package cuda

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var background = context.Background()

func TestProperties(t *testing.T) {
	all := must(Devices())(t)
	d := open(t)
	p := d.Properties()
	if len(all) == 0 || all[0] != p {
		t.Fatalf("devices %+v, the open one %+v", all, p)
	}
	if !p.Emulated || p.Capability < 70 || p.Memory <= 0 || p.Multiprocessors < 1 || p.MaxThreads != 1024 ||
		p.Shared < p.SharedPerBlock || p.SharedPerBlock != 48<<10 || p.Driver < 12000 {
		t.Errorf("%+v", p)
	}
	if s := p.String(); !strings.HasPrefix(s, "cuda:0 (") || !strings.Contains(s, "emulated") {
		t.Errorf("%q", s)
	}
	for _, i := range []int{-1, len(all)} {
		if _, err := Open(i); !errors.Is(err, ErrUnavailable) {
			t.Errorf("device %d: %v", i, err)
		}
	}
}

// TestCopies: bytes come back as they went, whatever their number.
func TestCopies(t *testing.T) {
	d := open(t)
	const part = stagingBytes
	for _, n := range []int{0, 1, 3, 255, part - 1, part, part + 1, 2 * part, 3*part + 5} {
		b := must(d.Alloc(n, "bytes"))(t)
		src, dst := make([]byte, n), make([]byte, n)
		for i := range src {
			src[i] = byte(i*7 + i>>9)
		}
		check(t, d.CopyIn(b.Address(), src))
		check(t, d.CopyOut(dst, b.Address()))
		if !bytes.Equal(src, dst) {
			t.Errorf("%d bytes differ", n)
		}
		if n > 0 {
			if err := d.CopyIn(b.Address()+1, src); err == nil ||
				!strings.Contains(err.Error(), "one live buffer") {
				t.Errorf("%d bytes at offset 1: %v", n, err)
			}
			if err := d.CopyOut(make([]byte, n+1), b.Address()); err == nil {
				t.Errorf("%d bytes out of %d", n+1, n)
			}
		}
		check(t, b.Free())
	}
	if s := d.Stats(); s.Buffers != 0 || s.Bytes != 0 || s.Peak != 3*stagingBytes+5 {
		t.Errorf("%+v", s)
	}
}

func TestMemory(t *testing.T) {
	d := open(t)
	if _, err := d.Alloc(-1, "x"); err == nil {
		t.Error("-1 bytes")
	}
	if _, err := d.AllocPinned(-1); err == nil {
		t.Error("-1 pinned bytes")
	}
	a := must(d.Alloc(1000, "a"))(t)
	_, err := d.Alloc(1<<45, "everything")
	if !errors.Is(err, ErrMemory) ||
		!strings.Contains(err.Error(), "everything: allocating 35184372088832 bytes") ||
		!strings.Contains(err.Error(), "the largest: a, 1000 bytes") {
		t.Errorf("32 TiB: %v", err)
	}
	check(t, d.CopyIn(a.Address(), make([]byte, 1000)))
	check(t, a.Free())
	if err := a.Free(); err == nil || !strings.Contains(err.Error(), "freed already") {
		t.Errorf("freed twice: %v", err)
	}
	if err := d.CopyIn(a.Address(), make([]byte, 1)); err == nil {
		t.Error("a copy to what is freed")
	}
	h := must(d.AllocPinned(100))(t)
	if len(h.Bytes()) != 100 || d.Stats().Pinned != 100 {
		t.Errorf("%d pinned bytes, %+v", len(h.Bytes()), d.Stats())
	}
	check(t, h.Free())
	if err := h.Free(); err == nil || h.Bytes() != nil {
		t.Errorf("pinned memory freed twice: %v", err)
	}
	p := must(d.AllocPooled(4096, "pooled"))(t)
	check(t, d.CopyIn(p.Address(), make([]byte, 4096)))
	check(t, p.Free())
	check(t, d.Trim(0))
	// What is not freed is freed by Close, which open checks.
	must(d.Alloc(10, "left"))(t)
	must(d.AllocPinned(10))(t)
	must(d.AllocPooled(10, "left"))(t)
}

func TestArena(t *testing.T) {
	d := open(t)
	a := d.NewArena("arena")
	if a.Address() != 0 || a.Size() != 0 {
		t.Error("a new arena is not empty")
	}
	for _, c := range []struct {
		size  int
		moved bool
	}{{100, true}, {50, false}, {100, false}, {1000, true}} {
		if moved, err := a.Reserve(c.size); err != nil || moved != c.moved || a.Size() < c.size ||
			a.Address() == 0 {
			t.Errorf("%+v: %v, %v, %d bytes at %#x", c, moved, err, a.Size(), a.Address())
		}
	}
	if moved, err := a.Reserve(1 << 45); !errors.Is(err, ErrMemory) || !moved || a.Size() != 0 {
		t.Errorf("too much: %v, %v, %d bytes", moved, err, a.Size())
	}
	must(a.Reserve(10))(t)
	check(t, a.Free())
	check(t, a.Free())
	if s := d.Stats(); s.Buffers != 0 || s.Peak != 1000 {
		t.Errorf("%+v", s)
	}
}

func TestModule(t *testing.T) {
	const head = ".version 8.0\n.target sm_70\n.address_size 64\n"
	d := open(t)
	for text, want := range map[string]string{
		"not PTX":            "INVALID_PTX",
		".version 8.0\n\x00": "a NUL at byte 13",
		head + ".visible .entry f() { no.such.instruction; ret; }\n": "INVALID_PTX",
	} {
		if _, err := d.Load("broken", []byte(text)); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "module broken") {
			t.Errorf("%q: %v", text, err)
		}
	}
	axpy := function(t, d, "axpy")
	m := axpy.module
	if again := must(m.Function("axpy"))(t); again != axpy {
		t.Error("a function has two handles")
	}
	if n := must(axpy.Occupancy(256, 0))(t); n < 1 {
		t.Errorf("%d blocks on a multiprocessor", n)
	}
	if _, err := m.Function("absent"); err == nil || !strings.Contains(err.Error(), "astray axpy nothing") {
		t.Errorf("an absent kernel: %v", err)
	}
	check(t, m.Close())
	if err := m.Close(); err == nil {
		t.Error("a module is closed twice")
	}
}

// TestLoadAll: the driver takes every kernel that ships, and all their parameters are numbers.
func TestLoadAll(t *testing.T) {
	d := open(t)
	files, err := filepath.Glob("../kernels/*/ptx/*.ptx")
	check(t, err)
	n := 0
	for _, path := range files {
		m, err := d.Load(path, must(os.ReadFile(path))(t))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range m.kernels() {
			n++
			if _, err := m.Function(name); err != nil {
				t.Error(err)
			}
		}
		check(t, m.Close())
	}
	if n < 2*len(files) || len(files) < 20 {
		t.Errorf("%d kernels in %d files", n, len(files))
	}
}

// TestLaunch: arguments of all widths arrive, and dynamic shared memory beyond 48 KiB is allowed for.
func TestLaunch(t *testing.T) {
	d := open(t)
	const n = 1000
	b := must(d.Alloc(8*n, "y"))(t)
	ramp, reverse := function(t, d, "ramp"), function(t, d, "reverse")
	p := must(d.NewPlan("launch", []Command{
		{Kind: Launch, What: "ramp", Function: ramp, Grid: [3]int{3, 1, 1}, Block: [3]int{64, 1, 1},
			Args: []uint64{n, math.Float64bits(0.5), uint64(b.Address())}},
		{
			Kind:     Launch,
			What:     "reverse",
			Function: reverse,
			Grid:     [3]int{1, 1, 1},
			Block:    [3]int{32, 1, 1},
			Shared:   64 << 10,
			Args:     []uint64{uint64(b.Address())},
		},
		{Kind: Launch, What: "skipped", Function: ramp, Grid: [3]int{0, 1, 1}, Block: [3]int{64, 1, 1},
			Args: []uint64{n, 0, uint64(b.Address())}},
		{
			Kind:     Launch,
			What:     "nothing",
			Function: function(t, d, "nothing"),
			Grid:     [3]int{1, 2, 3},
			Block:    [3]int{1, 1, 1},
		},
	}))(t)
	check(t, p.Run(background))
	out := make([]byte, 8*n)
	check(t, d.CopyOut(out, b.Address()))
	for i := 16; i < n; i++ {
		if v := math.Float64frombits(binary.LittleEndian.Uint64(out[8*i:])); v != float64(i)+0.5 {
			t.Fatalf("element %d is %v", i, v)
		}
	}
	for i := range 32 { // words of the first 16 elements, reversed
		want := math.Float64bits(float64((31-i)/2)+0.5) >> (32 * ((31 - i) % 2))
		if v := binary.LittleEndian.Uint32(out[4*i:]); v != uint32(want) {
			t.Fatalf("word %d is %#x, want %#x", i, v, uint32(want))
		}
	}
}

// TestStructs: the words of a struct go between those of numbers, and can be changed one by one.
func TestStructs(t *testing.T) {
	d := open(t)
	b := must(d.Alloc(4, "y"))(t)
	p := must(d.NewPlan("structs", []Command{
		{
			Kind:     Launch,
			What:     "packed",
			Function: function(t, d, "packed"),
			Grid:     [3]int{1, 1, 1},
			Block:    [3]int{1, 1, 1},
			Args:     []uint64{5000, f32(1) | f32(2)<<32, f32(3), uint64(b.Address())},
		},
	}))(t)
	check(t, p.Run(background))
	if got := values(t, d, b); got != "[5321]" {
		t.Errorf("y is %s", got)
	}
	check(t, p.SetArg(0, 2, f32(4)))
	check(t, p.Run(background))
	if got := values(t, d, b); got != "[5421]" {
		t.Errorf("y is %s with another last word", got)
	}
}

// TestInvalidCommands: what cannot be is found when the plan is made, with the command's number and name.
func TestInvalidCommands(t *testing.T) {
	d, other := open(t), open(t)
	b := must(d.Alloc(64, "y"))(t)
	h := must(d.AllocPinned(64))(t)
	reverse, foreign := function(t, d, "reverse"), function(t, other, "reverse")
	one, y := [3]int{1, 1, 1}, b.Address()
	args := []uint64{uint64(y)}
	launch := func(grid, block [3]int, shared int, args ...uint64) Command {
		return Command{Kind: Launch, Function: reverse, Grid: grid, Block: block, Shared: shared, Args: args}
	}
	for want, c := range map[string]Command{
		"unknown kind":                   {Kind: 99, Dst: y, Bytes: 4, Src: y},
		"stream 16":                      {Kind: Fill8, Stream: 16, Dst: y, Bytes: 1},
		"function is missing":            {Kind: Launch, Grid: one, Block: one},
		"of another device":              {Kind: Launch, Function: foreign, Grid: one, Block: one, Args: args},
		"2 arguments for 1 parameters":   launch(one, one, 0, 1, 2),
		"1 to 1024 threads":              launch(one, [3]int{0, 1, 1}, 0, args...),
		"the kernel allows 1024":         launch(one, [3]int{64, 32, 1}, 0, args...),
		"at most 65535 blocks":           launch([3]int{1, 65536, 1}, one, 0, args...),
		"at most 2147483647 blocks":      launch([3]int{-1, 1, 1}, one, 0, args...),
		"bytes of dynamic shared memory": launch(one, one, 1<<20, args...),
		"the destination, 65 bytes":      {Kind: Fill8, Dst: y, Bytes: 65},
		"the source, 64 bytes":           {Kind: Copy, Dst: y, Src: y + 1, Bytes: 64},
		"words have 4 bytes":             {Kind: Fill32, Dst: y, Bytes: 6},
		"-1 bytes":                       {Kind: Fill8, Dst: y, Bytes: -1},
		"pinned memory is missing":       {Kind: CopyIn, Dst: y, Bytes: 4},
		"at offset 61 of pinned":         {Kind: CopyOut, Src: y, Host: h, HostOffset: 61, Bytes: 4},
		"event 256":                      {Kind: Record, Event: 256},
		"not recorded":                   {Kind: Wait, Event: 3},
	} {
		c.What = "the culprit"
		_, err := d.NewPlan("faulty", []Command{{Kind: Fill8, Dst: y, Bytes: 1}, c})
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "plan faulty: command 1") ||
			!strings.Contains(err.Error(), "the culprit") {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// TestContext: plans that begin after their context is over do not run; closed things say so.
func TestContext(t *testing.T) {
	d := open(t)
	b := must(d.Alloc(4, "y"))(t)
	check(t, d.CopyIn(b.Address(), []byte{1, 2, 3, 4}))
	p := must(d.NewPlan("fill", []Command{{Kind: Fill8, Dst: b.Address(), Bytes: 4, Value: 0xabcd}}))(t)
	over, cancel := context.WithCancel(background)
	cancel()
	if err := p.Run(over); !errors.Is(err, context.Canceled) {
		t.Errorf("a run after its context: %v", err)
	}
	out := make([]byte, 4)
	check(t, d.CopyOut(out, b.Address()))
	if !bytes.Equal(out, []byte{1, 2, 3, 4}) {
		t.Errorf("it ran: %v", out)
	}
	check(t, p.Run(background))
	check(t, d.CopyOut(out, b.Address()))
	if !bytes.Equal(out, []byte{0xcd, 0xcd, 0xcd, 0xcd}) {
		t.Errorf("filled with %x", out)
	}
	check(t, p.Close())
	check(t, p.Close())
	if err := p.Run(background); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed plan: %v", err)
	}
	check(t, d.Close())
	if err := d.CopyIn(b.Address(), out); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed device: %v", err)
	}
	if _, err := d.Alloc(1, "x"); !errors.Is(err, ErrClosed) {
		t.Errorf("memory of a closed device: %v", err)
	}
}

// TestGoroutines: many goroutines use one device at a time, whose context belongs to one thread.
func TestGoroutines(t *testing.T) {
	d := open(t)
	axpy := function(t, d, "axpy")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for k := range errs {
		wg.Go(func() { errs[k] = axpyOnce(d, axpy, 100+k) })
	}
	wg.Wait()
	for k, err := range errs {
		if err != nil {
			t.Errorf("goroutine %d: %v", k, err)
		}
	}
	if s := d.Stats(); s.Buffers != 0 {
		t.Errorf("%+v", s)
	}
}

// axpyOnce computes 2·x + x for n numbers in buffers of its own.
func axpyOnce(d *Device, axpy *Function, n int) error {
	b, err := d.Alloc(8*n, "x and y")
	if err != nil {
		return err
	}
	in := make([]float32, 2*n)
	for i := range in {
		in[i] = float32(i % n)
	}
	if err := d.CopyIn(b.Address(), floats(in...)); err != nil {
		return err
	}
	p, err := d.NewPlan(
		"axpy",
		[]Command{{Kind: Launch, Function: axpy, Grid: [3]int{1, 1, 1}, Block: [3]int{96, 1, 1},
			Args: []uint64{uint64(n), f32(2), uint64(b.Address()), uint64(b.Address()) + uint64(4*n)}}},
	)
	if err != nil {
		return err
	}
	if err := p.Run(background); err != nil {
		return err
	}
	out := make([]byte, 4*n)
	if err := d.CopyOut(out, b.Address()+Address(4*n)); err != nil {
		return err
	}
	for i, v := range toFloats(out) {
		if v != 3*float32(i) {
			return fmt.Errorf("element %d is %v", i, v)
		}
	}
	if err := p.Close(); err != nil {
		return err
	}
	return b.Free()
}
