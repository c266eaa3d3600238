package conv

import "ganglion/kernels"

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
	return o.Window.spread(t, false, out), nil
}

// CUDA looks, in a thread for each element above 0, through the windows that hold it.
func (o ReLUPoolGrad) CUDA(
	t kernels.Target,
	_ []kernels.Spec,
	out kernels.Spec,
) ([]kernels.Launch, error) {
	return o.Window.spread(t, true, out), nil
}

// spread launches the gradient of a maximum, of ReLU if relu is set.
func (w Window) spread(t kernels.Target, relu bool, out kernels.Spec) []kernels.Launch {
	g := w.geometry(out.Shape)
	return g.pooled(t, "spread", out, number(relu), kernels.IntArg(out.Size()), kernels.InputArg(0),
		kernels.InputArg(1))
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
