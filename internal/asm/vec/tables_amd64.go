//go:build !noasm

package vec

import "ganglion/internal/cpu"

// The tables of all paths. Functions of float64 without a kernel are those of the Go path.
var (
	go32 = twin32()
	go64 = twin64()

	avx2x32 = &Table[float32]{
		Add: binary("Add", addF32AVX2), Sub: binary("Sub", subF32AVX2), Mul: binary("Mul", mulF32AVX2),
		Div:    binary("Div", divF32AVX2),
		Larger: binary("Larger", largerF32AVX2), Smaller: binary("Smaller", smallerF32AVX2),
		MulAdd: binary("MulAdd", mulAddF32AVX2),
		Scale:  scaled("Scale", scaleF32AVX2), Shift: scaled("Shift", shiftF32AVX2),
		Axpy: scaled("Axpy", axpyF32AVX2), ReLU: unary("ReLU", reluF32AVX2),
		Exp: unary("Exp", expF32AVX2), Tanh: unary("Tanh", tanhF32AVX2), Sigmoid: unary("Sigmoid", sigmoidF32AVX2),
		Log: unary("Log", logF32AVX2), Expm1: unary("Expm1", expm1F32AVX2), Log1p: unary("Log1p", log1pF32AVX2),
		Softplus: unary("Softplus", softplusF32AVX2), SiLU: unary("SiLU", siluF32AVX2),
		SiLUSlope: unary("SiLUSlope", siluSlopeF32AVX2),
		Erf:       unary("Erf", erfF32AVX2), GELU: unary("GELU", geluF32AVX2),
		GELUSlope: unary("GELUSlope", geluSlopeF32AVX2),
		Sin:       limited("Sin", sinF32AVX2, sin), Cos: limited("Cos", cosF32AVX2, cos),
		TanhGrad: binary("TanhGrad", tanhGradF32AVX2), SigmoidGrad: binary("SigmoidGrad", sigmoidGradF32AVX2),
		ReLUGrad: binary("ReLUGrad", reluGradF32AVX2), ExpSum: exponentials(expSumF32AVX2), Adam: adam(adamF32AVX2),
		Sum: sum(sumF32AVX2), Dot: dot(dotF32AVX2), Max: maximum(maxF32AVX2),
		SumSquares: squares(sumSquaresF32AVX2),
	}
	avx2x64 = &Table[float64]{
		Add: binary("Add", addF64AVX2), Sub: binary("Sub", subF64AVX2), Mul: binary("Mul", mulF64AVX2),
		Div:    binary("Div", divF64AVX2),
		Larger: binary("Larger", largerF64AVX2), Smaller: binary("Smaller", smallerF64AVX2),
		MulAdd: binary("MulAdd", mulAddF64AVX2),
		Scale:  scaled("Scale", scaleF64AVX2), Shift: scaled("Shift", shiftF64AVX2),
		Axpy: scaled("Axpy", axpyF64AVX2), ReLU: unary("ReLU", reluF64AVX2),
		Exp: unary("Exp", expF64AVX2), Tanh: unary("Tanh", tanhF64AVX2), Sigmoid: unary("Sigmoid", sigmoidF64AVX2),
		Log: unary("Log", logF64AVX2), Expm1: go64.Expm1, Log1p: go64.Log1p,
		Softplus: go64.Softplus, SiLU: go64.SiLU, SiLUSlope: go64.SiLUSlope,
		Erf: go64.Erf, GELU: go64.GELU, GELUSlope: go64.GELUSlope,
		Sin: go64.Sin, Cos: go64.Cos,
		TanhGrad: binary("TanhGrad", tanhGradF64AVX2), SigmoidGrad: binary("SigmoidGrad", sigmoidGradF64AVX2),
		ReLUGrad: binary("ReLUGrad", reluGradF64AVX2), ExpSum: exponentials(expSumF64AVX2), Adam: adam(adamF64AVX2),
		Sum: sum(sumF64AVX2), Dot: dot(dotF64AVX2), Max: maximum(maxF64AVX2),
		SumSquares: squares64(dotF64AVX2),
	}
	avx512x32 = &Table[float32]{
		Add: binary("Add", addF32AVX512), Sub: binary("Sub", subF32AVX512), Mul: binary("Mul", mulF32AVX512),
		Div:    binary("Div", divF32AVX512),
		Larger: binary("Larger", largerF32AVX512), Smaller: binary("Smaller", smallerF32AVX512),
		MulAdd: binary("MulAdd", mulAddF32AVX512),
		Scale:  scaled("Scale", scaleF32AVX512), Shift: scaled("Shift", shiftF32AVX512),
		Axpy: scaled("Axpy", axpyF32AVX512), ReLU: unary("ReLU", reluF32AVX512),
		Exp: unary("Exp", expF32AVX512), Tanh: unary("Tanh", tanhF32AVX512),
		Sigmoid: unary("Sigmoid", sigmoidF32AVX512),
		Log: unary(
			"Log",
			logF32AVX512,
		), Expm1: unary("Expm1", expm1F32AVX512), Log1p: unary("Log1p", log1pF32AVX512),
		Softplus: unary("Softplus", softplusF32AVX512), SiLU: unary("SiLU", siluF32AVX512),
		SiLUSlope: unary("SiLUSlope", siluSlopeF32AVX512),
		Erf:       unary("Erf", erfF32AVX512), GELU: patched("GELU", geluF32AVX512, geluTailF32AVX512),
		GELUSlope: unary("GELUSlope", geluSlopeF32AVX512),
		Sin:       limited("Sin", sinF32AVX512, sin), Cos: limited("Cos", cosF32AVX512, cos),
		TanhGrad: binary("TanhGrad", tanhGradF32AVX512), SigmoidGrad: binary("SigmoidGrad", sigmoidGradF32AVX512),
		ReLUGrad: binary("ReLUGrad", reluGradF32AVX512), ExpSum: exponentials(expSumF32AVX512),
		Adam: adam(adamF32AVX512),
		Sum:  sum(sumF32AVX512), Dot: dot(dotF32AVX512), Max: maximum(maxF32AVX512),
		SumSquares: squares(sumSquaresF32AVX512),
	}
	avx512x64 = &Table[float64]{
		Add: binary("Add", addF64AVX512), Sub: binary("Sub", subF64AVX512), Mul: binary("Mul", mulF64AVX512),
		Div:    binary("Div", divF64AVX512),
		Larger: binary("Larger", largerF64AVX512), Smaller: binary("Smaller", smallerF64AVX512),
		MulAdd: binary("MulAdd", mulAddF64AVX512),
		Scale:  scaled("Scale", scaleF64AVX512), Shift: scaled("Shift", shiftF64AVX512),
		Axpy: scaled("Axpy", axpyF64AVX512), ReLU: unary("ReLU", reluF64AVX512),
		Exp: unary("Exp", expF64AVX512), Tanh: unary("Tanh", tanhF64AVX512),
		Sigmoid: unary("Sigmoid", sigmoidF64AVX512),
		Log:     unary("Log", logF64AVX512), Expm1: go64.Expm1, Log1p: go64.Log1p,
		Softplus: go64.Softplus, SiLU: go64.SiLU, SiLUSlope: go64.SiLUSlope,
		Erf: go64.Erf, GELU: go64.GELU, GELUSlope: go64.GELUSlope,
		Sin: go64.Sin, Cos: go64.Cos,
		TanhGrad: binary("TanhGrad", tanhGradF64AVX512), SigmoidGrad: binary("SigmoidGrad", sigmoidGradF64AVX512),
		ReLUGrad: binary("ReLUGrad", reluGradF64AVX512), ExpSum: exponentials(expSumF64AVX512),
		Adam: adam(adamF64AVX512),
		Sum:  sum(sumF64AVX512), Dot: dot(dotF64AVX512), Max: maximum(maxF64AVX512),
		SumSquares: squares64(dotF64AVX512),
	}
)

// F32 returns the float32 primitives of a path. The table must not be changed.
func F32(path cpu.Path) *Table[float32] {
	switch path {
	case cpu.AVX512:
		return avx512x32
	case cpu.AVX2:
		return avx2x32
	}
	return go32
}

// F64 returns the float64 primitives of a path. The table must not be changed.
func F64(path cpu.Path) *Table[float64] {
	switch path {
	case cpu.AVX512:
		return avx512x64
	case cpu.AVX2:
		return avx2x64
	}
	return go64
}

// block is the largest number of elements in one call of assembly, which cannot be preempted: at most about 20 µs.
const block = 16 << 10

// unary makes a function of slices from a kernel of one input.
func unary[T float](what string, run func(n int, dst, x *T)) func(dst, x []T) {
	return func(dst, x []T) {
		same2(what, len(dst), len(x))
		for len(dst) > 0 {
			n := min(len(dst), block)
			run(n, &dst[0], &x[0])
			dst, x = dst[n:], x[n:]
		}
	}
}

// binary makes a function of slices from a kernel of two inputs.
func binary[T float](what string, run func(n int, dst, x, y *T)) func(dst, x, y []T) {
	return func(dst, x, y []T) {
		same3(what, len(dst), len(x), len(y))
		for len(dst) > 0 {
			n := min(len(dst), block)
			run(n, &dst[0], &x[0], &y[0])
			dst, x, y = dst[n:], x[n:], y[n:]
		}
	}
}

// scaled makes a function of slices from a kernel with a factor.
func scaled[T float](what string, run func(n int, a T, dst, x *T)) func(dst []T, a T, x []T) {
	return func(dst []T, a T, x []T) {
		same2(what, len(dst), len(x))
		for len(dst) > 0 {
			n := min(len(dst), block)
			run(n, a, &dst[0], &x[0])
			dst, x = dst[n:], x[n:]
		}
	}
}

// sum makes a sum of slices; those of blocks are added in order.
func sum[T float](run func(n int, x *T) T) func(x []T) T {
	return func(x []T) T {
		var s T
		for len(x) > 0 {
			n := min(len(x), block)
			s += run(n, &x[0])
			x = x[n:]
		}
		return s
	}
}

// dot makes an inner product of slices; those of blocks are added in order.
func dot[T float](run func(n int, x, y *T) T) func(x, y []T) T {
	return func(x, y []T) T {
		same2("Dot", len(x), len(y))
		var s T
		for len(x) > 0 {
			n := min(len(x), block)
			s += run(n, &x[0], &y[0])
			x, y = x[n:], y[n:]
		}
		return s
	}
}

// maximum makes a maximum of slices.
func maximum[T float](run func(n int, x *T) T) func(x []T) T {
	return func(x []T) T {
		m := maxGo[T](nil)
		for len(x) > 0 {
			n := min(len(x), block)
			m = max(m, run(n, &x[0]))
			x = x[n:]
		}
		return m
	}
}

// limited makes a function of slices from a kernel that leaves elements beyond a limit as they are, and returns 0 if
// there are none; those are computed one by one.
func limited(what string, run func(n int, dst, x *float32) float64, one func(float32) float32) func(dst, x []float32) {
	return func(dst, x []float32) {
		same2(what, len(dst), len(x))
		for len(dst) > 0 {
			n := min(len(dst), block)
			if run(n, &dst[0], &x[0]) != 0 {
				for i, v := range dst[:n] {
					if v > circular || v < -circular {
						dst[i] = one(v)
					}
				}
			}
			dst, x = dst[n:], x[n:]
		}
	}
}

// patched makes a function of slices from a kernel that copies some elements, and says so by a result other than 0, and
// another one that computes those.
func patched(what string, run func(n int, dst, x *float32) uint32, rest func(n int, x *float32),
) func(dst, x []float32) {
	return func(dst, x []float32) {
		same2(what, len(dst), len(x))
		for len(dst) > 0 {
			n := min(len(dst), block)
			if run(n, &dst[0], &x[0]) != 0 {
				rest(n, &dst[0])
			}
			dst, x = dst[n:], x[n:]
		}
	}
}

// exponentials makes the exponentials of slices with their sum; the sums of blocks are added in order.
func exponentials[T float](run func(n int, shift T, dst, x *T) T) func(dst, x []T, shift T) T {
	return func(dst, x []T, shift T) T {
		same2("ExpSum", len(dst), len(x))
		var s T
		for len(x) > 0 {
			n := min(len(x), block)
			s += run(n, shift, &dst[0], &x[0])
			dst, x = dst[n:], x[n:]
		}
		return s
	}
}

// squares makes a sum of squares of slices; those of blocks are added in order.
func squares(run func(n int, x *float32) float64) func(x []float32) float64 {
	return func(x []float32) float64 {
		s := 0.0
		for len(x) > 0 {
			n := min(len(x), block)
			s += run(n, &x[0])
			x = x[n:]
		}
		return s
	}
}

// squares64 makes a sum of squares from an inner product.
func squares64(run func(n int, x, y *float64) float64) func(x []float64) float64 {
	return func(x []float64) float64 {
		s := 0.0
		for len(x) > 0 {
			n := min(len(x), block)
			s += run(n, &x[0], &x[0])
			x = x[n:]
		}
		return s
	}
}

// adam makes an update of states.
func adam[T float](
	run func(n int, beta1, rest1, beta2, rest2, keep, step, scale, eps T, toP, toM, toV, p, m, v, grad *T),
) func(c AdamConstants[T], to, from AdamState[T], g []T) {
	return func(c AdamConstants[T], to, from AdamState[T], g []T) {
		sameAdam(to, from, g)
		for len(g) > 0 {
			n := min(len(g), block)
			run(n, c.Beta1, c.Rest1, c.Beta2, c.Rest2, c.Keep, c.Step, c.Scale, c.Eps,
				&to.P[0], &to.M[0], &to.V[0], &from.P[0], &from.M[0], &from.V[0], &g[0])
			to, from = to.after(n), from.after(n)
			g = g[n:]
		}
	}
}
