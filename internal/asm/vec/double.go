package vec

import "math"

// The float64 functions of the Go path, on which the other paths fall back where they have no kernel.

// sigmoid64 returns 1/(1+e^−x).
func sigmoid64(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// softplus64 returns ln(1+e^x).
func softplus64(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// times is x·y with the limit 0 where y, which falls faster than 1/x, has reached 0.
func times(x, y float64) float64 {
	if y == 0 {
		return math.Copysign(0, x)
	}
	return x * y
}

// silu64 returns x/(1+e^−x).
func silu64(x float64) float64 { return times(x, sigmoid64(x)) }

// siluSlope64 returns the slope of SiLU, σ(x) + x·σ′(x).
func siluSlope64(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	return sigmoid64(x) + times(x, e/((1+e)*(1+e)))
}

// normal64 returns the normal distribution function.
func normal64(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// gelu64 returns x·Φ(x).
func gelu64(x float64) float64 { return times(x, normal64(x)) }

// geluSlope64 returns the slope of GELU, Φ(x) + x·φ(x).
func geluSlope64(x float64) float64 {
	return normal64(x) + times(x, math.Exp(-0.5*x*x)/math.Sqrt(2*math.Pi))
}

// log64 returns ln x. Subnormal numbers are scaled: math.Log takes them for 2⁻¹⁰²³ on some processors.
func log64(x float64) float64 {
	if x > 0 && x < 0x1p-1022 {
		return math.Log(x*0x1p54) - 54*math.Ln2
	}
	return math.Log(x)
}
