package implicit

import "ganglion/kernels"

// searchNodes is the largest graph whose components are found on a device: closing it takes time O(p³/32) there, in one
// block.
const searchNodes = 4096

// searchThreads is the number of threads of the launches of one block.
const searchThreads = 512

// deviceSearch is where the search for modules has its arrays.
type deviceSearch struct {
	gamma, edges, reach, nodes kernels.Arg

	bytes int // of scratch memory
}

// searchOn lays the search of a graph of p nodes out.
func searchOn(p int) deviceSearch {
	var c carver
	bits := 4 * p * ((p + 31) / 32)
	d := deviceSearch{gamma: c.cut(8), edges: c.cut(bits), reach: c.cut(bits), nodes: c.cut(4 * 4 * p)}
	d.bytes = int(c)
	return d
}

// launches makes the structure of the weights of input 0 unless step says that the previous one is kept.
func (d deviceSearch) launches(t kernels.Target, w, out kernels.Spec, keep, every int, previous,
	step kernels.Arg) []kernels.Launch {
	p, s, report := w.Shape[0], kernels.OutputArg(), kernels.ReportArg()
	when := []kernels.Arg{kernels.IntArg(p), step, kernels.IntArg(max(every, 1))}
	with := func(args ...kernels.Arg) []kernels.Arg { return append(when[:len(when):len(when)], args...) }
	one := kernels.Dim{min(p, 1), 1, 1}
	begin := each(
		t,
		"begin",
		out.Size(),
		kernels.IntArg(out.Size()),
		step,
		kernels.IntArg(max(every, 1)),
		previous,
		s,
	)
	begin.Module = "implicit/search"
	lists := warps("implicit/search", "lists", max(p, 1), with(d.edges, s, report)...)
	return []kernels.Launch{
		begin,
		{Module: "implicit/search", Entry: kernels.Entry("choose", w.DType), Grid: one,
			Block: kernels.Threads(searchThreads), Args: []kernels.Arg{kernels.IntArg(p), kernels.IntArg(keep), step,
				kernels.IntArg(max(every, 1)), kernels.InputArg(0), d.gamma}},
		warps(
			"implicit/search",
			kernels.Entry("adjacent", w.DType),
			p,
			with(kernels.InputArg(0), d.gamma, d.edges)...),
		{Module: "implicit/search", Entry: "search", Grid: one, Block: kernels.Threads(searchThreads),
			Args: with(d.edges, d.reach, d.nodes, s)},
		lists,
	}
}

// tooLarge refuses graphs that the processor searches sooner.
func tooLarge(op kernels.Op, in []kernels.Spec) error {
	if p := in[0].Shape[0]; p > searchNodes {
		return kernels.Errorf(
			op,
			in,
			kernels.ErrNoKernel,
			"%d nodes, on a device at most %d are searched",
			p,
			searchNodes,
		)
	}
	return nil
}

// CUDAWorkspace holds the edges, their closure and some numbers of each node.
func (o Structure) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, _ kernels.Spec) int {
	return searchOn(in[0].Shape[0]).bytes
}

// CUDA chooses the edges and finds the modules.
func (o Structure) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	none := kernels.IntArg(0)
	return searchOn(in[0].Shape[0]).launches(t, in[0], out, o.Keep, 1, none, none), tooLarge(o, in)
}

// CUDAWorkspace is Structure's.
func (o Restructure) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, _ kernels.Spec) int {
	return searchOn(in[0].Shape[0]).bytes
}

// CUDA is Structure's, or a copy as the step on the device says.
func (o Restructure) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return searchOn(
			in[0].Shape[0],
		).launches(t, in[0], out, o.Keep, o.Every, kernels.InputArg(1), kernels.InputArg(2)),
		tooLarge(
			o,
			in,
		)
}
