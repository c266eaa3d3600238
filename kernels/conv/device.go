package conv

import "ganglion/kernels"

// The device facets of the family: kernels in conv.cu, pool.cu and norm.cu.
var (
	_ kernels.CUDAOp        = Conv{}
	_ kernels.CUDAOp        = ConvGradX{}
	_ kernels.CUDAOp        = ConvGradW{}
	_ kernels.CUDAScratcher = ConvGradW{}
	_ kernels.CUDAOp        = Unfold{}
	_ kernels.CUDAOp        = Fold{}
	_ kernels.CUDAOp        = MaxPool{}
	_ kernels.CUDAOp        = MaxPoolAt{}
	_ kernels.CUDAOp        = MaxPoolGrad{}
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

// grid is a grid of n blocks, or of as many as fill the device many times over.
func grid(t kernels.Target, n int) kernels.Dim {
	return kernels.Dim{min(n, max(1, t.Multiprocessors)*32), 1, 1}
}

// each launches a kernel with a thread for each of n elements.
func each(
	t kernels.Target,
	module, entry string,
	d kernels.DType,
	n int,
	args ...kernels.Arg,
) []kernels.Launch {
	return []kernels.Launch{
		{Module: module, Entry: kernels.Entry(entry, d), Grid: grid(t, ceil(n, deviceThreads)),
			Block: kernels.Threads(deviceThreads), Args: args},
	}
}

// blocks launches a kernel with a block for each of n rows.
func blocks(
	t kernels.Target,
	entry string,
	d kernels.DType,
	n int,
	args ...kernels.Arg,
) []kernels.Launch {
	return []kernels.Launch{{Module: "conv/norm", Entry: kernels.Entry(entry, d), Grid: grid(t, n),
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

// pooled launches a kernel of pool.cu with a thread for each element of the output.
func (g *geometry) pooled(
	t kernels.Target,
	entry string,
	out kernels.Spec,
	args ...kernels.Arg,
) []kernels.Launch {
	return each(
		t,
		"conv/pool",
		entry,
		out.DType,
		out.Size(),
		append(append([]kernels.Arg{g.arg()}, args...),
			kernels.OutputArg())...)
}

// CUDA looks through a window in a thread.
func (o MaxPool) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.Window.geometry(in[0].Shape)
	return g.pooled(
		t,
		"largest",
		out,
		kernels.IntArg(1),
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
		kernels.InputArg(0),
	), nil
}

// CUDA looks through a window in a thread.
func (o MaxPoolAt) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.Window.geometry(in[0].Shape)
	return g.pooled(
		t,
		"largest",
		out,
		kernels.IntArg(0),
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
		kernels.InputArg(1),
	), nil
}

// CUDA looks, in a thread for each element, through the windows that hold it.
func (o MaxPoolGrad) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.Window.geometry(out.Shape)
	return g.pooled(
		t,
		"spread",
		out,
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
		kernels.InputArg(1),
	), nil
}

// number is 1 if b, else 0.
func number(b bool) kernels.Arg {
	if b {
		return kernels.IntArg(1)
	}
	return kernels.IntArg(0)
}

// CUDA averages a window in a thread.
func (o AvgPool) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.Window.geometry(in[0].Shape)
	return g.pooled(
		t,
		"mean",
		out,
		number(o.CountIncludePad),
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
	), nil
}

// CUDA adds up an element in a thread.
func (o AvgPoolGrad) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	g := o.Window.geometry(out.Shape)
	return g.pooled(
		t,
		"share",
		out,
		number(o.CountIncludePad),
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
	), nil
}

// arg is the struct Blocks of device code.
func (o Upsample) arg(small kernels.Spec) kernels.Arg {
	v, f := volumes(small.Shape), o.factors()
	return kernels.BlockArg(v[0], v[1], v[2], f[0], f[1], f[2])
}

// CUDA copies an element in a thread.
func (o Upsample) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return each(
		t,
		"conv/pool",
		"repeat",
		out.DType,
		out.Size(),
		o.arg(in[0]),
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
		kernels.OutputArg(),
	), nil
}

// CUDA adds up an element in a thread.
func (o UpsampleGrad) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return each(
		t,
		"conv/pool",
		"gather",
		out.DType,
		out.Size(),
		Upsample(o).arg(out),
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
		kernels.OutputArg(),
	), nil
}

// channels are the arguments that say where the elements of a channel lie.
func channels(x kernels.Spec) []kernels.Arg {
	plane := volume(x.Shape[2:])
	return []kernels.Arg{
		kernels.IntArg(x.Shape[1]),
		kernels.IntArg(x.Shape[0] * plane),
		kernels.IntArg(plane),
	}
}

// CUDA takes a channel in a block.
func (o Moments) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return blocks(
		t,
		"channels",
		out.DType,
		out.Shape[1],
		append(channels(in[0]), kernels.InputArg(0),
			kernels.OutputArg())...), nil
}

// CUDA takes a channel in a block.
func (o ChannelSums) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return blocks(t, "sums", out.DType, out.Shape[1], append(channels(in[0]), kernels.InputArg(0),
		kernels.InputArg(1), kernels.InputArg(2), kernels.OutputArg())...), nil
}

// CUDA computes an element in a thread.
func (o ChannelAffine) CUDA(
	t kernels.Target,
	in []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return each(
		t,
		"conv/norm",
		"affine",
		out.DType,
		out.Size(),
		kernels.IntArg(in[0].Shape[1]),
		kernels.IntArg(
			volume(in[0].Shape[2:]),
		),
		kernels.IntArg(out.Size()),
		kernels.InputArg(0),
		kernels.InputArg(1),
		kernels.InputArg(2),
		kernels.InputArg(3),
		kernels.OutputArg(),
	), nil
}

// CUDA takes a row in a block.
func (o RowMean) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	rows, n := o.Rows.of(out.Shape)
	return blocks(
		t,
		"rowmean",
		out.DType,
		rows,
		kernels.IntArg(rows),
		kernels.IntArg(n),
		kernels.InputArg(0),
		kernels.OutputArg(),
	), nil
}

// standard launches standardise: gamma and beta are inputs 1 and 2 if affine.
func standard(
	t kernels.Target,
	r Rows,
	eps float64,
	out kernels.Spec,
	affine bool,
	period, channels int,
) []kernels.Launch {
	rows, n := r.of(out.Shape)
	gamma, beta := kernels.IntArg(0), kernels.IntArg(0)
	if affine {
		gamma, beta = kernels.InputArg(1), kernels.InputArg(2)
	}
	return blocks(
		t,
		"standardise",
		out.DType,
		rows,
		kernels.IntArg(rows),
		kernels.IntArg(n),
		kernels.FloatArg(
			kernels.Float64,
			eps,
		),
		kernels.IntArg(period),
		kernels.IntArg(channels),
		kernels.InputArg(0),
		gamma,
		beta,
		kernels.OutputArg(),
	)
}

// CUDA takes a row in a block.
func (o Standardise) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return standard(t, o.Rows, o.Eps, out, false, 0, 1), nil
}

// CUDA takes a row in a block.
func (o LayerNorm) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return standard(t, o.rows(), o.Eps, out, true, 0, 1), nil
}

// CUDA takes a group of channels of a sample in a block.
func (o GroupNorm) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return standard(t, o.rows(), o.Eps, out, true, volume(out.Shape[2:]), out.Shape[1]), nil
}

// CUDA takes a row in a block.
func (o StandardiseGrad) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	rows, n := o.Rows.of(out.Shape)
	return blocks(
		t,
		"slope",
		out.DType,
		rows,
		kernels.IntArg(rows),
		kernels.IntArg(n),
		kernels.FloatArg(
			kernels.Float64,
			o.Eps,
		),
		kernels.InputArg(0),
		kernels.InputArg(1),
		kernels.OutputArg(),
	), nil
}
