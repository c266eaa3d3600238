package dense

import "ganglion/kernels"

// The device facets of the operators on rows, labels and boxes.
var (
	_ kernels.CUDAOp        = Gather{}
	_ kernels.CUDAOp        = OneHot{}
	_ kernels.CUDAOp        = ArgMax{}
	_ kernels.CUDAOp        = Cast{}
	_ kernels.CUDAOp        = Concat{}
	_ kernels.CUDAOp        = Unconcat{}
	_ kernels.CUDAOp        = Slice{}
	_ kernels.CUDAOp        = Embed{}
	_ kernels.CUDAOp        = Pack{}
	_ kernels.CUDAOp        = Reshape{}
	_ kernels.CUDAOp        = View{}
	_ kernels.CUDAOp        = MSE{}
	_ kernels.CUDAScratcher = MSE{}
	_ kernels.CUDAOp        = SoftmaxCrossEntropy{}
	_ kernels.CUDAScratcher = SoftmaxCrossEntropy{}
	_ kernels.CUDAOp        = CrossEntropyGrad{}
)

// CUDA copies an element in a thread.
func (o Gather) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return []kernels.Launch{t.Sweep("dense/gather", kernels.Entry("gather", out.DType), out.Size(),
		kernels.IntArg(in[1].Size()), kernels.IntArg(in[0].Shape[0]), kernels.IntArg(product(in[0].Shape[1:])),
		kernels.InputArg(0), kernels.InputArg(1), kernels.OutputArg(), kernels.ReportArg())}, nil
}

// CUDA writes an element in a thread.
func (o OneHot) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n := in[0].Size() * max(o.N, 1)
	return []kernels.Launch{t.Sweep("dense/onehot", kernels.Entry("onehot", out.DType), n,
		kernels.IntArg(in[0].Size()), kernels.IntArg(o.N), kernels.InputArg(0), kernels.OutputArg(),
		kernels.ReportArg())}, nil
}

// CUDA takes a line in a thread.
func (o ArgMax) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	_, n, inner := around(in[0].Shape, fromEnd(o.Axis, in[0].Rank()))
	return []kernels.Launch{t.Sweep("dense/argmax", kernels.Entry("argmax", in[0].DType), out.Size(),
		kernels.IntArg(out.Size()), kernels.IntArg(n), kernels.IntArg(inner), kernels.InputArg(0),
		kernels.OutputArg())}, nil
}

// CUDA converts an element in a thread.
func (o Cast) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	entry := kernels.Entry(kernels.Entry("cast", in[0].DType), out.DType)
	return []kernels.Launch{t.Sweep("dense/cast", entry, out.Size(), kernels.IntArg(out.Size()), kernels.InputArg(0),
		kernels.OutputArg())}, nil
}

// boxLaunch copies count entries of an axis, from entry lo of x on to entry at of y; see copybox.cu.
func boxLaunch(t kernels.Target, from, to kernels.Spec, ax, count, lo, at int, clear bool,
	x kernels.Arg) kernels.Launch {
	outer, m, inner := around(to.Shape, ax)
	n, size := from.Shape[ax], outer*count*inner
	if clear {
		size = to.Size()
	}
	width := [...]string{1: "box_1", 4: "box_4", 8: "box_8"}[to.DType.Size()]
	return t.Sweep("dense/copybox", width, size, kernels.IntArg(outer), kernels.IntArg(count), kernels.IntArg(inner),
		kernels.IntArg(lo), kernels.IntArg(n), kernels.IntArg(at), kernels.IntArg(m), kernels.IntArg(int(one(clear))),
		x, kernels.OutputArg())
}

// CUDA copies one part in a launch.
func (o Concat) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	ax, at := fromEnd(o.Axis, out.Rank()), 0
	var list []kernels.Launch
	for i, s := range in {
		list = append(list, boxLaunch(t, s, out, ax, s.Shape[ax], 0, at, false, kernels.InputArg(i)))
		at += s.Shape[ax]
	}
	return list, nil
}

// CUDA copies an element in a thread.
func (o Unconcat) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	ax, lo := fromEnd(o.Axis, out.Rank()), 0
	for _, s := range in[1 : 1+o.Part] {
		lo += s.Shape[ax]
	}
	return []kernels.Launch{boxLaunch(t, in[0], out, ax, out.Shape[ax], lo, 0, false, kernels.InputArg(0))}, nil
}

// CUDA copies an element in a thread.
func (o Slice) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	ax := fromEnd(o.Axis, out.Rank())
	lo, _ := o.bounds(in[0].Shape[ax])
	return []kernels.Launch{boxLaunch(t, in[0], out, ax, out.Shape[ax], lo, 0, false, kernels.InputArg(0))}, nil
}

// CUDA writes an element in a thread.
func (o Embed) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	ax := fromEnd(o.Axis, out.Rank())
	at := o.start(out.Shape[ax])
	return []kernels.Launch{boxLaunch(t, in[0], out, ax, in[0].Shape[ax], 0, at, true, kernels.InputArg(0))}, nil
}

// stretch copies n elements, from element lo of input i on to element at of the output.
func stretch(t kernels.Target, d kernels.DType, i, size, n, lo, at, total int) kernels.Launch {
	return boxLaunch(t, kernels.S(d, size), kernels.S(d, total), 0, n, lo, at, false, kernels.InputArg(i))
}

// CUDA copies one input in a launch.
func (o Pack) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	var list []kernels.Launch
	for i, s := range in {
		list = append(list, stretch(t, out.DType, i, s.Size(), s.Size(), 0, o.Part(in, i), out.Size()))
	}
	return list, nil
}

// CUDA copies an element in a thread, for when the view cannot be taken.
func (o Reshape) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n := out.Size()
	return []kernels.Launch{stretch(t, out.DType, 0, n, n, 0, 0, n)}, nil
}

// CUDA copies an element in a thread, for when the view cannot be taken.
func (o View) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n := out.Size()
	return []kernels.Launch{stretch(t, out.DType, 0, in[0].Size(), n, o.Offset, 0, n)}, nil
}

// partials reduces count numbers at the beginning of the scratch memory to their sum divided by by.
func partials(t kernels.Target, d kernels.DType, count int, by float64) []kernels.Launch {
	p := devicePlan([]int{count}, all(1))
	p.from, p.base = kernels.ScratchArg(0), count*d.Size()
	return p.sums(t, Sum, d, by)
}

// partialBytes is the scratch memory of count numbers and their reduction.
func partialBytes(d kernels.DType, count int) int {
	return count*d.Size() + devicePlan([]int{count}, all(1)).bytes(d)
}

// CUDAWorkspace holds the sums of parts.
func (o MSE) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return partialBytes(out.DType, ceil(in[0].Size(), squareBlock))
}

// CUDA sums parts, and the parts.
func (o MSE) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n := in[0].Size()
	parts := ceil(n, squareBlock)
	first := t.Sweep("dense/mse", kernels.Entry("squares", out.DType), parts*deviceThreads, kernels.IntArg(n),
		kernels.IntArg(squareBlock), kernels.InputArg(0), kernels.InputArg(1), kernels.ScratchArg(0))
	return append([]kernels.Launch{first}, partials(t, out.DType, parts, float64(n))...), nil
}

// CUDAWorkspace holds the losses of the samples.
func (o SoftmaxCrossEntropy) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	return partialBytes(out.DType, in[0].Shape[0])
}

// CUDA takes a sample in a warp, and sums.
func (o SoftmaxCrossEntropy) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n, d := in[0].Shape[0], out.DType
	first := t.Sweep("dense/crossentropy", kernels.Entry("losses", d), n*32, kernels.FloatArg(d, o.Smoothing),
		kernels.IntArg(n), kernels.IntArg(in[0].Shape[1]), kernels.InputArg(0), kernels.InputArg(1),
		kernels.ScratchArg(0), kernels.ReportArg())
	return append([]kernels.Launch{first}, partials(t, d, n, float64(n))...), nil
}

// CUDA takes a sample in a warp.
func (o CrossEntropyGrad) CUDA(t kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n, d := in[0].Shape[0], out.DType
	return []kernels.Launch{t.Sweep("dense/crossentropy", kernels.Entry("gradient", d), n*32,
		kernels.FloatArg(d, o.Smoothing), kernels.IntArg(n), kernels.IntArg(in[0].Shape[1]), kernels.InputArg(0),
		kernels.InputArg(1), kernels.InputArg(2), kernels.OutputArg(), kernels.ReportArg())}, nil
}
