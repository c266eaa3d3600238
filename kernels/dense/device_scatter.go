package dense

import "ganglion/kernels"

var (
	_ kernels.CUDAOp        = ScatterAdd{}
	_ kernels.CUDAScratcher = ScatterAdd{}
	_ kernels.CUDAOp        = ScatterRows{}
	_ kernels.CUDAScratcher = ScatterRows{}
)

// scatterBytes is the scratch memory to list m entries by n places: a flag, where the entries of each place begin,
// where the next goes, and the entries.
func scatterBytes(m, n int) int { return 4 * (1 + n + 1 + n + m) }

// scatterLaunches lists the entries of input 1 by place; finish runs through the elements of out and gets the flag,
// where the entries begin, and the entries.
func scatterLaunches(t kernels.Target, in, out kernels.Spec, finish string, inputs ...kernels.Arg) []kernels.Launch {
	const module = "dense/scatter"
	m, n := in.Size(), out.Shape[0]
	bad, start := kernels.ScratchArg(0), kernels.ScratchArg(4)
	next, list := kernels.ScratchArg(4*(n+2)), kernels.ScratchArg(4*(2*n+2))
	args := append([]kernels.Arg{kernels.IntArg(n), kernels.IntArg(product(out.Shape[1:]))}, inputs...)
	one := t.Sweep(module, "offsets", 1, kernels.IntArg(n), start, next)
	return []kernels.Launch{
		t.Sweep(module, "reset", n+1, kernels.IntArg(n), bad, start),
		t.Sweep(module, "count", m, kernels.IntArg(m), kernels.IntArg(n), kernels.InputArg(1), bad, start,
			kernels.ReportArg()),
		one,
		t.Sweep(module, "enter", m, kernels.IntArg(m), kernels.IntArg(n), kernels.InputArg(1), next, list),
		t.Sweep(module, "order", n, kernels.IntArg(n), start, list),
		t.Sweep(module, kernels.Entry(finish, out.DType), out.Size(), append(args, bad, start, list,
			kernels.OutputArg())...),
	}
}

// CUDAWorkspace holds the entries by place.
func (o ScatterAdd) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return scatterBytes(in[1].Size(), out.Shape[0])
}

// CUDA lists the entries by place and sums them in a thread for each element.
func (o ScatterAdd) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return scatterLaunches(t, in[1], out, "gathered", kernels.InputArg(0)), nil
}

// CUDAWorkspace holds the entries by place.
func (o ScatterRows) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return scatterBytes(in[1].Size(), out.Shape[0])
}

// CUDA lists the entries by place and takes the last one of each.
func (o ScatterRows) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return scatterLaunches(t, in[1], out, "replaced", kernels.InputArg(0), kernels.InputArg(2)), nil
}
