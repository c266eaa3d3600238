package main

import (
	"math"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The float32 functions for vectors of 256 bits follow internal/asm/vec/exp.go, the specification, step by step. Those
// for 512 bits are in piecewise.go.

// polynomial coefficients, from the highest power down (Cephes library, S. Moshier).
var (
	expP = []float64{
		1.9875691500e-4,
		1.3981999507e-3,
		8.3334519073e-3,
		4.1665795894e-2,
		1.6666665459e-1,
		5.0000001201e-1,
	}
	tanhP = []float64{-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1}
	logP  = []float64{
		7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
		2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
	}
)

const (
	log2e = 1.44269504088896341
	ln2hi = 0.693359375
	ln2lo = -2.12194440e-4
	expLo = -104
	expHi = 89
	tanhS = 0.625
	tanhL = 9.1
	sqrtH = 0.707106781186547
)

// f32 is a constant operand.
func (v vector) f32(x float64) op.Op { return v.constant(uint64(math.Float32bits(float32(x)))) }

// new32 is a constant in a new register.
func (v vector) new32(x float64) reg.VecVirtual { return v.value(uint64(math.Float32bits(float32(x)))) }

// horner emits a polynomial in x.
func (v vector) horner(p []float64, x op.Op) reg.VecVirtual {
	y := v.new32(p[0])
	for _, c := range p[1:] {
		v.VFMADD213PS(v.f32(c), x, y)
	}
	return y
}

// expCore emits e^x for x that is NaN or between the limits of exp.
func (v vector) expCore(x reg.VecVirtual) reg.VecVirtual {
	n, r := v.reg(), v.reg()
	v.VMULPS(v.f32(log2e), x, n)
	v.round(n, n)
	v.VMOVAPS(x, r)
	v.VFNMADD231PS(v.f32(ln2hi), n, r)
	v.VFNMADD231PS(v.f32(ln2lo), n, r)
	y, square := v.horner(expP, r), v.reg()
	v.VMULPS(r, r, square)
	v.VFMADD213PS(r, square, y)
	v.VADDPS(v.f32(1), y, y)
	v.scaleBy(n, y)
	return y
}

// scaleBy multiplies y by 2ⁿ.
func (v vector) scaleBy(n, y reg.VecVirtual) {
	if v.bits == 512 {
		v.VSCALEFPS(n, y, y)
		return
	}
	half := v.reg()
	v.VCVTPS2DQ(n, n)
	v.VPSRAD(op.U8(1), n, half)
	v.VPSUBD(half, n, n)
	for _, e := range []reg.VecVirtual{half, n} {
		v.VPADDD(v.constant(127), e, e)
		v.VPSLLD(op.U8(23), e, e)
		v.VMULPS(e, y, y)
	}
}

// exp is the body of e^x. The limits are first operands of the minimum and the maximum, which return the second
// one, x, if it is NaN.
func (v vector) exp(in []reg.VecVirtual) reg.VecVirtual {
	switch {
	case v.elem == 8:
		return v.exp64(in)
	case v.bits == 512:
		return v.expT(in)
	}
	x := in[0]
	v.VMINPS(x, v.new32(expHi), x)
	v.VMAXPS(x, v.new32(expLo), x)
	return v.expCore(x)
}

// tanh is the body of tanh x.
func (v vector) tanh(in []reg.VecVirtual) reg.VecVirtual {
	switch {
	case v.elem == 8:
		return v.tanh64(in)
	case v.bits == 512:
		return v.tanhT(in)
	}
	x, a, sign, z, near := in[0], v.reg(), v.reg(), v.reg(), v.reg()
	v.and(v.constant(^v.signBit()&math.MaxUint32), x, a)
	v.and(v.constant(v.signBit()), x, sign)
	v.VMULPS(a, a, z)
	p := v.horner(tanhP, z)
	v.VMULPS(p, z, p)
	v.VMOVAPS(a, near)
	v.VFMADD231PS(p, a, near)
	far := v.reg()
	v.VMINPS(a, v.new32(tanhL), far)
	v.VADDPS(far, far, far)
	e, two := v.expCore(far), v.new32(2)
	v.VADDPS(v.f32(1), e, e)
	v.VDIVPS(e, two, two)
	far = v.new32(1)
	v.VSUBPS(two, far, far)
	y := v.blend(v.compare(less, a, v.f32(tanhS)), near, far)
	v.or(sign, y, y)
	return y
}

// sigmoid is the body of 1/(1+e^−x). What the sum 1 + e lost by rounding is made good at the end.
func (v vector) sigmoid(in []reg.VecVirtual) reg.VecVirtual {
	switch {
	case v.elem == 8:
		return v.sigmoid64(in)
	case v.bits == 512:
		return v.sigmoidT(in)
	}
	x, e, zero := in[0], v.reg(), v.reg()
	v.or(v.constant(v.signBit()), x, e)
	v.VMAXPS(e, v.new32(expLo), e)
	e = v.expCore(e)
	v.zero(zero)
	top, down := v.blend(v.compare(less, x, zero), e, v.new32(1)), v.reg()
	v.VADDPS(v.f32(1), e, down)
	v.VDIVPS(down, top, top)
	rest := v.reg()
	v.VSUBPS(v.f32(1), down, rest)
	v.VSUBPS(rest, e, rest)
	v.VFNMADD231PS(rest, top, top)
	return top
}

// log is the body of ln x.
func (v vector) log(in []reg.VecVirtual) reg.VecVirtual {
	switch {
	case v.elem == 8:
		return v.log64(in)
	case v.bits == 512:
		return v.logT(in)
	}
	x, m, n, f, t := in[0], v.reg(), v.reg(), v.reg(), v.reg()
	tiny := v.compare(less, x, v.f32(0x1p-126))
	v.VMULPS(v.f32(0x1p23), x, m)
	m = v.blend(tiny, m, x)
	v.VPSRLD(op.U8(23), m, n)
	v.VPSUBD(v.constant(126), n, n)
	v.VCVTDQ2PS(n, n)
	v.VSUBPS(v.keep(tiny, v.new32(23)), n, n)
	v.and(v.constant(0x007fffff), m, m)
	v.or(v.f32(0.5), m, m)
	low := v.compare(less, m, v.f32(sqrtH))
	v.VSUBPS(v.f32(1), m, f)
	v.VADDPS(v.keep(low, m), f, f)
	v.VSUBPS(v.keep(low, v.new32(1)), n, n)
	v.VMULPS(f, f, t)
	y := v.horner(logP, f)
	v.VMULPS(t, y, y)
	v.VMULPS(f, y, y)
	v.VFMADD231PS(v.f32(ln2lo), n, y)
	v.VFNMADD231PS(v.f32(0.5), t, y)
	v.VADDPS(y, f, y)
	v.VFMADD231PS(v.f32(ln2hi), n, y)
	return v.logSpecial(x, y)
}

// logSpecial emits the values of ln x that the polynomial does not give: +Inf for itself, −Inf for zeros, NaN for
// NaN and negative numbers.
func (v vector) logSpecial(x, y reg.VecVirtual) reg.VecVirtual {
	zero := v.reg()
	v.zero(zero)
	y = v.blend(v.compare(equal, x, v.constant(v.inf())), x, y)
	y = v.blend(v.compare(equal, x, zero), v.value(v.inf()|v.signBit()), y)
	return v.blend(v.compare(notGreaterEqual, x, zero), v.value(v.nan()), y)
}
