package sparse

import (
	"ganglion/internal/asm/csr"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Pair names a function of the two ends of an edge.
type Pair uint8

// The functions of the row q of the destination and the row x of the source.
const (
	Dot      Pair = iota // ⟨q, x⟩
	Plus                 // q + x
	Minus                // x − q
	Multiply             // q ⊙ x
)

// SDDMM is a function of the two ends of each edge: y_k = f(q_i, x_{col k}) for the entries k of row i.
// Inputs: q float [rows, ...], x float [cols, ...] with rows of the same shape, the structure (five inputs).  Output:
// [entries, ...]; of Dot [entries], or with Heads [entries, heads] for q [rows, heads, ...]: an inner product for each
// part of a row.
//
// Gradient: of Dot, SpMM with dy as weights; of the others, Segment sums.
type SDDMM struct {
	Kind  Pair
	Heads bool // for Dot
}

var (
	_ kernels.Differentiable = SDDMM{}
	_ kernels.CPUOp          = SDDMM{}
	_ kernels.ShapeReader    = SDDMM{}
	_ kernels.Counter        = SDDMM{}
)

// Infer returns a row for each entry.
func (o SDDMM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantCount(o, in, 2+parts); err != nil {
		return kernels.Spec{}, err
	}
	if err := kernels.WantFloats(o, in, 0, 1); err != nil {
		return kernels.Spec{}, err
	}
	s, err := wantStructure(o, in, 2)
	if err != nil {
		return kernels.Spec{}, err
	}
	if err := wantRows(o, in, 0, s.rows, "row"); err != nil {
		return kernels.Spec{}, err
	}
	if !in[1].Equal(withRows(in[0], s.cols)) {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape, "input 1 must be as input 0 with %d rows, a "+
			"row for each column", s.cols)
	}
	switch {
	case o.Kind > Multiply || o.Heads && (o.Kind != Dot || in[0].Rank() < 2):
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"heads go with dot, and with two dimensions at least; the kind is %d", o.Kind)
	case o.Heads:
		return kernels.S(in[0].DType, s.entries, in[0].Shape[1]), nil
	case o.Kind == Dot:
		return kernels.S(in[0].DType, s.entries), nil
	}
	return withRows(in[0], s.entries), nil
}

// heads is the number of inner products of an entry, and their length.
func (o SDDMM) heads(q kernels.Spec) (heads, width int) {
	if !o.Heads {
		return 1, length(q)
	}
	return q.Shape[1], length(q) / max(1, q.Shape[1])
}

// Ref computes entry by entry.
func (o SDDMM) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m, d := sideOf(in[2:], false), length(in[0].Spec)
	if !usableRef(out, m, false) {
		return
	}
	heads, width := o.heads(in[0].Spec)
	clear(out.F64)
	for i := range m.rows {
		for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
			for c := range d {
				q, x := in[0].F64[i*d+c], in[1].F64[int(m.col[k])*d+c]
				switch o.Kind {
				case Dot:
					out.F64[k*heads+c/width] += q * x
				case Plus:
					out.F64[k*d+c] = q + x
				case Minus:
					out.F64[k*d+c] = x - q
				default:
					out.F64[k*d+c] = q * x
				}
			}
		}
	}
}

// Grad follows the kind.
func (o SDDMM) Grad(b kernels.Builder, in []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	q, x, s := in[0], in[1], in[2:]
	row := func(v *kernels.Node) *kernels.Node { return b.Apply(Segment{}, nodes(s, v)...) }
	col := func(v *kernels.Node) *kernels.Node { return b.Apply(Segment{Source: true}, nodes(s, v)...) }
	switch o.Kind {
	case Dot:
		return gradients(b.Apply(SpMM{}, append(nodes(s, x), dout)...),
			b.Apply(SpMM{Transposed: true}, append(nodes(s, q), dout)...))
	case Multiply:
		return gradients(row(times(b, dout, b.Apply(Spread{Source: true}, nodes(s, x)...))),
			col(times(b, dout, b.Apply(Spread{}, nodes(s, q)...))))
	case Minus:
		return gradients(b.Apply(dense.Scale{Alpha: -1}, row(dout)), col(dout))
	}
	return gradients(row(dout), col(dout))
}

// ShapeOnly is true for the transpose.
func (o SDDMM) ShapeOnly(i int) bool { return i >= 4 }

// Flops counts one or two operations for each element of each entry.
func (o SDDMM) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	n := float64(in[3].Size()) * float64(length(in[0]))
	if o.Kind == Dot {
		return 2 * n
	}
	return n
}

// CPU computes chunks of rows.
func (o SDDMM) CPU(c *kernels.Call) {
	m := sideOf(c.In[2:], false)
	if !usable(c, m, false) {
		return
	}
	cost := 5 + 0.2*float64(length(c.In[0].Spec))
	if o.Kind == Dot {
		run(c, cut(c, m, cost), dotBody[float32], dotBody[float64])
		return
	}
	run(c, cut(c, m, cost), pairBody[float32], pairBody[float64])
}

func dotBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	m, d := sideOf(c.In[2:], false), length(c.In[0].Spec)
	heads, width := c.Op.(SDDMM).heads(c.In[0].Spec)
	lo, hi := rowsOf(c, m, chunk)
	if lo == hi || m.ptr[lo] == m.ptr[hi] {
		return
	}
	t, q, x := csr.For[T](c.Path), kernels.Of[T](c.In[0])[lo*d:], kernels.Of[T](c.In[1])
	for h := range heads {
		t.Dot(&csr.Dot[T]{Ptr: m.ptr[lo : hi+1], Col: m.col, Q: q[h*width:], X: x[h*width:], StepQ: d, StepX: d,
			Out: kernels.Of[T](c.Out)[h:], StepO: heads, Width: width})
	}
}

func pairBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	m, d := sideOf(c.In[2:], false), length(c.In[0].Spec)
	q, x, y := kernels.Of[T](c.In[0]), kernels.Of[T](c.In[1]), kernels.Of[T](c.Out)
	t, kind := vec.For[T](c.Path), c.Op.(SDDMM).Kind
	lo, hi := rowsOf(c, m, chunk)
	for i := lo; i < hi; i++ {
		mine := q[i*d : (i+1)*d]
		for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
			at := int(m.col[k]) * d
			pair(t, kind, y[k*d:(k+1)*d], mine, x[at:at+d])
		}
	}
}

// pair is one row of a function other than Dot.
func pair[T kernels.Float](t *vec.Table[T], kind Pair, y, q, x []T) {
	switch {
	case len(y) >= short && kind == Plus:
		t.Add(y, q, x)
	case len(y) >= short && kind == Minus:
		t.Sub(y, x, q)
	case len(y) >= short:
		t.Mul(y, q, x)
	default:
		for i, v := range q[:len(y)] {
			switch kind {
			case Plus:
				y[i] = v + x[i]
			case Minus:
				y[i] = x[i] - v
			default:
				y[i] = v * x[i]
			}
		}
	}
}
