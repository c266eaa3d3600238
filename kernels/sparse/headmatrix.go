package sparse

import "ganglion/kernels"

// HeadMatrix is the matrix by which inner products with the parts of rows become a product: y[h·channels + c, h] =
// a[h, c], and 0 elsewhere. With x [n, heads·channels], x·y is ⟨x_h, a_h⟩ for each head h of each row.
// Input: a float [heads, channels].  Output: [heads·channels, heads].
//
// Back takes the elements out again: y is the input, a the output. Gradient: the other one of the two.
type HeadMatrix struct{ Back bool }

var (
	_ kernels.Differentiable = HeadMatrix{}
	_ kernels.CPUOp          = HeadMatrix{}
)

// Infer returns the shape of the matrix, or of a.
func (o HeadMatrix) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, 2); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	rows, cols := in[0].Shape[0], in[0].Shape[1]
	if !o.Back {
		return kernels.S(in[0].DType, rows*cols, rows), nil
	}
	if cols == 0 && rows > 0 || cols > 0 && rows%cols != 0 {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "%d rows are no multiple of %d heads", rows,
			cols)
	}
	return kernels.S(in[0].DType, cols, rows/max(1, cols)), nil
}

// Ref moves element by element.
func (o HeadMatrix) Ref(out kernels.Tensor, in []kernels.Tensor) {
	headMatrix(o, out.F64, in[0].F64, in[0].Shape, out.Shape)
}

func headMatrix[T kernels.Float](o HeadMatrix, y, x []T, from, to []int) {
	heads := to[1]
	if o.Back {
		heads = from[1]
	} else {
		clear(y)
	}
	for i := range min(len(x), len(y)) {
		h := i / (min(len(x), len(y)) / heads)
		if o.Back {
			y[i] = x[i*heads+h]
		} else {
			y[i*heads+h] = x[i]
		}
	}
}

// Grad is the other direction.
func (o HeadMatrix) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(HeadMatrix{Back: !o.Back}, dout)}
}

// CPU moves element by element: there are few.
func (o HeadMatrix) CPU(c *kernels.Call) {
	headMatrix(o, c.Out.F32, c.In[0].F32, c.In[0].Shape, c.Out.Shape)
	headMatrix(o, c.Out.F64, c.In[0].F64, c.In[0].Shape, c.Out.Shape)
}
