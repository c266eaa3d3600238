package dense

import (
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// MixedGEMM is Linear in mixed precision: the operands a and b are rounded to a format of 16 bits or so, their products
// are exact in float32, and everything else is done in the type of the graph. The planner makes it of products where
// a precision is asked for; tensor cores compute it.
// Inputs and output: those of Linear, but that a stored operand is byte [..., 2]. With both stored the output is of the
// type of the other inputs, or float32.
//
// Of an exact product it is off by (2u + u²)·Σ|a||b| at most, where u is Unit of the format, and by the rounding of the
// sum. Its gradient is that of its parts (see Round).
type MixedGEMM struct {
	TransA, TransB bool
	Bias, Residual bool
	F              act.Func // the identity by default
	Operands       Format   // TF32 or BF16
	// StoredA and StoredB say that an operand has been rounded before: it holds numbers that Narrow stored as BF16.
	StoredA, StoredB bool
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

// stored tells which of the operands are.
func (o MixedGEMM) stored() [2]bool { return [2]bool{o.StoredA, o.StoredB} }

// numbers are the inputs with stored operands as numbers of the output's type.
func (o MixedGEMM) numbers(in []kernels.Spec) ([]kernels.Spec, error) {
	if o.stored() == [2]bool{} || len(in) < 2 {
		return in, nil
	}
	if o.Operands != BF16 {
		return nil, kernels.Errorf(o, in, kernels.ErrDType, "operands that are stored are bf16, not %v", o.Operands)
	}
	specs, d := append([]kernels.Spec(nil), in...), kernels.Float32
	for i, s := range in {
		if i > 1 || !o.stored()[i] {
			d = s.DType
		}
	}
	for i, stored := range o.stored() {
		if stored {
			var err error
			if specs[i], err = wantStored(o, in, i, d); err != nil {
				return nil, err
			}
		}
	}
	return specs, nil
}

// checked are numbers of specs that have passed Infer.
func (o MixedGEMM) checked(in []kernels.Spec) []kernels.Spec {
	specs, err := o.numbers(in)
	if err != nil {
		panic("dense: specs that have not passed Infer: " + err.Error())
	}
	return specs
}

// Infer is that of Linear.
func (o MixedGEMM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantOperands(o, in, o.Operands); err != nil {
		return kernels.Spec{}, err
	}
	specs, err := o.numbers(in)
	if err != nil {
		return kernels.Spec{}, err
	}
	return o.linear().Infer(specs)
}

// roundedRefs are the inputs with the first two rounded, or read if they are stored.
func roundedRefs(f Format, stored [2]bool, in []kernels.Tensor) []kernels.Tensor {
	rounded := append([]kernels.Tensor(nil), in...)
	for i, s := range stored {
		if s {
			rounded[i] = kernels.New(kernels.S(kernels.Float64, in[i].Shape[:in[i].Rank()-1]...))
			widenRef(f, rounded[i].F64, in[i].U8)
			continue
		}
		rounded[i] = kernels.New(in[i].Spec)
		Round{To: f}.Ref(rounded[i], in[i:i+1])
	}
	return rounded
}

// Ref is Linear of rounded operands.
func (o MixedGEMM) Ref(out kernels.Tensor, in []kernels.Tensor) {
	o.linear().Ref(out, roundedRefs(o.Operands, o.stored(), in))
}

// Decompose rounds and multiplies.
func (o MixedGEMM) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	specs, err := o.numbers(specsOf(in))
	if err != nil {
		b.Fail(err)
	}
	x := append([]*kernels.Node(nil), in...)
	for i, stored := range o.stored() {
		if stored {
			x[i] = b.Apply(Widen{From: o.Operands, To: specs[i].DType}, in[i])
			continue
		}
		x[i] = b.Apply(Round{To: o.Operands}, in[i])
	}
	return b.Apply(o.linear(), x...)
}

// Flops is 2mnk.
func (o MixedGEMM) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	return o.linear().Flops(o.checked(in), out)
}

// InPlace is true for the residual.
func (o MixedGEMM) InPlace(i int) bool { return o.linear().InPlace(i) }

// Prepare makes room for the product.
func (o MixedGEMM) Prepare(c *kernels.Call) { o.linear().Prepare(c) }

// Workspace holds the rounded operands and what the product packs.
func (o MixedGEMM) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	in = o.checked(in)
	return roundedBytes(in) + o.linear().Workspace(in, out, workers)
}

// roundedBytes is the scratch memory of rounded operands.
func roundedBytes(in []kernels.Spec) int {
	size := in[0].DType.Size()
	return kernels.CarveSize(in[0].Size(), size) + kernels.CarveSize(in[1].Size(), size)
}

// CPU rounds the operands, or reads them, and multiplies.
func (o MixedGEMM) CPU(c *kernels.Call) {
	s := c.State.(*linearState)
	roundOperands(c)
	if c.Out.DType == kernels.Float32 {
		linear(c, o.linear(), s, s.f32, rounded[float32](c))
	} else {
		linear(c, o.linear(), s, s.f64, rounded[float64](c))
	}
}

// numberOf is the number of elements and the shape of an operand, stored or not.
func numberOf(x kernels.Tensor, stored bool) (n int, shape []int) {
	if stored {
		return x.Size() / 2, x.Shape[:x.Rank()-1]
	}
	return x.Size(), x.Shape
}

// rounded are the rounded operands, in scratch memory.
func rounded[T kernels.Float](c *kernels.Call) factors[T] {
	x, stored := factors[T]{work: c.Work}, roundingOf(c.Op).stored
	n, shape := numberOf(c.In[0], stored[0])
	x.a, x.shape = kernels.Carve[T](&x.work, n), shape
	n, _ = numberOf(c.In[1], stored[1])
	x.b = kernels.Carve[T](&x.work, n)
	return x
}

// roundOperands writes them.
func roundOperands(c *kernels.Call) {
	stored := roundingOf(c.Op).stored
	n, _ := numberOf(c.In[0], stored[0])
	run(c, cut(c, n, roundCost), roundA[float32], roundA[float64])
	n, _ = numberOf(c.In[1], stored[1])
	run(c, cut(c, n, roundCost), roundB[float32], roundB[float64])
}

func roundA[T kernels.Float](c *kernels.Call, chunk, _ int) {
	roundOperand(c, chunk, 0, rounded[T](c).a)
}

func roundB[T kernels.Float](c *kernels.Call, chunk, _ int) {
	roundOperand(c, chunk, 1, rounded[T](c).b)
}

func roundOperand[T kernels.Float](c *kernels.Call, chunk, i int, to []T) {
	lo, hi := c.Chunk(chunk, len(to))
	r := roundingOf(c.Op)
	if r.stored[i] {
		widenRun(r.format, to[lo:hi], c.In[i].U8[2*lo:2*hi])
		return
	}
	nearestRun(r.format, to[lo:hi], kernels.Of[T](c.In[i])[lo:hi])
}

// rounding is how the operands of a product come to their format.
type rounding struct {
	format Format
	stored [2]bool
}

func roundingOf(op kernels.Op) rounding {
	if o, ok := op.(MixedGEMM); ok {
		return rounding{o.Operands, o.stored()}
	}
	return rounding{format: op.(MixedBatchedGEMM).Operands}
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
