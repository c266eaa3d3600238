package vec

import "math"

// float is an element type for which there are primitives.
type float interface{ float32 | float64 }

// twin32 returns the Go path for float32.
func twin32() *Table[float32] {
	return twin(functions[float32]{
		exp: exp32, tanh: tanh32, sigmoid: sigmoid32, log: log32,
		expm1: expm1, log1p: log1p, softplus: softplus, silu: silu, siluSlope: siluSlope,
		erf: erf, gelu: gelu, geluSlope: geluSlope, sin: sin, cos: cos,
	})
}

// twin64 returns the Go path for float64.
func twin64() *Table[float64] {
	return twin(functions[float64]{
		exp: math.Exp, tanh: math.Tanh, sigmoid: sigmoid64, log: log64,
		expm1: math.Expm1, log1p: math.Log1p, softplus: softplus64, silu: silu64, siluSlope: siluSlope64,
		erf: math.Erf, gelu: gelu64, geluSlope: geluSlope64, sin: math.Sin, cos: math.Cos,
	})
}

// functions are the transcendental functions of a type, for one element.
type functions[T float] struct {
	exp, tanh, sigmoid, log, expm1, log1p, softplus, silu, siluSlope, erf, gelu, geluSlope, sin, cos func(T) T
}

// twin returns the arithmetic of the Go path; the transcendental functions are those of the type.
func twin[T float](f functions[T]) *Table[T] {
	return &Table[T]{
		Add: addGo[T], Sub: subGo[T], Mul: mulGo[T], Div: divGo[T], Scale: scaleGo[T], Shift: shiftGo[T],
		Axpy: axpyGo[T], MulAdd: mulAddGo[T],
		Larger: largerGo[T], Smaller: smallerGo[T],
		ReLU: reluGo[T], Sum: sumGo[T], Dot: dotGo[T], Max: maxGo[T],
		Exp: each(
			"Exp",
			f.exp,
		), Tanh: each("Tanh", f.tanh), Sigmoid: each("Sigmoid", f.sigmoid), Log: each("Log", f.log),
		Expm1: each("Expm1", f.expm1), Log1p: each("Log1p", f.log1p), Softplus: each("Softplus", f.softplus),
		SiLU: each("SiLU", f.silu), SiLUSlope: each("SiLUSlope", f.siluSlope), Erf: each("Erf", f.erf),
		GELU: each("GELU", f.gelu), GELUSlope: each("GELUSlope", f.geluSlope),
		Sin: each("Sin", f.sin), Cos: each("Cos", f.cos),
		TanhGrad: tanhGradGo[T], SigmoidGrad: sigmoidGradGo[T], ReLUGrad: reluGradGo[T],
		ExpSum: expSumGo(f.exp), SumSquares: sumSquaresGo[T], Adam: adamGo[T],
	}
}

// each returns the function that applies f to all elements.
func each[T float](what string, f func(T) T) func(dst, x []T) {
	return func(dst, x []T) {
		same2(what, len(dst), len(x))
		for i, v := range x {
			dst[i] = f(v)
		}
	}
}

func addGo[T float](dst, x, y []T) {
	same3("Add", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = v + y[i]
	}
}

func subGo[T float](dst, x, y []T) {
	same3("Sub", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = v - y[i]
	}
}

func mulGo[T float](dst, x, y []T) {
	same3("Mul", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = v * y[i]
	}
}

func divGo[T float](dst, x, y []T) {
	same3("Div", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = v / y[i]
	}
}

func scaleGo[T float](dst []T, a T, x []T) {
	same2("Scale", len(dst), len(x))
	for i, v := range x {
		dst[i] = a * v
	}
}

func shiftGo[T float](dst []T, a T, x []T) {
	same2("Shift", len(dst), len(x))
	for i, v := range x {
		dst[i] = v + a
	}
}

func axpyGo[T float](y []T, a T, x []T) {
	same2("Axpy", len(y), len(x))
	for i, v := range x {
		y[i] += a * v
	}
}

func mulAddGo[T float](z, x, y []T) {
	same3("MulAdd", len(z), len(x), len(y))
	for i, v := range x {
		z[i] += v * y[i]
	}
}

func largerGo[T float](dst, x, y []T) {
	same3("Larger", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = max(v, y[i]) // NaN if either is
	}
}

func smallerGo[T float](dst, x, y []T) {
	same3("Smaller", len(dst), len(x), len(y))
	for i, v := range x {
		dst[i] = min(v, y[i])
	}
}

func reluGo[T float](dst, x []T) {
	same2("ReLU", len(dst), len(x))
	for i, v := range x {
		if v <= 0 {
			v = 0
		}
		dst[i] = v
	}
}

// sumGo adds every fourth element, and then the four sums in pairs.
func sumGo[T float](x []T) T {
	var s [4]T
	for ; len(x) >= 4; x = x[4:] {
		s[0] += x[0]
		s[1] += x[1]
		s[2] += x[2]
		s[3] += x[3]
	}
	for i, v := range x {
		s[i] += v
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// dotGo adds every fourth product, and then the four sums in pairs.
func dotGo[T float](x, y []T) T {
	same2("Dot", len(x), len(y))
	var s [4]T
	for ; len(x) >= 4 && len(y) >= 4; x, y = x[4:], y[4:] {
		s[0] += x[0] * y[0]
		s[1] += x[1] * y[1]
		s[2] += x[2] * y[2]
		s[3] += x[3] * y[3]
	}
	for i, v := range x {
		s[i] += v * y[i]
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

func maxGo[T float](x []T) T {
	m := T(math.Inf(-1))
	for _, v := range x {
		m = max(m, v) // NaN if either is
	}
	return m
}
