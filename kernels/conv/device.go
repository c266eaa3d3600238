package conv

import "ganglion/kernels"

// The device facets of the family: kernels in conv.cu, pool.cu and norm.cu.
var (
	_ kernels.CUDAOp        = Conv{}
	_ kernels.CUDAOp        = Biased{}
	_ kernels.CUDAOp        = ConvGradX{}
	_ kernels.CUDAOp        = ConvGradW{}
	_ kernels.CUDAScratcher = ConvGradW{}
	_ kernels.CUDAOp        = Unfold{}
	_ kernels.CUDAOp        = Fold{}
	_ kernels.CUDAOp        = MaxPool{}
	_ kernels.CUDAOp        = MaxPoolAt{}
	_ kernels.CUDAOp        = MaxPoolGrad{}
	_ kernels.CUDAOp        = ReLUPoolGrad{}
	_ kernels.CUDAOp        = AvgPool{}
	_ kernels.CUDAOp        = AvgPoolGrad{}
	_ kernels.CUDAOp        = Upsample{}
	_ kernels.CUDAOp        = UpsampleGrad{}
	_ kernels.CUDAOp        = Moments{}
	_ kernels.CUDAOp        = ChannelSums{}
	_ kernels.CUDAOp        = ChannelAffine{}
	_ kernels.CUDAOp        = RowMean{}
	_ kernels.CUDAOp        = Standardise{}
	_ kernels.CUDAOp        = StandardiseGrad{}
	_ kernels.CUDAOp        = LayerNorm{}
	_ kernels.CUDAOp        = GroupNorm{}
)

const (
	deviceThreads = 256
	deviceTile    = 64 // side of a tile of a product
)

// each launches a kernel with a thread for each of n elements.
func each(
	t kernels.Target,
	module, entry string,
	d kernels.DType,
	n int,
	args ...kernels.Arg,
) []kernels.Launch {
	return []kernels.Launch{t.Sweep(module, kernels.Entry(entry, d), n, args...)}
}

// blocks launches a kernel with a block for each of n rows.
func blocks(
	t kernels.Target,
	entry string,
	d kernels.DType,
	n int,
	args ...kernels.Arg,
) []kernels.Launch {
	return []kernels.Launch{{Module: "conv/norm", Entry: kernels.Entry(entry, d), Grid: t.Loop(n, 1),
		Block: kernels.Threads(deviceThreads), Args: args}}
}

// arg is the struct Geometry of device code.
func (g *geometry) arg() kernels.Arg {
	words := []int{g.batch, g.groups, g.in, g.out}
	for _, list := range [...][maxDims]int{g.x, g.k, g.y, g.stride, g.pad, g.dil} {
		words = append(words, list[:]...)
	}
	return kernels.BlockArg(words...)
}

// launch is the launch of a product of rows × cols elements in each group, and as many again for each part.
func (g *geometry) launch(op kernels.Op, entry string, out kernels.Spec, rows, cols, parts int,
	args ...kernels.Arg) (kernels.Launch, error) {
	l := kernels.Launch{Module: "conv/conv", Entry: kernels.Entry(entry, out.DType),
		Grid:  kernels.Dim{ceil(cols, deviceTile), ceil(rows, deviceTile), g.groups * parts},
		Block: kernels.Threads(deviceThreads), Args: append([]kernels.Arg{g.arg()}, args...)}
	if out.Size() == 0 {
		l.Grid[0] = 0
	}
	if l.Grid[1] >= 1<<16 || l.Grid[2] >= 1<<16 {
		return l, kernels.Errorf(op, []kernels.Spec{out}, kernels.ErrShape,
			"%v blocks are more than a grid can have", l.Grid)
	}
	return l, nil
}

// CUDA multiplies tiles whose operands are read where they lie.
func (o Conv) CUDA(
	_ kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.geometry(in[0].Shape, in[1].Shape)
	l, err := g.launch(
		o,
		"forward",
		out,
		g.out,
		g.batch*g.area(),
		1,
		kernels.InputArg(0),
		kernels.InputArg(1),
		kernels.OutputArg(),
	)
	return []kernels.Launch{l}, err
}

// CUDA does as Conv, and adds the bias and applies the function to what it writes.
func (o Biased) CUDA(_ kernels.Target, in []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	g := o.Of.geometry(in[0].Shape, in[1].Shape)
	l, err := g.launch(o, "biased", out, g.out, g.batch*g.area(), 1, number(o.ReLU), kernels.InputArg(0),
		kernels.InputArg(1), kernels.InputArg(2), kernels.OutputArg())
	return []kernels.Launch{l}, err
}

// CUDA multiplies tiles whose operands are read where they lie.
func (o ConvGradX) CUDA(
	_ kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.Of.geometry(out.Shape, in[1].Shape)
	l, err := g.launch(
		o,
		"gradx",
		out,
		g.in,
		g.batch*g.plane(),
		1,
		kernels.InputArg(0),
		kernels.InputArg(1),
		kernels.OutputArg(),
	)
	return []kernels.Launch{l}, err
}

// deviceParts cuts the sums over images and positions so that the device is full.
func (g *geometry) deviceParts(t kernels.Target) (parts, depth int) {
	const least, most = 512, 64
	sum := g.batch * g.area()
	tiles := max(1, ceil(g.out, deviceTile)*ceil(g.in*g.taps(), deviceTile)*g.groups)
	parts = max(1, min(most, sum/least, ceil(2*t.Multiprocessors, tiles)))
	depth = max(1, ceil(ceil(sum, parts), 16)*16)
	return max(1, ceil(sum, depth)), depth
}

// CUDAWorkspace holds the parts of the sums.
func (o ConvGradW) CUDAWorkspace(t kernels.Target, in []kernels.Spec, out kernels.Spec) int {
	g := o.Of.geometry(in[0].Shape, out.Shape)
	if parts, _ := g.deviceParts(t); parts > 1 {
		return parts * out.Bytes()
	}
	return 0
}

// CUDA multiplies tiles whose operands are read where they lie, and adds the parts of the sums in order.
func (o ConvGradW) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.Of.geometry(in[0].Shape, out.Shape)
	parts, depth := g.deviceParts(t)
	to := kernels.OutputArg()
	if parts > 1 {
		to = kernels.ScratchArg(0)
	}
	l, err := g.launch(
		o,
		"gradw",
		out,
		g.out,
		g.in*g.taps(),
		parts,
		kernels.IntArg(depth),
		kernels.InputArg(0),
		kernels.InputArg(1),
		to,
	)
	list := []kernels.Launch{l}
	if parts > 1 {
		list = append(
			list,
			each(t, "conv/conv", "join", out.DType, out.Size(), kernels.IntArg(parts),
				kernels.IntArg(out.Size()), to, kernels.OutputArg())...)
	}
	return list, err
}

// CUDA copies an element in a thread.
func (o Unfold) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.geometry(in[0].Shape)
	return each(
		t,
		"conv/conv",
		"unfold",
		out.DType,
		out.Size(),
		g.arg(),
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
		kernels.OutputArg(),
	), nil
}

// CUDA adds up an element in a thread.
func (o Fold) CUDA(t kernels.Target, _ []kernels.Spec, out kernels.Spec) ([]kernels.Launch, error) {
	g := o.Of.geometry(out.Shape)
	return each(t, "conv/conv", "fold", out.DType, out.Size(), g.arg(), kernels.IntArg(out.Size()),
		kernels.InputArg(0), kernels.OutputArg()), nil
}
