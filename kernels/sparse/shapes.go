package sparse

import (
	"math"

	"ganglion/internal/asm/csr"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// parts is the number of inputs that a structure is.
const parts = 5

// sizes are those of a structure.
type sizes struct{ rows, cols, entries int }

// wantStructure checks the inputs from at on, which must be a structure, and returns its sizes.
func wantStructure(op kernels.Op, in []kernels.Spec, at int) (sizes, error) {
	for i := at; i < at+parts; i++ {
		if err := kernels.WantType(op, in, i, kernels.Int32); err != nil {
			return sizes{}, err
		}
		if in[i].Rank() != 1 {
			return sizes{}, kernels.Errorf(op, in, kernels.ErrShape, "input %d must have 1 dimension, has %d", i,
				in[i].Rank())
		}
	}
	s := sizes{in[at].Shape[0] - 1, in[at+2].Shape[0] - 1, in[at+1].Shape[0]}
	if s.rows < 0 || s.cols < 0 {
		return s, kernels.Errorf(op, in, kernels.ErrShape, "bounds of rows and of columns need one element at least")
	}
	for _, i := range []int{at + 3, at + 4} {
		if in[i].Shape[0] != s.entries {
			return s, kernels.Errorf(op, in, kernels.ErrShape, "input %d must have %d elements as input %d, has %d", i,
				s.entries, at+1, in[i].Shape[0])
		}
	}
	return s, nil
}

// wantCount checks the number of inputs.
func wantCount(op kernels.Op, in []kernels.Spec, n int) error {
	if len(in) != n {
		return kernels.Errorf(op, in, kernels.ErrShape, "wants %d inputs, has %d", n, len(in))
	}
	return nil
}

// wantRows checks that input i is an array with the given number of rows.
func wantRows(op kernels.Op, in []kernels.Spec, i, rows int, what string) error {
	if in[i].Rank() == 0 || in[i].Shape[0] != rows {
		return kernels.Errorf(op, in, kernels.ErrShape, "input %d must be [%d, ...], a row for each %s, is %v", i, rows,
			what, in[i].Shape)
	}
	return nil
}

// withRows is the shape of s with another number of rows.
func withRows(s kernels.Spec, rows int) kernels.Spec {
	return kernels.S(s.DType, append([]int{rows}, s.Shape[1:]...)...)
}

// length is the number of elements of a row.
func length(s kernels.Spec) int {
	n := 1
	for _, d := range s.Shape[1:] {
		n *= d
	}
	return n
}

// side is a matrix or its transpose, as a kernel reads it.
type side struct {
	ptr, col []int32
	pos      []int32 // where the value of each entry stands; nil if in order
	rows     int
	from     int // rows of what col names
}

// sideOf returns the matrix, or its transpose.
func sideOf(s []kernels.Tensor, transposed bool) side {
	rows, cols := len(s[0].I32)-1, len(s[2].I32)-1
	if transposed {
		return side{s[2].I32, s[3].I32, s[4].I32, cols, rows}
	}
	return side{s[0].I32, s[1].I32, nil, rows, cols}
}

// edges is the matrix that adds the values of the entries of each row, or of each column.
func edges(s []kernels.Tensor, source bool) side {
	m := sideOf(s, source)
	if source {
		m.col, m.pos = m.pos, nil
		m.from = len(m.col)
	}
	return m
}

// sound reports whether the bounds and the columns of a side are in range; with weights also their places.
func (m side) sound(t *csr.Table[float32], weights bool) bool {
	return monotone(m.ptr, len(m.col)) && t.Within(m.col, m.from) &&
		(!weights || m.pos == nil || t.Within(m.pos, len(m.col)))
}

// usable is sound for an operator's kernel: if not, the output is NaN, and the report says so.
func usable(c *kernels.Call, m side, weights bool) bool {
	if m.sound(csr.For[float32](c.Path), weights) {
		return true
	}
	spoil(c.Out)
	c.Report.Status, c.Report.Samples, c.Report.Failed = kernels.Diverged, 1, 1
	return false
}

// usableRef is usable for a reference.
func usableRef(out kernels.Tensor, m side, weights bool) bool {
	if m.sound(csr.For[float32](0), weights) {
		return true
	}
	spoil(out)
	return false
}

func spoil(t kernels.Tensor) {
	for i := range t.F32 {
		t.F32[i] = float32(math.NaN())
	}
	for i := range t.F64 {
		t.F64[i] = math.NaN()
	}
}

// run calls the loop body of the output's float type.
func run(c *kernels.Call, n int, f32, f64 func(c *kernels.Call, chunk, worker int)) {
	c.ForFloat(n, f32, f64)
}

// nodes is the list of inputs: some nodes, and a structure behind them.
func nodes(structure []*kernels.Node, first ...*kernels.Node) []*kernels.Node {
	return append(first, structure...)
}

// gradients is the list that a rule returns: those of the first inputs, and nil for the structure.
func gradients(first ...*kernels.Node) []*kernels.Node {
	return append(first, make([]*kernels.Node, parts)...)
}

func zeros(b kernels.Builder, like *kernels.Node) *kernels.Node {
	return b.Apply(dense.FillLike{}, like)
}

func times(b kernels.Builder, x, y *kernels.Node) *kernels.Node {
	return b.Apply(dense.Binary{Kind: dense.Mul}, x, y)
}
