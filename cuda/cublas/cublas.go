// Package cublas multiplies matrices by NVIDIA's library cuBLAS, which is loaded when it is asked for and never linked.
// A host without it loses speed only: the engine has kernels of its own.
package cublas

import (
	"errors"
	"fmt"
	"math"
)

// ErrUnavailable says that the library could not be loaded.
var ErrUnavailable = errors.New("no cuBLAS")

// Library is the loaded library.
type Library struct {
	table table
	path  string
}

// Open loads the library at a path; "" and "auto" mean the one that the dynamic loader finds, "off" none. Errors are
// ErrUnavailable with the reason.
func Open(path string) (*Library, error) {
	names := []string{path}
	switch path {
	case "off":
		return nil, fmt.Errorf("cublas: switched off: %w", ErrUnavailable)
	case "", "auto":
		names = []string{"libcublas.so.12", "libcublas.so.13"}
	}
	var why error
	for _, name := range names {
		l := &Library{path: name}
		err := l.load()
		if err == nil {
			return l, nil
		}
		if why == nil {
			why = err
		}
	}
	return nil, fmt.Errorf("cublas: %w: %w", ErrUnavailable, why)
}

// Path is the name under which the library was loaded.
func (l *Library) Path() string { return l.path }

// Product is C = op(A)·op(B) for matrices of rows without gaps, or a batch of such products. A is [M, K], or [K, M] if
// TransA; B is [K, N], or [N, K] if TransB; C is [M, N].
type Product struct {
	Wide                bool // float64 instead of float32
	M, N, K             int  // 1 … 2³¹−1
	TransA, TransB      bool
	Batch               int // 1 … 2³¹−1
	StepA, StepB, StepC int // elements between the matrices of a batch
}

// Check refuses sizes that the library cannot take.
func (p *Product) Check() error {
	for _, n := range [...]int{p.M, p.N, p.K, p.Batch} {
		if n < 1 || n > math.MaxInt32 {
			return fmt.Errorf("cublas: product of %d × %d by %d × %d, %d times: sizes must be 1 to %d", p.M, p.K, p.K,
				p.N, p.Batch, math.MaxInt32)
		}
	}
	return nil
}

// columns is a product as the library sees it. To it a matrix of rows is its transpose, so that it is asked for
// Cᵀ = op(B)ᵀ·op(A)ᵀ: the operands change places, and each is transposed if and only if it was before.
type columns struct {
	opFirst, opSecond     int // 0 as it is, 1 transposed
	m, n, k               int
	ldFirst, ldSecond     int
	ldC                   int
	stepFirst, stepSecond int
}

func (p *Product) columns() columns {
	c := columns{m: p.N, n: p.M, k: p.K, ldFirst: p.N, ldSecond: p.K, ldC: p.N, stepFirst: p.StepB,
		stepSecond: p.StepA}
	if p.TransB {
		c.opFirst, c.ldFirst = 1, p.K
	}
	if p.TransA {
		c.opSecond, c.ldSecond = 1, p.M
	}
	return c
}
