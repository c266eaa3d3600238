package random

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"ganglion/kernels"
)

// SpectralRadius draws a square matrix of normal numbers with zero diagonal, scaled so that its largest eigenvalue has
// the modulus Rho, to within 1 %. A matrix without such an eigenvalue (no two nodes) stays zero.
type SpectralRadius struct {
	Rho float64 // not negative
}

// Fill draws t; the error says that t is not a square float matrix.
func (o SpectralRadius) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	if t.Rank() != 2 || t.Shape[0] != t.Shape[1] {
		return fmt.Errorf("random: SpectralRadius: %v is not a square matrix", t.Spec)
	}
	if !(o.Rho >= 0) {
		return fmt.Errorf("random: SpectralRadius: the radius %v must not be negative", o.Rho)
	}
	n := t.Shape[0]
	a := kernels.New(kernels.S(kernels.Float64, n, n))
	if err := (Normal{Std: 1}).Fill(a, seed, stream); err != nil {
		return err
	}
	for i := range n {
		a.F64[i*n+i] = 0
	}
	scale := 0.0
	if rho := radius(a.F64, n); rho > 0 {
		scale = o.Rho / rho
	}
	return store(t, func(i int) float64 { return scale * a.F64[i] })
}

// radius estimates the largest modulus of an eigenvalue of the n×n matrix a: with k = 2ʲ, (‖A²ᵏ‖/‖Aᵏ‖)^(1/k). Complex
// pairs make a vector of the power method turn for ever, but they do not move the norm of a power, and the quotient is
// free of the constant factor that ‖Aᵏ‖ has beside the k-th power of the radius. Powers are normalised at each
// squaring.
func radius(a []float64, n int) float64 {
	if n == 0 {
		return 0
	}
	squarings := 12
	if n > 256 {
		squarings = 9
	}
	m, next := mat.NewDense(n, n, append([]float64(nil), a...)), mat.NewDense(n, n, nil)
	log, k := 0.0, 1.0 // ‖Aᵏ‖ is e^(k·log)·‖m‖
	rho := 0.0
	for range squarings {
		norm := mat.Norm(m, 2)
		if norm == 0 {
			return 0
		}
		m.Scale(1/norm, m)
		log += math.Log(norm) / k
		next.Mul(m, m)
		m, next = next, m
		rho = math.Exp(log + math.Log(mat.Norm(m, 2))/k)
		k *= 2
	}
	return rho
}
