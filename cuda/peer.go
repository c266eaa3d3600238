package cuda

import (
	"errors"
	"fmt"

	"ganglion/cuda/driver"
)

// CopyFrom copies n bytes from another device to this one, after all that either was given before in stream 0, and
// waits. Where the driver cannot copy between the two it goes through memory of the host. The two may be the same
// device, and the same Device.
func (d *Device) CopyFrom(dst Address, from *Device, src Address, n int) error {
	if n == 0 {
		return nil
	}
	what := fmt.Sprintf("copy from cuda:%d", from.properties.Index)
	if err := from.reach(what, src, n); err != nil {
		return err
	}
	if err := d.reach(what, dst, n); err != nil {
		return err
	}
	if err := from.Synchronize(); err != nil {
		return err
	}
	err := d.do(func() error { return d.copyPeer(what, dst, from, src, n) })
	if refused(err) {
		return d.copyStaged(dst, from, src, n)
	}
	return err
}

func (d *Device) copyPeer(what string, dst Address, from *Device, src Address, n int) error {
	r := driver.CopyPeerAsync(driver.Ptr(dst), d.context, driver.Ptr(src), from.context, uint64(n), d.streams[0])
	if r != driver.Success {
		return d.failed("cuMemcpyPeerAsync", r, what)
	}
	return d.check("cuStreamSynchronize", driver.SyncStream(d.streams[0]), what)
}

// refused tells whether the driver cannot copy between two devices.
func refused(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.Call != "cuMemcpyPeerAsync" {
		return false
	}
	switch driver.Result(e.Code) {
	case driver.NotSupported, driver.PeerUnsupported:
		return true
	}
	return false
}

// copyStaged is CopyFrom through memory of the host, piece by piece.
func (d *Device) copyStaged(dst Address, from *Device, src Address, n int) error {
	const most = 4 * stagingBytes
	part := make([]byte, min(n, most))
	for at := 0; at < n; at += most {
		piece := part[:min(most, n-at)]
		if err := from.CopyOut(piece, src+Address(at)); err != nil {
			return err
		}
		if err := d.CopyIn(dst+Address(at), piece); err != nil {
			return err
		}
	}
	return nil
}
