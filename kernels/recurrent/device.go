package recurrent

import "ganglion/kernels"

// The device facets of the family: kernels in recurrent.cu.
var (
	_ kernels.CUDAOp        = GRU{}
	_ kernels.CUDAOp        = GRUGrad{}
	_ kernels.CUDAScratcher = GRUGrad{}
	_ kernels.CUDAOp        = LSTM{}
	_ kernels.CUDAOp        = LSTMGrad{}
	_ kernels.CUDAScratcher = LSTMGrad{}
	_ kernels.CUDAOp        = Part{}
)

const (
	deviceThreads = 256
	deviceTile    = 32 // samples, and units, of a block
)

// arg is the struct Sizes of device code.
func (q sequence) arg() kernels.Arg { return kernels.BlockArg(q.steps, q.batch, q.hidden) }

// tiled launches a kernel with a block for each tile of samples and units.
func (q sequence) tiled(entry string, d kernels.DType, t int, args ...kernels.Arg) kernels.Launch {
	tiles := func(n int) int { return (n + deviceTile - 1) / deviceTile }
	return kernels.Launch{Module: "recurrent/recurrent", Entry: kernels.Entry(entry, d),
		Grid: kernels.Dim{tiles(q.hidden), tiles(q.batch), 1}, Block: kernels.Threads(deviceThreads),
		Args: append([]kernels.Arg{q.arg(), kernels.IntArg(t)}, args...)}
}

// each launches a kernel with a thread for each unit of each sample.
func (q sequence) each(entry string, d kernels.DType, t int, args ...kernels.Arg) kernels.Launch {
	return kernels.Launch{Module: "recurrent/recurrent", Entry: kernels.Entry(entry, d),
		Grid: kernels.Line(q.batch*q.hidden, deviceThreads), Block: kernels.Threads(deviceThreads),
		Args: append([]kernels.Arg{q.arg(), kernels.IntArg(t)}, args...)}
}

// CUDA takes a step in a launch.
func (o GRU) CUDA(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	q := sizes(out.Shape, gruGates)
	list := make([]kernels.Launch, q.steps)
	for t := range list {
		list[t] = q.tiled("gru", out.DType, t, kernels.InputArg(0), kernels.InputArg(1), kernels.InputArg(2),
			kernels.InputArg(3), kernels.OutputArg())
	}
	return list, nil
}

// CUDA takes a step in a launch.
func (o LSTM) CUDA(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	q := sizes(out.Shape, lstmGates)
	list := make([]kernels.Launch, q.steps)
	for t := range list {
		list[t] = q.tiled("lstm", out.DType, t, kernels.InputArg(0), kernels.InputArg(1), kernels.InputArg(2),
			kernels.InputArg(3), kernels.InputArg(4), kernels.OutputArg())
	}
	return list, nil
}

// CUDAWorkspace holds the gradient of h on its way back.
func (o GRUGrad) CUDAWorkspace(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) int {
	q := sizes(out.Shape, gruGates)
	return q.batch * q.hidden * out.DType.Size()
}

// CUDA takes a step back in two launches: the gates, and the products with the weights.
func (o GRUGrad) CUDA(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	const inner = 3 // the part of the gradients of q
	q, d := sizes(out.Shape, gruGates), out.DType
	var list []kernels.Launch
	for t := q.steps - 1; t >= 0; t-- {
		list = append(list, q.each("gruback", d, t, kernels.InputArg(0), kernels.InputArg(1), kernels.InputArg(2),
			kernels.ScratchArg(0), kernels.OutputArg()), q.tiled("carried", d, t, kernels.IntArg(gruGates),
			kernels.IntArg(inner), kernels.InputArg(3), kernels.ScratchArg(0), kernels.OutputArg()))
	}
	return list, nil
}

// CUDAWorkspace holds the gradients of h and c on their way back.
func (o LSTMGrad) CUDAWorkspace(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) int {
	q := sizes(out.Shape, lstmGates)
	return 2 * q.batch * q.hidden * out.DType.Size()
}

// CUDA takes a step back in two launches: the gates, and the products with the weights.
func (o LSTMGrad) CUDA(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	q, d := sizes(out.Shape, lstmGates), out.DType
	cells := kernels.ScratchArg(q.batch * q.hidden * d.Size())
	var list []kernels.Launch
	for t := q.steps - 1; t >= 0; t-- {
		list = append(list, q.each("lstmback", d, t, kernels.InputArg(0), kernels.InputArg(1), kernels.InputArg(2),
			kernels.ScratchArg(0), cells, kernels.OutputArg()), q.tiled("carried", d, t, kernels.IntArg(lstmGates),
			kernels.IntArg(2), kernels.InputArg(3), kernels.ScratchArg(0), kernels.OutputArg()))
	}
	return list, nil
}

// CUDA copies the entry, for when the view cannot be taken.
func (o Part) CUDA(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n := out.Bytes()
	return []kernels.Launch{{Module: "recurrent/part", Entry: "part", Grid: kernels.Line(n, deviceThreads),
		Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{kernels.IntArg(n), kernels.IntArg(o.Index * n),
			kernels.InputArg(0), kernels.OutputArg()}}}, nil
}
