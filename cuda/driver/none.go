//go:build !(gpu && cgo && linux && (amd64 || arm64))

package driver

import "unsafe"

// Built tells whether this program can use the driver at all.
const Built = false

const none = NoDevice

func state() (int, string) {
	return -1, "this program was built without CUDA: it wants the tag gpu, cgo, and Linux on amd64 or arm64"
}

func errorName(int) string { return "" }
func errorText(int) string { return "" }

// Program does nothing in this build.
type Program struct{}

// The calls of the driver; see driver_cuda.go for what they do. All return NoDevice.

// Emulated tells whether the library is the emulator of the tests.
func Emulated() bool { return false }

// EmulatorFault is the emulator's text for the last call that failed; there is none in this build.
func EmulatorFault() string { return "" }

// EmulatorStats are the emulator's numbers; there are none in this build.
func EmulatorStats() (Emulation, bool) { return Emulation{}, false }

// Version is the version of CUDA that the driver supports, 1000·major + 10·minor.
func Version() (int, Result) { return 0, none }

// Devices is the number of devices.
func Devices() (int, Result) { return 0, none }

// DeviceName is the name of a device.
func DeviceName(int) (string, Result) { return "", none }

// DeviceMemory is the memory of a device in bytes.
func DeviceMemory(int) (int64, Result) { return 0, none }

// DeviceAttribute is a property of a device.
func DeviceAttribute(int, Attribute) (int, Result) { return 0, none }

// Retain returns the primary context of a device, made if need be.
func Retain(int) (Context, Result) { return 0, none }

// Release gives the primary context back.
func Release(int) Result { return none }

// SetCurrent makes a context that of the calling thread.
func SetCurrent(Context) Result { return none }

// MemInfo is the free memory and all memory of the current device in bytes.
func MemInfo() (int64, int64, Result) { return 0, 0, none }

// Alloc allocates n > 0 bytes on the device.
func Alloc(uint64) (Ptr, Result) { return 0, none }

// Free frees what Alloc returned.
func Free(Ptr) Result { return none }

// AllocAsync allocates n > 0 bytes from the pool of the device, to be used in the order of a stream.
func AllocAsync(uint64, Stream) (Ptr, Result) { return 0, none }

// FreeAsync gives memory back to the pool in the order of a stream.
func FreeAsync(Ptr, Stream) Result { return none }

// DefaultPool is the pool that AllocAsync takes from.
func DefaultPool(int) (Pool, Result) { return 0, none }

// KeepFreed sets how many freed bytes a pool keeps for later instead of giving them back at the next synchronisation.
func KeepFreed(Pool, uint64) Result { return none }

// Trim gives freed memory of a pool back but for some bytes.
func Trim(Pool, uint64) Result { return none }

// AllocHost allocates n > 0 bytes of page-locked memory, which all contexts can copy from and to asynchronously.
func AllocHost(uint64) (unsafe.Pointer, Result) { return nil, none }

// FreeHost frees what AllocHost returned.
func FreeHost(unsafe.Pointer) Result { return none }

// CopyInAsync copies from pinned memory of the host to the device in the order of a stream.
func CopyInAsync(Ptr, unsafe.Pointer, uint64, Stream) Result { return none }

// CopyOutAsync copies from the device to pinned memory of the host in the order of a stream.
func CopyOutAsync(unsafe.Pointer, Ptr, uint64, Stream) Result { return none }

// CopyPeerAsync copies from the memory of one device to that of another in the order of a stream of the current
// context.
func CopyPeerAsync(Ptr, Context, Ptr, Context, uint64, Stream) Result { return none }

// NewStream makes a stream that does not wait for the default one.
func NewStream() (Stream, Result) { return 0, none }

// DestroyStream destroys a stream; work in it is finished first.
func DestroyStream(Stream) Result { return none }

// SyncStream waits until all work in a stream is done.
func SyncStream(Stream) Result { return none }

// Synchronize waits until all work of the current context is done.
func Synchronize() Result { return none }

// NewEvent makes an event, with times if they are wanted.
func NewEvent(bool) (Event, Result) { return 0, none }

// DestroyEvent destroys an event.
func DestroyEvent(Event) Result { return none }

// RecordEvent puts an event behind the work that is in a stream.
func RecordEvent(Event, Stream) Result { return none }

// WaitEvent makes a stream wait for an event.
func WaitEvent(Stream, Event) Result { return none }

// SyncEvent waits on the host for an event.
func SyncEvent(Event) Result { return none }

// Elapsed is the time between two events that are over, in milliseconds.
func Elapsed(Event, Event) (float64, Result) { return 0, none }

// Load loads PTX, which must end with a NUL. The text is the log of the driver's compiler when it fails.
func Load([]byte) (Module, string, Result) { return 0, "", none }

// Unload unloads a module.
func Unload(Module) Result { return none }

// FindFunction finds a kernel of a module.
func FindFunction(Module, string) (Function, Result) { return 0, none }

// FunctionThreads is the largest block that a kernel can be launched with.
func FunctionThreads(Function) (int, Result) { return 0, none }

// FunctionShared is the static shared memory of a kernel in bytes.
func FunctionShared(Function) (int, Result) { return 0, none }

// AllowShared lets a kernel be launched with up to that many bytes of dynamic shared memory.
func AllowShared(Function, int) Result { return none }

// Occupancy is the number of blocks of a kernel that a multiprocessor can hold.
func Occupancy(Function, int, int) (int, Result) { return 0, none }

// BeginCapture makes a stream gather what is put into it instead of doing it.
func BeginCapture(Stream) Result { return none }

// EndCapture returns what has been gathered, which the caller destroys.
func EndCapture(Stream) (Graph, Result) { return 0, none }

// Instantiate makes a graph ready for launches.
func Instantiate(Graph) (Exec, Result) { return 0, none }

// Upload brings what launches need to the device.
func Upload(Exec, Stream) Result { return none }

// LaunchGraph puts a graph into a stream.
func LaunchGraph(Exec, Stream) Result { return none }

// Update gives an instance the arguments of a graph of the same form; UpdateFailed if the form is another one.
func Update(Exec, Graph) Result { return none }

// DestroyGraph destroys a graph; instances stay.
func DestroyGraph(Graph) Result { return none }

// DestroyExec destroys an instance.
func DestroyExec(Exec) Result { return none }

// DrawGraph writes a graph to a file in the language of Graphviz.
func DrawGraph(Graph, string) Result { return none }

// NewProgram returns an empty program.
func NewProgram([]Command) *Program { return &Program{} }

// SetArg does nothing.
func (p *Program) SetArg(int, uint64) {}

// Run fails.
func (p *Program) Run() (int, Result) { return 0, none }

// RunOne fails.
func (p *Program) RunOne(int) Result { return none }

// Stream is the default stream.
func (p *Program) Stream(int) Stream { return 0 }

// Free does nothing.
func (p *Program) Free() {}
