package kernels

import "math"

// CUDAOp is an Op with CUDA kernels. It only describes what is to be launched; the engine performs it.
type CUDAOp interface {
	Op
	// CUDA lists the launches, in order, that compute the output on a device, or says why there are none for these
	// specs or this device. They read no memory but inputs, output and scratch, write every element of the output, and
	// give the same bits whatever order blocks run in. A launch whose grid has a zero is skipped, so empty tensors need
	// no care. Shapes have passed Infer.
	CUDA(t Target, in []Spec, out Spec) ([]Launch, error)
}

// CUDAScratcher is a CUDAOp that needs scratch memory on the device, lent by the planner and addressed by Scratch.
type CUDAScratcher interface {
	// CUDAWorkspace returns the number of bytes for the given device and specs.
	CUDAWorkspace(t Target, in []Spec, out Spec) int
}

// CUDARemarker is a CUDAOp that has something to say about how a device computes it.
type CUDARemarker interface {
	// CUDARemark is a remark for the plan, "" for none.
	CUDARemark(t Target, in []Spec, out Spec) string
}

// Target is the device that launches are made for.
type Target struct {
	Capability      int // compute capability, major times ten plus minor: 70, 75, 80 …
	Multiprocessors int
	Shared          int // bytes of shared memory that one block may ask for
}

// Dim is the extent of a grid in blocks, or of a block in threads, along x, y and z.
type Dim [3]int

// Launch is the launch of one kernel.
type Launch struct {
	Module string // the source below the folder of kernels, without its ending: "dense/unary"
	Entry  string // the kernel's name in it
	Grid   Dim
	Block  Dim
	Shared int // bytes of dynamic shared memory
	Args   []Arg
}

// ArgKind says what an argument of a launch is.
type ArgKind uint8

// The kinds of arguments.
const (
	ArgInput   ArgKind = iota // address of input number Value
	ArgOutput                 // address of the output
	ArgScratch                // address of the scratch memory plus Value bytes
	ArgReport                 // address of the step's report
	ArgValue                  // the bits of a number; a kernel whose parameter is narrower reads the low ones
	ArgBlock                  // Block: a struct of numbers of 64 bits, by value
)

// Arg is one argument of a launch.
type Arg struct {
	Kind  ArgKind
	Value uint64
	Block []uint64
}

// InputArg is the address of input i.
func InputArg(i int) Arg { return Arg{Kind: ArgInput, Value: uint64(i)} }

// OutputArg is the address of the output.
func OutputArg() Arg { return Arg{Kind: ArgOutput} }

// ScratchArg is the address of the scratch memory, offset bytes from its beginning.
func ScratchArg(offset int) Arg { return Arg{Kind: ArgScratch, Value: uint64(offset)} }

// ReportArg is the address of ReportWords words of 32 bits, zeroed before the first launch of the step, in which an
// iterative kernel says how it ended: status, samples, failed, bits of the worst residual as float32, iterations of
// the slowest problem, iterations of all problems. Seven more words are the fields of Structure in their order.
func ReportArg() Arg { return Arg{Kind: ArgReport} }

// ReportWords is the number of words behind ReportArg.
const ReportWords = 13

// DecodeReport reads what a kernel wrote behind ReportArg.
func DecodeReport(w [ReportWords]uint32) Report {
	return Report{Status: Status(w[0]), Samples: int(w[1]), Failed: int(w[2]),
		Worst: float64(math.Float32frombits(w[3])), Iterations: int(w[4]), Total: int(w[5]),
		Structure: Structure{Nodes: int(w[6]), Kept: int(w[7]), Modules: int(w[8]), Cyclic: int(w[9]),
			Largest: int(w[10]), Levels: int(w[11]), Smallest: int(w[12])}}
}

// IntArg is an integer, for parameters of type int or long long.
func IntArg(v int) Arg { return Arg{Kind: ArgValue, Value: uint64(v)} }

// FloatArg is a number in the given type, for parameters of type float or double.
func FloatArg(d DType, v float64) Arg {
	if d == Float32 {
		return Arg{Kind: ArgValue, Value: uint64(math.Float32bits(float32(v)))}
	}
	return Arg{Kind: ArgValue, Value: math.Float64bits(v)}
}

// BlockArg is a struct of integers of type long long, passed by value.
func BlockArg(v ...int) Arg {
	words := make([]uint64, len(v))
	for i, n := range v {
		words[i] = uint64(n)
	}
	return Arg{Kind: ArgBlock, Block: words}
}

// Entry is the name of the kernel for a type: name_f32, name_f64, name_i32 or name_u8.
func Entry(name string, d DType) string {
	return name + [...]string{Invalid: "", Float32: "_f32", Float64: "_f64", Int32: "_i32", Byte: "_u8"}[d]
}

// Line is a grid along x of enough blocks of the given number of threads for n threads.
func Line(n, threads int) Dim { return Dim{(n + threads - 1) / threads, 1, 1} }

// Loop is a grid along x for a loop over n items of which a block takes some at a time: a block for each lot of
// them, or as many as fill the device many times over.
func (t Target) Loop(n, lot int) Dim {
	g := Line(n, lot)
	g[0] = min(g[0], max(1, t.Multiprocessors)*32)
	return g
}

// sweepThreads is the number of threads of a block of Sweep.
const sweepThreads = 256

// Sweep launches a kernel that loops over n elements, a thread for each until the device is full.
func (t Target) Sweep(module, entry string, n int, args ...Arg) Launch {
	return Launch{Module: module, Entry: entry, Grid: t.Loop(n, sweepThreads), Block: Threads(sweepThreads), Args: args}
}

// Threads is a block along x.
func Threads(n int) Dim { return Dim{n, 1, 1} }
