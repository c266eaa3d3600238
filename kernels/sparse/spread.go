package sparse

import "ganglion/kernels"

// Spread gives each edge the row of one of its ends: y_k = r_i for the entries k of row i, or, with Source,
// y_k = r_{col k}.
// Inputs: r float [rows, ...] ([cols, ...] with Source), the structure (five inputs).  Output: [entries, ...].
//
// Gradient: Segment sums.
type Spread struct{ Source bool }

var (
	_ kernels.Differentiable = Spread{}
	_ kernels.CPUOp          = Spread{}
	_ kernels.ShapeReader    = Spread{}
)

// Infer returns the shape of r with a row for each entry.
func (o Spread) Infer(in []kernels.Spec) (kernels.Spec, error) {
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
	if o.Source {
		err = wantRows(o, in, 0, s.cols, "column")
	} else {
		err = wantRows(o, in, 0, s.rows, "row")
	}
	return withRows(in[0], s.entries), err
}

// Ref copies row by row.
func (o Spread) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m := sideOf(in[1:], false)
	if o.Source && !usableRef(out, m, false) || !monotone(m.ptr, len(m.col)) {
		spoil(out)
		return
	}
	spreadRows(out.F64, in[0].F64, m, o.Source, 0, m.rows, length(out.Spec))
}

// spreadRows writes the entries of rows [lo, hi).
func spreadRows[T kernels.Float](y, r []T, m side, source bool, lo, hi, d int) {
	for i := lo; i < hi; i++ {
		for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
			from := i
			if source {
				from = int(m.col[k])
			}
			if d == 1 {
				y[k] = r[from]
				continue
			}
			copy(y[k*d:(k+1)*d], r[from*d:])
		}
	}
}

// Grad adds the gradients of the edges of each node.
func (o Spread) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	return gradients(b.Apply(Segment{Source: o.Source}, nodes(in[1:], dout)...))
}

// ShapeOnly is true for the parts of the structure that are not read.
func (o Spread) ShapeOnly(i int) bool { return i >= 3 || i == 2 && !o.Source }

// CPU copies chunks of rows.
func (o Spread) CPU(c *kernels.Call) {
	m := sideOf(c.In[1:], false)
	if o.Source && !usable(c, m, false) || !o.Source && !boundsUsable(c, m) {
		return
	}
	run(c, cut(c, m, 3+0.1*float64(length(c.Out.Spec))), spreadBody[float32], spreadBody[float64])
}

func spreadBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	m := sideOf(c.In[1:], false)
	lo, hi := rowsOf(c, m, chunk)
	spreadRows(kernels.Of[T](c.Out), kernels.Of[T](c.In[0]), m, c.Op.(Spread).Source, lo, hi, length(c.Out.Spec))
}
