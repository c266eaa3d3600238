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
	// Axpy is y += a·x.
	Axpy func(y []T, a T, x []T)
	// MulAdd is z += x·y, elementwise.
	MulAdd func(z, x, y []T)

	// ReLU is dst = max(x, 0): NaN stays NaN, −0 becomes 0.
	ReLU func(dst, x []T)
	// Exp is dst = eˣ, to 2.5 ulp.
	Exp func(dst, x []T)
	// Tanh is dst = tanh x, to 2.5 ulp; the sign of zeros is kept.
	Tanh func(dst, x []T)
	// Sigmoid is dst = 1/(1+e⁻ˣ), to 2.5 ulp also where it is subnormal.
	Sigmoid func(dst, x []T)
	// Log is dst = ln x, to 2.5 ulp: −Inf for zeros, NaN for negative numbers.
	Log func(dst, x []T)

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
