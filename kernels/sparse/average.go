package sparse

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
)

// Average divides by the number of entries of each row: y_i = x_i/max(1, ptr_{i+1} − ptr_i).
// Inputs: x float [rows, ...], the structure (five inputs).  Output: the shape of x.
//
// Gradient: the same of dy.
type Average struct{}

var (
	_ kernels.Differentiable = Average{}
	_ kernels.CPUOp          = Average{}
	_ kernels.InPlacer       = Average{}
	_ kernels.ShapeReader    = Average{}
)

// Infer returns the spec of x.
func (o Average) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantCount(o, in, 1+parts); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	s, err := wantStructure(o, in, 1)
	if err != nil {
		return kernels.Spec{}, err
	}
	return in[0], wantRows(o, in, 0, s.rows, "row")
}

// Ref divides row by row.
func (o Average) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m, d := sideOf(in[1:], false), length(out.Spec)
	if !monotone(m.ptr, len(m.col)) {
		spoil(out)
		return
	}
	for i, v := range in[0].F64 {
		out.F64[i] = v / max(1, float64(m.size(i/d)))
	}
}

// Grad divides.
func (o Average) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return gradients(b.Apply(o, nodes(in[1:], dout)...))
}

// InPlace is true for x.
func (o Average) InPlace(i int) bool { return i == 0 }

// ShapeOnly is true for all of the structure but the bounds of rows.
func (o Average) ShapeOnly(i int) bool { return i >= 2 }

// CPU divides chunks of rows.
func (o Average) CPU(c *kernels.Call) {
	if m := sideOf(c.In[1:], false); boundsUsable(c, m) {
		n := c.Rows(m.rows, 5+0.2*float64(length(c.Out.Spec)))
		run(c, n, averageBody[float32], averageBody[float64])
	}
}

func averageBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	m, d := sideOf(c.In[1:], false), length(c.Out.Spec)
	t, x, y := vec.For[T](c.Path), kernels.Of[T](c.In[0]), kernels.Of[T](c.Out)
	lo, hi := c.Chunk(chunk, m.rows)
	for i := lo; i < hi; i++ {
		t.Scale(y[i*d:(i+1)*d], 1/T(max(1, m.size(i))), x[i*d:(i+1)*d])
	}
}
