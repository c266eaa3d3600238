//go:build gpu && cgo && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"errors"
	"fmt"
	"os"

	"ganglion/cuda/driver"
)

// play runs a scenario in a process of its own and returns the exit code. Codes: 0 as it should be, 1 not, 3 an error
// of the driver that was injected and came back as it should.
func play(name string) int {
	switch name {
	case "nothing":
		return 0
	case "absent":
		return absent()
	case "workload":
		return workload()
	case "peers":
		return peers()
	}
	fmt.Println("unknown scenario", name)
	return 1
}

// absent prints why there is no device, and is content if that is an error of the right kind from all that ask.
func absent() int {
	err := Available()
	if !errors.Is(err, ErrUnavailable) {
		fmt.Println("there is a device:", err)
		return 1
	}
	fmt.Println(err)
	if _, err := Open(0); !errors.Is(err, ErrUnavailable) {
		return 1
	}
	if _, err := Devices(); !errors.Is(err, ErrUnavailable) {
		return 1
	}
	return 0
}

// workload uses all that the package has and prints the result. On an error it closes the device, which must work, and
// prints the error.
func workload() int {
	sum, err := exercise()
	var failed *Error
	switch {
	case err == nil:
		fmt.Println("sum", sum)
		return 0
	case errors.As(err, &failed) && failed.Code != 0:
		fmt.Println("error", err)
		return 3
	}
	fmt.Println("an error of no call:", err)
	return 1
}

func exercise() (sum float64, err error) {
	d, err := Open(0)
	if err != nil {
		return 0, err
	}
	defer func() {
		closing := d.Close()
		if err == nil {
			err = closing
		}
		if s, ok := driver.EmulatorStats(); err == nil && (!ok || leaks(s)) {
			err = fmt.Errorf("the emulator holds %+v after Close", s)
		}
		if s := d.Stats(); s.Buffers != 0 || s.Bytes != 0 || s.Pinned != 0 {
			err = fmt.Errorf("after Close: %+v (%v)", s, err)
		}
		if err := d.Synchronize(); !errors.Is(err, ErrClosed) {
			fmt.Println("a closed device answers", err)
		}
	}()
	const n = 1000
	var buffers [3]*Buffer
	for i := range buffers {
		alloc := d.Alloc
		if i == 2 {
			alloc = d.AllocPooled
		}
		if buffers[i], err = alloc(4*n, fmt.Sprint("buffer ", i)); err != nil {
			return 0, err
		}
	}
	host, err := d.AllocPinned(4 * n)
	if err != nil {
		return 0, err
	}
	one := make([]float32, n)
	for i := range one {
		one[i] = float32(i % 7)
	}
	copy(host.Bytes(), floats(one...))
	if err := d.CopyIn(buffers[1].Address(), floats(one...)); err != nil {
		return 0, err
	}
	p, err := side(d, buffers, host, n)
	if err != nil {
		return 0, err
	}
	for i := range 4 {
		if i == 2 {
			if err := p.Capture(context.Background()); err != nil {
				return 0, err
			}
		}
		if err := p.Run(context.Background()); err != nil {
			return 0, err
		}
	}
	if err := p.SetArg(5, 1, f32(3)); err != nil {
		return 0, err
	}
	if err := p.Capture(context.Background()); err != nil {
		return 0, err
	}
	if err := p.Run(context.Background()); err != nil {
		return 0, err
	}
	if _, err := p.Profile(context.Background()); err != nil {
		return 0, err
	}
	out := make([]byte, 4*n)
	if err := d.CopyOut(out, buffers[0].Address()); err != nil {
		return 0, err
	}
	for _, v := range toFloats(out) {
		sum += float64(v)
	}
	if err := p.Close(); err != nil {
		return 0, err
	}
	if err := buffers[2].Free(); err != nil {
		return 0, err
	}
	if err := d.Trim(0); err != nil {
		return 0, err
	}
	return sum, buffers[0].Free()
}

// leaks tells whether anything is live.
func leaks(s driver.Emulation) bool {
	s.Peak = 0
	return s != driver.Emulation{}
}

// side makes a plan of two streams: stream 1 brings x to the device while stream 0 clears y; y = Σ of three axpy, the
// last from a copy of x.
func side(d *Device, b [3]*Buffer, host *Pinned, n int) (*Plan, error) {
	ptx, err := os.ReadFile("testdata/small.ptx")
	if err != nil {
		return nil, err
	}
	m, err := d.Load("small", ptx)
	if err != nil {
		return nil, err
	}
	axpy, err := m.Function("axpy")
	if err != nil {
		return nil, err
	}
	y, x, z := b[0].Address(), b[1].Address(), b[2].Address()
	launch := func(stream int, a float32, x Address) Command {
		return Command{Kind: Launch, What: "axpy", Stream: stream, Function: axpy, Grid: [3]int{4, 1, 1},
			Block: [3]int{128, 1, 1}, Args: []uint64{uint64(n), f32(a), uint64(x), uint64(y)}}
	}
	return d.NewPlan("side", []Command{
		{Kind: CopyIn, What: "x", Stream: 1, Dst: z, Host: host, Bytes: 4 * n},
		{Kind: Record, Stream: 1, Event: 7},
		{Kind: Fill32, What: "y", Dst: y, Bytes: 4 * n},
		launch(0, 1, x),
		{Kind: Wait, Event: 7},
		launch(0, 2, z),
		{Kind: Record, Event: 8},
		{Kind: Wait, Stream: 1, Event: 8},
		{Kind: Copy, Stream: 1, What: "x", Dst: x, Src: z, Bytes: 4 * n},
		launch(1, 1, x),
		{Kind: CopyOut, Stream: 1, What: "y", Src: y, Host: host, Bytes: 0},
	})
}
