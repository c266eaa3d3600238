package sparse

import "ganglion/kernels"

// Route is the product with a matrix that SpMM{Kind: Max} has chosen, an own one for each column of x: entry k of row i
// counts where it attains the maximum, y_i = Σ_k [x_{col k} = m_i]·v_{col k}, or, Transposed, y_j = Σ_k [x_j = m_{row
// k}]·v_{row k} over the entries of column j. Inputs: v float [cols, ...] ([rows, ...] if Transposed), x float [cols,
// ...], m float [rows, ...], the structure (five inputs).  Output: [rows, ...] ([cols, ...]).
//
// Gradient: dv is the product with the transpose; zero for x and m.
type Route struct{ Transposed bool }

var (
	_ kernels.Differentiable = Route{}
	_ kernels.CPUOp          = Route{}
	_ kernels.ShapeReader    = Route{}
)

// Infer returns the shape of m, or of x if Transposed.
func (o Route) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantCount(o, in, 3+parts); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 1, 2); err != nil {
		return kernels.Spec{}, err
	}
	s, err := wantStructure(o, in, 3)
	if err != nil {
		return kernels.Spec{}, err
	}
	if err := wantRows(o, in, 1, s.cols, "column"); err != nil {
		return kernels.Spec{}, err
	}
	like, out := in[1], in[2]
	if o.Transposed {
		like, out = out, like
	}
	if !in[2].Equal(withRows(in[1], s.rows)) || !in[0].Equal(like) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "x must be [%d, ...], m [%d, ...] with the "+
			"same rows, and v as %v", s.cols, s.rows, like.Shape)
	}
	return out, nil
}

// Ref computes entry by entry.
func (o Route) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m := sideOf(in[3:], o.Transposed)
	if usableRef(out, m, false) {
		routeRows(o, out.F64, in[0].F64, in[1].F64, in[2].F64, m, 0, m.rows, length(out.Spec))
	}
}

// routeRows computes rows [lo, hi).
func routeRows[T kernels.Float](o Route, y, v, x, top []T, m side, lo, hi, d int) {
	near, far := top, x // of the row, and of what its entries name
	if o.Transposed {
		near, far = x, top
	}
	for i := lo; i < hi; i++ {
		to, mine := y[i*d:(i+1)*d], near[i*d:(i+1)*d]
		clear(to)
		for _, j := range m.col[m.ptr[i]:m.ptr[i+1]] {
			other, from := far[int(j)*d:(int(j)+1)*d], v[int(j)*d:(int(j)+1)*d]
			for c, t := range mine {
				if other[c] == t {
					to[c] += from[c]
				}
			}
		}
	}
}

// Grad is the product with the transpose.
func (o Route) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	back := b.Apply(Route{Transposed: !o.Transposed}, nodes(in[3:], dout, in[1], in[2])...)
	return gradients(back, zeros(b, in[1]), zeros(b, in[2]))
}

// ShapeOnly is true for the half of the structure that is not read.
func (o Route) ShapeOnly(i int) bool {
	if o.Transposed {
		return i == 3 || i == 4 || i == 7
	}
	return i >= 5
}

// CPU computes chunks of rows.
func (o Route) CPU(c *kernels.Call) {
	if m := sideOf(c.In[3:], o.Transposed); usable(c, m, false) {
		run(c, cut(c, m, 5+float64(length(c.Out.Spec))), routeBody[float32], routeBody[float64])
	}
}

func routeBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	o := c.Op.(Route)
	m := sideOf(c.In[3:], o.Transposed)
	lo, hi := rowsOf(c, m, chunk)
	routeRows(o, kernels.Of[T](c.Out), kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.In[2]), m, lo,
		hi, length(c.Out.Spec))
}
