package main

import (
	"math"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The float32 functions that are computed in float64 follow internal/asm/vec/wide.go, the specification, step by step.
// float64 costs half the elements of a vector, and spares what keeps a result of float32 within 2 ulp in float32:
// products in two parts, powers in two factors, sums with compensation.

// Polynomial coefficients, from the highest power down; wide.go says what they are.
var (
	expW = []float64{
		0.00019891080463998843, 0.0013933730715792083, 0.008333310844647862, 0.04166646419740569, 0.16666666681704215,
		0.500000001353873,
	}
	erfNear = []float64{
		-9.667044571486996e-06, 0.00011265959025606609, -0.0008484080405535107, 0.005221031807858023,
		-0.026865430727670243, 0.11283782495236845, -0.3761263846802871, 1.1283791670615435,
	}
	erfFar = []float64{
		-1.6148963375269855e-06, 4.56308910043329e-05, -0.0005933143282304312, 0.004743754147312415,
		-0.026377564384868293, 0.11000582132950075, 0.6319025502350257, 1.1301899211064872, -0.00030967557443436887,
	}
	normalP = []float64{
		5.544255396444128e-05, 0.0001332558109560746, -0.00024465614340785633, -0.001034383505304022,
		0.0010241440976959425, 0.006969879408596914, -0.010462289493722781, -0.047262755405749264, 0.23001767694922973,
		-0.5093319891159259, 0.7290836907084339,
	}
	atanhP = []float64{
		0.2186056831430696, 0.1712253666729019, 0.22305127385582954, 0.2856814575820109, 0.4000006142120794,
		0.6666666623792175, 2.000000000004866,
	}
	sinP = []float64{
		2.7249314054698804e-06, -0.00019840082012765537, 0.008333331865959415, -0.16666666663832763,
	}
	cosP  = []float64{2.45474372101932e-05, -0.00138883006969039, 0.04166666464745738}
	geluP = []float64{
		0.019369267360844426, 0.014665440278177849, -0.11400792632041727, 0.018200297462906346, 0.38828498272409834,
		-0.4314939928530883,
	}
	siluP = []float64{
		0.0001309676891400533, 0.0065878906534404666, -0.015222680634165727, -0.018874704690430955, 0.14664879701900196,
		-0.21781170581487688,
	}
)

const (
	normalL  = 14.8 // below −14.8 the normal distribution function is 0 in float32
	normalK  = 3
	density  = 0.3989422804014327 // 1/√2π
	erfL     = 4.05
	circular = 0x1p28 // the largest argument of sine and cosine
	twoByPi  = 0.6366197723675814
	halfPi1  = 1.5707963267948966
	halfPi2  = 6.123233995736766e-17
	geluZero = 0.7517915246935645
	geluRest = -1.4956759177009883e-17
	siluZero = 1.2784645427610737
	siluRest = 1.0946994183093437e-16
	rootSpan = 0.125
)

// expParts emits p = e^r − 1 and the power of two of e^x = 2ⁿ·(1+p), for x that is NaN or between the limits of exp.
func (v vector) expParts(x reg.VecVirtual) (p, power reg.VecVirtual) {
	n, m := v.nearest(log2e, 1023, x)
	r, square := v.reg(), v.reg()
	v.VMOVAPD(x, r)
	v.VFNMADD231PD(v.f64(math.Ln2), n, r)
	p = v.hornerD(expW, r)
	v.VMULPD(r, r, square)
	v.VFMADD213PD(r, square, p)
	return p, v.power(m)
}

// expW emits e^x for x that is NaN or between the limits of exp.
func (v vector) expW(x reg.VecVirtual) reg.VecVirtual {
	p, power := v.expParts(x)
	v.VFMADD213PD(power, power, p)
	return p
}

// expDown emits e^−|x|.
func (v vector) expDown(x reg.VecVirtual) reg.VecVirtual {
	e := v.reg()
	v.or(v.constant(v.signBit()), x, e)
	v.max(e, v.new64(2*expLo), e)
	return v.expW(e)
}

// signed emits y with the sign of x, for y ≥ 0 or y of that sign.
func (v vector) signed(x, y reg.VecVirtual) reg.VecVirtual {
	s := v.reg()
	v.and(v.constant(v.signBit()), x, s)
	v.or(s, y, y)
	return y
}

// expm1 is the body of e^x − 1.
func (v vector) expm1(in []reg.VecVirtual) reg.VecVirtual {
	x, c, y := in[0], v.reg(), v.reg()
	v.min(x, v.new64(expHi), c)
	v.max(c, v.new64(expLo), c)
	p, power := v.expParts(c)
	v.VSUBPD(v.f64(1), power, y)
	v.VFMADD231PD(power, p, y)
	return v.signed(x, y)
}

// atanh2 emits 2·artanh s = s·P(s²), for |s| ≤ ⅓.
func (v vector) atanh2(s reg.VecVirtual) reg.VecVirtual {
	z := v.reg()
	v.VMULPD(s, s, z)
	y := v.hornerD(atanhP, z)
	v.VMULPD(s, y, y)
	return y
}

// log1p is the body of ln(1+x).
func (v vector) log1p(in []reg.VecVirtual) reg.VecVirtual {
	x, u, s := in[0], v.reg(), v.reg()
	v.VADDPD(v.f64(1), x, u)
	n, f := v.mantissa(u)
	v.VADDPD(v.f64(2), f, s)
	v.VDIVPD(s, f, s)
	y := v.atanh2(s)
	v.VFMADD231PD(v.f64(math.Ln2), n, y)
	y = v.logSpecial(u, y)
	tiny := v.compare(less, v.magnitude(x), v.f64(0x1p-27))
	return v.blend(tiny, x, y)
}

// softplus is the body of ln(1+e^x) = max(x, 0) + 2·artanh(e/(2+e)), e = e^−|x|.
func (v vector) softplus(in []reg.VecVirtual) reg.VecVirtual {
	x, s, zero, top := in[0], v.reg(), v.reg(), v.reg()
	e := v.expDown(x)
	v.VADDPD(v.f64(2), e, s)
	v.VDIVPD(s, e, s)
	y := v.atanh2(s)
	v.zero(zero)
	v.max(x, zero, top)
	v.VADDPD(top, y, y)
	return y
}

// logistic emits q = 1/(1+e^|x|).
func (v vector) logistic(x reg.VecVirtual) reg.VecVirtual {
	e, down := v.expDown(x), v.reg()
	v.VADDPD(v.f64(1), e, down)
	v.VDIVPD(down, e, e)
	return e
}

// fold emits x for elements whose sign is set, else 1 − x.
func (v vector) fold(sign, x reg.VecVirtual) reg.VecVirtual {
	y := v.new64(1)
	v.VSUBPD(x, y, y)
	return v.blend(v.negative(sign), x, y)
}

// silu is the body of x/(1+e^−x).
func (v vector) silu(in []reg.VecVirtual) reg.VecVirtual {
	x, c := in[0], v.reg()
	q := v.fold(x, v.logistic(x))
	v.max(x, v.new64(2*expLo), c)
	v.VMULPD(c, q, q)
	return q
}

// siluSlope is the body of the slope of SiLU: with q = 1/(1+e^a), a = |x|, it is q·(1 − a·(1−q)) for negative x, and 1
// less that for others.
func (v vector) siluSlope(in []reg.VecVirtual) reg.VecVirtual {
	x, a := in[0], v.reg()
	v.min(v.magnitude(x), v.new64(-2*expLo), a)
	q, rest := v.logistic(x), v.new64(1)
	v.VSUBPD(q, rest, rest)
	y := v.new64(1)
	v.VFNMADD231PD(rest, a, y)
	v.VMULPD(q, y, y)
	return v.fold(x, v.nearRoot(a, y, siluZero, siluRest, siluP))
}

// nearRoot replaces y where a is near a root of y by (a − root)·P(a − root).
func (v vector) nearRoot(a, y reg.VecVirtual, root, rest float64, p []float64) reg.VecVirtual {
	d := v.reg()
	v.VSUBPD(v.f64(root), a, d)
	v.VSUBPD(v.f64(rest), d, d)
	near := v.hornerD(p, d)
	v.VMULPD(d, near, near)
	return v.blend(v.compare(less, v.magnitude(d), v.f64(rootSpan)), near, y)
}

// tail emits e^−a²/2 and r such that the normal distribution function at −a is r times it, for 0 ≤ a ≤ normalL.
func (v vector) tail(a reg.VecVirtual) (e, r reg.VecVirtual) {
	t, inverse, square := v.reg(), v.new64(1), v.reg()
	v.VADDPD(v.f64(normalK), a, t)
	v.VDIVPD(t, inverse, inverse)
	t = v.new64(1)
	v.VFNMADD231PD(v.f64(2*normalK), inverse, t)
	r = v.hornerD(normalP, t)
	v.VMULPD(inverse, r, r)
	v.VMULPD(a, a, square)
	v.VMULPD(v.f64(-0.5), square, square)
	return v.expW(square), r
}

// gelu is the body of x·Φ(x).
func (v vector) gelu(in []reg.VecVirtual) reg.VecVirtual {
	x, a, c := in[0], v.reg(), v.reg()
	v.min(v.magnitude(x), v.new64(normalL), a)
	e, r := v.tail(a)
	v.VMULPD(e, r, r)
	v.max(x, v.new64(-normalL), c)
	y := v.fold(x, r)
	v.VMULPD(c, y, y)
	return y
}

// geluSlope is the body of the slope of GELU, Φ(x) + x·φ(x).
func (v vector) geluSlope(in []reg.VecVirtual) reg.VecVirtual {
	x, a := in[0], v.reg()
	v.min(v.magnitude(x), v.new64(normalL), a)
	e, r := v.tail(a)
	v.VFNMADD231PD(v.f64(density), a, r)
	v.VMULPD(e, r, r)
	return v.fold(x, v.nearRoot(a, r, geluZero, geluRest, geluP))
}

// erf is the body of erf x: with a = |x| it is a·P(a²) for a < 1, else 1 − e^−Q(a).
func (v vector) erf(in []reg.VecVirtual) reg.VecVirtual {
	x, z, far := in[0], v.reg(), v.reg()
	a := v.magnitude(x)
	v.VMULPD(a, a, z)
	near := v.hornerD(erfNear, z)
	v.VMULPD(a, near, near)
	v.min(a, v.new64(erfL), far)
	q, y := v.hornerD(erfFar, far), v.new64(1)
	v.xor(v.constant(v.signBit()), q, q)
	v.VSUBPD(v.expW(q), y, y)
	return v.signed(x, v.blend(v.compare(less, a, v.f64(1)), near, y))
}

// circle emits the sine of a ≥ 0, turned by quarters: with a = n·π/2 + r, |r| ≤ π/4, it is ±(r + r·z·S(z)) or
// ±(1 − z/2 + z²·C(z)), z = r², as the lowest bits of n + quarters say.
func (v vector) circle(a reg.VecVirtual, quarters float64) reg.VecVirtual {
	n, m := v.nearest(twoByPi, 0, a)
	r, z, sine := v.reg(), v.reg(), v.reg()
	v.VMOVAPD(a, r)
	v.VFNMADD231PD(v.f64(halfPi1), n, r)
	v.VFNMADD231PD(v.f64(halfPi2), n, r)
	v.VMULPD(r, r, z)
	s := v.hornerD(sinP, z)
	v.VMULPD(z, s, s)
	v.VMOVAPD(r, sine)
	v.VFMADD231PD(r, s, sine)
	cosine := v.hornerD(cosP, z)
	v.VFMADD213PD(v.f64(-0.5), z, cosine)
	v.VFMADD213PD(v.f64(1), z, cosine)
	if quarters != 0 {
		v.VADDPD(v.f64(quarters), m, m)
	}
	odd, sign := v.reg(), v.reg()
	v.VPSLLQ(op.U8(63), m, odd)
	v.VPSLLQ(op.U8(62), m, sign)
	v.and(v.constant(v.signBit()), sign, sign)
	y := v.blend(v.negative(odd), cosine, sine)
	v.xor(sign, y, y)
	return y
}

// sin is the body of sin x.
func (v vector) sin(in []reg.VecVirtual) reg.VecVirtual {
	x, sign := in[0], v.reg()
	v.and(v.constant(v.signBit()), x, sign)
	y := v.circle(v.magnitude(x), 0)
	v.xor(sign, y, y)
	return y
}

// cos is the body of cos x.
func (v vector) cos(in []reg.VecVirtual) reg.VecVirtual { return v.circle(v.magnitude(in[0]), 1) }
