// Package vec holds the vector primitives of the kernels: elementwise arithmetic, reductions and transcendental
// functions on slices, for float32 and float64, on every kernel path.
//
// A Table holds the primitives of one path. Its elementwise functions give an element the same value wherever it
// stands in a slice and however long the slice is, so work may be cut anywhere. Reductions have one fixed order for
// each length: cut them by size, not by worker count, and combine the parts in order. Paths differ in the last
// bits.
//
// Slices of one call must have the same length: any other is a bug of the caller, and panics. A destination may be the
// same slice as an operand; apart from that it must not overlap one.
package vec

import (
	"fmt"

	"ganglion/internal/cpu"
)

// Table holds the primitives of one path for elements of type T. Unless it says otherwise, a function treats NaN, Inf,
// signed zeros and subnormal numbers as IEEE 754 does.
//
// Over all float32 numbers the worst errors are, in ulp:
//
//	           Go and AVX2   AVX-512
//	Exp        1.010         0.891
//	Log        0.827         1.214
//	Tanh       1.330         1.350
//	Sigmoid    1.967         1.504
//	SiLU       0.503         1.646
//	Erf        0.505         1.797
//	GELU       0.519         1.765
//	Expm1      0.510         0.510
//	Log1p      0.500         0.500
//	Softplus   0.502         0.502
//	SiLUSlope  0.507         0.507
//	GELUSlope  0.554         0.554
//	Sin, Cos   0.512         0.512
//
// Those within 0.6 ulp are computed in float64, also next to their roots and where results are subnormal.
//
// In float64 Exp, Tanh, Sigmoid and Log are within 2 ulp. The others are those of package math, or formulas of a few
// of those; GELU is as good as math.Erfc of a rounded argument: a relative error of x² ulp for large negative x.
type Table[T float32 | float64] struct {
	// Add is dst = x + y.
	Add func(dst, x, y []T)
	// Sub is dst = x − y.
	Sub func(dst, x, y []T)
	// Mul is dst = x·y, elementwise.
	Mul func(dst, x, y []T)
	// Div is dst = x/y, elementwise.
	Div func(dst, x, y []T)
	// Scale is dst = a·x.
	Scale func(dst []T, a T, x []T)
	// Shift is dst = x + a.
	Shift func(dst []T, a T, x []T)
	// Axpy is y += a·x.
	Axpy func(y []T, a T, x []T)
	// MulAdd is z += x·y, elementwise.
	MulAdd func(z, x, y []T)

	// Larger is dst = max(x, y): NaN if either is. Of zeros of both signs it gives any.
	Larger func(dst, x, y []T)
	// Smaller is dst = min(x, y), as Larger.
	Smaller func(dst, x, y []T)

	// ReLU is dst = max(x, 0): NaN stays NaN, −0 becomes 0.
	ReLU func(dst, x []T)
	// Exp is dst = eˣ.
	Exp func(dst, x []T)
	// Tanh is dst = tanh x; the sign of zeros is kept.
	Tanh func(dst, x []T)
	// Sigmoid is dst = 1/(1+e⁻ˣ), in full accuracy also where it is subnormal.
	Sigmoid func(dst, x []T)
	// Log is dst = ln x: −Inf for zeros, NaN for negative numbers.
	Log func(dst, x []T)

	// Expm1 is dst = eˣ − 1; the sign of zeros is kept.
	Expm1 func(dst, x []T)
	// Log1p is dst = ln(1+x): −Inf for −1, NaN below it; the sign of zeros is kept.
	Log1p func(dst, x []T)
	// Softplus is dst = ln(1+eˣ).
	Softplus func(dst, x []T)
	// SiLU is dst = x/(1+e⁻ˣ): −0 for −Inf.
	SiLU func(dst, x []T)
	// SiLUSlope is the slope of SiLU, σ(x) + x·σ(x)·(1−σ(x)).
	SiLUSlope func(dst, x []T)
	// Erf is dst = erf x; the sign of zeros is kept.
	Erf func(dst, x []T)
	// GELU is dst = x·Φ(x) = ½·x·(1 + erf(x/√2)): −0 for −Inf.
	GELU func(dst, x []T)
	// GELUSlope is the slope of GELU, Φ(x) + x·φ(x).
	GELUSlope func(dst, x []T)
	// Sin is dst = sin x, for all finite x: up to 2²⁸ by reduction with two parts of π/2, beyond by math.Sin.
	Sin func(dst, x []T)
	// Cos is dst = cos x, as Sin.
	Cos func(dst, x []T)

	// TanhGrad is dst = (1−y)·(1+y)·dy, the gradient of y = tanh x.
	TanhGrad func(dst, y, dy []T)
	// SigmoidGrad is dst = (1−y)·y·dy, the gradient of y = 1/(1+e⁻ˣ).
	SigmoidGrad func(dst, y, dy []T)
	// ReLUGrad is dst = dy where x > 0, 0 where x ≤ 0, and NaN where x is NaN; x may be the output of ReLU.
	ReLUGrad func(dst, x, dy []T)

	// ExpSum sets dst = e^(x − shift) and returns Σ dst, in a fixed order; with the largest element as shift this is
	// the middle of a softmax.
	ExpSum func(dst, x []T, shift T) T
	// SumSquares returns Σ x² in float64, so that squares of float32 neither overflow nor vanish.
	SumSquares func(x []T) float64
	// Adam is one step of Adam from one state to another, which may be the same:
	// m ← β₁m + (1−β₁)g, v ← β₂v + ((1−β₂)g)g, p ← Keep·p − (Step·m)/(√v·Scale + ε), every operation rounded: all
	// paths give the same bits.
	Adam func(c AdamConstants[T], to, from AdamState[T], g []T)

	// Sum returns Σ x, 0 if x is empty.
	Sum func(x []T) T
	// Dot returns Σ x·y, 0 if x is empty.
	Dot func(x, y []T) T
	// Max returns the largest element: NaN if there is a NaN, −Inf if x is empty. Of zeros of both signs it returns
	// any.
	Max func(x []T) T
}

// For returns the primitives of a path for T. The table must not be changed.
func For[T float32 | float64](path cpu.Path) *Table[T] {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(F32(path)).(*Table[T])
	}
	return any(F64(path)).(*Table[T])
}

// same2 panics if two lengths differ.
func same2(what string, x, y int) {
	if x != y {
		panic(fmt.Sprintf("vec: %s: lengths %d and %d differ", what, x, y))
	}
}

// same3 panics if three lengths differ.
func same3(what string, x, y, z int) {
	if x != y || x != z {
		panic(fmt.Sprintf("vec: %s: lengths %d, %d and %d differ", what, x, y, z))
	}
}
