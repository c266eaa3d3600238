package dense

import (
	"math"

	"ganglion/kernels"
	"ganglion/kernels/act"
)

// The products that a library may compute.
var (
	_ kernels.CUDAProduct = GEMM{}
	_ kernels.CUDAProduct = Linear{}
	_ kernels.CUDAProduct = BatchedGEMM{}
)

// library describes the product to a library, with the launches that follow it.
func (p *deviceProduct) library(t kernels.Target, out kernels.Spec) (kernels.Product, []kernels.Launch, bool) {
	q := kernels.Product{DType: out.DType, M: p.m, N: p.n, K: p.k, Batch: p.batch, TransA: p.transA, TransB: p.transB}
	if least, most := min(p.m, p.n, p.k, p.batch), max(p.m, p.n, p.k, p.batch); least < 1 || most > math.MaxInt32 {
		return q, nil, false
	}
	if p.bias < 0 && p.residual < 0 && p.f == act.Identity {
		return q, nil, true
	}
	return q, append([]kernels.Launch{p.join(t, out, 1, p.k, 0)}, p.function(t, out)...), true
}

// CUDAProduct is the whole op.
func (o GEMM) CUDAProduct(t kernels.Target, in []kernels.Spec, out kernels.Spec) (kernels.Product, []kernels.Launch,
	bool) {
	return o.device(in, out).library(t, out)
}

// CUDAProduct leaves bias, residual and function to a launch.
func (o Linear) CUDAProduct(t kernels.Target, in []kernels.Spec, out kernels.Spec) (kernels.Product, []kernels.Launch,
	bool) {
	return o.device(in, out).library(t, out)
}

// CUDAProduct is the whole op.
func (o BatchedGEMM) CUDAProduct(t kernels.Target, in []kernels.Spec, out kernels.Spec) (kernels.Product,
	[]kernels.Launch, bool) {
	return o.device(in, out).library(t, out)
}
