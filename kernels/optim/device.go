package optim

import "ganglion/kernels"

var (
	_ kernels.CUDAOp        = Adam{}
	_ kernels.CUDAOp        = AdamW{}
	_ kernels.CUDAOp        = SGD{}
	_ kernels.CUDAOp        = ClipValue{}
	_ kernels.CUDAOp        = ClipNorm{}
	_ kernels.CUDAScratcher = ClipNorm{}
	_ kernels.CUDAOp        = Finite{}
	_ kernels.CUDAScratcher = Finite{}
	_ kernels.CUDAOp        = Keep{}
)

// f64 is an argument of type double.
func f64(v float64) kernels.Arg { return kernels.FloatArg(kernels.Float64, v) }

func (o Adam) device(t kernels.Target, in []kernels.Spec, out kernels.Spec, decay float64) []kernels.Launch {
	n := in[1].Size()
	return []kernels.Launch{t.Sweep("optim/update", kernels.Entry("adam", out.DType), n, f64(or(o.Beta1, 0.9)),
		f64(or(o.Beta2, 0.999)), f64(or(o.Eps, 1e-8)), f64(decay), kernels.IntArg(n), kernels.InputArg(0),
		kernels.InputArg(1), kernels.InputArg(2), kernels.InputArg(3), kernels.OutputArg())}
}

// CUDA updates a parameter in a thread.
func (o Adam) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return o.device(t, in, out, 0), sameHyper(o, in)
}

// CUDA updates a parameter in a thread.
func (o AdamW) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return o.adam().device(t, in, out, o.WeightDecay), sameHyper(o, in)
}

// CUDA updates a parameter in a thread.
func (o SGD) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n, nesterov := in[1].Size(), 0
	if o.Nesterov {
		nesterov = 1
	}
	return []kernels.Launch{t.Sweep("optim/update", kernels.Entry("sgd", out.DType), n,
		kernels.FloatArg(out.DType, o.Momentum), kernels.FloatArg(out.DType, o.WeightDecay), kernels.IntArg(nesterov),
		kernels.IntArg(n), kernels.InputArg(0), kernels.InputArg(1), kernels.InputArg(2), kernels.InputArg(3),
		kernels.OutputArg())}, sameHyper(o, in)
}

// sameHyper reports a hyper input, or a flag, whose type is not that of the block: the kernels read both in one type.
func sameHyper(op kernels.Op, in []kernels.Spec) error {
	if in[2].DType == in[0].DType {
		return nil
	}
	return kernels.Errorf(op, in, kernels.ErrDType, "the device kernel wants input 2 in the type of input 0")
}

// CUDA limits an element in a thread.
func (o ClipValue) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n := out.Size()
	return []kernels.Launch{t.Sweep("optim/clip", kernels.Entry("clamp", out.DType), n,
		kernels.FloatArg(out.DType, o.Max), kernels.IntArg(n), kernels.InputArg(0), kernels.OutputArg())}, nil
}

// CUDAWorkspace holds the sums of squares of blocks.
func (o ClipNorm) CUDAWorkspace(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) int {
	return 8 * clipBlocks(out.Size())
}

// CUDA sums the squares of blocks; each block of the second launch adds the sums, in one order, and scales.
func (o ClipNorm) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n := out.Size()
	first := t.Sweep("optim/clip", kernels.Entry("squares", out.DType), 0, kernels.IntArg(n),
		kernels.IntArg(clipBlock), kernels.InputArg(0), kernels.ScratchArg(0))
	first.Grid = kernels.Dim{clipBlocks(n), 1, 1}
	return []kernels.Launch{first, t.Sweep("optim/clip", kernels.Entry("limit", out.DType), n, f64(o.Max),
		kernels.IntArg(clipBlocks(n)), kernels.IntArg(n), kernels.ScratchArg(0), kernels.InputArg(0),
		kernels.OutputArg())}, nil
}

// CUDA copies an element in a thread.
func (o Keep) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n := out.Size()
	return []kernels.Launch{t.Sweep("optim/update", kernels.Entry("keep", out.DType), n, kernels.IntArg(n),
		kernels.InputArg(0), kernels.InputArg(1), kernels.InputArg(2), kernels.OutputArg())}, sameHyper(o, in)
}

// CUDAWorkspace holds the flag.
func (o Finite) CUDAWorkspace(kernels.Target, []kernels.Spec, kernels.Spec) int { return 4 }

// CUDA looks at the inputs one after another.
func (o Finite) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	one := kernels.Launch{Module: "optim/clip", Entry: "ready", Grid: kernels.Dim{1, 1, 1}, Block: kernels.Threads(1),
		Args: []kernels.Arg{kernels.ScratchArg(0)}}
	list := []kernels.Launch{one}
	for i, s := range in {
		list = append(list, t.Sweep("optim/clip", kernels.Entry("scan", s.DType), s.Size(), kernels.IntArg(s.Size()),
			kernels.InputArg(i), kernels.ScratchArg(0)))
	}
	one.Entry, one.Args = kernels.Entry("answer", out.DType), []kernels.Arg{kernels.ScratchArg(0), kernels.OutputArg()}
	return append(list, one), nil
}
