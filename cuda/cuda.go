// Package cuda runs kernels on NVIDIA devices: memory, copies, modules, and plans of commands that are captured once
// and replayed by a few calls of the driver. It knows no graphs and no operators. Without a device, a driver or the
// build tag gpu every call says so by an error; nothing falls back.
//
// Each open Device has one goroutine, locked to a thread that has the device's context, and all calls of the driver
// come from it. The methods of a Device and of what belongs to it may be called from any goroutine.
package cuda

import (
	"fmt"

	"ganglion/cuda/driver"
)

// Available is nil if there is a device that can be opened; else the error is ErrUnavailable and says why in one line.
func Available() error {
	if err := driver.State(); err != nil {
		return &Error{Device: -1, Call: "cuInit", Code: int(driver.NoDevice), Text: err.Error()}
	}
	n, r := driver.Devices()
	if r != driver.Success {
		return failure(-1, "cuDeviceGetCount", r, "")
	}
	if n == 0 {
		return &Error{Device: -1, Call: "cuDeviceGetCount", Code: int(driver.NoDevice),
			Text: "the driver finds no device"}
	}
	return nil
}

// Properties describes a device.
type Properties struct {
	Index           int
	Name            string
	Emulated        bool  // by the library of the tests
	Driver          int   // version of CUDA that the driver supports, 1000·major + 10·minor
	Capability      int   // compute capability, major times ten plus minor
	Memory          int64 // bytes
	Multiprocessors int
	MaxThreads      int // of a block
	SharedPerBlock  int // bytes that a block has without asking
	Shared          int // bytes that a block may ask for
	L2              int // bytes
	Clock           int // kHz
	Bandwidth       int // bytes a microsecond of the memory by its clock and width; 0 if unknown
	MemoryPools     bool
}

// String reads like: cuda:0 (NVIDIA L4, compute capability 8.9, 23034 MiB).
func (p Properties) String() string {
	name := p.Name
	if p.Emulated {
		name += ", emulated"
	}
	return fmt.Sprintf(
		"cuda:%d (%s, compute capability %d.%d, %d MiB)",
		p.Index,
		name,
		p.Capability/10,
		p.Capability%10,
		p.Memory>>20,
	)
}

// Devices describes all devices. Errors are those of Available, or of the driver.
func Devices() ([]Properties, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	n, r := driver.Devices()
	if r != driver.Success {
		return nil, failure(-1, "cuDeviceGetCount", r, "")
	}
	out := make([]Properties, n)
	for i := range out {
		p, err := properties(i)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

// properties asks the driver about one device.
func properties(index int) (Properties, error) {
	p := Properties{Index: index, Emulated: driver.Emulated()}
	var r driver.Result
	if p.Driver, r = driver.Version(); r != driver.Success {
		return p, failure(index, "cuDriverGetVersion", r, "")
	}
	if p.Name, r = driver.DeviceName(index); r != driver.Success {
		return p, failure(index, "cuDeviceGetName", r, "")
	}
	if p.Memory, r = driver.DeviceMemory(index); r != driver.Success {
		return p, failure(index, "cuDeviceTotalMem", r, "")
	}
	var major, minor, pools, memoryClock, bus int
	for _, a := range []struct {
		to   *int
		from driver.Attribute
	}{
		{&major, driver.CapabilityMajor}, {&minor, driver.CapabilityMinor},
		{&p.Multiprocessors, driver.Multiprocessors}, {&p.MaxThreads, driver.MaxThreads},
		{&p.SharedPerBlock, driver.SharedPerBlock}, {&p.Shared, driver.SharedPerBlockOptin},
		{&p.L2, driver.L2Bytes}, {&p.Clock, driver.ClockRate}, {&pools, driver.MemoryPools},
		{&memoryClock, driver.MemoryClock}, {&bus, driver.MemoryBus},
	} {
		if *a.to, r = driver.DeviceAttribute(index, a.from); r != driver.Success {
			return p, failure(index, "cuDeviceGetAttribute", r, fmt.Sprintf("attribute %d", a.from))
		}
	}
	p.Capability, p.MemoryPools = 10*major+minor, pools != 0
	p.Shared = max(p.Shared, p.SharedPerBlock)
	p.Bandwidth = 2 * memoryClock / 1000 * bus / 8 // two transfers a clock
	return p, nil
}
