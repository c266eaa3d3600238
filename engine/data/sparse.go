package data

import (
	"fmt"
	"slices"

	"ganglion/engine/data/source"
)

// csr is a sparse matrix of features, a bag of words: row i has value[e] in column col[e] for ptr[i] ≤ e < ptr[i+1].
type csr struct {
	rows, cols int
	ptr, col   []int64
	value      []float64
}

// readSparse reads x_shape, x_indptr, x_indices and x_data and lays them out densely.
func (t *Table) readSparse(a *source.Archive, o Options) error {
	var m csr
	var shape []int64
	var err error
	for _, part := range []struct {
		key string
		dst *[]int64
	}{{"x_shape", &shape}, {"x_indptr", &m.ptr}, {"x_indices", &m.col}} {
		if *part.dst, _, err = a.Ints(part.key); err != nil {
			return err
		}
	}
	if m.value, _, err = a.Floats("x_data"); err != nil {
		return err
	}
	if len(shape) != 2 || shape[0] < 1 || shape[0] > 1<<40 || shape[1] < 1 || shape[1] > maxIndex {
		return &Error{File: a.Name, Column: "x_shape", Want: "two sizes above 0", Got: fmt.Sprint(shape),
			Remedy: "save it again"}
	}
	m.rows, m.cols = int(shape[0]), int(shape[1])
	if err := m.check(); err != nil {
		return &Error{File: a.Name, Column: "x_indptr", Err: err, Remedy: "save it again as a CSR matrix"}
	}
	return t.fillSparse(&m, o)
}

// check returns an error if the arrays do not make a CSR matrix.
func (m *csr) check() error {
	switch n := len(m.col); {
	case len(m.ptr) != m.rows+1:
		return fmt.Errorf("want %d row pointers for %d rows, got %d", m.rows+1, m.rows, len(m.ptr))
	case len(m.value) != n:
		return fmt.Errorf("want as many values as column numbers, got %d and %d", len(m.value), n)
	case m.ptr[0] != 0 || m.ptr[m.rows] != int64(n):
		return fmt.Errorf("want row pointers from 0 to %d, got %d to %d", n, m.ptr[0], m.ptr[m.rows])
	case !slices.IsSorted(m.ptr):
		return fmt.Errorf("want ascending row pointers")
	}
	for e, c := range m.col {
		if c < 0 || c >= int64(m.cols) {
			return fmt.Errorf("entry %d: want a column from 0 to %d, got %d", e, m.cols-1, c)
		}
	}
	return nil
}

// fillSparse fills N, D and X from a sparse matrix, of whose columns Options.MaxFeatures may keep only the most used.
func (t *Table) fillSparse(m *csr, o Options) error {
	kept := m.mostUsed(o.MaxFeatures)
	t.N, t.D = m.rows, len(kept)
	if t.D < m.cols {
		t.Notes = append(t.Notes, fmt.Sprintf("%d of %d features are kept, those that occur in most rows", t.D, m.cols))
	}
	if err := t.allocate(o); err != nil {
		return err
	}
	place := make([]int, m.cols)
	for c := range place {
		place[c] = -1
	}
	for j, c := range kept {
		place[c] = j
	}
	for i := range m.rows {
		row := t.Row(i)
		for e := m.ptr[i]; e < m.ptr[i+1]; e++ {
			if j := place[m.col[e]]; j >= 0 {
				row[j] += m.value[e]
			}
		}
	}
	return nil
}

// mostUsed returns the k columns with the most entries, ascending; of equally used ones the first. All of them if k
// is 0.
func (m *csr) mostUsed(k int) []int {
	cols := identityFields(m.cols)
	if k <= 0 || k >= m.cols {
		return cols
	}
	uses := make([]int, m.cols)
	for _, c := range m.col {
		uses[c]++
	}
	slices.SortStableFunc(cols, func(a, b int) int { return uses[b] - uses[a] })
	cols = cols[:k]
	slices.Sort(cols)
	return cols
}
