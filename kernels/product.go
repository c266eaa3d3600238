package kernels

// CUDAProduct is a CUDAOp that is a product of matrices, which a library of the device may compute in the place of the
// op's own kernels.
type CUDAProduct interface {
	CUDAOp
	// CUDAProduct is the product of inputs 0 and 1. rest lists the launches that make the output of the product when it
	// stands in the scratch memory, which then has Bytes of the product; without any the product is the output. ok is
	// false where the op's own kernels are to be used. Shapes have passed Infer.
	CUDAProduct(t Target, in []Spec, out Spec) (p Product, rest []Launch, ok bool)
}

// Product is C = op(A)·op(B) for matrices of rows without gaps, or a batch of such products one behind the other. A is
// [M, K], or [K, M] if TransA; B is [K, N], or [N, K] if TransB; C is [M, N].
type Product struct {
	DType          DType
	M, N, K, Batch int
	TransA, TransB bool
}

// Bytes is the size of all results.
func (p Product) Bytes() int { return p.Batch * p.M * p.N * p.DType.Size() }
