package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"ganglion/cuda/cublas"
	"ganglion/cuda/driver"
)

// maxStreams is the number of streams that the commands of a plan may use.
const maxStreams = 16

// Device is an open device.
type Device struct {
	properties Properties
	jobs       chan *job
	quit       chan struct{} // closed by Close
	gone       chan struct{} // closed when the executor has ended
	closing    sync.Once
	closeErr   error

	// What follows belongs to the executor.
	context driver.Context
	streams []driver.Stream
	fault   error // the first sticky error
	staging staging
	modules []*Module
	plans   []*Plan
	library *cublas.Handle // nil without one

	memory memory
}

// job is something for the executor to do.
type job struct {
	f    func() error
	err  error
	done chan struct{} // one element
}

func newJob(f func() error) *job { return &job{f: f, done: make(chan struct{}, 1)} }

// Open opens a device by its index. Its memory belongs to the caller until Close. A device may be opened several times.
// Errors: ErrUnavailable, or that of the driver.
func Open(index int) (*Device, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	n, r := driver.Devices()
	if r != driver.Success {
		return nil, failure(index, "cuDeviceGetCount", r, "")
	}
	if index < 0 || index >= n {
		return nil, &Error{Device: index, Call: "open", Code: int(driver.InvalidDevice),
			Text: fmt.Sprintf("there %s, numbered from 0", countDevices(n))}
	}
	p, err := properties(index)
	if err != nil {
		return nil, err
	}
	d := &Device{properties: p, jobs: make(chan *job), quit: make(chan struct{}), gone: make(chan struct{})}
	started := make(chan error)
	go d.execute(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return d, nil
}

func countDevices(n int) string {
	if n == 1 {
		return "is 1 device"
	}
	return fmt.Sprintf("are %d devices", n)
}

// Properties describes the device.
func (d *Device) Properties() Properties { return d.properties }

// execute is the goroutine that makes all calls. Its thread ends with it, and so does the binding of the context.
func (d *Device) execute(started chan<- error) {
	runtime.LockOSThread()
	defer close(d.gone)
	if err := d.begin(); err != nil {
		d.end()
		started <- err
		return
	}
	started <- nil
	for {
		select {
		case j := <-d.jobs:
			j.err = d.fault
			if j.err == nil {
				j.err = j.f()
			}
			j.done <- struct{}{}
		case <-d.quit:
			d.closeErr = d.end()
			return
		}
	}
}

func (d *Device) begin() error {
	index := d.properties.Index
	c, r := driver.Retain(index)
	if r != driver.Success {
		return failure(index, "cuDevicePrimaryCtxRetain", r, "")
	}
	d.context = c
	if r := driver.SetCurrent(c); r != driver.Success {
		return failure(index, "cuCtxSetCurrent", r, "")
	}
	if _, err := d.stream(0); err != nil {
		return err
	}
	if !d.properties.MemoryPools {
		return nil
	}
	pool, r := driver.DefaultPool(index)
	if r == driver.Success {
		r = driver.KeepFreed(pool, 1<<62)
	}
	if r != driver.Success {
		return d.failed("cuMemPoolSetAttribute", r, "")
	}
	return nil
}

// stream returns stream number i, made if need be.
func (d *Device) stream(i int) (driver.Stream, error) {
	for len(d.streams) <= i {
		s, r := driver.NewStream()
		if r != driver.Success {
			return 0, d.failed("cuStreamCreate", r, "")
		}
		d.streams = append(d.streams, s)
	}
	return d.streams[i], nil
}

// failed makes the error of a call and keeps it if the context is lost.
func (d *Device) failed(call string, r driver.Result, what string) error {
	err := failure(d.properties.Index, call, r, what)
	if r.Sticky() && d.fault == nil {
		d.fault = fmt.Errorf("cuda:%d was lost by an earlier fault, open it again: %w", d.properties.Index, err)
	}
	return err
}

// check is failed for a result that may be success.
func (d *Device) check(call string, r driver.Result, what string) error {
	if r == driver.Success {
		return nil
	}
	return d.failed(call, r, what)
}

// do has the executor run f and returns its error.
func (d *Device) do(f func() error) error { return d.submit(newJob(f)) }

func (d *Device) submit(j *job) error {
	select {
	case d.jobs <- j:
		<-j.done
		return j.err
	case <-d.quit:
		return d.closedError()
	}
}

func (d *Device) closedError() error { return fmt.Errorf("cuda:%d: %w", d.properties.Index, ErrClosed) }

// Synchronize waits until the device has done all that it was given.
func (d *Device) Synchronize() error {
	return d.do(func() error {
		return d.check("cuCtxSynchronize", driver.Synchronize(), "")
	})
}

// Close waits for the device and frees all that was made on it: plans, modules, streams, memory. It may be called
// again.
func (d *Device) Close() error {
	d.closing.Do(func() { close(d.quit) })
	<-d.gone
	return d.closeErr
}

// end frees everything. A lost context takes all with it, so that only the context itself is given back.
func (d *Device) end() error {
	if d.context == 0 {
		return nil
	}
	var all []error
	keep := func(call string, r driver.Result) {
		if r != driver.Success && d.fault == nil {
			all = append(all, d.failed(call, r, "while closing"))
		}
	}
	keep("cuCtxSynchronize", driver.Synchronize())
	for _, p := range d.plans {
		p.release(keep)
	}
	if d.library != nil && d.fault == nil {
		if err := d.library.Close(); err != nil {
			all = append(all, err)
		}
	}
	for _, m := range d.modules {
		keep("cuModuleUnload", driver.Unload(m.handle))
	}
	d.staging.release(keep)
	d.memory.release(keep)
	for _, s := range d.streams {
		keep("cuStreamDestroy", driver.DestroyStream(s))
	}
	d.plans, d.modules, d.streams, d.library = nil, nil, nil, nil
	keep("cuCtxSetCurrent", driver.SetCurrent(0))
	keep("cuDevicePrimaryCtxRelease", driver.Release(d.properties.Index))
	return errors.Join(all...)
}
