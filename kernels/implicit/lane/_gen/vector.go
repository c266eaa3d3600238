package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// kernel emits the instructions of one kernel for one vector width, element type and number of lanes.
type kernel struct {
	*build.Context
	bits  int // 256 or 512
	elem  int // bytes of an element: 4 or 8
	lanes int // elements of a row
}

// vectors is the number of vectors of a row of lanes.
func (k kernel) vectors() int { return k.lanes * k.elem * 8 / k.bits }

// bytes is the size of a vector, rowBytes that of a row of lanes.
func (k kernel) bytes() int    { return k.bits / 8 }
func (k kernel) rowBytes() int { return k.lanes * k.elem }

// name is the name of a function for this width, type and path; kernels for one number of lanes leave it out.
func (k kernel) name(what string, lanes bool) string {
	if lanes {
		what += fmt.Sprint("W", k.lanes)
	}
	return what + fmt.Sprintf("F%d%s", 8*k.elem, map[int]string{256: "AVX2", 512: "AVX512"}[k.bits])
}

// function opens a function; format's %s becomes the element type.
func (k kernel) function(name, format, doc string) {
	k.Function(name)
	k.Attributes(attr.NOSPLIT)
	k.SignatureExpr(fmt.Sprintf(format, fmt.Sprintf("float%d", 8*k.elem)))
	k.Pragma("noescape")
	k.Doc(doc)
}

// param loads an argument into a general register.
func (k kernel) param(name string) reg.GPVirtual {
	r := k.GP64()
	k.Load(k.Param(name), r)
	return r
}

func (k kernel) reg() reg.VecVirtual {
	if k.bits == 512 {
		return k.ZMM()
	}
	return k.YMM()
}

func (k kernel) regs(n int) []reg.VecVirtual {
	r := make([]reg.VecVirtual, n)
	for i := range r {
		r[i] = k.reg()
	}
	return r
}

// pick calls the single or the double precision form of an instruction of three operands.
func (k kernel) pick(single, double func(a, b, c op.Op), a, b, c op.Op) {
	if k.elem == 4 {
		single(a, b, c)
		return
	}
	double(a, b, c)
}

func (k kernel) load(m op.Mem, r reg.Register) {
	if k.elem == 4 {
		k.VMOVUPS(m, r)
	} else {
		k.VMOVUPD(m, r)
	}
}

func (k kernel) store(r reg.Register, m op.Mem) {
	if k.elem == 4 {
		k.VMOVUPS(r, m)
	} else {
		k.VMOVUPD(r, m)
	}
}

func (k kernel) bcast(m op.Mem, r reg.Register) {
	if k.elem == 4 {
		k.VBROADCASTSS(m, r)
	} else {
		k.VBROADCASTSD(m, r)
	}
}

// add3 adapts the variadic constructors of avo.
func three(f func(ops ...op.Op)) func(a, b, c op.Op) { return func(a, b, c op.Op) { f(a, b, c) } }

func (k kernel) add(x, y, z op.Op) { k.pick(three(k.VADDPS), three(k.VADDPD), x, y, z) }

// sub is z = y - x.
func (k kernel) sub(x, y, z op.Op) { k.pick(three(k.VSUBPS), three(k.VSUBPD), x, y, z) }
func (k kernel) mul(x, y, z op.Op) { k.pick(three(k.VMULPS), three(k.VMULPD), x, y, z) }

// fma is z += x·y, fnma is z -= x·y.
func (k kernel) fma(x, y, z op.Op)  { k.pick(three(k.VFMADD231PS), three(k.VFMADD231PD), x, y, z) }
func (k kernel) fnma(x, y, z op.Op) { k.pick(three(k.VFNMADD231PS), three(k.VFNMADD231PD), x, y, z) }

// zero clears a register.
func (k kernel) zero(r reg.Register) {
	if k.bits == 256 {
		k.VXORPS(r, r, r)
		return
	}
	i, err := x86.VPXORD(r, r, r)
	if err != nil {
		panic(err)
	}
	i.CancellingInputs = true // avo knows this of the other exclusive-ors only, and would keep r alive from the start
	k.Instruction(i)
}

// constant declares one element in memory and broadcasts it.
func (k kernel) constant(name string, single uint32, double uint64) reg.VecVirtual {
	g := k.StaticGlobal(k.name(name, true) + "const")
	k.DataAttributes(attr.RODATA | attr.NOPTR)
	if k.elem == 4 {
		k.AppendDatum(op.U32(single))
	} else {
		k.AppendDatum(op.U64(double))
	}
	r := k.reg()
	k.bcast(g, r)
	return r
}

// absMask is all bits but the sign.
func (k kernel) absMask(name string) reg.VecVirtual {
	return k.constant(name, math.MaxUint32>>1, math.MaxUint64>>1)
}

// abs clears the sign.
func (k kernel) abs(x, mask, y reg.VecVirtual) {
	if k.bits == 512 {
		k.pick(three(k.VPANDD), three(k.VPANDQ), mask, x, y)
		return
	}
	k.VPAND(mask, x, y)
}

// largest is acc = max(acc, v) for numbers without a sign compared as integers, so that NaN is the largest and stays.
func (k kernel) largest(v, acc reg.VecVirtual) {
	switch {
	case k.elem == 4:
		k.VPMAXUD(v, acc, acc)
	case k.bits == 512:
		k.VPMAXUQ(v, acc, acc)
	default:
		more := k.YMM()
		k.VPCMPGTQ(acc, v, more)
		k.VBLENDVPD(more, v, acc, acc)
	}
}

// at is the vector i of the row r that starts at base.
func (k kernel) at(base reg.Register, r, i int) op.Mem {
	return op.Mem{Base: base, Disp: r*k.rowBytes() + i*k.bytes()}
}
