package sparse

import (
	"fmt"
	"math"

	"ganglion/kernels"
)

// Structure is a sparse matrix without values, and its transpose, as the operators take them (see the package).
type Structure struct {
	Ptr, Col         []int32
	TPtr, TCol, TPos []int32
}

// Rows is the number of rows: destinations.
func (s Structure) Rows() int { return len(s.Ptr) - 1 }

// Cols is the number of columns: sources.
func (s Structure) Cols() int { return len(s.TPtr) - 1 }

// Entries is the number of entries: edges.
func (s Structure) Entries() int { return len(s.Col) }

// Tensors returns the five inputs of an operator, over the same memory.
func (s Structure) Tensors() []kernels.Tensor {
	return []kernels.Tensor{kernels.FromSlice(s.Ptr, len(s.Ptr)), kernels.FromSlice(s.Col, len(s.Col)),
		kernels.FromSlice(s.TPtr, len(s.TPtr)), kernels.FromSlice(s.TCol, len(s.TCol)),
		kernels.FromSlice(s.TPos, len(s.TPos))}
}

// Build makes the structure of a matrix of rows × cols from a list of edges src → dst: rows are destinations. perm
// tells which edge of the list each entry is; edges of one row keep their order, in the transpose those of one column.
// It takes time and memory O(rows + cols + edges), and fails if a node is out of range or the lists differ in length.
func Build(rows, cols int, src, dst []int32) (s Structure, perm []int32, err error) {
	if rows < 0 || cols < 0 || rows >= math.MaxInt32 || cols >= math.MaxInt32 || len(src) > math.MaxInt32 {
		return s, nil, fmt.Errorf("sparse: Build: %d rows, %d columns and %d edges: all must be from 0 to 2³¹−2",
			rows, cols, len(src))
	}
	if len(src) != len(dst) {
		return s, nil, fmt.Errorf("sparse: Build: %d sources and %d destinations", len(src), len(dst))
	}
	if s.Ptr, perm, err = sortBy("destination", dst, rows); err != nil {
		return Structure{}, nil, err
	}
	var tperm []int32
	if s.TPtr, tperm, err = sortBy("source", src, cols); err != nil {
		return Structure{}, nil, err
	}
	entry := make([]int32, len(perm)) // of each edge
	s.Col, s.TCol, s.TPos = make([]int32, len(perm)), make([]int32, len(perm)), make([]int32, len(perm))
	for k, e := range perm {
		s.Col[k], entry[e] = src[e], int32(k)
	}
	for t, e := range tperm {
		s.TCol[t], s.TPos[t] = dst[e], entry[e]
	}
	return s, perm, nil
}

// sortBy is a stable counting sort: the bounds of the groups of equal keys below n, and the places of their members.
func sortBy(what string, keys []int32, n int) (ptr, order []int32, err error) {
	ptr, order = make([]int32, n+1), make([]int32, len(keys))
	for i, v := range keys {
		if v < 0 || int(v) >= n {
			return nil, nil, fmt.Errorf("sparse: Build: edge %d has %s %d, there are %d nodes (numbered from 0)", i,
				what, v, n)
		}
		ptr[v+1]++
	}
	for i := range n {
		ptr[i+1] += ptr[i]
	}
	next := append([]int32(nil), ptr...)
	for i, v := range keys {
		order[next[v]] = int32(i)
		next[v]++
	}
	return ptr, order, nil
}

// Segments is the structure of a list that is cut into consecutive segments with the given bounds: row i is segment i,
// and its columns are the members. Bounds begin with 0 and must not decrease; the last is the length of the list.
// SpMM and Segment over it reduce segments, Spread and SpMM{Transposed: true} give each member its segment's row.
func Segments(bounds []int32) (Structure, error) {
	if len(bounds) == 0 || bounds[0] != 0 {
		return Structure{}, fmt.Errorf("sparse: Segments: bounds must begin with 0")
	}
	n := bounds[len(bounds)-1]
	if n < 0 || !monotone(bounds, int(n)) {
		return Structure{}, fmt.Errorf("sparse: Segments: bounds must not decrease")
	}
	src, dst := make([]int32, n), make([]int32, 0, n)
	for i := range src {
		src[i] = int32(i)
	}
	for i, lo := range bounds[:len(bounds)-1] {
		for range bounds[i+1] - lo {
			dst = append(dst, int32(i))
		}
	}
	s, _, err := Build(len(bounds)-1, int(n), src, dst)
	return s, err
}

// Compressed is the structure of a matrix with cols columns that is in compressed rows already, such as features of
// which few are not zero: row i has the columns col[ptr[i]:ptr[i+1]], and entries keep their order. SpMM over it is the
// product with a dense matrix [cols, n], its gradient the product with the transpose. The lists are not copied.
func Compressed(cols int, ptr, col []int32) (Structure, error) {
	if cols < 0 || len(ptr) == 0 || ptr[0] != 0 || !monotone(ptr, len(col)) {
		return Structure{}, fmt.Errorf("sparse: Compressed: the bounds of rows must begin with 0, not decrease, and "+
			"end with the number of entries, %d; there must not be %d columns", len(col), cols)
	}
	s := Structure{Ptr: ptr, Col: col, TCol: make([]int32, len(col))}
	var err error
	if s.TPtr, s.TPos, err = sortBy("column", col, cols); err != nil {
		return Structure{}, err
	}
	row := make([]int32, len(col))
	for i := range len(ptr) - 1 {
		for k := ptr[i]; k < ptr[i+1]; k++ {
			row[k] = int32(i)
		}
	}
	for t, k := range s.TPos {
		s.TCol[t] = row[k]
	}
	return s, nil
}

// Index is the structure of a list of row numbers below rows: SpMM over it adds the members of each row (scatter), and
// SpMM{Transposed: true} takes the row of each member (gather). Both are sums in a fixed order.
func Index(rows int, index []int32) (Structure, error) {
	src := make([]int32, len(index))
	for i := range src {
		src[i] = int32(i)
	}
	s, _, err := Build(rows, len(index), src, index)
	return s, err
}

// Check returns an error that says what is damaged: lengths, bounds, entries out of range, or a transpose that is not
// one.
func (s Structure) Check() error {
	if len(s.Ptr) == 0 || len(s.TPtr) == 0 || len(s.TCol) != len(s.Col) || len(s.TPos) != len(s.Col) {
		return fmt.Errorf("sparse: structure with lists of %d, %d, %d, %d and %d numbers: want rows+1, entries, "+
			"columns+1, entries, entries", len(s.Ptr), len(s.Col), len(s.TPtr), len(s.TCol), len(s.TPos))
	}
	if !monotone(s.Ptr, s.Entries()) || !monotone(s.TPtr, s.Entries()) {
		return fmt.Errorf("sparse: the bounds of rows must begin with 0, not decrease, and end with the number of "+
			"entries, %d", s.Entries())
	}
	row := make([]int32, s.Entries())
	for i := range s.Rows() {
		for k := s.Ptr[i]; k < s.Ptr[i+1]; k++ {
			row[k] = int32(i)
		}
	}
	seen := make([]bool, s.Entries())
	for j := range s.Cols() {
		for t := s.TPtr[j]; t < s.TPtr[j+1]; t++ {
			k := s.TPos[t]
			if k < 0 || int(k) >= s.Entries() || seen[k] || int(s.Col[k]) != j || s.TCol[t] != row[k] {
				return fmt.Errorf("sparse: transposed entry %d of column %d (row %d, entry %d) is no entry of the "+
					"matrix, or a second time", t, j, s.TCol[t], k)
			}
			seen[k] = true
		}
	}
	return nil
}

// monotone reports whether bounds begin with 0, do not decrease and end with n.
func monotone(bounds []int32, n int) bool {
	if bounds[0] != 0 || int(bounds[len(bounds)-1]) != n {
		return false
	}
	last, ok := int32(0), true
	for _, b := range bounds {
		ok = ok && b >= last
		last = b
	}
	return ok
}
