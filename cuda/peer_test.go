//go:build gpu && cgo && linux && (amd64 || arm64)

package cuda

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"ganglion/cuda/driver"
)

// TestPeers: two devices have memory of their own, run plans side by side, and bytes go between them, by the driver
// or, where it cannot, through the host.
func TestPeers(t *testing.T) {
	for _, fail := range []string{"", "cuMemcpyPeerAsync:1:801", "cuMemcpyPeerAsync:1:217"} {
		out, err := inProcess(t, "peers", "CUEMU_DEVICES=2", "CUEMU_FAIL="+fail)
		if err != nil || !strings.HasSuffix(out, "well\n") {
			t.Errorf("%q: %v, %s", fail, err, out)
		}
	}
	out, err := inProcess(t, "peers", "CUEMU_DEVICES=2", "CUEMU_FAIL=cuMemcpyPeerAsync:1")
	if exitCode(err) != 1 || !strings.Contains(out, "cuda:1: copy from cuda:0: cuMemcpyPeerAsync: CUDA_ERROR_UNKNOWN") {
		t.Errorf("a copy that fails: %v, %s", err, out)
	}
	out, err = inProcess(t, "peers")
	if exitCode(err) != 1 || !strings.Contains(out, "there is 1 device, numbered from 0") {
		t.Errorf("with one device: %v, %s", err, out)
	}
}

// peers is the scenario of TestPeers.
func peers() int {
	if err := tryPeers(); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("well")
	return 0
}

func tryPeers() (err error) {
	var d [2]*Device
	for i := range d {
		if d[i], err = Open(i); err != nil {
			return err
		}
		if p := d[i].Properties(); p.Index != i {
			return fmt.Errorf("device %d is %v", i, p)
		}
	}
	for _, n := range []int{0, 1, 1000, 4*stagingBytes + 3} {
		if err := across(d, n); err != nil {
			return fmt.Errorf("%d bytes: %w", n, err)
		}
	}
	if err := both(d); err != nil {
		return err
	}
	for _, d := range d {
		if err := d.Close(); err != nil {
			return err
		}
	}
	if s, ok := driver.EmulatorStats(); !ok || leaks(s) {
		return fmt.Errorf("the emulator holds %+v after Close", s)
	}
	return nil
}

// across sends bytes to the other device, there to another place, and back.
func across(d [2]*Device, n int) error {
	src, out := make([]byte, n), make([]byte, n)
	for i := range src {
		src[i] = byte(i*5 + i>>8)
	}
	a, err := d[0].Alloc(n, "a")
	if err != nil {
		return err
	}
	b, err := d[1].Alloc(2*n, "b")
	if err != nil {
		return err
	}
	at := b.Address() + Address(n)
	err = errors.Join(d[0].CopyIn(a.Address(), src), d[1].CopyFrom(b.Address(), d[0], a.Address(), n),
		d[1].CopyFrom(at, d[1], b.Address(), n), d[0].CopyIn(a.Address(), out),
		d[0].CopyFrom(a.Address(), d[1], at, n), d[0].CopyOut(out, a.Address()))
	if err != nil {
		return err
	}
	if !bytes.Equal(out, src) {
		return errors.New("they differ after the way there and back")
	}
	for _, e := range []error{d[1].CopyFrom(b.Address(), d[0], a.Address(), n+1),
		d[1].CopyFrom(b.Address(), d[0], b.Address(), n), d[1].CopyFrom(a.Address(), d[0], a.Address(), n)} {
		if n > 0 && (e == nil || !strings.Contains(e.Error(), "do not lie in one live buffer")) {
			return fmt.Errorf("a range that is not there: %v", e)
		}
	}
	return errors.Join(a.Free(), b.Free())
}

// both runs the same plan on both devices at the same time.
func both(d [2]*Device) error {
	ptx, err := os.ReadFile("testdata/small.ptx")
	if err != nil {
		return err
	}
	var errs [2]chan error
	for i := range d {
		errs[i] = make(chan error, 1)
		m, err := d[i].Load("small", ptx)
		if err != nil {
			return err
		}
		f, err := m.Function("axpy")
		if err != nil {
			return err
		}
		go func() { errs[i] <- axpyOnce(d[i], f, 300+i) }()
	}
	return errors.Join(<-errs[0], <-errs[1])
}
