package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// vector emits instructions for one vector width and element type.
type vector struct {
	*build.Context
	bits int // 256 or 512
	elem int // bytes of an element in a register: 4 or 8
	// narrow says that elements of 8 bytes in registers are of 4 bytes in memory: float32 functions that are computed
	// in float64.
	narrow bool

	table op.Mem // for 256 bits: lanes() masks of ones, then as many of zeros
	// constants in memory, by their bits: whole vectors, or for 512 bits one element
	constants map[uint64]op.Mem
	hoisted   map[uint64]reg.VecVirtual // for 512 bits: constants in registers
	rowData   map[row]op.Mem            // rows of tables in memory
	held      map[row]pair              // for 512 bits: rows of tables in registers
}

// mask selects the first elements of a vector.
type mask struct {
	k reg.Register   // 512 bits: a mask register
	y reg.VecVirtual // 256 bits: a vector of ones and zeros
}

// lanes is the number of elements of a vector.
func (v vector) lanes() int { return v.bits / 8 / v.elem }

// registers is the number of vector registers.
func (v vector) registers() int { return v.bits / 16 }

// stored is the number of bytes of an element in memory.
func (v vector) stored() int {
	if v.narrow {
		return v.elem / 2
	}
	return v.elem
}

// step is the number of bytes of a vector in memory.
func (v vector) step() int { return v.lanes() * v.stored() }

// suffix names the type and the path in function names.
func (v vector) suffix() string {
	return fmt.Sprintf("F%d%s", 8*v.stored(), map[int]string{256: "AVX2", 512: "AVX512"}[v.bits])
}

// float is the Go type of an element in memory.
func (v vector) float() string { return fmt.Sprintf("float%d", 8*v.stored()) }

// half allocates a register of half the width.
func (v vector) half() reg.VecVirtual {
	if v.bits == 512 {
		return v.YMM()
	}
	return v.XMM()
}

// reg allocates a vector register.
func (v vector) reg() reg.VecVirtual {
	if v.bits == 512 {
		return v.ZMM()
	}
	return v.YMM()
}

// regs allocates n vector registers.
func (v vector) regs(n int) []reg.VecVirtual {
	r := make([]reg.VecVirtual, n)
	for i := range r {
		r[i] = v.reg()
	}
	return r
}

// pick calls the single or the double precision form of an instruction.
func (v vector) pick(single, double func(ops ...op.Op), ops ...op.Op) {
	if v.elem == 4 {
		single(ops...)
		return
	}
	double(ops...)
}

// ps adapts an instruction of fixed arity to pick.
func ps3(f func(a, b, c op.Op)) func(ops ...op.Op) {
	return func(ops ...op.Op) { f(ops[0], ops[1], ops[2]) }
}

// load loads a vector from memory.
func (v vector) load(m op.Mem, r reg.Register) {
	if v.narrow {
		v.VCVTPS2PD(m, r)
		return
	}
	v.pick(v.VMOVUPS, v.VMOVUPD, m, r)
}

// store stores a vector to memory.
func (v vector) store(r reg.Register, m op.Mem) {
	if v.narrow {
		v.VMOVUPS(v.rounded(r), m)
		return
	}
	v.pick(v.VMOVUPS, v.VMOVUPD, r, m)
}

// rounded returns a vector as float32, of half the width.
func (v vector) rounded(r reg.Register) reg.VecVirtual {
	h := v.half()
	if v.bits == 512 {
		v.VCVTPD2PS(r, h)
	} else {
		v.VCVTPD2PSY(r, h)
	}
	return h
}

func (v vector) bcast(m op.Mem, r reg.Register) { v.pick(v.VBROADCASTSS, v.VBROADCASTSD, m, r) }

// add is z = y + x.
func (v vector) add(x, y, z op.Op) { v.pick(v.VADDPS, v.VADDPD, x, y, z) }

// fma is z += x·y.
func (v vector) fma(x, y, z op.Op) { v.pick(v.VFMADD231PS, v.VFMADD231PD, x, y, z) }

// zero clears a register.
func (v vector) zero(r reg.Register) {
	if v.bits == 256 {
		v.VXORPS(r, r, r)
		return
	}
	i, err := x86.VPXORD(r, r, r)
	if err != nil {
		panic(err)
	}
	i.CancellingInputs = true // avo knows this of the other exclusive-ors only, and would keep r alive from the start
	v.Instruction(i)
}

// masks declares the table from which masks are loaded.
func (v *vector) masks() {
	if v.bits == 512 {
		return
	}
	v.table = v.StaticGlobal(fmt.Sprintf("mask%d", 8*v.elem))
	v.DataAttributes(dataFlags)
	for i := range 2 * v.lanes() {
		x := uint64(0)
		if i < v.lanes() {
			x--
		}
		if v.elem == 4 {
			v.AppendDatum(op.U32(x))
		} else {
			v.AppendDatum(op.U64(x))
		}
	}
}

// first returns a mask of the first n elements, 0 ≤ n ≤ lanes; n is a register and keeps its value.
func (v vector) first(n reg.Register) mask {
	if v.bits == 512 {
		bits, k := v.GP64(), v.K()
		v.MOVQ(n, reg.RCX)
		v.MOVQ(op.U32(1), bits)
		v.SHLQ(reg.CL, bits)
		v.DECQ(bits)
		v.KMOVW(bits.As32(), k)
		return mask{k: k}
	}
	at, back := v.GP64(), v.GP64()
	v.LEAQ(v.table, at)
	v.MOVQ(n, back)
	v.NEGQ(back)
	y := v.reg()
	if v.narrow {
		y = v.half()
	}
	v.pick(func(ops ...op.Op) { v.VMOVUPS(ops...) }, func(ops ...op.Op) { v.VMOVUPD(ops...) },
		op.Mem{Base: at, Index: back, Scale: uint8(v.stored()), Disp: v.bits / 8}, y)
	return mask{y: y}
}

// loadMasked loads the elements that m selects, and zeros; others are not touched.
func (v vector) loadMasked(at op.Mem, m mask, r reg.Register) {
	if v.narrow {
		h := v.half()
		if v.bits == 512 {
			v.VMOVUPS_Z(at, m.k, h)
		} else {
			v.VMASKMOVPS(at, m.y, h)
		}
		v.VCVTPS2PD(h, r)
		return
	}
	if v.bits == 512 {
		if v.elem == 4 {
			v.VMOVUPS_Z(at, m.k, r)
		} else {
			v.VMOVUPD_Z(at, m.k, r)
		}
		return
	}
	v.pick(ps3(v.VMASKMOVPS), ps3(v.VMASKMOVPD), at, m.y, r)
}

// storeMasked stores the elements that m selects; others are not touched.
func (v vector) storeMasked(r reg.Register, m mask, at op.Mem) {
	if v.narrow {
		h := v.rounded(r)
		if v.bits == 512 {
			v.VMOVUPS(h, m.k, at)
		} else {
			v.VMASKMOVPS(h, m.y, at)
		}
		return
	}
	if v.bits == 512 {
		v.pick(v.VMOVUPS, v.VMOVUPD, r, m.k, at)
		return
	}
	v.pick(ps3(v.VMASKMOVPS), ps3(v.VMASKMOVPD), r, m.y, at)
}

// param loads a parameter into a new register.
func (v vector) param(name string) reg.GPVirtual {
	r := v.GP64()
	v.Load(v.Param(name), r)
	return r
}

// copyOf returns a copy of a register.
func (v vector) copyOf(r reg.Register) reg.GPVirtual {
	c := v.GP64()
	v.MOVQ(r, c)
	return c
}

// end returns from a function.
func (v vector) end() {
	v.VZEROUPPER()
	v.RET()
}
