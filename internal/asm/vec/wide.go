package vec

import "math"

// The functions below are the specification of the float32 kernels that compute in float64: the same reductions and
// polynomials. Their results are rounded once, to float32, so they are within 0.6 ulp. The vector kernels fuse
// multiplications with additions.
//
// Polynomials interpolate at the Chebyshev nodes of an interval, and were computed with 50 digits; coefficients are
// from the highest power down, and errors are relative to the function that the polynomial is for.
const (
	normalL  = 14.8               // below −14.8 the normal distribution function is 0 in float32
	normalK  = 3                  // of the map t = (a − k)/(a + k)
	erfL     = 4.05               // above it erf is 1 in float32
	circular = 1 << 28            // above it the quarters of sine and cosine are counted by math.Sin and math.Cos
	geluZero = 0.7517915246935645 // the slope of GELU at −(geluZero + geluRest) is 0
	geluRest = -1.4956759177009883e-17
	siluZero = 1.2784645427610737 // and that of SiLU at −(siluZero + siluRest)
	siluRest = 1.0946994183093437e-16
	rootSpan = 0.125 // so near to its root a slope is a polynomial times the distance
	halfPi1  = 1.5707963267948966
	halfPi2  = 6.123233995736766e-17 // π/2 − halfPi1
)

var (
	// expW is (e^r − 1 − r)/r² for |r| ≤ ½ ln 2, to 2⁻³² of e^r.
	expW = [...]float64{
		0.00019891080463998843, 0.0013933730715792083, 0.008333310844647862, 0.04166646419740569, 0.16666666681704215,
		0.500000001353873,
	}
	// erfNear is erf(√z)/√z for z ≤ 1, to 2⁻³⁴.
	erfNear = [...]float64{
		-9.667044571486996e-06, 0.00011265959025606609, -0.0008484080405535107, 0.005221031807858023,
		-0.026865430727670243, 0.11283782495236845, -0.3761263846802871, 1.1283791670615435,
	}
	// erfFar is −ln(1 − erf a) for 1 ≤ a ≤ erfL, to 2⁻³¹ of erf.
	erfFar = [...]float64{
		-1.6148963375269855e-06, 4.56308910043329e-05, -0.0005933143282304312, 0.004743754147312415,
		-0.026377564384868293, 0.11000582132950075, 0.6319025502350257, 1.1301899211064872, -0.00030967557443436887,
	}
	// normalP is Φ(−a)·e^a²/2·(a + 3) as a function of (a − 3)/(a + 3), for 0 ≤ a ≤ normalL, to 2⁻²⁹.
	normalP = [...]float64{
		5.544255396444128e-05, 0.0001332558109560746, -0.00024465614340785633, -0.001034383505304022,
		0.0010241440976959425, 0.006969879408596914, -0.010462289493722781, -0.047262755405749264, 0.23001767694922973,
		-0.5093319891159259, 0.7290836907084339,
	}
	// atanhP is 2·artanh(√z)/√z for z ≤ ⅑, to 2⁻³⁸.
	atanhP = [...]float64{
		0.2186056831430696, 0.1712253666729019, 0.22305127385582954, 0.2856814575820109, 0.4000006142120794,
		0.6666666623792175, 2.000000000004866,
	}
	// sinP is (sin(r)/r − 1)/z for z = r², |r| ≤ π/4, to 2⁻³⁵ of the sine.
	sinP = [...]float64{
		2.7249314054698804e-06, -0.00019840082012765537, 0.008333331865959415, -0.16666666663832763,
	}
	// cosP is (cos(r) − 1 + z/2)/z² there, to 2⁻²⁹ of the cosine.
	cosP = [...]float64{2.45474372101932e-05, -0.00138883006969039, 0.04166666464745738}
	// geluP is the slope of GELU at −a over the distance of a from the root, as a function of that, to 2⁻²⁹.
	geluP = [...]float64{
		0.019369267360844426, 0.014665440278177849, -0.11400792632041727, 0.018200297462906346, 0.38828498272409834,
		-0.4314939928530883,
	}
	// siluP is the same for SiLU, to 2⁻³¹.
	siluP = [...]float64{
		0.0001309676891400533, 0.0065878906534404666, -0.015222680634165727, -0.018874704690430955, 0.14664879701900196,
		-0.21781170581487688,
	}
)

// hornerW evaluates a polynomial.
func hornerW(p []float64, x float64) float64 {
	y := p[0]
	for _, c := range p[1:] {
		y = y*x + c
	}
	return y
}

// expParts returns p = e^r − 1 and the power of two of e^x = 2ⁿ·(1+p), for |x| < 700.
func expParts(x float64) (p, power float64) {
	n := math.RoundToEven(x * (1 / math.Ln2))
	r := x - n*math.Ln2
	return hornerW(expW[:], r)*(r*r) + r, math.Float64frombits(uint64(int64(n)+1023) << 52)
}

// expDown returns e^−|x|; below e^−208 it is e^−208.
func expDown(x float64) float64 {
	if x != x {
		return x
	}
	p, power := expParts(max(-math.Abs(x), 2*expLo))
	return power + power*p
}

// expm1 returns e^x − 1. The sign is put on last, or that of −0 would be lost.
func expm1(x32 float32) float32 {
	x := float64(x32)
	if x != x {
		return x32
	}
	p, power := expParts(min(max(x, expLo), expHi))
	return float32(math.Copysign(p*power+(power-1), x))
}

// atanh2 returns 2·artanh s for |s| ≤ ⅓.
func atanh2(s float64) float64 { return s * hornerW(atanhP[:], s*s) }

// log1p returns ln(1+x): with 1+x = 2ⁿ·(1+f), √½ ≤ 1+f < √2, it is n·ln 2 + 2·artanh(f/(2+f)), and x near 0.
func log1p(x32 float32) float32 {
	x := float64(x32)
	switch {
	case x != x || math.Abs(x) < 0x1p-27 || math.IsInf(x, 1):
		return x32
	case x < -1:
		return float32(math.NaN())
	case x == -1:
		return float32(math.Inf(-1))
	}
	m, n := math.Frexp(1 + x)
	f := m - 1
	if m < sqrtH {
		f += m
		n--
	}
	return float32(float64(n)*math.Ln2 + atanh2(f/(2+f)))
}

// softplus returns ln(1+e^x) as max(x, 0) + 2·artanh(e/(2+e)), e = e^−|x|.
func softplus(x float32) float32 {
	e := expDown(float64(x))
	return float32(max(float64(x), 0) + atanh2(e/(2+e)))
}

// logistic returns 1/(1+e^|x|).
func logistic(x float64) float64 {
	e := expDown(x)
	return e / (1 + e)
}

// fold returns y for negative x, else 1 − y.
func fold(x, y float64) float64 {
	if math.Signbit(x) {
		return y
	}
	return 1 - y
}

// silu returns x/(1+e^−x).
func silu(x32 float32) float32 {
	x := float64(x32)
	return float32(fold(x, logistic(x)) * max(x, 2*expLo))
}

// siluSlope returns the slope of SiLU: with q = 1/(1+e^a), a = |x|, it is q·(1 − a·(1−q)) for negative x, and 1 less
// that for others.
func siluSlope(x32 float32) float32 {
	x := float64(x32)
	a, q := min(math.Abs(x), -2*expLo), logistic(x)
	y := q * (1 - a*(1-q))
	return float32(fold(x, nearRoot(a, y, siluZero, siluRest, siluP[:])))
}

// nearRoot returns d·P(d) if a is near a root, d = a − root, else y.
func nearRoot(a, y, root, rest float64, p []float64) float64 {
	d := a - root - rest
	if math.Abs(d) < rootSpan {
		return d * hornerW(p, d)
	}
	return y
}

// tail returns e^−a²/2 and r such that the normal distribution function at −a is r times it, for 0 ≤ a ≤ normalL.
func tail(a float64) (e, r float64) {
	inverse := 1 / (a + normalK)
	return expDown(0.5 * a * a), hornerW(normalP[:], 1-2*normalK*inverse) * inverse
}

// gelu returns x·Φ(x) with the normal distribution function Φ.
func gelu(x32 float32) float32 {
	x := float64(x32)
	e, r := tail(min(math.Abs(x), normalL))
	return float32(fold(x, r*e) * max(x, -normalL))
}

// geluSlope returns the slope of GELU, Φ(x) + x·φ(x).
func geluSlope(x32 float32) float32 {
	x := float64(x32)
	a := min(math.Abs(x), normalL)
	e, r := tail(a)
	return float32(fold(x, nearRoot(a, e*(r-a/math.Sqrt(2*math.Pi)), geluZero, geluRest, geluP[:])))
}

// erf returns erf x: with a = |x| it is a·P(a²) for a < 1, else 1 − e^−Q(a).
func erf(x32 float32) float32 {
	x := float64(x32)
	if x != x {
		return x32
	}
	a := math.Abs(x)
	var y float64
	if a < 1 {
		y = a * hornerW(erfNear[:], a*a)
	} else {
		y = 1 - expDown(hornerW(erfFar[:], min(a, erfL)))
	}
	return float32(math.Copysign(y, x))
}

// circle returns the sine of a ≥ 0, turned by quarters: with a = n·π/2 + r, |r| ≤ π/4, it is ±(r + r·z·S(z)) or
// ±(1 − z/2 + z²·C(z)), z = r², as the lowest bits of n + quarters say. The products of n are exact: n·halfPi1 takes
// all but the last bits of a.
func circle(a float64, quarters int64) float64 {
	n := math.RoundToEven(a * (2 / math.Pi))
	r := math.FMA(-n, halfPi2, math.FMA(-n, halfPi1, a))
	z, q := r*r, int64(n)+quarters
	y := r + r*(z*hornerW(sinP[:], z))
	if q&1 != 0 {
		y = (hornerW(cosP[:], z)*z-0.5)*z + 1
	}
	if q&2 != 0 {
		return -y
	}
	return y
}

// sin returns sin x; the sign of x is put on last, or that of −0 would be lost.
func sin(x32 float32) float32 {
	x := float64(x32)
	switch {
	case !(math.Abs(x) <= circular):
		return float32(math.Sin(x))
	case math.Signbit(x):
		return float32(-circle(-x, 0))
	}
	return float32(circle(x, 0))
}

// cos returns cos x.
func cos(x32 float32) float32 {
	x := math.Abs(float64(x32))
	if !(x <= circular) {
		return float32(math.Cos(x))
	}
	return float32(circle(x, 1))
}
