package algebra

import (
	"fmt"
	"math"
	"slices"
)

// Tensor is a matrix of tubes, slice-major: element (i, j) of slice t is Data[(t·Rows + i)·Cols + j]. The slices are
// the indices of the tube, the last axis fastest.
type Tensor struct {
	Rows, Cols int
	Tube       []int // extents of the tube's axes
	Data       []float64
}

// NewTensor returns a tensor of zeros; it panics if an extent is negative.
func NewTensor(rows, cols int, tube ...int) Tensor {
	if rows < 0 || cols < 0 {
		panic(fmt.Sprintf("algebra: NewTensor: %d × %d", rows, cols))
	}
	return Tensor{Rows: rows, Cols: cols, Tube: slices.Clone(tube), Data: make([]float64, rows*cols*count(tube))}
}

func count(tube []int) int {
	n := 1
	for _, c := range tube {
		if c < 0 {
			panic(fmt.Sprintf("algebra: a tube of extents %v", tube))
		}
		n *= c
	}
	return n
}

// Slices is the number of slices.
func (a Tensor) Slices() int { return count(a.Tube) }

// At is element (i, j) of slice t.
func (a Tensor) At(i, j, t int) float64 { return a.Data[(t*a.Rows+i)*a.Cols+j] }

// Clone is a copy.
func (a Tensor) Clone() Tensor {
	a.Tube, a.Data = slices.Clone(a.Tube), slices.Clone(a.Data)
	return a
}

// Sub is a − b, of the same shape.
func (a Tensor) Sub(b Tensor) (Tensor, error) {
	if a.Rows != b.Rows || a.Cols != b.Cols || !slices.Equal(a.Tube, b.Tube) {
		return Tensor{}, fmt.Errorf("algebra: difference of %v and %v: shapes differ", a.shape(), b.shape())
	}
	out := a.Clone()
	for i, v := range b.Data {
		out.Data[i] -= v
	}
	return out, nil
}

// Frobenius is the root of the sum of squares of all elements.
func (a Tensor) Frobenius() float64 {
	top := 0.0
	for _, v := range a.Data {
		top = max(top, math.Abs(v))
	}
	if top == 0 || math.IsInf(top, 0) || math.IsNaN(top) {
		return top
	}
	sum := 0.0
	for _, v := range a.Data {
		sum += (v / top) * (v / top)
	}
	return top * math.Sqrt(sum)
}

// shape is the shape in the order rows, columns, tube.
func (a Tensor) shape() []int { return append([]int{a.Rows, a.Cols}, a.Tube...) }

// valid reports an error unless the data fit the shape.
func (a Tensor) valid() error {
	if a.Rows < 0 || a.Cols < 0 || len(a.Data) != a.Rows*a.Cols*count(a.Tube) {
		return fmt.Errorf("algebra: a tensor %v has %d elements", a.shape(), len(a.Data))
	}
	return nil
}
