package graph

import (
	"fmt"
	"math"
)

// Matrix is a matrix of float32 by rows: dense if Data is set, else in CSR form if Ptr is, else empty. A bag of words
// stays sparse.
type Matrix struct {
	Rows, Cols int
	Data       []float32 // dense: [Rows, Cols] row-major
	Ptr, Col   []int32   // sparse: [Rows+1], [entries]; columns ascend within a row and occur once
	Value      []float32 // sparse: [entries]
}

// Sparse says whether the matrix is in CSR form.
func (m Matrix) Sparse() bool { return m.Ptr != nil }

// Dense returns the elements, [Rows, Cols] row-major: Data itself if the matrix is dense.
func (m Matrix) Dense() []float32 {
	if !m.Sparse() {
		return m.Data
	}
	out := make([]float32, m.Rows*m.Cols)
	for i := range m.Rows {
		for k := m.Ptr[i]; k < m.Ptr[i+1]; k++ {
			out[i*m.Cols+int(m.Col[k])] = m.Value[k]
		}
	}
	return out
}

// Compress returns the matrix in CSR form: without its zeros if it was dense, else as it is.
func (m Matrix) Compress() Matrix {
	if m.Sparse() {
		return m
	}
	out := Matrix{Rows: m.Rows, Cols: m.Cols, Ptr: make([]int32, 1, m.Rows+1)}
	for i := range m.Rows {
		for j, v := range m.Data[i*m.Cols : (i+1)*m.Cols] {
			if v != 0 {
				out.Col, out.Value = append(out.Col, int32(j)), append(out.Value, v)
			}
		}
		out.Ptr = append(out.Ptr, int32(len(out.Col)))
	}
	return out
}

// Entries is the number of stored elements.
func (m Matrix) Entries() int {
	if m.Sparse() {
		return len(m.Value)
	}
	return len(m.Data)
}

// Take returns the rows of the given numbers, in their order, in new memory and the same form.
func (m Matrix) Take(rows []int32) Matrix {
	out := Matrix{Rows: len(rows), Cols: m.Cols}
	if !m.Sparse() {
		out.Data = make([]float32, 0, len(rows)*m.Cols)
		for _, i := range rows {
			out.Data = append(out.Data, m.Data[int(i)*m.Cols:(int(i)+1)*m.Cols]...)
		}
		return out
	}
	out.Ptr = make([]int32, 1, len(rows)+1)
	for _, i := range rows {
		out.Col = append(out.Col, m.Col[m.Ptr[i]:m.Ptr[i+1]]...)
		out.Value = append(out.Value, m.Value[m.Ptr[i]:m.Ptr[i+1]]...)
		out.Ptr = append(out.Ptr, int32(len(out.Col)))
	}
	return out
}

// NormaliseRows returns the matrix with each row divided by its sum; a row whose sum is 0 stays as it is. It is the
// usual preparation of bags of words.
func (m Matrix) NormaliseRows() Matrix {
	out := m
	scale := func(to, from []float32) {
		sum := 0.0
		for _, v := range from {
			sum += float64(v)
		}
		for k, v := range from {
			if to[k] = v; sum != 0 {
				to[k] = float32(float64(v) / sum)
			}
		}
	}
	if m.Sparse() {
		out.Value = make([]float32, len(m.Value))
	} else {
		out.Data = make([]float32, len(m.Data))
	}
	for i := range m.Rows {
		if m.Sparse() {
			lo, hi := m.Ptr[i], m.Ptr[i+1]
			scale(out.Value[lo:hi], m.Value[lo:hi])
			continue
		}
		lo, hi := i*m.Cols, (i+1)*m.Cols
		scale(out.Data[lo:hi], m.Data[lo:hi])
	}
	return out
}

// check returns an error if the lengths do not fit, bounds decrease, a column is out of range or not ascending, or an
// element is not finite.
func (m Matrix) check() error {
	values := m.Data
	if m.Sparse() {
		if err := m.checkRows(); err != nil {
			return err
		}
		values = m.Value
	} else if len(m.Data) != m.Rows*m.Cols {
		return fmt.Errorf("want %d × %d elements, got %d", m.Rows, m.Cols, len(m.Data))
	}
	for k, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("want finite elements, got %v as element %d", v, k)
		}
	}
	return nil
}

func (m Matrix) checkRows() error {
	if len(m.Ptr) != m.Rows+1 || len(m.Col) != len(m.Value) {
		return fmt.Errorf("want %d row pointers for %d rows and as many columns as values, got %d, %d and %d", m.Rows+1,
			m.Rows, len(m.Ptr), len(m.Col), len(m.Value))
	}
	if m.Ptr[0] != 0 || int(m.Ptr[m.Rows]) != len(m.Col) {
		return fmt.Errorf("want row pointers from 0 to %d, got %d to %d", len(m.Col), m.Ptr[0], m.Ptr[m.Rows])
	}
	for i := range m.Rows {
		if m.Ptr[i+1] < m.Ptr[i] || int(m.Ptr[i+1]) > len(m.Col) {
			return fmt.Errorf("row pointer %d is %d behind %d: want ascending ones", i+1, m.Ptr[i+1], m.Ptr[i])
		}
		last := int32(-1)
		for k := m.Ptr[i]; k < m.Ptr[i+1]; k++ {
			if c := m.Col[k]; c <= last || int(c) >= m.Cols {
				return fmt.Errorf(
					"entry %d, in row %d: want ascending columns below %d, got %d behind %d",
					k,
					i,
					m.Cols,
					c,
					last,
				)
			}
			last = m.Col[k]
		}
	}
	return nil
}
