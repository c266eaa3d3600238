package sparse

import (
	"ganglion/internal/asm/csr"
	"ganglion/kernels"
)

// Permute puts rows in another order: y_k = x_{order k}. With the order that Build returns, values of a list of edges
// come in the order of the entries. Inputs: x float [n, ...], order int32 [n], inverse int32 [n], the inverse
// permutation (see Inverse).  Output: the shape of x.
//
// An element of order that is out of range makes all of y NaN, and the report counts the call as failed.
//
// Gradient: dx_e = dy_{inverse e}.
type Permute struct{}

var (
	_ kernels.Differentiable = Permute{}
	_ kernels.CPUOp          = Permute{}
	_ kernels.ShapeReader    = Permute{}
)

// Inverse returns the inverse of a permutation, such as Build returns.
func Inverse(order []int32) []int32 {
	inverse := make([]int32, len(order))
	for k, e := range order {
		inverse[e] = int32(k)
	}
	return inverse
}

// Infer returns the spec of x.
func (o Permute) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1, 1, 1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	for i := 1; i < 3; i++ {
		if err := kernels.WantType(o, in, i, kernels.Int32); err != nil {
			return kernels.Spec{}, err
		}
		if err := wantRows(o, in, 0, in[i].Shape[0], "index"); err != nil {
			return kernels.Spec{}, err
		}
	}
	return in[0], nil
}

// Ref copies row by row.
func (o Permute) Ref(out kernels.Tensor, in []kernels.Tensor) {
	if !csr.For[float32](0).Within(in[1].I32, out.Shape[0]) {
		spoil(out)
		return
	}
	permuteRows(out.F64, in[0].F64, in[1].I32, length(out.Spec))
}

// permuteRows copies the rows of x that order names.
func permuteRows[T kernels.Float](y, x []T, order []int32, d int) {
	for k, e := range order {
		copy(y[k*d:(k+1)*d], x[int(e)*d:])
	}
}

// Grad puts the rows back.
func (o Permute) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(Permute{}, dout, in[2], in[1]), nil, nil}
}

// ShapeOnly is true for the inverse.
func (o Permute) ShapeOnly(i int) bool { return i == 2 }

// CPU copies chunks of rows.
func (o Permute) CPU(c *kernels.Call) {
	if !csr.For[float32](c.Path).Within(c.In[1].I32, c.Out.Shape[0]) {
		spoil(c.Out)
		c.Report.Status, c.Report.Samples, c.Report.Failed = kernels.Diverged, 1, 1
		return
	}
	run(c, c.Rows(c.Out.Shape[0], 4+0.1*float64(length(c.Out.Spec))), permuteBody[float32], permuteBody[float64])
}

func permuteBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	d := length(c.Out.Spec)
	lo, hi := c.Chunk(chunk, c.Out.Shape[0])
	permuteRows(kernels.Of[T](c.Out)[lo*d:hi*d], kernels.Of[T](c.In[0]), c.In[1].I32[lo:hi], d)
}
