package implicit

import "ganglion/kernels"

// vectorsDevice is the number of vectors of p elements that a sample has besides the histories.
const vectorsDevice = 10

// Limits of the memory of a solve on a device.
const (
	sharedDevice   = 44 << 10  // dynamic shared memory of a block, beside a few KiB that are declared
	jacobianDevice = 256 << 20 // Jacobians of all blocks; where they are larger, fewer blocks take turns
)

// deviceSystem is where a solve on a device has its arrays, and how it is cut.
type deviceSystem struct {
	wrong, inner, index, value, dense, vectors, jacobians kernels.Arg

	count  int // vectors of a sample
	blocks int // samples that are solved at a time
	shared int // bytes of shared memory for the vectors, 0 if they lie in scratch memory
	bytes  int // of scratch memory
}

// deviceHistory is the number of vectors that the method remembers.
func deviceHistory(m Method) int {
	switch m {
	case Auto, Anderson:
		return 2 * mixed
	case Broyden:
		return 2 * remembered
	}
	return 0
}

// onDevice lays a solve for [batch, p] out.
func onDevice(t kernels.Target, of kernels.Spec, m Method) deviceSystem {
	batch, p, elem := of.Shape[0], of.Shape[1], of.DType.Size()
	d := deviceSystem{count: vectorsDevice + deviceHistory(m)}
	d.blocks = min(batch, 8*max(1, t.Multiprocessors))
	jacobian := 0
	if m == Auto || m == Newton {
		jacobian = p * (p + 1) * elem
		d.blocks = min(d.blocks, max(1, jacobianDevice/max(1, jacobian)))
	}
	vectors := d.count * p * elem
	if vectors <= min(t.Shared, sharedDevice) {
		d.shared, vectors = vectors, 0
	}
	edges := p * max(p-1, 0)
	var c carver
	d.wrong, d.inner, d.index = c.cut(wrongBytes), c.cut(4*p), c.cut(4*edges)
	d.value, d.dense = c.cut(elem*edges), c.cut(elem*p*p)
	d.vectors, d.jacobians = c.cut(d.blocks*vectors), c.cut(d.blocks*jacobian)
	d.bytes = int(c)
	return d
}

// threadsFor is the number of threads of a block: a warp for each small module that is likely to be solved beside
// others, and more for large ones.
func threadsFor(p int) int {
	switch {
	case p <= 32:
		return 32
	case p <= 256:
		return 128
	}
	return deviceThreads
}

// launches packs the weights and solves a sample in a block.
func (d deviceSystem) launches(k kind, o options, of kernels.Spec, x, c, s, start kernels.Arg) []kernels.Launch {
	batch, p := of.Shape[0], of.Shape[1]
	if batch == 0 || p == 0 {
		return nil
	}
	onChip := min(d.shared, 1)
	sizes := kernels.BlockArg(int(k), int(o.act), int(o.method), o.maxIter, batch, p, d.count, onChip)
	f64 := func(v float64) kernels.Arg { return kernels.FloatArg(kernels.Float64, v) }
	return []kernels.Launch{
		checked(p, s, d.wrong),
		warps("implicit/solve", kernels.Entry("pack", of.DType), p, sizes, kernels.InputArg(1), s, d.wrong, d.inner,
			d.index, d.value, d.dense),
		{Module: "implicit/solve", Entry: kernels.Entry("solve", of.DType), Grid: kernels.Dim{d.blocks, 1, 1},
			Block: kernels.Threads(threadsFor(p)), Shared: d.shared,
			Args: []kernels.Arg{sizes, f64(o.tolerance(of.DType)), f64(o.beta()), x, c, s, start, d.wrong, d.inner,
				d.index, d.value, d.dense, d.vectors, d.jacobians, kernels.OutputArg(), kernels.ReportArg()}},
	}
}

// CUDAWorkspace holds the packed weights, and for each block vectors and a Jacobian.
func (o Solve) CUDAWorkspace(t kernels.Target, _ []kernels.Spec, out kernels.Spec) int {
	return onDevice(t, out, o.Method).bytes
}

// CUDA solves a sample in a block, level by level.
func (o Solve) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	start := kernels.IntArg(0)
	if len(in) == 4 {
		start = kernels.InputArg(3)
	}
	return onDevice(t, out, o.Method).launches(nonlinear, o.options(), out, kernels.IntArg(0), kernels.InputArg(0),
		kernels.InputArg(2), start), nil
}

// CUDAWorkspace holds the packed weights, and for each block vectors and a Jacobian.
func (o Linear) CUDAWorkspace(t kernels.Target, _ []kernels.Spec, out kernels.Spec) int {
	return onDevice(t, out, o.Method).bytes
}

// CUDA solves a sample in a block, level by level, or from the last level to the first.
func (o Linear) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	k := tangent
	if o.Transposed {
		k = adjoint
	}
	return onDevice(t, out, o.Method).launches(k, o.options(), out, kernels.InputArg(0), kernels.InputArg(3),
		kernels.InputArg(2), kernels.IntArg(0)), nil
}
