package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"ganglion/cuda/cublas"
	"ganglion/cuda/driver"
)

// Kind says what a Command does.
type Kind uint8

// The kinds of commands.
const (
	Launch   Kind = iota // launches Function on Grid × Block threads with Args
	Copy                 // copies Bytes from Src to Dst
	CopyIn               // copies Bytes from Host[HostOffset:] to Dst
	CopyOut              // copies Bytes from Src to Host[HostOffset:]
	Fill8                // sets Bytes at Dst to the low byte of Value
	Fill32               // sets Bytes, a multiple of 4, at Dst to words of Value
	Record               // notes in Event how far Stream is
	Wait                 // makes Stream wait for what Event noted by an earlier command of the plan
	Multiply             // puts Product of the matrices at Src and Second into Dst, by the library of UseCUBLAS
)

// String is the name of the kind.
func (k Kind) String() string {
	names := [...]string{"launch", "copy", "copy in", "copy out", "fill", "fill", "record", "wait", "multiply"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Command is one thing that a plan does. Launches whose grid has a zero, and copies and fills of no bytes, do nothing.
type Command struct {
	Kind        Kind
	What        string // for errors: operator and shapes
	Stream      int    // 0 … 15: commands of one stream run in order, streams side by side
	Function    *Function
	Grid, Block [3]int // blocks, and threads of a block
	Shared      int    // bytes of dynamic shared memory of a block
	// Args holds a word for each parameter: an address, or the bits of a number in the low bytes; of a struct its
	// words.
	Args       []uint64
	Dst, Src   Address
	Host       *Pinned
	HostOffset int
	Bytes      int
	Value      uint32
	Event      int // 0 … 255
	Second     Address
	Product    *cublas.Product
}

// maxEvents bounds the events of a plan.
const maxEvents = 256

// empty tells whether the command does nothing.
func (c *Command) empty() bool {
	switch c.Kind {
	case Launch:
		return c.Grid[0] == 0 || c.Grid[1] == 0 || c.Grid[2] == 0
	case Record, Wait, Multiply:
		return false
	}
	return c.Bytes == 0
}

// compile checks a command and gives it the form that the driver takes. recorded marks the events noted so far. It runs
// on the executor.
func (p *Plan) compile(c *Command, recorded *[maxEvents]bool) (driver.Command, error) {
	d := p.device
	bad := func(format string, args ...any) (driver.Command, error) {
		return driver.Command{}, fmt.Errorf("%s", fmt.Sprintf(format, args...))
	}
	if c.Stream < 0 || c.Stream >= maxStreams {
		return bad("stream %d: there are 0 to %d", c.Stream, maxStreams-1)
	}
	stream, err := d.stream(c.Stream)
	if err != nil {
		return driver.Command{}, err
	}
	out := driver.Command{Stream: stream, Dst: driver.Ptr(c.Dst), Src: driver.Ptr(c.Src), Bytes: uint64(c.Bytes),
		Value: c.Value}
	switch c.Kind {
	case Launch:
		return out, p.launch(c, &out)
	case Multiply:
		return out, p.multiply(c, &out)
	case Record, Wait:
		if c.Event < 0 || c.Event >= maxEvents {
			return bad("event %d: there are 0 to %d", c.Event, maxEvents-1)
		}
		if c.Kind == Wait && !recorded[c.Event] {
			return bad("event %d is not recorded by an earlier command", c.Event)
		}
		recorded[c.Event] = true
		out.Op = driver.Record
		if c.Kind == Wait {
			out.Op = driver.Wait
		}
		out.Event, err = p.event(c.Event)
		return out, err
	}
	if c.Bytes < 0 {
		return bad("%d bytes", c.Bytes)
	}
	if c.Kind != CopyOut && !d.memory.holds(c.Dst, c.Bytes) {
		return bad("the destination, %d bytes at %#x, does not lie in one live buffer", c.Bytes, uint64(c.Dst))
	}
	if (c.Kind == Copy || c.Kind == CopyOut) && !d.memory.holds(c.Src, c.Bytes) {
		return bad("the source, %d bytes at %#x, does not lie in one live buffer", c.Bytes, uint64(c.Src))
	}
	switch c.Kind {
	case Copy:
		out.Op = driver.Copy
	case Fill8:
		out.Op = driver.Set8
	case Fill32:
		out.Op = driver.Set32
		if c.Bytes%4 != 0 || c.Dst%4 != 0 {
			return bad("%d bytes at %#x: words have 4 bytes and begin at a multiple of 4", c.Bytes, uint64(c.Dst))
		}
	case CopyIn, CopyOut:
		out.Op = driver.CopyIn
		if c.Kind == CopyOut {
			out.Op = driver.CopyOut
		}
		if out.Host, err = c.host(); err != nil {
			return driver.Command{}, err
		}
	default:
		return bad("unknown kind")
	}
	return out, nil
}

// launch checks the launch of a kernel.
func (p *Plan) launch(c *Command, out *driver.Command) error {
	d, f := p.device, c.Function
	if f == nil || f.module.device != d {
		return fmt.Errorf("the function is missing or of another device")
	}
	if len(c.Args) != f.words {
		return fmt.Errorf("%s: %d arguments for %d parameters of %d words", f, len(c.Args), len(f.params), f.words)
	}
	threads := 1
	for k, n := range c.Block {
		if n < 1 || n > 1024 {
			return fmt.Errorf("%s: block %v: 1 to 1024 threads a dimension", f, c.Block)
		}
		threads *= n
		limit := math.MaxUint16
		if k == 0 {
			limit = math.MaxInt32
		}
		if c.Grid[k] < 0 || c.Grid[k] > limit {
			return fmt.Errorf("%s: grid %v: at most %d blocks along dimension %d", f, c.Grid, limit, k)
		}
		out.Grid[k], out.Block[k] = uint32(c.Grid[k]), uint32(n)
	}
	if threads > f.threads {
		return fmt.Errorf("%s: block %v has %d threads, the kernel allows %d", f, c.Block, threads, f.threads)
	}
	if most := d.properties.Shared - f.static; c.Shared < 0 || c.Shared > most {
		return fmt.Errorf(
			"%s: %d bytes of dynamic shared memory, the device allows %d beside %d static ones",
			f,
			c.Shared,
			most,
			f.static,
		)
	}
	if c.Shared > f.dynamic {
		if err := d.check("cuFuncSetAttribute", driver.AllowShared(f.handle, c.Shared), f.String()); err != nil {
			return err
		}
		f.dynamic = c.Shared
	}
	out.Op, out.Function, out.Shared, out.Args, out.Params = driver.Launch, f.handle, uint32(c.Shared), c.Args, f.params
	return nil
}

// host is the place that a copy reads or writes.
func (c *Command) host() (unsafe.Pointer, error) {
	h := c.Host
	if h == nil || h.ptr == nil {
		return nil, fmt.Errorf("the pinned memory is missing or freed")
	}
	if c.HostOffset < 0 || c.HostOffset > h.size || c.Bytes > h.size-c.HostOffset {
		return nil, fmt.Errorf("%d bytes at offset %d of pinned memory of %d bytes", c.Bytes, c.HostOffset, h.size)
	}
	return unsafe.Add(h.ptr, c.HostOffset), nil
}
