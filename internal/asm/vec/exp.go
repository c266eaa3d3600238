package vec

import "math"

// The float32 functions below are the specification of the vector kernels: the same reduction, the same polynomials (of
// the Cephes library, S. Moshier) and the same order of operations, except that the vector kernels fuse multiplications
// with additions.
const (
	log2e = 1.44269504088896341
	ln2hi = 0.693359375       // the upper 9 bits of ln 2 and a bit: n·ln2hi is exact for |n| < 2¹⁵
	ln2lo = -2.12194440e-4    // ln 2 − ln2hi
	expLo = -104              // below it e^x is less than half of the smallest subnormal number
	expHi = 89                // above it e^x is infinite
	tanhS = 0.625             // below it tanh is a polynomial
	tanhL = 9.1               // above it tanh is 1
	sqrtH = 0.707106781186547 // √½
)

// Coefficients from the highest power down.
var (
	expP = [...]float32{
		1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
	}
	tanhP = [...]float32{-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1}
	logP  = [...]float32{
		7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
		2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
	}
)

// horner evaluates a polynomial.
func horner(p []float32, x float32) float32 {
	y := p[0]
	for _, c := range p[1:] {
		y = y*x + c
	}
	return y
}

// pow2 returns 2ⁿ for −126 ≤ n ≤ 127.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

// exp32 returns e^x: with x = n·ln 2 + r, |r| ≤ ½ ln 2, it is 2ⁿ·(1 + r + r²·P(r)). The power is applied as two
// factors, so that n = 128 does not overflow and subnormal results are rounded once.
func exp32(x float32) float32 {
	switch {
	case x != x:
		return x
	case x < expLo:
		x = expLo
	case x > expHi:
		x = expHi
	}
	n := float32(math.RoundToEven(float64(x * log2e)))
	r := x - n*ln2hi
	r -= n * ln2lo
	y := horner(expP[:], r)*(r*r) + r + 1
	half := int32(n) >> 1
	return y * pow2(half) * pow2(int32(n)-half)
}

// tanh32 returns tanh x: with a = |x| it is ±(a + a·z·P(z)), z = a², near 0, else ±(1 − 2/(e^2a + 1)). The sign is
// put on last, or that of −0 would be lost.
func tanh32(x float32) float32 {
	a := abs32(x)
	var y float32
	if a < tanhS {
		z := a * a
		y = a + a*(z*horner(tanhP[:], z))
	} else {
		y = 1 - 2/(exp32(2*min(a, tanhL))+1)
	}
	return float32(math.Copysign(float64(y), float64(x)))
}

// sigmoid32 returns 1/(1+e^−x) as e/(1+e) for negative x, with e = e^−|x| ≤ 1, which is exact to the smallest results.
// What the sum 1 + e lost by rounding is made good at the end.
func sigmoid32(x float32) float32 {
	e, top := exp32(-abs32(x)), float32(1)
	if x < 0 {
		top = e
	}
	down := 1 + e
	rest := e - (down - 1)
	y := top / down
	return y - y*rest
}

// log32 returns ln x: with x = 2ⁿ·(1+f), √½ ≤ 1+f < √2, it is n·ln 2 + f − f²/2 + f³·P(f).
func log32(x float32) float32 {
	switch {
	case x != x || x > math.MaxFloat32:
		return x
	case x < 0:
		return float32(math.NaN())
	case x == 0:
		return float32(math.Inf(-1))
	}
	var n int32
	if x < 0x1p-126 { // subnormal
		x *= 0x1p23
		n = -23
	}
	bits := math.Float32bits(x)
	n += int32(bits>>23) - 126
	m := math.Float32frombits(bits&0x007fffff | 0x3f000000) // in [½, 1)
	f := m - 1
	if m < sqrtH {
		n--
		f += m
	}
	z := f * f
	y := f * (z * horner(logP[:], f))
	y += float32(n) * ln2lo
	y -= 0.5 * z
	return f + y + float32(n)*ln2hi
}

// abs32 clears the sign bit.
func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
