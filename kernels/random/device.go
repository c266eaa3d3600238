package random

import (
	"math"

	"ganglion/kernels"
)

var (
	_ kernels.CUDAOp = Uniform{}
	_ kernels.CUDAOp = Bernoulli{}
	_ kernels.CUDAOp = Normal{}
	_ kernels.CUDAOp = Dropout{}
)

// device launches a kernel in which a thread draws four numbers. The grid grows until the device is full many times
// over.
func device(t kernels.Target, entry string, out kernels.Spec, args ...kernels.Arg) []kernels.Launch {
	const threads = 128
	return []kernels.Launch{{Module: "random/draw", Entry: kernels.Entry(entry, out.DType),
		Grid: t.Loop((out.Size()+3)/4, threads), Block: kernels.Threads(threads), Args: args}}
}

// drawn launches the kernel of a rule with two numbers.
func drawn(t kernels.Target, entry string, out kernels.Spec, a, b float64, stream uint32) []kernels.Launch {
	return device(t, entry, out, kernels.FloatArg(kernels.Float64, a), kernels.FloatArg(kernels.Float64, b),
		kernels.IntArg(int(stream)), kernels.IntArg(out.Size()), kernels.InputArg(1), kernels.OutputArg())
}

// CUDA draws four elements in a thread: the numbers of the CPU.
func (o Uniform) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return drawn(t, "uniform", out, o.Lo, o.Hi-o.Lo, o.Stream), nil
}

// CUDA draws four elements in a thread: the numbers of the CPU.
func (o Bernoulli) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return drawn(t, "bernoulli", out, o.P, 0, o.Stream), nil
}

// CUDA draws four elements in a thread. Logarithm, sine and cosine may differ from the CPU's in the last digit of
// float64.
func (o Normal) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return drawn(t, "normal", out, o.Mean, o.Std, o.Stream), nil
}

// CUDA drops four elements in a thread: those that the CPU drops.
func (o Dropout) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	least := int(math.Ceil(o.Rate * (1 << 24)))
	return device(t, "dropout", out, kernels.IntArg(least), kernels.FloatArg(out.DType, 1/(1-o.Rate)),
		kernels.IntArg(int(o.Stream)), kernels.IntArg(out.Size()), kernels.InputArg(1), kernels.InputArg(0),
		kernels.OutputArg()), nil
}
