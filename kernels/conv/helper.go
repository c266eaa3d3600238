package conv

import (
	"ganglion/internal/asm/direct"
	"ganglion/internal/asm/gemm"
	"ganglion/internal/cpu"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// path is the set of kernels in use.
type path = cpu.Path

// product is a matrix product on the calling worker.
type product[T kernels.Float] = gemm.Args[T]

// products is the number of bytes that a product of op(A) [m, k] and op(B) [k, n] packs at most.
func products(m, n, k, elem int) int { return kernels.CarveSize(gemm.Workspace(m, n, k, elem, 1), 1) }

// hasDirect reports whether there are kernels of direct convolutions on the call's path.
func hasDirect(c *kernels.Call) bool { return direct.For[float32](c.Path) != nil }

// mine is the worker's part of the workspace.
func mine(c *kernels.Call, worker int) []byte {
	n := len(c.Work) / c.Pool.Workers()
	return c.Work[worker*n:][:n]
}

// ceil is a/b rounded up.
func ceil(a, b int) int { return (a + b - 1) / b }

// volume is the product of dimensions.
func volume(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// wantFloats checks the number of inputs and that all are of one float type.
func wantFloats(op kernels.Op, in []kernels.Spec, n int) error {
	if len(in) != n {
		return kernels.Errorf(op, in, kernels.ErrShape, "wants %d inputs, has %d", n, len(in))
	}
	for i := range in {
		if err := kernels.WantFloats(op, in, 0, i); err != nil {
			return err
		}
	}
	return nil
}

// zeros is a node of zeros in the shape of like.
func zeros(b kernels.Builder, like *kernels.Node) *kernels.Node {
	return b.Apply(dense.FillLike{}, like)
}

// binary applies an elementwise operation.
func binary(b kernels.Builder, k dense.Kind, x, y *kernels.Node) *kernels.Node {
	return b.Apply(dense.Binary{Kind: k}, x, y)
}
