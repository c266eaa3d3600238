package cuda

import (
	"fmt"
	"unsafe"

	"ganglion/cuda/driver"
)

// stagingBytes is the size of each of the two page-locked buffers through which ordinary memory of the host is copied:
// while the device copies one, the processor fills or empties the other.
const stagingBytes = 1 << 20

// staging has the two buffers, made at the first copy.
type staging struct {
	ptr   [2]unsafe.Pointer
	event [2]driver.Event
}

func (s *staging) release(keep func(string, driver.Result)) {
	for i := range s.ptr {
		if s.event[i] != 0 {
			keep("cuEventDestroy", driver.DestroyEvent(s.event[i]))
		}
		if s.ptr[i] != nil {
			keep("cuMemFreeHost", driver.FreeHost(s.ptr[i]))
		}
	}
	*s = staging{}
}

// prepare makes the buffers if need be.
func (s *staging) prepare(d *Device) error {
	for i := range s.ptr {
		var r driver.Result
		if s.event[i] == 0 {
			if s.event[i], r = driver.NewEvent(false); r != driver.Success {
				s.event[i] = 0
				return d.failed("cuEventCreate", r, "staging buffers")
			}
		}
		if s.ptr[i] == nil {
			if s.ptr[i], r = driver.AllocHost(stagingBytes); r != driver.Success {
				s.ptr[i] = nil
				return d.failed("cuMemHostAlloc", r, "staging buffers")
			}
		}
	}
	return nil
}

func (s *staging) bytes(i, n int) []byte { return unsafe.Slice((*byte)(s.ptr[i]), n) }

// reach returns an error if a range does not lie in one live buffer.
func (d *Device) reach(what string, a Address, n int) error {
	if !d.memory.holds(a, n) {
		return fmt.Errorf("cuda:%d: %s: %d bytes at %#x do not lie in one live buffer", d.properties.Index, what, n,
			uint64(a))
	}
	return nil
}

// CopyIn copies bytes of the host to the device, after all that was put into stream 0 before, and waits.
func (d *Device) CopyIn(dst Address, src []byte) error {
	if len(src) == 0 {
		return nil
	}
	return d.do(func() error {
		if err := d.reach("copy to the device", dst, len(src)); err != nil {
			return err
		}
		s := &d.staging
		if err := s.prepare(d); err != nil {
			return err
		}
		for i, at := 0, 0; at < len(src); i, at = i+1, at+stagingBytes {
			n, half := min(stagingBytes, len(src)-at), i%2
			if i >= 2 {
				if r := driver.SyncEvent(s.event[half]); r != driver.Success {
					return d.abandon("cuEventSynchronize", r, "copy to the device")
				}
			}
			copy(s.bytes(half, n), src[at:])
			r := driver.CopyInAsync(driver.Ptr(dst)+driver.Ptr(at), s.ptr[half], uint64(n), d.streams[0])
			if r == driver.Success {
				r = driver.RecordEvent(s.event[half], d.streams[0])
			}
			if r != driver.Success {
				return d.abandon("cuMemcpyHtoDAsync", r, "copy to the device")
			}
		}
		return d.check("cuStreamSynchronize", driver.SyncStream(d.streams[0]), "copy to the device")
	})
}

// abandon reports a failure after the copies under way are over, so that the staging buffers may be used again.
func (d *Device) abandon(call string, r driver.Result, what string) error {
	err := d.failed(call, r, what)
	if d.fault != nil {
		return err
	}
	if r := driver.SyncStream(d.streams[0]); r != driver.Success {
		return d.failed("cuStreamSynchronize", r, what)
	}
	return err
}

// CopyOut copies bytes of the device to the host, after all that was put into stream 0 before, and waits.
func (d *Device) CopyOut(dst []byte, src Address) error {
	if len(dst) == 0 {
		return nil
	}
	return d.do(func() error {
		if err := d.reach("copy to the host", src, len(dst)); err != nil {
			return err
		}
		s := &d.staging
		if err := s.prepare(d); err != nil {
			return err
		}
		parts := (len(dst) + stagingBytes - 1) / stagingBytes
		for i := 0; i <= parts; i++ {
			if i < parts {
				at := i * stagingBytes
				n := min(stagingBytes, len(dst)-at)
				r := driver.CopyOutAsync(s.ptr[i%2], driver.Ptr(src)+driver.Ptr(at), uint64(n), d.streams[0])
				if r == driver.Success {
					r = driver.RecordEvent(s.event[i%2], d.streams[0])
				}
				if r != driver.Success {
					return d.abandon("cuMemcpyDtoHAsync", r, "copy to the host")
				}
			}
			if i > 0 {
				at, half := (i-1)*stagingBytes, (i-1)%2
				if r := driver.SyncEvent(s.event[half]); r != driver.Success {
					return d.abandon("cuEventSynchronize", r, "copy to the host")
				}
				copy(dst[at:], s.bytes(half, min(stagingBytes, len(dst)-at)))
			}
		}
		return nil
	})
}
