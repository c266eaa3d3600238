package dense

import (
	"math"

	"ganglion/kernels"
)

// Gather takes rows: y_i = x[idx_i], where a row is everything behind the first dimension.
// Inputs: x float [n, ...], idx int32 [any].  Output: idx's shape followed by the shape of a row.
//
// An index outside of 0 … n−1 gives a row of NaN; the report counts it as failed. Loaders check indices before.
//
// Gradient: dx = ScatterAdd(dy, idx, x).
type Gather struct{}

var (
	_ kernels.Differentiable = Gather{}
	_ kernels.CPUOp          = Gather{}
)

// Infer joins the shapes.
func (o Gather) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantRows(o, in, -1, -1); err != nil {
		return kernels.Spec{}, err
	}
	shape := append([]int(nil), in[1].Shape...)
	return kernels.S(in[0].DType, append(shape, in[0].Shape[1:]...)...), nil
}

// wantRows checks that input 0 is float with a dimension at least, input 1 int32, and the ranks that are not negative.
func wantRows(op kernels.Op, in []kernels.Spec, ranks ...int) error {
	if err := kernels.WantInputs(op, in, ranks...); err != nil {
		return err
	}
	if err := kernels.WantFloats(op, in, 0); err != nil {
		return err
	}
	if in[0].Rank() == 0 {
		return kernels.Errorf(op, in, kernels.ErrShape, "input 0 is a scalar and has no rows")
	}
	return kernels.WantType(op, in, 1, kernels.Int32)
}

// Ref copies row by row.
func (o Gather) Ref(out kernels.Tensor, in []kernels.Tensor) {
	gatherRows(out.F64, in[0].F64, in[1].I32, rowLength(in[0]))
}

// rowLength is the number of elements of a row.
func rowLength(t kernels.Tensor) int { return product(t.Shape[1:]) }

// gatherRows copies the rows of x named by idx to y.
func gatherRows[T kernels.Float](y, x []T, idx []int32, d int) {
	for i, r := range idx {
		row := y[i*d : (i+1)*d]
		if at := int(r) * d; r < 0 || at+d > len(x) {
			fill(row, T(math.NaN()))
		} else {
			copy(row, x[at:at+d])
		}
	}
}

// Grad scatters.
func (o Gather) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return []*kernels.Node{b.Apply(ScatterAdd{}, dout, in[1], in[0]), nil}
}

// CPU copies chunks of rows.
func (o Gather) CPU(c *kernels.Call) {
	n := c.In[1].Size()
	run(c, c.Rows(n, 5+0.3*float64(rowLength(c.In[0]))), gatherBody[float32], gatherBody[float64])
	reportRange(c, c.In[1].I32, c.In[0].Shape[0])
}

func gatherBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	idx, d := c.In[1].I32, rowLength(c.In[0])
	lo, hi := c.Chunk(chunk, len(idx))
	gatherRows(kernels.Of[T](c.Out)[lo*d:hi*d], kernels.Of[T](c.In[0]), idx[lo:hi], d)
}
