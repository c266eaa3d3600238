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
	_ kernels.CUDAOp        = Weights{}
	_ kernels.CUDAOp        = Part{}
	_ kernels.CUDAOp        = Place{}
	_ kernels.CUDAOp        = Section{}
	_ kernels.CUDAOp        = Steps{}
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
func (o GRUGrad) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	q := sizes(in[0].Shape, gruGates)
	return q.batch * q.hidden * out.DType.Size()
}

// CUDA takes a step back in two launches: the gates, and the products with the weights.
func (o GRUGrad) CUDA(_ kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	q, d := sizes(in[0].Shape, gruGates), out.DType
	var list []kernels.Launch
	for t := q.steps - 1; t >= 0; t-- {
		list = append(list, q.each("gruback", d, t, alone(o.Hidden), kernels.InputArg(0), kernels.InputArg(1),
			kernels.InputArg(2), kernels.ScratchArg(0), kernels.OutputArg()), q.carried(d, t))
	}
	return append(list, q.biases(d)), nil
}

// CUDAWorkspace holds the gradients of h and c on their way back.
func (o LSTMGrad) CUDAWorkspace(_ kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	q := sizes(in[0].Shape, lstmGates)
	return 2 * q.batch * q.hidden * out.DType.Size()
}

// CUDA takes a step back in two launches: the gates, and the products with the weights.
func (o LSTMGrad) CUDA(_ kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	q, d := sizes(in[0].Shape, lstmGates), out.DType
	cells := kernels.ScratchArg(q.batch * q.hidden * d.Size())
	var list []kernels.Launch
	for t := q.steps - 1; t >= 0; t-- {
		list = append(list, q.each("lstmback", d, t, alone(o.Hidden), kernels.InputArg(0), kernels.InputArg(1),
			kernels.InputArg(2), kernels.ScratchArg(0), cells, kernels.OutputArg()), q.carried(d, t))
	}
	return append(list, q.biases(d)), nil
}

// alone is 1 if only h has a gradient.
func alone(hidden bool) kernels.Arg {
	if hidden {
		return kernels.IntArg(1)
	}
	return kernels.IntArg(0)
}

// carried launches the products of a step back.
func (q sequence) carried(d kernels.DType, t int) kernels.Launch {
	return q.tiled("carried", d, t, kernels.IntArg(q.gates), kernels.InputArg(3), kernels.ScratchArg(0),
		kernels.OutputArg())
}

// biases launches the sums of the gradients of the biases.
func (q sequence) biases(d kernels.DType) kernels.Launch {
	const columns = 32 // of a block
	return kernels.Launch{Module: "recurrent/recurrent", Entry: kernels.Entry("biases", d),
		Grid: kernels.Line(4*q.hidden, columns), Block: kernels.Threads(deviceThreads),
		Args: []kernels.Arg{q.arg(), kernels.IntArg(q.gates), kernels.OutputArg()}}
}

// CUDA has a block for each tile of each gate's weights.
func (o Weights) CUDA(_ kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	q := sizes(in[1].Shape, o.Gates)
	tiles := (q.hidden + deviceTile - 1) / deviceTile
	return []kernels.Launch{{Module: "recurrent/recurrent", Entry: kernels.Entry("weights", out.DType),
		Grid: kernels.Dim{tiles, tiles, q.gates}, Block: kernels.Threads(deviceThreads),
		Args: []kernels.Arg{q.arg(), kernels.IntArg(q.gates), kernels.InputArg(0), kernels.InputArg(1),
			kernels.InputArg(2), kernels.OutputArg()}}}, nil
}

// copied launches a copy of the bytes of input 0 from byte first on.
func copied(first int, out kernels.Spec) []kernels.Launch {
	n := out.Bytes()
	return []kernels.Launch{{Module: "recurrent/part", Entry: "part", Grid: kernels.Line(n, deviceThreads),
		Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{kernels.IntArg(n), kernels.IntArg(first),
			kernels.InputArg(0), kernels.OutputArg()}}}
}

// CUDA copies the entry, for when the view cannot be taken.
func (o Part) CUDA(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return copied(o.Index*out.Bytes(), out), nil
}

// CUDA copies the section, for when the view cannot be taken.
func (o Section) CUDA(_ kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return copied(o.View(in)*out.DType.Size(), out), nil
}

// CUDA copies, for when the view cannot be taken.
func (o Steps) CUDA(_ kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	return copied(0, out), nil
}

// CUDA writes x and zeros.
func (o Place) CUDA(_ kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	n, count := out.Bytes(), in[0].Bytes()
	return []kernels.Launch{{Module: "recurrent/part", Entry: "place", Grid: kernels.Line(n, deviceThreads),
		Block: kernels.Threads(deviceThreads), Args: []kernels.Arg{kernels.IntArg(n), kernels.IntArg(o.Index * count),
			kernels.IntArg(count), kernels.InputArg(0), kernels.OutputArg()}}}, nil
}
