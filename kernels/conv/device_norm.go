package conv

import "ganglion/kernels"

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
