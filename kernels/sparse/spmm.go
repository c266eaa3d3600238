package sparse

import (
	"math"

	"ganglion/internal/asm/csr"
	"ganglion/internal/asm/vec"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Kind names what is made of the entries of a row.
type Kind uint8

// The kinds. Nothing at all gives 0 in all of them.
const (
	Sum  Kind = iota
	Mean      // the sum divided by the number of entries, whatever their weights
	Max       // NaN if any is NaN
)

var kindNames = [...]string{"sum", "mean", "max"}

// String is the kind in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// SpMM is a sparse matrix times a dense one: y_i = op_k w_k·x_{col k} over the entries k of row i, or, Transposed, y_j
// = Σ_k w_k·x_{row k} over those of column j. Inputs: x float [cols, ...] ([rows, ...] if Transposed), the structure
// (five inputs), and perhaps w float [entries], or [entries, heads] where x is [cols, heads, ...]: a weight for each
// part of a row.  Output: [rows, ...] ([cols, ...]).
//
// Transposed goes with Sum alone, weights with Sum and Mean. Over a structure of Index it is a gather or a scatter.
//
// Gradient: dx is the product with the transpose, dw_k = ⟨dy_i, x_{col k}⟩. Of Max: the gradient of an element is
// shared evenly by all entries that attain it.
type SpMM struct {
	Kind       Kind
	Transposed bool
	CountZero  bool // in the gradient of Max, see attained
}

var (
	_ kernels.Differentiable = SpMM{}
	_ kernels.CPUOp          = SpMM{}
	_ kernels.Scratcher      = SpMM{}
	_ kernels.ShapeReader    = SpMM{}
	_ kernels.Counter        = SpMM{}
)

// Infer returns the shape of x with the rows of the product.
func (o SpMM) Infer(in []kernels.Spec) (kernels.Spec, error) {
	weights := len(in) == 2+parts
	if !weights {
		if err := wantCount(o, in, 1+parts); err != nil {
			return kernels.Spec{}, err
		}
	}
	if o.Kind > Max || o.Transposed && o.Kind != Sum || weights && o.Kind == Max ||
		o.CountZero && o.Kind != Max {
		return kernels.Spec{}, kernels.Errorf(o, in, kernels.ErrShape,
			"no such product: transposed goes with sum, weights with sum and mean, CountZero with max; the kind is %v",
			o.Kind)
	}
	if err := kernels.WantFloats(o, in, 0); err != nil {
		return kernels.Spec{}, err
	}
	s, err := wantStructure(o, in, 1)
	if err != nil {
		return kernels.Spec{}, err
	}
	rows, from, what := s.rows, s.cols, "column"
	if o.Transposed {
		rows, from, what = s.cols, s.rows, "row"
	}
	if err := wantRows(o, in, 0, from, what); err != nil {
		return kernels.Spec{}, err
	}
	if weights {
		err = o.wantWeights(in, s.entries)
	}
	return withRows(in[0], rows), err
}

func (o SpMM) wantWeights(in []kernels.Spec, entries int) error {
	if err := kernels.WantFloats(o, in, 0, 1+parts); err != nil {
		return err
	}
	w := in[1+parts].Shape
	if len(w) == 1 && w[0] == entries || len(w) == 2 && w[0] == entries && in[0].Rank() > 1 && w[1] == in[0].Shape[1] {
		return nil
	}
	return kernels.Errorf(o, in, kernels.ErrShape, "weights must be [%d], or [%d, heads] with x [%d, heads, ...]; "+
		"they are %v", entries, entries, in[0].Shape[0], w)
}

// headsOf is the number of parts of a row that have weights of their own.
func headsOf(in []kernels.Tensor) int {
	if len(in) == 2+parts && in[1+parts].Rank() == 2 {
		return in[1+parts].Shape[1]
	}
	return 1
}

// Ref computes entry by entry.
func (o SpMM) Ref(out kernels.Tensor, in []kernels.Tensor) {
	m := sideOf(in[1:1+parts], o.Transposed)
	weights := len(in) == 2+parts
	if !usableRef(out, m, weights) {
		return
	}
	x, d, heads := in[0].F64, length(out.Spec), headsOf(in)
	for i := range m.rows {
		for c := range d {
			sum := 0.0
			for k := int(m.ptr[i]); k < int(m.ptr[i+1]); k++ {
				v := x[int(m.col[k])*d+c]
				if weights {
					at := k
					if m.pos != nil {
						at = int(m.pos[k])
					}
					v *= in[1+parts].F64[at*heads+c*heads/d]
				}
				if o.Kind == Max && k > int(m.ptr[i]) {
					v = max(v, sum)
				}
				if o.Kind == Max {
					sum = v
				} else {
					sum += v
				}
			}
			if o.Kind == Mean {
				sum /= max(1, float64(m.size(i)))
			}
			out.F64[i*d+c] = sum
		}
	}
}

// Grad is the product with the transpose, and inner products for the weights.
func (o SpMM) Grad(b kernels.Builder, in []*kernels.Node, out, dout *kernels.Node) []*kernels.Node {
	s := in[1 : 1+parts]
	if o.Kind == Max {
		return gradients(o.maxGrad(b, in[0], s, out, dout))
	}
	if o.Kind == Mean {
		dout = b.Apply(Average{}, nodes(s, dout)...)
	}
	back := SpMM{Transposed: !o.Transposed}
	if len(in) == 1+parts {
		return gradients(b.Apply(back, nodes(s, dout)...))
	}
	w := in[1+parts]
	q, x := dout, in[0]
	if o.Transposed {
		q, x = x, q
	}
	dw := b.Apply(SDDMM{Kind: Dot, Heads: w.Dims() == 2}, nodes(s, q, x)...)
	return append(gradients(b.Apply(back, append(nodes(s, dout), w)...)), dw)
}

// maxGrad shares the gradient evenly: dx_j = Σ_k [x_j = y_i]·dy_i/n_i, where n_i entries attain y_i.
func (o SpMM) maxGrad(b kernels.Builder, x *kernels.Node, s []*kernels.Node, y, dy *kernels.Node) *kernels.Node {
	ones := b.Apply(dense.FillLike{Value: 1}, x)
	count := attained(b, b.Apply(Route{}, nodes(s, ones, x, y)...), y, o.CountZero)
	share := b.Apply(dense.Binary{Kind: dense.Div}, dy, count)
	return b.Apply(Route{Transposed: true}, nodes(s, share, x, y)...)
}

// attained is the number of entries among which the gradient of a maximum y is shared, 1 at least. With zero, a maximum
// of 0 has one entry more: an output that begins with zeros counts as one in PyTorch, and half of the gradient of a
// single entry is lost. That is for comparisons; the derivative is the other one.
func attained(b kernels.Builder, count, y *kernels.Node, zero bool) *kernels.Node {
	if zero {
		more := b.Apply(dense.Binary{Kind: dense.Eq}, y, zeros(b, y))
		count = b.Apply(dense.Binary{Kind: dense.Add}, count, more)
	}
	return b.Apply(dense.Binary{Kind: dense.Max}, count, b.Apply(dense.FillLike{Value: 1}, y))
}

// ShapeOnly is true for the half of the structure that is not read.
func (o SpMM) ShapeOnly(i int) bool {
	if o.Transposed {
		return i == 1 || i == 2
	}
	return i >= 3 && i <= 5
}

// Flops counts a multiplication and an addition for each element of each entry.
func (o SpMM) Flops(in []kernels.Spec, _ kernels.Spec) float64 {
	return 2 * float64(in[2].Size()) * float64(length(in[0]))
}

// Workspace holds the sums of the pieces of long rows, and the bounds of pieces.
func (o SpMM) Workspace(in []kernels.Spec, out kernels.Spec, workers int) int {
	if o.Kind == Max {
		return 0
	}
	return piecesWork(in[2].Size(), out, workers)
}

// piecesWork is the workspace of sumRows.
func piecesWork(entries int, out kernels.Spec, workers int) int {
	if extra(entries) == 0 {
		return 0
	}
	return kernels.CarveSize(extra(entries)*length(out), out.DType.Size()) + kernels.CarveSize(2*workers, 4)
}

// CPU sums rows, and pieces of long ones.
func (o SpMM) CPU(c *kernels.Call) {
	m := sideOf(c.In[1:1+parts], o.Transposed)
	if !usable(c, m, len(c.In) == 2+parts) {
		return
	}
	d := float64(length(c.Out.Spec))
	if o.Kind == Max {
		run(c, cut(c, m, 10+0.2*d), maxBody[float32], maxBody[float64])
		return
	}
	sumRows(c, m, o.Kind == Mean)
}

const (
	argRows = iota // chunks of rows; those behind are pieces
	argMean        // 1 for means
)

// sumRows computes the sums of SpMM, or of Segment by source.
func sumRows(c *kernels.Call, m side, mean bool) {
	c.Arg[argMean] = 0
	if mean {
		c.Arg[argMean] = 1
	}
	d := length(c.Out.Spec)
	c.Arg[argRows] = cut(c, m, 3+0.15*float64(d))
	n := c.Arg[argRows] + extra(len(m.col))
	if c.Out.DType == kernels.Float32 {
		c.For(n, sumBody[float32])
		finishRows[float32](c, m, d)
	} else {
		c.For(n, sumBody[float64])
		finishRows[float64](c, m, d)
	}
}

// taskOf is the task of a call, and its matrix.
func taskOf[T kernels.Float](c *kernels.Call) (a csr.Sum[T], m side, heads int) {
	s, ok := c.Op.(Segment)
	if ok {
		m = edges(c.In[1:1+parts], s.Source)
	} else {
		m = sideOf(c.In[1:1+parts], c.Op.(SpMM).Transposed)
	}
	d := length(c.Out.Spec)
	heads = headsOf(c.In)
	a = csr.Sum[T]{Col: m.col, X: kernels.Of[T](c.In[0]), StepX: d, StepY: d, Width: d, StepW: heads}
	if len(c.In) == 2+parts {
		a.W, a.Pos = kernels.Of[T](c.In[1+parts]), m.pos
		a.Width = d / max(heads, 1)
	}
	return a, m, heads
}

func sumBody[T kernels.Float](c *kernels.Call, chunk, worker int) {
	a, m, heads := taskOf[T](c)
	d := a.StepY
	if d == 0 {
		return
	}
	if chunk >= c.Arg[argRows] {
		slot := chunk - c.Arg[argRows]
		if _, lo, hi := m.pieceAt(slot); lo < hi {
			a.Ptr, a.Y = pieceBounds[T](c, m, d, worker, lo, hi), partials[T](c, m, d)[slot*d:]
			eachHead(c, &a, heads)
		}
		return
	}
	lo, hi := rowsOf(c, m, chunk)
	y := kernels.Of[T](c.Out)
	for lo < hi {
		n := 0
		for lo+n < hi && m.size(lo+n) <= piece {
			n++
		}
		if n > 0 {
			a.Ptr = m.ptr[lo : lo+n+1]
		} else {
			first := int(m.ptr[lo])
			a.Ptr, n = pieceBounds[T](c, m, d, worker, first, first+piece), 1
		}
		a.Y = y[lo*d:]
		eachHead(c, &a, heads)
		if c.Arg[argMean] == 1 {
			divideRows(c, m, y, lo, lo+n, d)
		}
		lo += n
	}
}

// eachHead runs the task for each part of a row.
func eachHead[T kernels.Float](c *kernels.Call, a *csr.Sum[T], heads int) {
	t, b := csr.For[T](c.Path), *a
	for h := range heads {
		b.X, b.Y = a.X[min(len(a.X), h*a.Width):], a.Y[h*a.Width:]
		if a.W != nil {
			b.W = a.W[min(len(a.W), h):]
		}
		t.Sum(&b)
	}
}

// divideRows divides rows that are not longer than a piece by their number of entries.
func divideRows[T kernels.Float](c *kernels.Call, m side, y []T, lo, hi, d int) {
	t := vec.For[T](c.Path)
	for i := lo; i < hi; i++ {
		if n := m.size(i); n > 1 && n <= piece {
			row := y[i*d : (i+1)*d]
			t.Scale(row, 1/T(n), row)
		}
	}
}

// partials are the sums of pieces.
func partials[T kernels.Float](c *kernels.Call, m side, d int) []T {
	work := c.Work
	return kernels.Carve[T](&work, extra(len(m.col))*d)
}

// pieceBounds are the bounds of a piece, in memory of the worker.
func pieceBounds[T kernels.Float](c *kernels.Call, m side, d, worker, lo, hi int) []int32 {
	work := c.Work
	kernels.Carve[T](&work, extra(len(m.col))*d)
	b := kernels.Carve[int32](&work, 2*c.Pool.Workers())[2*worker:][:2]
	b[0], b[1] = int32(lo), int32(hi)
	return b
}

// finishRows adds the pieces of long rows, and divides these for means.
func finishRows[T kernels.Float](c *kernels.Call, m side, d int) {
	y := kernels.Of[T](c.Out)
	addPieces(c, m, y, partials[T](c, m, d), d)
	if c.Arg[argMean] == 0 {
		return
	}
	t := vec.For[T](c.Path)
	for slot := range extra(len(m.col)) {
		if row, lo, hi := m.pieceAt(slot); lo < hi && hi == int(m.ptr[row+1]) { // the last piece of its row
			line := y[row*d : (row+1)*d]
			t.Scale(line, 1/T(m.size(row)), line)
		}
	}
}

func maxBody[T kernels.Float](c *kernels.Call, chunk, _ int) {
	m := sideOf(c.In[1:1+parts], false)
	x, y, d := kernels.Of[T](c.In[0]), kernels.Of[T](c.Out), length(c.Out.Spec)
	lo, hi := rowsOf(c, m, chunk)
	for i := lo; i < hi; i++ {
		maxRow(c, y[i*d:(i+1)*d], x, m.col[m.ptr[i]:m.ptr[i+1]])
	}
}

// short is the length below which a loop is faster than a call of assembly.
const short = 16

// maxRow is the maximum of rows of x.
func maxRow[T kernels.Float](c *kernels.Call, y, x []T, col []int32) {
	clear(y)
	d := len(y)
	t := vec.For[T](c.Path)
	for n, j := range col {
		row := x[int(j)*d : (int(j)+1)*d]
		switch {
		case n == 0:
			copy(y, row)
		case d >= short:
			t.Larger(y, y, row)
		default:
			for e, v := range row {
				if v > y[e] || v != v || math.IsNaN(float64(y[e])) {
					y[e] = max(v, y[e])
				}
			}
		}
	}
}
