package act

import (
	"fmt"
	"math"

	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// Apply sets dst[i] = f(x[i]) (order 0), f′(x[i]) (order 1) or f″(x[i]) (order 2) for every element of x. dst has the length of x and
// may be x itself, but must not overlap it otherwise. A result depends on the element's value alone, not on its position.
//
// float64 results are those of Eval up to 4 ulp on the slopes of tanh and sigmoid; float32 results are within 4 ulp of Eval.
func Apply[T kernels.Float](path cpu.Path, f Func, order int, dst, x []T) {
	if !Valid(f, order) {
		panic(fmt.Sprintf("act: Apply: no order %d of %s", order, Name(f)))
	}
	if len(dst) != len(x) {
		panic(fmt.Sprintf("act: Apply: %d elements to %d", len(x), len(dst)))
	}
	if len(x) == 0 || order < 2 && direct(path, f, order, dst, x) {
		return
	}
	fn := table[f].at[order]
	for i, v := range x {
		dst[i] = T(fn(float64(v)))
	}
}

// direct handles the functions that have a loop of their own in orders 0 and 1.
func direct[T kernels.Float](path cpu.Path, f Func, order int, dst, x []T) bool {
	switch [2]int{int(f), order} {
	case [2]int{int(Identity), 0}:
		copy(dst, x)
	case [2]int{int(Identity), 1}:
		fill(dst, 1)
	case [2]int{int(Neg), 1}:
		fill(dst, -1)
	case [2]int{int(ReLU), 0}:
		for i, v := range x {
			dst[i] = max(v, 0)
		}
	case [2]int{int(ReLU), 1}:
		for i, v := range x {
			dst[i] = slope(v, 0)
		}
	case [2]int{int(LeakyReLU), 0}:
		for i, v := range x {
			dst[i] = v * slope(v, leakySlope)
		}
	case [2]int{int(LeakyReLU), 1}:
		for i, v := range x {
			dst[i] = slope(v, leakySlope)
		}
	default:
		return algebraic(f, order, dst, x)
	}
	return true
}

// algebraic handles the functions made of a few arithmetic operations.
func algebraic[T kernels.Float](f Func, order int, dst, x []T) bool {
	switch [2]int{int(f), order} {
	case [2]int{int(Neg), 0}:
		for i, v := range x {
			dst[i] = -v
		}
	case [2]int{int(Square), 0}:
		for i, v := range x {
			dst[i] = v * v
		}
	case [2]int{int(Square), 1}:
		for i, v := range x {
			dst[i] = 2 * v
		}
	case [2]int{int(Cube), 0}:
		for i, v := range x {
			dst[i] = v * v * v
		}
	case [2]int{int(Inv), 0}:
		for i, v := range x {
			dst[i] = 1 / v
		}
	case [2]int{int(Sqrt), 0}:
		for i, v := range x {
			dst[i] = T(math.Sqrt(float64(v)))
		}
	case [2]int{int(Abs), 0}:
		for i, v := range x {
			dst[i] = T(math.Abs(float64(v)))
		}
	default:
		return false
	}
	return true
}

func fill[T kernels.Float](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// slope is 1 for v > 0, below for v ≤ 0 and NaN for NaN.
func slope[T kernels.Float](v, below T) T {
	if v > 0 {
		return 1
	}
	if v <= 0 {
		return below
	}
	return v
}
