package sparse

import (
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Segment reduces the values of edges: y_i = op_k v_k over the entries k of row i, or, with Source, over those of
// column i. Inputs: v float [entries, ...], the structure (five inputs).  Output: [rows, ...], or [cols, ...] with
// Source.
//
// Source goes with Sum alone.
//
// Gradient: Spread; of Max, the gradient of an element is shared evenly by all entries that attain it.
type Segment struct {
	Kind      Kind
	Source    bool
	CountZero bool // in the gradient of Max, as in SpMM
}

var (
	_ kernels.Differentiable = Segment{}
	_ kernels.CPUOp          = Segment{}
	_ kernels.Scratcher      = Segment{}
	_ kernels.ShapeReader    = Segment{}
)

// Infer returns the shape of v with a row for each node.
func (o Segment) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := wantCount(o, in, 1+parts); err != nil {
		return kernels.Spec{}, err
	}
	if o.Kind > Max || o.Source && o.Kind != Sum || o.CountZero && o.Kind != Max {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"no such reduction: source goes with sum, CountZero with max; the kind is %v", o.Kind)
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	s, err := wantStructure(o, in, 1)
	if err != nil {
		return kernels.Spec{}, err
	}
	if err := wantRows(o, in, 0, s.entries, "entry"); err != nil {
		return kernels.Spec{}, err
	}
	if o.Source {
		return withRows(in[0], s.cols), nil
	}
	return withRows(in[0], s.rows), nil
}

// Ref computes entry by entry.
func (o Segment) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m := edges(in[1:], o.Source)
	d := length(out.Spec)
	if !monotone(m.ptr, len(m.col)) || o.Source && !usableRef(out, m, false) {
		spoil(out)
		return
	}
	for i := range m.rows {
		for c := range d {
			sum := 0.0
			for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
				at := k
				if o.Source {
					at = int(m.col[k])
				}
				switch v := in[0].F64[at*d+c]; {
				case o.Kind != Max:
					sum += v
				case k == int(m.ptr[i]):
					sum = v
				default:
					sum = max(sum, v)
				}
			}
			if o.Kind == Mean {
				sum /= max(1, float64(m.size(i)))
			}
			out.F64[i*d+c] = sum
		}
	}
}

// Grad gives each entry the gradient of its node.
func (o Segment) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	v, s := in[0], in[1:]
	switch o.Kind {
	case Mean:
		dout = b.Apply(Average{}, nodes(s, dout)...)
	case Max:
		attains := b.Apply(dense.Binary{Kind: dense.Eq}, v, b.Apply(Spread{}, nodes(s, out)...))
		count := attained(b, b.Apply(Segment{}, nodes(s, attains)...), out, o.CountZero)
		share := b.Apply(dense.Binary{Kind: dense.Div}, dout, count)
		return gradients(times(b, attains, b.Apply(Spread{}, nodes(s, share)...)))
	}
	return gradients(b.Apply(Spread{Source: o.Source}, nodes(s, dout)...))
}

// ShapeOnly is true for the parts of the structure that are not read.
func (o Segment) ShapeOnly(i int) bool {
	if o.Source {
		return i == 1 || i == 2 || i == 4
	}
	return i >= 2
}

// Workspace holds the sums of the pieces of long rows, and the bounds of pieces.
func (o Segment) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	return piecesWork(in[0].Shape[0], out, workers)
}

// CPU reduces rows, and pieces of long ones.
func (o Segment) CPU(c *kernels.Call) {
	m := edges(c.In[1:], o.Source)
	if o.Source {
		if usable(c, m, false) {
			sumRows(c, m, false)
		}
		return
	}
	if !boundsUsable(c, m) {
		return
	}
	c.Arg[argRows] = cut(c, m, 3+0.2*float64(length(c.Out.Spec)))
	n := c.Arg[argRows] + extra(len(m.col))
	run(c, n, segmentBody[float32], segmentBody[float64])
	if c.Out.DType == kernels.Float32 {
		joinPieces[float32](c, m)
	} else {
		joinPieces[float64](c, m)
	}
}

// boundsUsable is usable for an operator that reads the bounds alone.
func boundsUsable(c *kernels.Call, m side) bool {
	if monotone(m.ptr, len(m.col)) {
		return true
	}
	spoil(c.Out)
	c.Report.Status, c.Report.Samples, c.Report.Failed = kernels.Diverged, 1, 1
	return false
}

func segmentBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	m := sideOf(c.In[1:], false)
	v, y, d := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out), length(c.Out.Spec)
	if d == 0 {
		return
	}
	t, kind := vec.For[T](c.Path), c.Op.(Segment).Kind
	if slot := chunk - c.Arg[argRows]; slot >= 0 {
		if _, lo, hi := m.pieceAt(slot); lo < hi {
			reduceRows(t, kind, partials[T](c, m, d)[slot*d:(slot+1)*d], v[lo*d:hi*d])
		}
		return
	}
	lo, hi := rowsOf(c, m, chunk)
	for i := lo; i < hi; i++ {
		first := int(m.ptr[i])
		n := min(m.size(i), piece)
		row := y[i*d : (i+1)*d]
		reduceRows(t, kind, row, v[first*d:(first+n)*d])
		if kind == Mean && n > 1 && n == m.size(i) {
			t.Scale(row, 1/T(n), row)
		}
	}
}

// reduceRows is the sum or the maximum of the rows of v.
func reduceRows[T kernels.Float](t *vec.Table[T], kind Kind, y, v []T) {
	d := len(y)
	if len(v) == 0 {
		clear(y)
		return
	}
	copy(y, v)
	for v = v[d:]; len(v) > 0; v = v[d:] {
		combine(t, kind, y, v[:d])
	}
}

// combine is y = y + v, or the maximum.
func combine[T kernels.Float](t *vec.Table[T], kind Kind, y, v []T) {
	switch {
	case kind == Max && len(y) >= short:
		t.Larger(y, y, v)
	case kind == Max:
		for i, x := range v {
			y[i] = max(y[i], x)
		}
	case len(y) >= short:
		t.Add(y, y, v)
	default:
		for i, x := range v {
			y[i] += x
		}
	}
}

// joinPieces adds the pieces of long rows to their first, and divides for means.
func joinPieces[T kernels.Float](c *kernels.Call, m side) {
	y, d := kernels.Of[T](c.Out), length(c.Out.Spec)
	t, kind, parts := vec.For[T](c.Path), c.Op.(Segment).Kind, partials[T](c, m, d)
	for slot := range extra(len(m.col)) {
		row, lo, hi := m.pieceAt(slot)
		if lo == hi {
			continue
		}
		line := y[row*d : (row+1)*d]
		combine(t, kind, line, parts[slot*d:(slot+1)*d])
		if kind == Mean && hi == int(m.ptr[row+1]) {
			t.Scale(line, 1/T(m.size(row)), line)
		}
	}
}
