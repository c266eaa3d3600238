package implicit

import "ganglion/kernels"

// The device facets of the family: kernels in structure.cu, weights.cu, search.cu and solve.cu.
var (
	_ kernels.CUDAOp        = Solve{}
	_ kernels.CUDAScratcher = Solve{}
	_ kernels.CUDAOp        = Linear{}
	_ kernels.CUDAScratcher = Linear{}
	_ kernels.CUDAOp        = NoDiag{}
	_ kernels.CUDAOp        = Mask{}
	_ kernels.CUDAScratcher = Mask{}
	_ kernels.CUDAOp        = Regularise{}
	_ kernels.CUDAScratcher = Regularise{}
	_ kernels.CUDAOp        = Structure{}
	_ kernels.CUDAScratcher = Structure{}
	_ kernels.CUDAOp        = Restructure{}
	_ kernels.CUDAScratcher = Restructure{}
)

const (
	deviceThreads = 256
	deviceWarps   = deviceThreads / 32
)

// carver hands out parts of the scratch memory, each aligned to 256 bytes.
type carver int

func (c *carver) cut(bytes int) kernels.Arg {
	const line = 256
	at := int(*c)
	*c += carver((bytes + line - 1) / line * line)
	return kernels.ScratchArg(at)
}

// each launches a kernel that loops over n elements.
func each(t kernels.Target, entry string, n int, args ...kernels.Arg) kernels.Launch {
	return t.Sweep("implicit/weights", entry, n, args...)
}

// warps launches a kernel with a warp for each of n rows.
func warps(module, entry string, n int, args ...kernels.Arg) kernels.Launch {
	return kernels.Launch{Module: module, Entry: entry, Grid: kernels.Line(n, deviceWarps),
		Block: kernels.Threads(deviceThreads), Args: args}
}

// checked launches the test of the structure of p nodes; wrong is where it is answered.
func checked(p int, s, wrong kernels.Arg) kernels.Launch {
	return kernels.Launch{Module: "implicit/structure", Entry: "check", Grid: kernels.Dim{min(p, 1), 1, 1},
		Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{kernels.IntArg(p), s, wrong}}
}

// CUDA writes an element in a thread.
func (o NoDiag) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return []kernels.Launch{each(t, kernels.Entry("nodiag", out.DType), out.Size(), kernels.IntArg(out.Shape[0]),
		kernels.InputArg(0), kernels.OutputArg())}, nil
}

// wrongBytes is the size of what the test of a structure answers.
const wrongBytes = 8

// CUDAWorkspace holds what the test of the structure answers.
func (o Mask) CUDAWorkspace(kernels.Target, []kernels.Spec, kernels.Spec) int { return wrongBytes }

// CUDA tests the structure and copies a row in a warp.
func (o Mask) CUDA(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	p, s, wrong := out.Shape[0], kernels.InputArg(1), kernels.ScratchArg(0)
	return []kernels.Launch{
		checked(p, s, wrong),
		warps("implicit/structure", "edges", p, kernels.IntArg(p), s, wrong),
		warps("implicit/weights", kernels.Entry("mask", out.DType), p, kernels.IntArg(p), kernels.InputArg(0), s, wrong,
			kernels.OutputArg(), kernels.ReportArg()),
	}, nil
}

// notesBytes is the size of Notes in device code.
const notesBytes = wrongBytes + 8 + 8

// device is the scratch memory: the notes, and the sums of the rows.
func (o Regularise) device() (notes, sums kernels.Arg, bytes int) {
	var c carver
	notes, sums = c.cut(notesBytes), c.cut(8*o.P)
	return notes, sums, int(c)
}

// CUDAWorkspace holds what the launches tell one another.
func (o Regularise) CUDAWorkspace(kernels.Target, []kernels.Spec, kernels.Spec) int {
	_, _, n := o.device()
	return n
}

// CUDA finds max|w| and the mean of r where the rule wants them, and steps an element in a thread.
func (o Regularise) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	notes, sums, _ := o.device()
	wide := func(i int) int { return in[i].DType.Size() / 8 }
	rule := kernels.BlockArg(int(o.Kind), int(o.Scaling), int(o.Distance), o.Offset, o.P, out.Size(), wide(2), wide(3))
	z, s, eps := kernels.InputArg(0), kernels.InputArg(1), kernels.FloatArg(kernels.Float64, o.eps())
	list := []kernels.Launch{checked(o.P, s, notes),
		{Module: "implicit/weights", Entry: "prepare", Grid: kernels.Dim{1, 1, 1}, Block: kernels.Threads(1),
			Args: []kernels.Arg{notes}}}
	if o.Kind == NM && o.Distance != Constant {
		list = append(list, each(t, kernels.Entry("largest", out.DType), o.P*o.P, rule, z, notes))
	}
	if o.Kind == NM && o.Scaling == Mean && o.P > 1 {
		list = append(list,
			warps("implicit/weights", kernels.Entry("rows", out.DType), o.P, rule, eps, z, s, notes, sums),
			kernels.Launch{Module: "implicit/weights", Entry: "mean", Grid: kernels.Dim{1, 1, 1},
				Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{kernels.IntArg(o.P), sums, notes}})
	}
	return append(list, each(t, kernels.Entry("step", out.DType), out.Size(), rule, eps, z, s, kernels.InputArg(2),
		kernels.InputArg(3), notes, kernels.OutputArg(), kernels.ReportArg())), nil
}
