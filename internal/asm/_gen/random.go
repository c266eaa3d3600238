package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Philox4x32-10 with a block in each lane of 64 bits: the product of two words is what one instruction makes of the
// lower halves, and the upper halves of counters do not matter. A word takes about two instructions on 512 bits.

// The multipliers, and the increments of the key.
const (
	philoxMul0  = 0xD2511F53
	philoxMul1  = 0xCD9E8D57
	philoxWeyl0 = 0x9E3779B9
	philoxWeyl1 = 0xBB67AE85
)

// row64 returns read-only memory that holds a vector of 64-bit numbers.
func (v vector) row64(name string, x ...uint64) op.Mem {
	m := v.StaticGlobal(fmt.Sprintf("%s%d", name, v.bits))
	v.DataAttributes(dataFlags)
	for _, n := range x[:v.lanes()] {
		v.AppendDatum(op.U64(n))
	}
	return m
}

// everywhere returns a parameter of 32 bits in all lanes of 32 bits.
func (v vector) everywhere(param string) reg.VecVirtual {
	r := v.reg()
	v.VBROADCASTSS(v.address(param), r)
	return r
}

// fixed returns a constant in all lanes, in memory or, for 512 bits, in a register.
func (v vector) fixed(bits uint64) op.Op {
	if v.bits == 256 {
		return v.datum(bits, v.lanes())
	}
	return v.spread(bits)
}

// xor3 is z = x ⊕ y ⊕ z.
func (v vector) xor3(x, y, z reg.VecVirtual) {
	if v.bits == 512 {
		v.VPTERNLOGD(op.U8(0x96), x, y, z)
		return
	}
	v.VPXOR(x, z, z)
	v.VPXOR(y, z, z)
}

// philox emits the words of blocks, lanes() of them for each pass.
func (v vector) philox() {
	v.begin("philox", "the words of Philox4x32-10 of n vectors of blocks, whose counters begin with first, first+1, …",
		"key0, key1, first, counter1, counter2, counter3 uint32, dst *uint32", "")
	n, dst := v.param("n"), v.param("dst")
	first, step := v.everywhere("first"), v.fixed(uint64(v.lanes()))
	v.VPADDD(v.row64("count", 0, 1, 2, 3, 4, 5, 6, 7), first, first)
	mul := [2]op.Op{v.fixed(philoxMul0), v.fixed(philoxMul1)}
	weyl := [2]op.Op{v.fixed(philoxWeyl0), v.fixed(philoxWeyl1)}
	v.Label("loop")
	v.TESTQ(n, n)
	v.JZ(op.LabelRef("done"))
	c := [4]reg.VecVirtual{v.reg(), v.everywhere("counter1"), v.everywhere("counter2"), v.everywhere("counter3")}
	v.VMOVAPD(first, c[0])
	k := [2]reg.VecVirtual{v.everywhere("key0"), v.everywhere("key1")}
	for round := range 10 {
		if round > 0 {
			v.VPADDD(weyl[0], k[0], k[0])
			v.VPADDD(weyl[1], k[1], k[1])
		}
		p0, p1, hi0, hi1 := v.reg(), v.reg(), v.reg(), v.reg()
		v.VPMULUDQ(mul[0], c[0], p0)
		v.VPMULUDQ(mul[1], c[2], p1)
		v.VPSHUFD(op.U8(0xf5), p0, hi0) // shifts would wait for the unit that multiplies
		v.VPSHUFD(op.U8(0xf5), p1, hi1)
		v.xor3(c[1], k[0], hi1)
		v.xor3(c[3], k[1], hi0)
		c = [4]reg.VecVirtual{hi1, p1, hi0, p0}
	}
	v.storeBlocks(c, dst)
	v.VPADDD(step, first, first)
	v.ADDQ(op.U32(2*v.bits/8), dst)
	v.DECQ(n)
	v.JMP(op.LabelRef("loop"))
	v.Label("done")
	v.end()
}

// storeBlocks stores the words of the lanes, block by block; c are overwritten.
func (v vector) storeBlocks(c [4]reg.VecVirtual, dst reg.GPVirtual) {
	for i := 0; i < 4; i += 2 { // c_i gets two words of a block in each lane
		v.VPSLLQ(op.U8(32), c[i], c[i])
		v.VPSRLQ(op.U8(32), c[i], c[i])
		v.VPSLLQ(op.U8(32), c[i+1], c[i+1])
		v.or(c[i+1], c[i], c[i])
	}
	low, high := v.reg(), v.reg()
	v.VPUNPCKLQDQ(c[2], c[0], low)
	v.VPUNPCKHQDQ(c[2], c[0], high)
	out := [2]reg.VecVirtual{v.reg(), v.reg()}
	if v.bits == 256 {
		v.VPERM2I128(op.U8(0x20), high, low, out[0])
		v.VPERM2I128(op.U8(0x31), high, low, out[1])
	} else {
		v.VMOVUPD(v.row64("lower", 0, 1, 8, 9, 2, 3, 10, 11), out[0])
		v.VMOVUPD(v.row64("upper", 4, 5, 12, 13, 6, 7, 14, 15), out[1])
		for i := range out {
			v.VPERMI2Q(high, low, out[i])
		}
	}
	for i, r := range out {
		v.VMOVUPD(r, op.Mem{Base: dst, Disp: i * v.bits / 8})
	}
}

// keepSome emits dst = scale·x where the upper 24 bits of a word are least at least, else 0; v is of float32.
func (v vector) keepSome() {
	v.begin("keep", "dst = scale·x where words>>8 ≥ least, else 0,",
		"least uint32, scale float32, dst, x *float32, words *uint32", "")
	n, dst, x, words := v.param("n"), v.param("dst"), v.param("x"), v.param("words")
	scale, g, low, lowest := v.reg(), v.GP32(), v.XMM(), v.reg()
	v.bcast(v.address("scale"), scale)
	v.Load(v.Param("least"), g)
	v.DECL(g)
	v.VMOVD(g, low)
	v.VPBROADCASTD(low, lowest)
	v.loops(n, []reg.GPVirtual{dst, x, words}, 2, func(i int, m *mask) {
		disp := i * v.step()
		w, y := v.fetch(op.Mem{Base: words, Disp: disp}, m), v.fetch(op.Mem{Base: x, Disp: disp}, m)
		v.VPSRLD(op.U8(8), w, w)
		v.VMULPS(scale, y, y)
		var kept mask
		if v.bits == 512 {
			kept.k = v.K()
			v.VPCMPGTD(lowest, w, kept.k)
		} else {
			kept.y = v.reg()
			v.VPCMPGTD(lowest, w, kept.y)
		}
		y = v.keep(kept, y)
		at := op.Mem{Base: dst, Disp: disp}
		if m != nil {
			v.storeMasked(y, *m, at)
		} else {
			v.store(y, at)
		}
	})
	v.end()
}
