//go:build gpu && cgo && linux && (amd64 || arm64)

package driver

/*
#cgo LDFLAGS: -L${SRCDIR}/stub -ldl -lpthread
#include <stdlib.h>
#include "driver.h"
*/
import "C"

import (
	"reflect"
	"unsafe"

	"gorgonia.org/cu"
)

// Built tells whether this program can use the driver at all.
const Built = true

// code turns an error of package cu, whose type is an integer without a name, into a result.
func code(err error) Result {
	if err == nil {
		return Success
	}
	if v := reflect.ValueOf(err); v.CanInt() {
		return Result(v.Int())
	}
	return Unknown
}

// The handles of package cu are structs of one pointer, which a test asserts.

func cuStream(s Stream) cu.Stream      { return *(*cu.Stream)(unsafe.Pointer(&s)) }
func cuEvent(e Event) cu.Event         { return *(*cu.Event)(unsafe.Pointer(&e)) }
func cuModule(m Module) cu.Module      { return *(*cu.Module)(unsafe.Pointer(&m)) }
func cuFunc(f Function) cu.Function    { return *(*cu.Function)(unsafe.Pointer(&f)) }
func cuContext(c Context) cu.CUContext { return *(*cu.CUContext)(unsafe.Pointer(&c)) }

func state() (int, string) { return int(C.gg_state()), C.GoString(C.gg_why()) }

func errorName(code int) string {
	var s *C.char
	if C.cuGetErrorName(C.int(code), &s) != 0 {
		return ""
	}
	return C.GoString(s)
}

func errorText(code int) string {
	var s *C.char
	if C.cuGetErrorString(C.int(code), &s) != 0 {
		return ""
	}
	return C.GoString(s)
}

// Emulated tells whether the library is the emulator of the tests.
func Emulated() bool { return C.gg_emulated(nil, 0) != 0 }

// EmulatorFault is the emulator's text for the last call that failed, such as kernel, thread and line of a fault.
func EmulatorFault() string { return C.GoString(C.gg_fault()) }

// EmulatorStats are the emulator's numbers; ok is false without it.
func EmulatorStats() (s Emulation, ok bool) {
	var v [7]C.ulonglong
	if int(C.gg_emulated(&v[0], C.int(len(v)))) < len(v) {
		return s, false
	}
	s.Buffers, s.Bytes, s.Peak = uint64(v[0]), uint64(v[1]), uint64(v[2])
	s.Pinned, s.Streams, s.Events, s.Modules = uint64(v[3]), uint64(v[4]), uint64(v[5]), uint64(v[6])
	return s, true
}

// Version is the version of CUDA that the driver supports, 1000·major + 10·minor.
func Version() (int, Result) {
	var v C.int
	r := Result(C.cuDriverGetVersion(&v))
	return int(v), r
}

// Devices is the number of devices.
func Devices() (int, Result) {
	n, err := cu.NumDevices()
	return n, code(err)
}

// DeviceName is the name of a device.
func DeviceName(device int) (string, Result) {
	s, err := cu.Device(device).Name()
	return s, code(err)
}

// DeviceMemory is the memory of a device in bytes.
func DeviceMemory(device int) (int64, Result) {
	n, err := cu.Device(device).TotalMem()
	return n, code(err)
}

// DeviceAttribute is a property of a device.
func DeviceAttribute(device int, a Attribute) (int, Result) {
	v, err := cu.Device(device).Attribute(cu.DeviceAttribute(a))
	return v, code(err)
}

// Retain returns the primary context of a device, made if need be.
func Retain(device int) (Context, Result) {
	c, err := cu.Device(device).RetainPrimaryCtx()
	return *(*Context)(unsafe.Pointer(&c)), code(err)
}

// Release gives the primary context back.
func Release(device int) Result { return code(cu.Device(device).ReleasePrimaryCtx()) }

// SetCurrent makes a context that of the calling thread.
func SetCurrent(c Context) Result { return code(cu.SetCurrentContext(cuContext(c))) }

// MemInfo is the free memory and all memory of the current device in bytes.
func MemInfo() (free, total int64, r Result) {
	free, total, err := cu.MemInfo()
	return free, total, code(err)
}

// Alloc allocates n > 0 bytes on the device.
func Alloc(n uint64) (Ptr, Result) {
	p, err := cu.MemAlloc(int64(n))
	return Ptr(p), code(err)
}

// Free frees what Alloc returned.
func Free(p Ptr) Result { return code(cu.MemFree(cu.DevicePtr(p))) }

// AllocAsync allocates n > 0 bytes from the pool of the device, to be used in the order of a stream.
func AllocAsync(n uint64, s Stream) (Ptr, Result) {
	var p C.gg_handle
	r := Result(C.cuMemAllocAsync(&p, C.size_t(n), C.gg_handle(s)))
	return Ptr(p), r
}

// FreeAsync gives memory back to the pool in the order of a stream.
func FreeAsync(p Ptr, s Stream) Result {
	return Result(C.cuMemFreeAsync(C.gg_handle(p), C.gg_handle(s)))
}

// DefaultPool is the pool that AllocAsync takes from.
func DefaultPool(device int) (Pool, Result) {
	var p C.gg_handle
	r := Result(C.cuDeviceGetDefaultMemPool(&p, C.int(device)))
	return Pool(p), r
}

// KeepFreed sets how many freed bytes a pool keeps for later instead of giving them back at the next synchronisation.
func KeepFreed(p Pool, bytes uint64) Result {
	const releaseThreshold = 4
	v := C.uint64_t(bytes)
	return Result(C.cuMemPoolSetAttribute(C.gg_handle(p), releaseThreshold, unsafe.Pointer(&v)))
}

// Trim gives freed memory of a pool back but for some bytes.
func Trim(p Pool, keep uint64) Result {
	return Result(C.cuMemPoolTrimTo(C.gg_handle(p), C.size_t(keep)))
}

// AllocHost allocates n > 0 bytes of page-locked memory, which all contexts can copy from and to asynchronously.
func AllocHost(n uint64) (unsafe.Pointer, Result) {
	const portable = 1
	var p unsafe.Pointer
	r := Result(C.cuMemHostAlloc(&p, C.size_t(n), portable))
	return p, r
}

// FreeHost frees what AllocHost returned.
func FreeHost(p unsafe.Pointer) Result { return code(cu.MemFreeHost(p)) }

// CopyInAsync copies from pinned memory of the host to the device in the order of a stream.
func CopyInAsync(dst Ptr, src unsafe.Pointer, n uint64, s Stream) Result {
	return Result(C.cuMemcpyHtoDAsync_v2(C.gg_handle(dst), src, C.size_t(n), C.gg_handle(s)))
}

// CopyOutAsync copies from the device to pinned memory of the host in the order of a stream.
func CopyOutAsync(dst unsafe.Pointer, src Ptr, n uint64, s Stream) Result {
	return Result(C.cuMemcpyDtoHAsync_v2(dst, C.gg_handle(src), C.size_t(n), C.gg_handle(s)))
}

// CopyPeerAsync copies from the memory of one device to that of another in the order of a stream of the current
// context.
func CopyPeerAsync(dst Ptr, to Context, src Ptr, from Context, n uint64, s Stream) Result {
	return Result(C.cuMemcpyPeerAsync(C.gg_handle(dst), C.gg_handle(to), C.gg_handle(src), C.gg_handle(from),
		C.size_t(n), C.gg_handle(s)))
}

// NewStream makes a stream that does not wait for the default one.
func NewStream() (Stream, Result) {
	s, err := cu.MakeStream(cu.NonBlocking)
	return *(*Stream)(unsafe.Pointer(&s)), code(err)
}

// DestroyStream destroys a stream; work in it is finished first.
func DestroyStream(s Stream) Result {
	h := cuStream(s)
	return code(h.Destroy())
}

// SyncStream waits until all work in a stream is done.
func SyncStream(s Stream) Result { return code(cuStream(s).Synchronize()) }

// Synchronize waits until all work of the current context is done.
func Synchronize() Result { return code(cu.Synchronize()) }

// NewEvent makes an event, with times if they are wanted.
func NewEvent(timing bool) (Event, Result) {
	flags := cu.DisableTiming
	if timing {
		flags = cu.DefaultEvent
	}
	e, err := cu.MakeEvent(flags)
	return *(*Event)(unsafe.Pointer(&e)), code(err)
}

// DestroyEvent destroys an event.
func DestroyEvent(e Event) Result {
	h := cuEvent(e)
	return code(cu.DestroyEvent(&h))
}

// RecordEvent puts an event behind the work that is in a stream.
func RecordEvent(e Event, s Stream) Result {
	return Result(C.cuEventRecord(C.gg_handle(e), C.gg_handle(s)))
}

// WaitEvent makes a stream wait for an event.
func WaitEvent(s Stream, e Event) Result {
	return Result(C.cuStreamWaitEvent(C.gg_handle(s), C.gg_handle(e), 0))
}

// SyncEvent waits on the host for an event.
func SyncEvent(e Event) Result { return Result(C.cuEventSynchronize(C.gg_handle(e))) }

// Elapsed is the time between two events that are over, in milliseconds.
func Elapsed(from, to Event) (float64, Result) {
	ms, err := cuEvent(from).Elapsed(cuEvent(to))
	return ms, code(err)
}

// Load loads PTX, which must end with a NUL. The text is the log of the driver's compiler when it fails.
func Load(image []byte) (Module, string, Result) {
	const size = 16 << 10
	c := C.CBytes(image)
	defer C.free(c)
	log := (*C.char)(C.calloc(1, size))
	defer C.free(unsafe.Pointer(log))
	var m C.gg_handle
	r := Result(C.gg_load(&m, c, log, size-1))
	return Module(m), C.GoString(log), r
}

// Unload unloads a module.
func Unload(m Module) Result { return code(cuModule(m).Unload()) }

// FindFunction finds a kernel of a module.
func FindFunction(m Module, name string) (Function, Result) {
	f, err := cuModule(m).Function(name)
	return *(*Function)(unsafe.Pointer(&f)), code(err)
}

// FunctionThreads is the largest block that a kernel can be launched with.
func FunctionThreads(f Function) (int, Result) {
	n, err := cuFunc(f).Attribute(cu.FnMaxThreadsPerBlock)
	return n, code(err)
}

// FunctionShared is the static shared memory of a kernel in bytes.
func FunctionShared(f Function) (int, Result) {
	n, err := cuFunc(f).Attribute(cu.SharedSizeBytes)
	return n, code(err)
}

// AllowShared lets a kernel be launched with up to that many bytes of dynamic shared memory.
func AllowShared(f Function, bytes int) Result {
	const maxDynamicShared = 8
	return Result(C.cuFuncSetAttribute(C.gg_handle(f), maxDynamicShared, C.int(bytes)))
}

// Occupancy is the number of blocks of a kernel that a multiprocessor can hold.
func Occupancy(f Function, threads, shared int) (int, Result) {
	var n C.int
	r := Result(C.cuOccupancyMaxActiveBlocksPerMultiprocessor(&n, C.gg_handle(f), C.int(threads), C.size_t(shared)))
	return int(n), r
}

// BeginCapture makes a stream gather what is put into it instead of doing it.
func BeginCapture(s Stream) Result {
	const threadLocal = 1
	return Result(C.cuStreamBeginCapture_v2(C.gg_handle(s), threadLocal))
}

// EndCapture returns what has been gathered, which the caller destroys.
func EndCapture(s Stream) (Graph, Result) {
	var g C.gg_handle
	r := Result(C.cuStreamEndCapture(C.gg_handle(s), &g))
	return Graph(g), r
}

// Instantiate makes a graph ready for launches.
func Instantiate(g Graph) (Exec, Result) {
	var e C.gg_handle
	r := Result(C.cuGraphInstantiateWithFlags(&e, C.gg_handle(g), 0))
	return Exec(e), r
}

// Upload brings what launches need to the device.
func Upload(e Exec, s Stream) Result { return Result(C.cuGraphUpload(C.gg_handle(e), C.gg_handle(s))) }

// LaunchGraph puts a graph into a stream.
func LaunchGraph(e Exec, s Stream) Result {
	return Result(C.cuGraphLaunch(C.gg_handle(e), C.gg_handle(s)))
}

// Update gives an instance the arguments of a graph of the same form; UpdateFailed if the form is another one.
func Update(e Exec, g Graph) Result { return Result(C.gg_update(C.gg_handle(e), C.gg_handle(g))) }

// DestroyGraph destroys a graph; instances stay.
func DestroyGraph(g Graph) Result { return Result(C.cuGraphDestroy(C.gg_handle(g))) }

// DestroyExec destroys an instance.
func DestroyExec(e Exec) Result { return Result(C.cuGraphExecDestroy(C.gg_handle(e))) }

// DrawGraph writes a graph to a file in the language of Graphviz.
func DrawGraph(g Graph, path string) Result {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	return Result(C.cuGraphDebugDotPrint(C.gg_handle(g), name, 1))
}
