package dense

import (
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// MixedGEMM is Linear in mixed precision: the operands a and b are rounded to a format of 16 bits or so, their products
// are exact in float32, and everything else is done in the type of the graph. The planner makes it of products where
// a precision is asked for; tensor cores compute it.
// Inputs and output: those of Linear.
//
// Of an exact product it is off by (2u + u²)·Σ|a||b| at most, where u is Unit of the format, and by the rounding of the
// sum. Its gradient is that of its parts (see Round).
type MixedGEMM struct {
	TransA, TransB bool
	Bias, Residual bool
	F              act.Func // the identity by default
	Operands       Format   // TF32 or BF16
}

var (
	_ kernels.CPUOp     = MixedGEMM{}
	_ kernels.Scratcher = MixedGEMM{}
	_ kernels.InPlacer  = MixedGEMM{}
	_ kernels.Preparer  = MixedGEMM{}
	_ kernels.Fused     = MixedGEMM{}
)

// linear is the op without rounding.
func (o MixedGEMM) linear() Linear {
	return Linear{TransA: o.TransA, TransB: o.TransB, Bias: o.Bias, Residual: o.Residual, F: o.F}
}

// mixed is a product with rounded operands.
func mixed(o Linear, f Format) MixedGEMM {
	return MixedGEMM{TransA: o.TransA, TransB: o.TransB, Bias: o.Bias, Residual: o.Residual, F: o.F, Operands: f}
}

// wantOperands checks a format of operands.
func wantOperands(op kernels.Op, in []kernels.Spec, f Format) error {
	if f != TF32 && f != BF16 {
		return kernels.Errorf(op, in, kernels.ErrDType, "operands are tf32 or bf16, not %v", f)
	}
	return nil
}

// Infer is that of Linear.
func (o MixedGEMM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantOperands(o, in, o.Operands); err != nil {
		return kernels.Spec{}, err
	}
	return o.linear().Infer(in)
}

// roundedRefs are the inputs with the first two rounded.
func roundedRefs(f Format, in []kernels.Tensor) []kernels.Tensor {
	rounded := append([]kernels.Tensor(nil), in...)
	for i := range 2 {
		rounded[i] = kernels.New(in[i].Spec)
		Round{To: f}.Ref(rounded[i], in[i:i+1])
	}
	return rounded
}

// Ref is Linear of rounded operands.
func (o MixedGEMM) Ref(out kernels.Tensor, in []kernels.Tensor) {
	o.linear().Ref(out, roundedRefs(o.Operands, in))
}

// Decompose rounds and multiplies.
func (o MixedGEMM) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	x := append([]*kernels.Node(nil), in...)
	for i := range 2 {
		x[i] = b.Apply(Round{To: o.Operands}, in[i])
	}
	return b.Apply(o.linear(), x...)
}

// Flops is 2mnk.
func (o MixedGEMM) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	return o.linear().Flops(in, out)
}

// InPlace is true for the residual.
func (o MixedGEMM) InPlace(i int) bool { return o.linear().InPlace(i) }

// Prepare makes room for the product.
func (o MixedGEMM) Prepare(c *kernels.Call) { o.linear().Prepare(c) }

// Workspace holds the rounded operands and what the product packs.
func (o MixedGEMM) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return roundedBytes(in) + o.linear().Workspace(in, out, workers)
}

// roundedBytes is the scratch memory of rounded operands.
func roundedBytes(in []kernels.Spec) int {
	size := in[0].DType.Size()
	return kernels.CarveSize(in[0].Size(), size) + kernels.CarveSize(in[1].Size(), size)
}

// CPU rounds the operands and multiplies.
func (o MixedGEMM) CPU(c *kernels.Call) {
	s := c.State.(*linearState)
	roundOperands(c)
	if c.Out.DType == kernels.Float32 {
		linear(c, o.linear(), s, s.f32, rounded[float32](c))
	} else {
		linear(c, o.linear(), s, s.f64, rounded[float64](c))
	}
}

// rounded are the rounded operands, in scratch memory.
func rounded[T kernels.Float](c *kernels.Call) factors[T] {
	x := factors[T]{work: c.Work}
	x.a = kernels.Carve[T](&x.work, c.In[0].Size())
	x.b = kernels.Carve[T](&x.work, c.In[1].Size())
	return x
}

// roundOperands writes them.
func roundOperands(c *kernels.Call) {
	run(c, cut(c, c.In[0].Size(), roundCost), roundA[float32], roundA[float64])
	run(c, cut(c, c.In[1].Size(), roundCost), roundB[float32], roundB[float64])
}

func roundA[T kernels.Float](c *kernels.Call, chunk, _ int) {
	roundOperand(c, chunk, 0, rounded[T](c).a)
}

func roundB[T kernels.Float](c *kernels.Call, chunk, _ int) {
	roundOperand(c, chunk, 1, rounded[T](c).b)
}

func roundOperand[T kernels.Float](c *kernels.Call, chunk, i int, to []T) {
	lo, hi := c.Chunk(chunk, len(to))
	nearestRun(operandsFormat(c.Op), to[lo:hi], kernels.Of[T](c.In[i])[lo:hi])
}

// operandsFormat is that of a product in mixed precision.
func operandsFormat(op kernels.Op) Format {
	if o, ok := op.(MixedGEMM); ok {
		return o.Operands
	}
	return op.(MixedBatchedGEMM).Operands
}

// Mixed is the product op with operands of a format; false if op is no product that has such a form.
func Mixed(op kernels.Op, f Format) (kernels.Op, bool) {
	switch o := op.(type) {
	case GEMM:
		return mixed(o.linear(), f), true
	case Linear:
		return mixed(o, f), true
	case BatchedGEMM:
		return MixedBatchedGEMM{TransA: o.TransA, TransB: o.TransB, Operands: f}, true
	}
	return nil, false
}
