package random

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"ganglion/kernels"
)

// Orthogonal is the initialisation of Saxe et al. (arXiv 1312.6120): a random matrix [rows, cols] with orthonormal rows
// or columns, whichever are fewer, times Gain. It is the factor Q of a normal random matrix, with the signs that make
// the factor R's diagonal positive, so that it is spread evenly over all such matrices.
type Orthogonal struct {
	Gain float64 // 0 means 1
}

// Fill draws t; the error says that t is not a float matrix.
func (o Orthogonal) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	if t.Rank() != 2 {
		return fmt.Errorf("random: Orthogonal: %v is not a matrix", t.Spec)
	}
	rows, cols := t.Shape[0], t.Shape[1]
	tall, short := max(rows, cols), min(rows, cols)
	if short == 0 {
		return fillTensor(t, Constant{}, seed, stream)
	}
	a := mat.NewDense(tall, short, nil)
	wide := kernels.FromSlice(a.RawMatrix().Data, tall, short)
	if err := (Normal{Std: 1}).Fill(wide, seed, stream); err != nil {
		return err
	}
	var qr mat.QR
	qr.Factorize(a)
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	gain := o.Gain
	if gain == 0 {
		gain = 1
	}
	return store(t, func(i int) float64 {
		row, col := i/cols, i%cols
		if rows < cols {
			row, col = col, row
		}
		return gain * q.At(row, col) * math.Copysign(1, r.At(col, col))
	})
}

// store sets element i of a float tensor to f(i).
func store(t kernels.Tensor, f func(i int) float64) error {
	switch t.DType {
	case kernels.Float32:
		for i := range t.F32 {
			t.F32[i] = float32(f(i))
		}
	case kernels.Float64:
		for i := range t.F64 {
			t.F64[i] = f(i)
		}
	default:
		return fmt.Errorf("random: %v cannot hold initial values: wants float32 or float64", t.Spec)
	}
	return nil
}
