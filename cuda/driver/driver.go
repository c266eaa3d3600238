// Package driver makes calls of the CUDA driver, which is loaded when the first call is made and never linked: a
// program starts and runs on a host without it. In a build without the tag gpu, without cgo or for another system every
// call returns NoDevice.
//
// All functions but State, Name and Text need a current context on the thread that calls (see SetCurrent), or belong to
// those that come before there is one. None allocates memory of Go unless it returns text. Package cuda is the one to
// use.
package driver

import (
	"errors"
	"fmt"
	"unsafe"
)

// Result is a CUresult: 0 is success.
type Result int

// The results that callers tell apart.
const (
	Success          Result = 0
	InvalidValue     Result = 1
	OutOfMemory      Result = 2
	NoDevice         Result = 100
	InvalidDevice    Result = 101
	InvalidContext   Result = 201
	NoBinary         Result = 209
	InvalidPTX       Result = 218
	UnsupportedPTX   Result = 222
	NotFound         Result = 500
	NotReady         Result = 600
	IllegalAddress   Result = 700
	PeerUnsupported  Result = 217
	PeerEnabled      Result = 704
	ContextDestroyed Result = 709
	NotSupported     Result = 801
	CaptureBroken    Result = 901
	UpdateFailed     Result = 910
	Unknown          Result = 999

	// LibraryFailed plus a status is the result of a library that a Program calls.
	LibraryFailed Result = 100000
)

// Sticky tells whether the context can do nothing any more after this result.
func (r Result) Sticky() bool {
	switch r {
	case 4, 214, 220, 226, IllegalAddress, 702, ContextDestroyed, 710, 714, 715, 716, 717, 718, 719, 721:
		return true
	}
	return false
}

// Name is the name of the result as in CUDA's header, such as CUDA_ERROR_OUT_OF_MEMORY.
func (r Result) Name() string {
	if r == Success {
		return "CUDA_SUCCESS"
	}
	if s := errorName(int(r)); s != "" {
		return s
	}
	for _, k := range known() {
		if k.code == r {
			return k.name
		}
	}
	if r > LibraryFailed {
		return fmt.Sprintf("cuBLAS status %d", int(r-LibraryFailed))
	}
	return fmt.Sprintf("CUDA error %d", int(r))
}

// Text is the driver's description of the result, "" if it has none.
func (r Result) Text() string { return errorText(int(r)) }

type knownResult struct {
	code Result
	name string
}

// known are the names to be had without a driver.
func known() []knownResult {
	return []knownResult{
		{InvalidValue, "CUDA_ERROR_INVALID_VALUE"},
		{OutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
		{NoDevice, "CUDA_ERROR_NO_DEVICE"},
		{InvalidDevice, "CUDA_ERROR_INVALID_DEVICE"},
		{InvalidContext, "CUDA_ERROR_INVALID_CONTEXT"},
		{NoBinary, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
		{InvalidPTX, "CUDA_ERROR_INVALID_PTX"},
		{UnsupportedPTX, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
		{NotFound, "CUDA_ERROR_NOT_FOUND"},
		{NotReady, "CUDA_ERROR_NOT_READY"},
		{IllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS"},
		{ContextDestroyed, "CUDA_ERROR_CONTEXT_IS_DESTROYED"},
		{NotSupported, "CUDA_ERROR_NOT_SUPPORTED"},
		{CaptureBroken, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
		{Unknown, "CUDA_ERROR_UNKNOWN"},
	}
}

// State is nil if the driver is ready, else it says why there is no device.
func State() error {
	code, why := state()
	switch {
	case code == 0:
		return nil
	case code < 0:
		return errors.New(why)
	}
	return fmt.Errorf("%s: cuInit: %s (%d)", why, Result(code).Name(), code)
}

// Handles of the driver. Zero is none; for a Stream it is the default one.
type (
	Context  uintptr
	Module   uintptr
	Function uintptr
	Stream   uintptr
	Event    uintptr
	Graph    uintptr
	Exec     uintptr // a graph that can be launched
	Pool     uintptr
	Ptr      uintptr // an address on a device
)

// Attribute is a property of a device, numbered as CUdevice_attribute.
type Attribute int

// The attributes that are used.
const (
	MaxThreads          Attribute = 1
	MaxGridX            Attribute = 5
	MaxGridY            Attribute = 6
	SharedPerBlock      Attribute = 8
	WarpSize            Attribute = 10
	ClockRate           Attribute = 13 // kHz
	Multiprocessors     Attribute = 16
	MemoryClock         Attribute = 36 // kHz
	MemoryBus           Attribute = 37 // bits
	L2Bytes             Attribute = 38
	CapabilityMajor     Attribute = 75
	CapabilityMinor     Attribute = 76
	RegistersPerProc    Attribute = 82
	SharedPerBlockOptin Attribute = 97
	MemoryPools         Attribute = 115
)

// Emulation says what is live in the emulator of the tests, whoever made it.
type Emulation struct {
	Buffers, Bytes, Peak uint64 // of device memory
	Pinned               uint64 // buffers of page-locked memory
	Streams, Events      uint64
	Modules              uint64
}

// Op says what a Command does.
type Op int32

// What commands do.
const (
	Launch  Op = iota // Function with Args
	Copy              // Bytes from Src to Dst on the device
	CopyIn            // Bytes from Host to Dst
	CopyOut           // Bytes from Src to Host
	Set8              // Bytes at Dst to the low byte of Value
	Set32             // Bytes, a multiple of 4, at Dst to Value
	Record            // Event in Stream
	Wait              // Stream waits for Event
	Call              // Call(Host) puts something into Stream
)

// Command is one entry of a Program.
type Command struct {
	Op          Op
	Stream      Stream
	Function    Function
	Grid, Block [3]uint32
	Shared      uint32   // bytes of dynamic shared memory
	Args        []uint64 // the bits of each argument; a narrower parameter reads the low ones
	Params      []int    // of each parameter: how many of Args it takes, one for a number and more for a struct
	Dst, Src    Ptr
	Host        unsafe.Pointer // pinned memory of the driver
	Bytes       uint64
	Value       uint32
	Event       Event
	Call        unsafe.Pointer // a function of C: takes Host, returns a Result, or LibraryFailed plus a status
}
