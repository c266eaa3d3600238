package dense

import "ganglion/kernels"

// MixedBatchedGEMM is BatchedGEMM in mixed precision (see MixedGEMM).
// Inputs and output: those of BatchedGEMM.
type MixedBatchedGEMM struct {
	TransA, TransB bool
	Operands       Format // TF32 or BF16
}

var (
	_ kernels.CPUOp     = MixedBatchedGEMM{}
	_ kernels.Scratcher = MixedBatchedGEMM{}
	_ kernels.Preparer  = MixedBatchedGEMM{}
	_ kernels.Fused     = MixedBatchedGEMM{}
)

// batched is the op without rounding.
func (o MixedBatchedGEMM) batched() BatchedGEMM {
	return BatchedGEMM{TransA: o.TransA, TransB: o.TransB}
}

// Infer is that of BatchedGEMM.
func (o MixedBatchedGEMM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantOperands(o, in, o.Operands); err != nil {
		return kernels.Spec{}, err
	}
	return o.batched().Infer(in)
}

// Ref is BatchedGEMM of rounded operands.
func (o MixedBatchedGEMM) Ref(out kernels.Tensor, in []kernels.Tensor) {
	o.batched().Ref(out, roundedRefs(o.Operands, [2]bool{}, in))
}

// Decompose rounds and multiplies.
func (o MixedBatchedGEMM) Decompose(b kernels.Builder, in []*kernels.Node) *kernels.Node {
	f := Round{To: o.Operands}
	return b.Apply(o.batched(), b.Apply(f, in[0]), b.Apply(f, in[1]))
}

// Flops is 2mnk for each matrix.
func (o MixedBatchedGEMM) Flops(in []kernels.Spec, out kernels.Spec) float64 {
	return o.batched().Flops(in, out)
}

// Prepare makes room for a product.
func (o MixedBatchedGEMM) Prepare(c *kernels.Call) { o.batched().Prepare(c) }

// Workspace holds the rounded operands and what products pack.
func (o MixedBatchedGEMM) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return roundedBytes(in) + o.batched().Workspace(in, out, workers)
}

// CPU rounds the operands and multiplies as BatchedGEMM does.
func (o MixedBatchedGEMM) CPU(c *kernels.Call) {
	roundOperands(c)
	if n := o.batched().small(c); n > 0 {
		run(c, n, mixedBatchBody[float32], mixedBatchBody[float64])
		return
	}
	for i := range product(c.Out.Shape[:len(c.Out.Shape)-2]) {
		if c.Out.DType == kernels.Float32 {
			shareOne(c, o.batched(), i, rounded[float32](c))
		} else {
			shareOne(c, o.batched(), i, rounded[float64](c))
		}
	}
}

func mixedBatchBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	batchChunk(c, c.Op.(MixedBatchedGEMM).batched(), chunk, worker, rounded[T](c))
}
