package cuda

import (
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"ganglion/cuda/driver"
)

// Address is a place in the memory of a device.
type Address uint64

// Stats says how much memory a Device uses by way of this package.
type Stats struct {
	Buffers    int   // live
	Bytes      int64 // in them
	Peak       int64 // the largest value that Bytes had
	Pinned     int64 // bytes of page-locked memory of the host
	Allocating int   // calls of the driver that allocated
}

// memory keeps the buffers of a device, in order of their addresses.
type memory struct {
	mu      sync.Mutex
	buffers []*Buffer
	pinned  []*Pinned
	stats   Stats
}

// Buffer is memory of a device. Its contents are not defined when it is new.
type Buffer struct {
	device *Device
	ptr    driver.Ptr
	size   int
	label  string
	pooled bool
}

// Alloc allocates size ≥ 0 bytes, aligned to 256. The label stands in errors. Errors: ErrMemory.
func (d *Device) Alloc(size int, label string) (*Buffer, error) { return d.alloc(size, label, false) }

// AllocPooled is Alloc for buffers that live shortly: where the device can, it takes from a pool and gives back to it
// in the order of stream 0, without waiting for the device. See Trim.
func (d *Device) AllocPooled(size int, label string) (*Buffer, error) {
	return d.alloc(size, label, d.properties.MemoryPools)
}

func (d *Device) alloc(size int, label string, pooled bool) (*Buffer, error) {
	if size < 0 {
		return nil, fmt.Errorf("cuda:%d: %s: %d bytes: must not be negative", d.properties.Index, label, size)
	}
	b := &Buffer{device: d, size: size, label: label, pooled: pooled}
	if size == 0 {
		return b, nil
	}
	err := d.do(func() error {
		var r driver.Result
		call := "cuMemAlloc"
		if pooled {
			call = "cuMemAllocAsync"
			b.ptr, r = driver.AllocAsync(uint64(size), d.streams[0])
		} else {
			b.ptr, r = driver.Alloc(uint64(size))
		}
		if r != driver.Success {
			return d.noMemory(call, r, size, label)
		}
		d.memory.add(b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// noMemory tells what the memory is used for.
func (d *Device) noMemory(call string, r driver.Result, size int, label string) error {
	what := fmt.Sprintf("%s: allocating %d bytes", label, size)
	if r == driver.OutOfMemory {
		s := d.Stats()
		what += fmt.Sprintf(", with %d in %d buffers (the largest: %s)", s.Bytes, s.Buffers, d.memory.largest())
		if free, total, r := driver.MemInfo(); r == driver.Success {
			what += fmt.Sprintf(", %d of %d free", free, total)
		}
	}
	return d.failed(call, r, what)
}

// Free is the memory of the device that nobody uses, in bytes.
func (d *Device) Free() (free int64, err error) {
	err = d.do(func() error {
		var r driver.Result
		free, _, r = driver.MemInfo()
		return d.check("cuMemGetInfo", r, "")
	})
	return free, err
}

// Address is where the buffer begins; 0 if it is empty.
func (b *Buffer) Address() Address { return Address(b.ptr) }

// Size is the number of bytes.
func (b *Buffer) Size() int { return b.size }

// Free gives the memory back. It waits for the device, unless the buffer is pooled. Freeing twice is an error.
func (b *Buffer) Free() error {
	d := b.device
	if b.size == 0 {
		return nil
	}
	return d.do(func() error {
		if !d.memory.remove(b) {
			return fmt.Errorf("cuda:%d: buffer %s: is freed already", d.properties.Index, b.label)
		}
		if b.pooled {
			return d.check("cuMemFreeAsync", driver.FreeAsync(b.ptr, d.streams[0]), b.label)
		}
		return d.check("cuMemFree", driver.Free(b.ptr), b.label)
	})
}

// Trim gives what the pool keeps for later back to the device, but for some bytes.
func (d *Device) Trim(keep int) error {
	return d.do(func() error {
		if !d.properties.MemoryPools {
			return nil
		}
		pool, r := driver.DefaultPool(d.properties.Index)
		if r == driver.Success {
			r = driver.Trim(pool, uint64(max(keep, 0)))
		}
		return d.check("cuMemPoolTrimTo", r, "")
	})
}

// Stats says how much memory is in use.
func (d *Device) Stats() Stats {
	d.memory.mu.Lock()
	defer d.memory.mu.Unlock()
	return d.memory.stats
}

func (m *memory) find(p driver.Ptr) (int, bool) {
	return slices.BinarySearchFunc(m.buffers, p, func(b *Buffer, p driver.Ptr) int {
		switch {
		case b.ptr < p:
			return -1
		case b.ptr > p:
			return 1
		}
		return 0
	})
}

func (m *memory) add(b *Buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, _ := m.find(b.ptr)
	m.buffers = slices.Insert(m.buffers, i, b)
	m.stats.Buffers++
	m.stats.Allocating++
	m.stats.Bytes += int64(b.size)
	m.stats.Peak = max(m.stats.Peak, m.stats.Bytes)
}

func (m *memory) remove(b *Buffer) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.find(b.ptr)
	if !ok || m.buffers[i] != b {
		return false
	}
	m.buffers = slices.Delete(m.buffers, i, i+1)
	m.stats.Buffers--
	m.stats.Bytes -= int64(b.size)
	return true
}

func (m *memory) largest() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.buffers) == 0 {
		return "none"
	}
	b := slices.MaxFunc(m.buffers, func(a, b *Buffer) int { return a.size - b.size })
	return fmt.Sprintf("%s, %d bytes", b.label, b.size)
}

// holds tells whether a range lies in one live buffer.
func (m *memory) holds(a Address, n int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.find(driver.Ptr(a))
	if !ok {
		i--
	}
	if i < 0 {
		return false
	}
	b := m.buffers[i]
	at := uint64(a) - uint64(b.ptr)
	return n >= 0 && at <= uint64(b.size) && uint64(n) <= uint64(b.size)-at
}

// release frees all buffers when the device is closed.
func (m *memory) release(keep func(string, driver.Result)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.buffers {
		keep("cuMemFree", driver.Free(b.ptr))
	}
	for _, p := range m.pinned {
		keep("cuMemFreeHost", driver.FreeHost(p.ptr))
		p.ptr = nil
	}
	m.buffers, m.pinned = nil, nil
	m.stats.Buffers, m.stats.Bytes, m.stats.Pinned = 0, 0, 0
}

// Pinned is page-locked memory of the host, which plans copy from and to.
type Pinned struct {
	device *Device
	ptr    unsafe.Pointer
	size   int
}

// AllocPinned allocates size ≥ 0 bytes of page-locked memory, filled with zeros.
func (d *Device) AllocPinned(size int) (*Pinned, error) {
	if size < 0 {
		return nil, fmt.Errorf("cuda:%d: %d bytes of pinned memory: must not be negative", d.properties.Index, size)
	}
	p := &Pinned{device: d, size: size}
	if size == 0 {
		return p, nil
	}
	err := d.do(func() error {
		var r driver.Result
		if p.ptr, r = driver.AllocHost(uint64(size)); r != driver.Success {
			return d.failed("cuMemHostAlloc", r, fmt.Sprintf("%d bytes of pinned memory", size))
		}
		d.memory.mu.Lock()
		defer d.memory.mu.Unlock()
		d.memory.pinned = append(d.memory.pinned, p)
		d.memory.stats.Pinned += int64(size)
		return nil
	})
	if err != nil {
		return nil, err
	}
	clear(p.Bytes())
	return p, nil
}

// Bytes is the memory. It must not be used after Free or the device's Close, nor while a plan that uses it runs.
func (p *Pinned) Bytes() []byte {
	if p.ptr == nil {
		return nil
	}
	return unsafe.Slice((*byte)(p.ptr), p.size)
}

// Free gives the memory back. Freeing twice is an error.
func (p *Pinned) Free() error {
	d := p.device
	if p.size == 0 {
		return nil
	}
	return d.do(func() error {
		d.memory.mu.Lock()
		i := slices.Index(d.memory.pinned, p)
		if i >= 0 {
			d.memory.pinned = slices.Delete(d.memory.pinned, i, i+1)
			d.memory.stats.Pinned -= int64(p.size)
		}
		d.memory.mu.Unlock()
		if i < 0 {
			return fmt.Errorf("cuda:%d: %d bytes of pinned memory: are freed already", d.properties.Index, p.size)
		}
		ptr := p.ptr
		p.ptr = nil
		return d.check("cuMemFreeHost", driver.FreeHost(ptr), "")
	})
}
