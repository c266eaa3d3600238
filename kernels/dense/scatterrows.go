package dense

import (
	"math"

	"ganglion/kernels"
)

// ScatterRows replaces rows: y = x but y[idx_i] = v_i. Where an index is repeated, its last row stays.
// Inputs: x float [n, ...], idx int32 [any], v float (idx's shape followed by the shape of a row).  Output: x's shape.
//
// If an index is outside of 0 … n−1, all of y is NaN and the report counts it as failed. In place over x only the rows
// of idx are written.
//
// Gradient: dx is dy with zeros in the rows of idx, dv = Gather(dy, idx); that of v holds for indices without repeats.
type ScatterRows struct{}

var (
	_ kernels.Differentiable = ScatterRows{}
	_ kernels.CPUOp          = ScatterRows{}
	_ kernels.InPlacer       = ScatterRows{}
)

// Infer returns the spec of x.
func (o ScatterRows) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantRows(o, in, -1, -1, -1); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 2); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], wantRowShape(o, in, in[2].Shape, in[1].Shape, in[0].Shape)
}

// Ref copies x, then the rows.
func (o ScatterRows) Ref(out kernels.Tensor, in []kernels.Tensor) {
	copy(out.F64, in[0].F64)
	replaceRows(out.F64, in[2].F64, in[1].I32, out.Shape[0])
}

// replaceRows copies the rows of v over the n rows of y, or makes y NaN if an index is out of range.
func replaceRows[T kernels.Float](y, v []T, idx []int32, n int) {
	if !inRange(idx, n) {
		fill(y, T(math.NaN()))
		return
	}
	for i, r := range idx {
		d := len(y) / n
		copy(y[int(r)*d:(int(r)+1)*d], v[i*d:])
	}
}

// Grad clears the rows for x and gathers them for v.
func (o ScatterRows) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	dx := b.Apply(ScatterRows{}, dout, in[1], zeros(b, in[2]))
	return []*kernels.Node{dx, nil, b.Apply(Gather{}, dout, in[1])}
}

// InPlace is true for x.
func (o ScatterRows) InPlace(i int) bool { return i == 0 }

// CPU copies what is to be copied.
func (o ScatterRows) CPU(c *kernels.Call) {
	run(c, 1, replaceBody[float32], replaceBody[float64])
	reportRange(c, c.In[1].I32, c.Out.Shape[0])
}

func replaceBody[T kernels.Float](c *kernels.Call, _, _ int) {
	x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	if len(y) > 0 && &x[0] != &y[0] {
		copy(y, x)
	}
	replaceRows(y, kernels.Of[T](c.In[2]), c.In[1].I32, c.Out.Shape[0])
}
