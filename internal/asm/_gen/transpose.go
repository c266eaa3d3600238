package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transposes emits the transposition of blocks for packing: as many rows as fill 256 bits, and the rest of a tile's
// rows. Rows of the upper half are inserted from memory, which leaves two shuffles for each vector that is stored.
func (v vector) transposes() {
	v.transposeRow()
	if v.elem == 4 {
		v.transpose(8)
		v.transpose(6)
		return
	}
	v.transpose(4)
	v.transpose(2)
}

// transpose emits dst [cols, rows] = src [rows, cols]ᵀ for a fixed number of rows, 128 bits of columns at a time.
func (v vector) transpose(rows int) {
	name := fmt.Sprintf("transpose%dF%d", rows, 8*v.elem)
	v.Function(name)
	v.Attributes(codeFlags)
	step := 16 / v.elem
	v.Doc(fmt.Sprintf("%s transposes %d rows and blocks > 0 times %d columns; strides are in bytes.", name, rows, step))
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(blocks int, src *%[1]s, lds int, dst *%[1]s, ldd int)", v.float()))
	blocks, dst, ldd := v.param("blocks"), v.param("dst"), v.param("ldd")
	src := v.rows(v.param("src"), v.param("lds"), rows)
	v.Label("block")
	for _, r := range v.columns(src, rows) {
		v.storeRows(r, rows, dst)
		v.ADDQ(ldd, dst)
	}
	v.advance(src, op.U32(16))
	v.DECQ(blocks)
	v.JNZ(op.LabelRef("block"))
	v.end()
}

// transposeRow emits dst [cols, 1] = src [1, cols]ᵀ, for the last row of an odd tile, as many columns at a time as
// transpose.
func (v vector) transposeRow() {
	name := fmt.Sprintf("transpose1F%d", 8*v.elem)
	v.Function(name)
	v.Attributes(codeFlags)
	step := 16 / v.elem
	v.Doc(fmt.Sprintf("%s transposes 1 row and blocks > 0 times %d columns; strides are in bytes.", name, step))
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(blocks int, src *%[1]s, lds int, dst *%[1]s, ldd int)", v.float()))
	blocks, src, dst, ldd := v.param("blocks"), v.param("src"), v.param("dst"), v.param("ldd")
	v.Label("block")
	for i := range step {
		x := v.XMM()
		v.pick(v.VMOVSS, v.VMOVSD, op.Mem{Base: src, Disp: i * v.elem}, x)
		v.pick(v.VMOVSS, v.VMOVSD, x, op.Mem{Base: dst})
		v.ADDQ(ldd, dst)
	}
	v.ADDQ(op.U32(16), src)
	v.DECQ(blocks)
	v.JNZ(op.LabelRef("block"))
	v.end()
}

// columns emits the transposition of 128 bits of columns, and returns a register for each column.
func (v vector) columns(src rowsOf, rows int) []reg.VecVirtual {
	half := 16 / v.elem // rows of the lower half
	in := make([]reg.VecVirtual, half)
	for i := range in {
		in[i] = v.YMM()
		v.load(src.at(i), in[i].AsX())
		if upper := half + i; rows > half {
			v.VINSERTF128(op.U8(1), src.at(min(upper, rows-1)), in[i], in[i])
		}
	}
	if v.elem == 8 {
		lo, hi := v.YMM(), v.YMM()
		v.VUNPCKLPD(in[1], in[0], lo)
		v.VUNPCKHPD(in[1], in[0], hi)
		return []reg.VecVirtual{lo, hi}
	}
	var t [4]reg.VecVirtual // pairs of rows 0, 1 and 2, 3: columns 0, 1 and columns 2, 3
	for i := range t {
		t[i] = v.YMM()
	}
	v.VUNPCKLPS(in[1], in[0], t[0])
	v.VUNPCKHPS(in[1], in[0], t[1])
	v.VUNPCKLPS(in[3], in[2], t[2])
	v.VUNPCKHPS(in[3], in[2], t[3])
	out := []reg.VecVirtual{v.YMM(), v.YMM(), v.YMM(), v.YMM()}
	v.VUNPCKLPD(t[2], t[0], out[0])
	v.VUNPCKHPD(t[2], t[0], out[1])
	v.VUNPCKLPD(t[3], t[1], out[2])
	v.VUNPCKHPD(t[3], t[1], out[3])
	return out
}

// storeRows stores the first rows elements of a register.
func (v vector) storeRows(r reg.VecVirtual, rows int, dst reg.GPVirtual) {
	switch rows * v.elem {
	case 32:
		v.VMOVUPS(r, op.Mem{Base: dst})
	case 24:
		upper := v.XMM()
		v.VMOVUPS(r.AsX(), op.Mem{Base: dst})
		v.VEXTRACTF128(op.U8(1), r, upper)
		v.VMOVLPS(upper, op.Mem{Base: dst, Disp: 16})
	case 16:
		v.VMOVUPS(r.AsX(), op.Mem{Base: dst})
	}
}
