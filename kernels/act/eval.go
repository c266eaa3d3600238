package act

import "math"

// The functions in float64; a digit behind the name is the order of the derivative.

func identity(x float64) float64 { return x }

// sech2 is tanh′(x) = 1 − tanh²x, without the cancellation of that formula.
func sech2(x float64) float64 {
	e := math.Exp(-2 * math.Abs(x))
	return 4 * e / ((1 + e) * (1 + e))
}

func tanh2(x float64) float64 { return -2 * math.Tanh(x) * sech2(x) }

// sigmoid is 1/(1+e⁻ˣ).
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

func sigmoid1(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	return e / ((1 + e) * (1 + e))
}

// sigmoid2 is σ′·(1 − 2σ), and 1 − 2σ(x) is −tanh(x/2).
func sigmoid2(x float64) float64 { return -sigmoid1(x) * math.Tanh(x/2) }

func relu(x float64) float64 { return max(x, 0) }

func relu1(x float64) float64 { return pick(x, 1, 0) }

// leakySlope is the slope of LeakyReLU below zero.
const leakySlope = 0.01

func leaky(x float64) float64 { return x * pick(x, 1, leakySlope) }

func leaky1(x float64) float64 { return pick(x, 1, leakySlope) }

// elu is x above zero and eˣ − 1 below.
func elu(x float64) float64 {
	if x > 0 {
		return x
	}
	return math.Expm1(x)
}

func elu1(x float64) float64 {
	if x > 0 {
		return 1
	}
	return math.Exp(x)
}

func elu2(x float64) float64 {
	if x > 0 {
		return 0
	}
	return math.Exp(x)
}

// ln is the natural logarithm. Subnormal numbers are scaled: math.Log takes them all for about 2⁻¹⁰²³ on amd64.
func ln(x float64) float64 {
	if x > 0 && x < 0x1p-1022 {
		return math.Log(x*0x1p54) - 54*math.Ln2
	}
	return math.Log(x)
}

// softplus is log(1 + eˣ).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// normal and normalDensity are the distribution function and the density of the standard normal distribution.
func normal(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

func normalDensity(x float64) float64 { return math.Exp(-0.5*x*x) / math.Sqrt(2*math.Pi) }

// times is x·y with the limit 0 where y, which falls faster than 1/x, has reached 0.
func times(x, y float64) float64 {
	if y == 0 {
		return 0
	}
	return x * y
}

// gelu is x·Φ(x) (the exact form with erf).
func gelu(x float64) float64 { return times(x, normal(x)) }

func gelu1(x float64) float64 { return normal(x) + times(x, normalDensity(x)) }

func gelu2(x float64) float64 { return times(2-x*x, normalDensity(x)) }

// silu is x·σ(x).
func silu(x float64) float64 { return times(x, sigmoid(x)) }

func silu1(x float64) float64 { return sigmoid(x) + times(x, sigmoid1(x)) }

func silu2(x float64) float64 { return 2*sigmoid1(x) + times(x, sigmoid2(x)) }

// mish is x·tanh(softplus(x)).
func mish(x float64) float64 { return times(x, math.Tanh(softplus(x))) }

// mish1 is t + x·t′ with t = tanh(softplus(x)) and t′ = sech²(softplus(x))·σ(x).
func mish1(x float64) float64 {
	n := softplus(x)
	return math.Tanh(n) + times(x, sech2(n)*sigmoid(x))
}

// mish2 is 2t′ + x·t″ with t″ = tanh″(n)·σ² + tanh′(n)·σ′, n = softplus(x).
func mish2(x float64) float64 {
	n, s := softplus(x), sigmoid(x)
	return 2*sech2(n)*s + times(x, tanh2(n)*s*s+sech2(n)*sigmoid1(x))
}

func sin2(x float64) float64 { return -math.Sin(x) }

func cos2(x float64) float64 { return -math.Cos(x) }

func inv(x float64) float64 { return 1 / x }

func inv1(x float64) float64 { return -1 / (x * x) }

func inv2(x float64) float64 { return 2 / (x * x * x) }

func sqrt1(x float64) float64 { return 0.5 / math.Sqrt(x) }

func sqrt2(x float64) float64 { return -0.25 / (x * math.Sqrt(x)) }

func invSqrt(x float64) float64 { return 1 / math.Sqrt(x) }

func invSqrt1(x float64) float64 { return -0.5 / (x * math.Sqrt(x)) }

func invSqrt2(x float64) float64 { return 0.75 / (x * x * math.Sqrt(x)) }

func square(x float64) float64 { return x * x }

func square1(x float64) float64 { return 2 * x }

func square2(float64) float64 { return 2 }

func cube(x float64) float64 { return x * x * x }

func cube1(x float64) float64 { return 3 * x * x }

func cube2(x float64) float64 { return 6 * x }

// sign is −1, 0 or 1; 0 for both zeros.
func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return x
}

func neg(x float64) float64 { return -x }

func neg1(float64) float64 { return -1 }

func log1p1(x float64) float64 { return 1 / (1 + x) }

func log1p2(x float64) float64 { return -1 / ((1 + x) * (1 + x)) }

func log21(x float64) float64 { return 1 / (x * math.Ln2) }

func log22(x float64) float64 { return -1 / (x * x * math.Ln2) }

// pick is above for x > 0, below for x ≤ 0 and NaN for NaN.
func pick(x, above, below float64) float64 {
	switch {
	case x > 0:
		return above
	case x <= 0:
		return below
	}
	return x
}
