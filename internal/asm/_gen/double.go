package main

import (
	"math"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The float64 functions. Their errors are stated and tested in internal/asm/vec.

// Polynomial coefficients, from the highest power down. expD interpolates (e^r − 1 − r)/r² at the Chebyshev nodes of
// |r| ≤ ½ ln 2, with an error of 2⁻⁶¹ e^r. tanhN, tanhD and logD are those of the Cephes and FreeBSD libraries.
var (
	expD = []float64{
		2.09147553258932e-09, 2.5105312729622103e-08, 2.755727347871858e-07, 2.755725517000089e-06,
		2.480158732567746e-05, 0.0001984126987500228, 0.0013888888888883711, 0.008333333333326084,
		0.04166666666666667, 0.1666666666666667, 0.5,
	}
	tanhN = []float64{-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3}
	tanhD = []float64{1, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3}
	logD  = []float64{
		1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
		2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01,
	}
)

const (
	magic  = 0x1.8p52        // adding it rounds to integers, which then stand in the lower bits
	ln2hiD = 0x1.62e42feep-1 // the upper 32 bits of ln 2: n·ln2hiD is exact for |n| < 2²¹
	ln2loD = 0x1.a39ef35793c76p-33
	expLoD = -746 // below it e^x is less than half of the smallest subnormal number
	expHiD = 710  // above it e^x is infinite
	tanhLD = 22   // above it tanh is 1
)

// f64 is a constant operand.
func (v vector) f64(x float64) op.Op { return v.constant(math.Float64bits(x)) }

// new64 is a constant in a new register.
func (v vector) new64(x float64) reg.VecVirtual { return v.value(math.Float64bits(x)) }

// hornerD emits a polynomial in x. Vectors of 512 bits take the coefficients from memory, which leaves the registers to
// other constants.
func (v vector) hornerD(p []float64, x op.Op) reg.VecVirtual {
	y := v.new64(p[0])
	for _, c := range p[1:] {
		if v.bits == 512 {
			v.VFMADD213PD_BCST(v.datum(math.Float64bits(c), 1), x, y)
		} else {
			v.VFMADD213PD(v.f64(c), x, y)
		}
	}
	return y
}

// nearest emits n, the integer nearest to a·x, and the same integer plus bias in the lower bits of m.
func (v vector) nearest(a, bias float64, x reg.VecVirtual) (n, m reg.VecVirtual) {
	n, m = v.reg(), v.new64(magic+bias)
	v.VFMADD231PD(v.f64(a), x, m)
	v.VSUBPD(v.f64(magic+bias), m, n)
	return n, m
}

// power emits 2ⁿ from the lower bits of m, which hold n + 1023.
func (v vector) power(m reg.VecVirtual) reg.VecVirtual {
	p := v.reg()
	v.VPSLLQ(op.U8(52), m, p)
	return p
}

// magnitude emits |x|.
func (v vector) magnitude(x reg.VecVirtual) reg.VecVirtual {
	a := v.reg()
	v.and(v.constant(^v.signBit()), x, a)
	return a
}

// expD emits e^x for x that is NaN or between the limits of exp. The power is applied as two factors, so that n = 1024
// does not overflow and subnormal results are rounded once.
func (v vector) expD(x reg.VecVirtual) reg.VecVirtual {
	n, m := v.nearest(log2e, 0, x)
	r, square := v.reg(), v.reg()
	v.VMOVAPD(x, r)
	v.VFNMADD231PD(v.f64(ln2hiD), n, r)
	v.VFNMADD231PD(v.f64(ln2loD), n, r)
	y := v.hornerD(expD, r)
	v.VMULPD(r, r, square)
	v.VFMADD213PD(r, square, y)
	v.VADDPD(v.f64(1), y, y)
	if v.bits == 512 {
		v.VSCALEFPD(n, y, y)
		return y
	}
	half, upper := v.nearest(0.5, 1023, n)
	v.VSUBPD(half, n, n)
	v.VADDPD(v.f64(magic+1023), n, m)
	v.VMULPD(v.power(upper), y, y)
	v.VMULPD(v.power(m), y, y)
	return y
}

// exp64 is the body of e^x.
func (v vector) exp64(in []reg.VecVirtual) reg.VecVirtual {
	x := in[0]
	v.min(x, v.new64(expHiD), x)
	v.max(x, v.new64(expLoD), x)
	return v.expD(x)
}

// tanh64 is the body of tanh x: with a = |x| it is a + a·z·N(z)/D(z), z = a², near 0, else 1 − 2/(e^2a + 1); both with
// one division.
func (v vector) tanh64(in []reg.VecVirtual) reg.VecVirtual {
	x, sign, z, far := in[0], v.reg(), v.reg(), v.reg()
	a := v.magnitude(x)
	v.and(v.constant(v.signBit()), x, sign)
	v.VMULPD(a, a, z)
	top, down := v.hornerD(tanhN, z), v.hornerD(tanhD, z)
	v.VMULPD(z, top, top)
	v.VMULPD(a, top, top)
	v.min(a, v.new64(tanhLD), far)
	v.VADDPD(far, far, far)
	e := v.expD(far)
	v.VADDPD(v.f64(1), e, e)
	near := v.compare(less, a, v.f64(tanhS))
	top = v.blend(near, top, v.new64(-2))
	down = v.blend(near, down, e)
	y := v.blend(near, a, v.new64(1))
	v.VDIVPD(down, top, top)
	v.VADDPD(top, y, y)
	v.or(sign, y, y)
	return y
}

// sigmoid64 is the body of 1/(1+e^−x).
func (v vector) sigmoid64(in []reg.VecVirtual) reg.VecVirtual {
	x, e, down := in[0], v.reg(), v.reg()
	v.or(v.constant(v.signBit()), x, e)
	v.max(e, v.new64(expLoD), e)
	e = v.expD(e)
	top := v.blend(v.negative(x), e, v.new64(1))
	v.VADDPD(v.f64(1), e, down)
	v.VDIVPD(down, top, top)
	return top
}

// mantissa emits n and f with x = 2ⁿ·(1+f), √½ ≤ 1+f < √2, for normal x > 0.
func (v vector) mantissa(x reg.VecVirtual) (n, f reg.VecVirtual) {
	n, f, m := v.reg(), v.reg(), v.reg()
	v.VPSRLQ(op.U8(52), x, n)
	v.or(v.f64(0x1p52), n, n)
	v.VSUBPD(v.f64(0x1p52+1022), n, n)
	v.and(v.constant(1<<52-1), x, m)
	v.or(v.f64(0.5), m, m)
	low := v.compare(less, m, v.f64(sqrtH))
	v.VSUBPD(v.f64(1), m, f)
	v.VADDPD(v.keep(low, m), f, f)
	v.VSUBPD(v.keep(low, v.new64(1)), n, n)
	return n, f
}

// log64 is the body of ln x: with s = f/(2+f) and R = s²·P(s²) it is n·ln 2 + f − (f²/2 − s·(f²/2 + R)).
func (v vector) log64(in []reg.VecVirtual) reg.VecVirtual {
	x, m, s, z, half := in[0], v.reg(), v.reg(), v.reg(), v.reg()
	tiny := v.compare(less, x, v.f64(0x1p-1022))
	v.VMULPD(v.f64(0x1p54), x, m)
	n, f := v.mantissa(v.blend(tiny, m, x))
	v.VSUBPD(v.keep(tiny, v.new64(54)), n, n)
	v.VADDPD(v.f64(2), f, s)
	v.VDIVPD(s, f, s)
	v.VMULPD(s, s, z)
	r := v.hornerD(logD, z)
	v.VMULPD(z, r, r)
	v.VMULPD(f, f, half)
	v.VMULPD(v.f64(0.5), half, half)
	v.VADDPD(half, r, r)
	v.VMULPD(s, r, r)
	v.VFMADD231PD(v.f64(ln2loD), n, r)
	v.VSUBPD(r, half, half)
	v.VSUBPD(half, f, f)
	v.VFMADD231PD(v.f64(ln2hiD), n, f)
	return v.logSpecial(x, f)
}
