package dense

import "ganglion/kernels"

// deviceThreads is the number of threads of a block of the elementwise kernels.
const deviceThreads = 256

// elementwise launches a kernel that runs through the elements of the output: entry(args…, n, inputs…, output).
func elementwise(t kernels.Target, module, entry string, out kernels.Spec, args []kernels.Arg,
	inputs int) []kernels.Launch {
	args = append(args, kernels.IntArg(out.Size()))
	for i := range inputs {
		args = append(args, kernels.InputArg(i))
	}
	return []kernels.Launch{{Module: module, Entry: kernels.Entry(entry, out.DType), Grid: deviceGrid(t, out.Size()),
		Block: kernels.Threads(deviceThreads), Args: append(args, kernels.OutputArg())}}
}

// deviceGrid is a grid for a loop over n elements: a thread for each, until the device is full many times over.
func deviceGrid(t kernels.Target, n int) kernels.Dim {
	g := kernels.Line(n, deviceThreads)
	g[0] = min(g[0], max(1, t.Multiprocessors)*32)
	return g
}
