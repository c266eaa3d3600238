package read

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"ganglion/engine/data/graph"
)

// matrix makes a checked matrix of CSR arrays whose rows need not be sorted; elements named twice are added.
func matrix[I int64 | float64](rows, cols int, ptr, col []I, values []float64) (graph.Matrix, error) {
	var m graph.Matrix
	n := len(col)
	switch {
	case len(ptr) != rows+1:
		return m, fmt.Errorf("want %d row pointers for %d rows, got %d", rows+1, rows, len(ptr))
	case len(values) != n:
		return m, fmt.Errorf("want as many values as column numbers, got %d and %d", len(values), n)
	case n > math.MaxInt32 || ptr[0] != 0 || ptr[rows] != I(n):
		return m, fmt.Errorf("want row pointers from 0 to %d, got %v to %v", n, ptr[0], ptr[rows])
	}
	for i := range rows {
		if ptr[i+1] < ptr[i] || ptr[i+1] > I(n) {
			return m, fmt.Errorf(
				"row pointer %d is %v behind %v: want ascending ones up to %d",
				i+1,
				ptr[i+1],
				ptr[i],
				n,
			)
		}
	}
	m = graph.Matrix{Rows: rows, Cols: cols, Ptr: make([]int32, 1, rows+1), Col: make([]int32, 0, n),
		Value: make([]float32, 0, n)}
	type entry struct {
		col   int32
		value float64
	}
	var row []entry
	for i := range rows {
		row = row[:0]
		for k := int(ptr[i]); k < int(ptr[i+1]); k++ {
			c := col[k]
			if c < 0 || c >= I(cols) || I(int32(c)) != c {
				return m, fmt.Errorf("entry %d, in row %d: want a column from 0 to %d, got %v", k, i, cols-1, c)
			}
			if v := values[k]; math.IsNaN(v) || math.IsInf(float64(float32(v)), 0) {
				return m, fmt.Errorf("entry %d, in row %d: want a finite number, got %v", k, i, v)
			}
			row = append(row, entry{int32(c), values[k]})
		}
		slices.SortStableFunc(row, func(a, b entry) int { return cmp.Compare(a.col, b.col) })
		for k, e := range row {
			if k > 0 && row[k-1].col == e.col {
				m.Value[len(m.Value)-1] += float32(e.value)
				continue
			}
			m.Col, m.Value = append(m.Col, e.col), append(m.Value, float32(e.value))
		}
		m.Ptr = append(m.Ptr, int32(len(m.Col)))
	}
	return m, nil
}
