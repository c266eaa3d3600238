package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dots8 emits inner products of 8 heads at once, float32: each of a multiple of the elements of a vector, or, narrow,
// of half of them. The sums of pairs of vectors go through a tree, so that a head costs some three instructions.
func (v vector) dots8(narrow, leaky bool) {
	name, doc := "dots8", fmt.Sprintf("n > 0 elements a head, a multiple of %d", v.lanes())
	if narrow {
		name, doc = "dots8Narrow", fmt.Sprintf("%d elements a head; n is not used", v.lanes()/2)
	}
	params, what := "", "out = ⟨q, x[col]⟩ for each of 8 heads"
	if leaky {
		name, what = name+"Leaky", "out = ⟨a, max(z, slope·z)⟩, z = q + x[col], for each of 8 heads"
		params = ", a *%[1]s, slope %[1]s"
	}
	v.rowsFunction(name, what+", "+doc, "col *int32, n int, q *%[1]s, ldq int, x *%[1]s, ldx int, out *%[1]s, last int"+
		params)
	ptr, col, q, x, ldx := v.param("ptr"), v.param("col"), v.param("q"), v.param("x"), v.param("ldx")
	out, bytes, slope := v.param("out"), v.GP64(), v.reg()
	lines := v.lanes() * v.elem / 8
	if !narrow {
		v.MOVQ(v.address("n"), bytes)
		v.SHLQ(op.U8(2), bytes)
		lines = 8
	} else {
		v.XORQ(bytes, bytes)
		lines = 4
	}
	var a reg.GPVirtual
	if leaky {
		a = v.param("a")
		v.bcast(v.address("slope"), slope)
	}
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	v.span(ptr, k, end, "next")
	v.Label("entry")
	v.ahead(k, v.param("last"), col, x, ldx, lines)
	at := v.rowOf(col, k, ldx, x)
	d := dots{v: v, q: q, x: at, a: a, leaky: leaky, slope: slope}
	var sums reg.VecVirtual
	if narrow {
		sums = v.tree(d.products(bytes, 4, true))
		v.storeNarrow(sums, out)
	} else {
		v.storeSums(d.products(bytes, 8, false), out)
	}
	v.ADDQ(op.U8(32), out)
	v.INCQ(k)
	v.CMPQ(k, end)
	v.JLT(op.LabelRef("entry"))
	v.Label("next")
	v.ADDQ(v.address("ldq"), q)
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// dots is a dots8 at work.
type dots struct {
	v       vector
	q, x, a reg.GPVirtual
	leaky   bool
	slope   reg.VecVirtual
}

// products returns the products of heads, summed up over the vectors of each; or those of vectors one behind another.
func (d dots) products(bytes reg.GPVirtual, n int, single bool) []reg.VecVirtual {
	v, acc := d.v, d.v.regs(n)
	if single {
		for i, r := range acc {
			v.zero(r)
			d.step(func(base reg.GPVirtual) op.Mem { return op.Mem{Base: base, Disp: i * v.bits / 8} }, r)
		}
		return acc
	}
	offset, i := v.GP64(), v.GP64()
	v.XORQ(offset, offset)
	for h, r := range acc {
		label := fmt.Sprintf("head%d", h)
		v.zero(r)
		v.XORQ(i, i)
		v.Label(label)
		d.step(func(base reg.GPVirtual) op.Mem { return op.Mem{Base: base, Index: offset, Scale: 1} }, r)
		v.ADDQ(op.U32(v.bits/8), offset)
		v.ADDQ(op.U32(v.bits/8), i)
		v.CMPQ(i, bytes)
		v.JLT(op.LabelRef(label))
	}
	return acc
}

// step adds the products of a vector.
func (d dots) step(at func(base reg.GPVirtual) op.Mem, acc reg.VecVirtual) {
	v, q := d.v, d.v.reg()
	v.load(at(d.q), q)
	if !d.leaky {
		v.fma(at(d.x), q, acc)
		return
	}
	v.add(at(d.x), q, q)
	v.fma(at(d.a), v.leaky(q, d.slope), acc)
}

// neighbours returns the sums of neighbours of x and y in each 128 bits.
func (v vector) neighbours(x, y reg.VecVirtual) reg.VecVirtual {
	even, odd := v.reg(), v.reg()
	v.VSHUFPS(op.U8(0x88), y, x, even)
	v.VSHUFPS(op.U8(0xdd), y, x, odd)
	v.add(odd, even, even)
	return even
}

// tree returns, of four vectors, in each 128 bits the sums of these 128 bits of each.
func (v vector) tree(r []reg.VecVirtual) reg.VecVirtual {
	return v.neighbours(v.neighbours(r[0], r[1]), v.neighbours(r[2], r[3]))
}

// storeNarrow stores the sums of the halves of four vectors of 512 bits, from their tree.
func (v vector) storeNarrow(r reg.VecVirtual, out reg.GPVirtual) {
	t, upper, lower, mixed := v.reg(), v.XMM(), v.XMM(), v.XMM()
	v.VSHUFF32X4(op.U8(0xb1), r, r, t)
	v.add(t, r, r)
	v.VEXTRACTF32X4(op.U8(0), r, lower)
	v.VEXTRACTF32X4(op.U8(2), r, upper)
	v.VUNPCKLPS(upper, lower, mixed)
	v.VMOVUPS(mixed, op.Mem{Base: out})
	v.VUNPCKHPS(upper, lower, mixed)
	v.VMOVUPS(mixed, op.Mem{Base: out, Disp: 16})
}

// storeSums stores the sums of eight vectors.
func (v vector) storeSums(r []reg.VecVirtual, out reg.GPVirtual) {
	x, y := v.tree(r[:4]), v.tree(r[4:])
	low, high := v.reg(), v.reg()
	if v.bits == 256 {
		v.VPERM2F128(op.U8(0x20), y, x, low)
		v.VPERM2F128(op.U8(0x31), y, x, high)
		v.add(high, low, low)
		v.store(low, op.Mem{Base: out})
		return
	}
	v.VSHUFF32X4(op.U8(0x44), y, x, low)
	v.VSHUFF32X4(op.U8(0xee), y, x, high)
	v.add(high, low, low)
	v.VSHUFF32X4(op.U8(0xb1), low, low, high)
	v.add(high, low, low)
	v.VSHUFF32X4(op.U8(0x08), low, low, low)
	v.VMOVUPS(low.AsY(), op.Mem{Base: out})
}
