package act

import (
	"fmt"
	"math"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// Apply sets dst[i] = f(x[i]) (order 0), f′(x[i]) (order 1) or f″(x[i]) (order 2) for every element of x. dst has the
// length of x and may be x itself, but must not overlap it otherwise. A result depends on the element's value alone,
// not on its position.
//
// Results are within 4 ulp of Eval, in float32 and in float64.
func Apply[T kernels.Float](path cpu.Path, f Func, order int, dst, x []T) {
	if !Valid(f, order) {
		panic(fmt.Sprintf("act: Apply: no order %d of %s", order, Name(f)))
	}
	if len(dst) != len(x) {
		panic(fmt.Sprintf("act: Apply: %d elements to %d", len(x), len(dst)))
	}
	if len(x) == 0 || vector(path, f, order, dst, x) || plain(f, order, dst, x) {
		return
	}
	convert(table[f].at[order], dst, x)
}

// convert applies a float64 function in blocks. Conversions have loops of their own, because a processor waits with one
// for the last value of the register that it goes to: in one loop with fn they would make each call wait for the one
// before.
func convert[T kernels.Float](fn func(float64) float64, dst, x []T) {
	var buf [128]float64
	for len(x) > 0 {
		n := min(len(buf), len(x))
		b := buf[:n]
		for i, v := range x[:n] {
			b[i] = float64(v)
		}
		for i, v := range b {
			b[i] = fn(v)
		}
		for i, v := range b {
			dst[i] = T(v)
		}
		dst, x = dst[n:], x[n:]
	}
}

// key is a function and an order as one number to switch on.
func key(f Func, order int) int { return int(f)*Orders + order }

// vector handles what the vector primitives of the path can do.
func vector[T kernels.Float](path cpu.Path, f Func, order int, dst, x []T) bool {
	t := vec.For[T](path)
	switch key(f, order) {
	case key(Tanh, 0):
		t.Tanh(dst, x)
	case key(Sigmoid, 0), key(Softplus, 1):
		t.Sigmoid(dst, x)
	case key(Exp, 0), key(Exp, 1), key(Exp, 2), key(Expm1, 1), key(Expm1, 2):
		t.Exp(dst, x)
	case key(Log, 0):
		t.Log(dst, x)
	case key(ReLU, 0):
		t.ReLU(dst, x)
	case key(Neg, 0):
		t.Scale(dst, -1, x)
	case key(Expm1, 0):
		t.Expm1(dst, x)
	case key(Log1p, 0):
		t.Log1p(dst, x)
	case key(Softplus, 0):
		t.Softplus(dst, x)
	case key(SiLU, 0):
		t.SiLU(dst, x)
	case key(SiLU, 1):
		t.SiLUSlope(dst, x)
	case key(GELU, 0):
		t.GELU(dst, x)
	case key(GELU, 1):
		t.GELUSlope(dst, x)
	case key(Sin, 0):
		t.Sin(dst, x)
	case key(Sin, 1), key(Cos, 0):
		t.Cos(dst, x)
	case key(Sin, 2), key(Cos, 1):
		t.Sin(dst, x)
		t.Scale(dst, -1, dst)
	case key(Cos, 2):
		t.Cos(dst, x)
		t.Scale(dst, -1, dst)
	case key(Square, 0):
		t.Mul(dst, x, x)
	case key(Square, 1):
		t.Scale(dst, 2, x)
	case key(Tanh, 1):
		slopeOfExp(t, dst, x, -2, 4)
	case key(Sigmoid, 1), key(Softplus, 2):
		slopeOfExp(t, dst, x, -1, 1)
	case key(ReLU, 1):
		reluSlope(t, dst, x)
	default:
		return false
	}
	return true
}

// slopeOfExp is b·e/(1+e)² with e = e^(a|x|): tanh′ for a = −2, b = 4, and sigmoid′ for a = −1, b = 1.
func slopeOfExp[T kernels.Float](t *vec.Table[T], dst, x []T, a, b T) {
	absolute(dst, x)
	t.Scale(dst, a, dst)
	t.Exp(dst, dst)
	for i, e := range dst {
		dst[i] = b * e / ((1 + e) * (1 + e))
	}
}

// ones are as many ones as a block of reluSlope has elements.
var (
	ones32 = unit[float32]()
	ones64 = unit[float64]()
)

const unitSize = 256

func unit[T kernels.Float]() *[unitSize]T {
	var u [unitSize]T
	fill(u[:], 1)
	return &u
}

// reluSlope lets ones through where x is positive, block by block.
func reluSlope[T kernels.Float](t *vec.Table[T], dst, x []T) {
	var ones []T
	switch u := any(&ones).(type) {
	case *[]float32:
		*u = ones32[:]
	case *[]float64:
		*u = ones64[:]
	}
	for len(x) > 0 {
		n := min(len(ones), len(x))
		t.ReLUGrad(dst[:n], x[:n], ones[:n])
		dst, x = dst[n:], x[n:]
	}
}

// plain handles functions of a few arithmetic operations, and constants.
func plain[T kernels.Float](f Func, order int, dst, x []T) bool {
	switch key(f, order) {
	case key(Identity, 0):
		copy(dst, x)
	case key(Identity, 1):
		fill(dst, 1)
	case key(Neg, 1):
		fill(dst, -1)
	case key(LeakyReLU, 1):
		slopes(dst, x, leakySlope)
	case key(LeakyReLU, 0):
		for i, v := range x {
			dst[i] = max(v, 0) + leakySlope*min(v, 0)
		}
	case key(Cube, 0):
		for i, v := range x {
			dst[i] = v * v * v
		}
	case key(Inv, 0):
		for i, v := range x {
			dst[i] = 1 / v
		}
	case key(Sqrt, 0):
		for i, v := range x {
			dst[i] = T(math.Sqrt(float64(v)))
		}
	case key(Abs, 0):
		absolute(dst, x)
	case key(Identity, 2), key(ReLU, 2), key(LeakyReLU, 2), key(Abs, 2), key(Neg, 2), key(Sign, 1), key(Sign, 2),
		key(Ceil, 1),
		key(Ceil, 2), key(Floor, 1), key(Floor, 2):
		fill(dst, 0)
	default:
		return false
	}
	return true
}

// absolute clears the sign bits.
func absolute[T kernels.Float](dst, x []T) {
	switch d := any(dst).(type) {
	case []float32:
		for i, v := range any(x).([]float32) {
			d[i] = math.Float32frombits(math.Float32bits(v) &^ (1 << 31))
		}
	case []float64:
		for i, v := range any(x).([]float64) {
			d[i] = math.Abs(v)
		}
	}
}

func fill[T kernels.Float](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// slopes is 1 for v > 0, below for v ≤ 0 and NaN for NaN. It looks the slope up instead of branching: signs of
// activations are random, and a processor guesses them wrong every other time.
func slopes[T kernels.Float](dst, x []T, below T) {
	of := [2]T{below, 1}
	for i, v := range x {
		positive := 0
		if v > 0 {
			positive = 1
		}
		s := of[positive&1]
		if v != v {
			s = v
		}
		dst[i] = s
	}
}
