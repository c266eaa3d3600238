package exec

import (
	"ganglion/engine/plan"
	"ganglion/kernels"
)

// wide runs an op's reference, which works in float64, through copies.
type wide struct {
	op      kernels.Op
	in      []*kernels.Tensor
	out     *kernels.Tensor
	wideIn  []kernels.Tensor
	wideOut kernels.Tensor
}

func (b *binder) wide(n *plan.Node, id int) *wide {
	w := &wide{op: n.Op, in: b.inputs(n), out: new(kernels.Tensor)}
	b.node(w.out, id)
	for _, t := range w.in {
		w.wideIn = append(w.wideIn, kernels.New(widened(t.Spec)))
	}
	w.wideOut = kernels.New(widened(w.out.Spec))
	return w
}

func widened(s kernels.Spec) kernels.Spec {
	if s.DType.IsFloat() {
		s.DType = kernels.Float64
	}
	return s
}

func (w *wide) run() {
	for i, t := range w.in {
		convert(w.wideIn[i], *t)
	}
	w.op.Ref(w.wideOut, w.wideIn)
	convert(*w.out, w.wideOut)
}

// convert copies src to dst, which differs from it in the width of floats at most.
func convert(dst, src kernels.Tensor) {
	switch {
	case dst.DType == src.DType:
		src.CopyTo(dst)
	case dst.DType == kernels.Float64:
		for i, v := range src.F32 {
			dst.F64[i] = float64(v)
		}
	default:
		for i, v := range src.F64 {
			dst.F32[i] = float32(v)
		}
	}
}

// Eval computes one op on the processor, in memory of its own; float values stay in the type of the inputs.
func Eval(op kernels.Op, in []kernels.Tensor, o Options) (kernels.Tensor, *kernels.Report, error) {
	specs := make([]kernels.Spec, len(in))
	for i, t := range in {
		specs[i] = t.Spec
	}
	spec, err := op.Infer(specs)
	if err != nil {
		return kernels.Tensor{}, nil, err
	}
	k, ok := op.(kernels.CPUOp)
	if !ok {
		t, err := kernels.RunRef(op, in)
		return t, new(kernels.Report), err
	}
	c := kernels.NewCall(op, o.Path, o.Pool)
	c.In, c.Out = in, kernels.New(spec)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, spec, o.Pool.Workers()))
	}
	if s, ok := op.(kernels.Reserver); ok {
		c.Reserve = make([]byte, s.Reserve(specs, spec, o.Pool.Workers()))
	}
	k.CPU(c)
	return c.Out, c.Report, nil
}
