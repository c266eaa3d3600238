package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// csr emits the kernels of internal/asm/csr.
//
// A row of the output, or a part of up to 8 vectors of it, stays in registers over all entries of the row: an entry
// costs a load of its column, a broadcast of its weight, and one multiplication for each vector, with an operand in
// memory. The row of x that belongs to the entry four ahead is fetched meanwhile.
func csr(c *build.Context, bits int) {
	for _, elem := range []int{4, 8} {
		v := vector{Context: c, bits: bits, elem: elem}
		v.masks()
		for _, weight := range []string{"", "Weighted", "Placed"} {
			for _, tile := range []int{8, 4, 2, 1} {
				v.csrSum(tile, false, weight)
			}
			v.csrSum(1, true, weight)
		}
		v.csrDot(false)
		v.csrDot(true)
		v.attention()
	}
	v := vector{Context: c, bits: bits, elem: 4}
	for _, leaky := range []bool{false, true} {
		v.dots8(false, leaky)
		if bits == 512 {
			v.dots8(true, leaky)
		}
	}
	if bits == 256 {
		v.topmost()
	}
}

// csrSum emits sums over the entries of rows, of one tile of columns.
func (v vector) csrSum(tile int, masked bool, weight string) {
	name := fmt.Sprintf("sum%d%s%s", tile, weight, v.suffix())
	what, extra, args, pitches := fmt.Sprintf("vectors: %d", tile), "", "", "ldx and ldy"
	if masked {
		name = fmt.Sprintf("sumRest%s%s", weight, v.suffix())
		what, extra = "0 < rest ≤ lanes elements", ", rest int"
	}
	formula := "Σ x[col]"
	switch weight {
	case "Weighted":
		formula, pitches = "Σ w[k]·x[col]", "ldw, ldx and ldy"
		args = fmt.Sprintf("w *%s, ldw int, ", v.float())
	case "Placed":
		formula, pitches = "Σ w[pos[k]]·x[col]", "ldw, ldx and ldy"
		args = fmt.Sprintf("pos *int32, w *%s, ldw int, ", v.float())
	}
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s computes y = %s over the entries k of each of rows > 0 (%s);", name, formula, what),
		"last is the last entry of col; "+pitches+" are in bytes.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(rows int, ptr, col *int32, %[2]sx *%[1]s, ldx int, y *%[1]s, ldy, last int%[3]s)",
		v.float(), args, extra))
	var m mask
	if masked {
		m = v.first(v.param("rest"))
	}
	rows, ptr, col, x, ldx, y := v.param("rows"), v.param("ptr"), v.param("col"), v.param("x"), v.param("ldx"),
		v.param("y")
	last := v.param("last")
	acc := v.regs(tile)
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	v.MOVLQSX(op.Mem{Base: ptr}, k)
	v.MOVLQSX(op.Mem{Base: ptr, Disp: 4}, end)
	for _, r := range acc {
		v.zero(r)
	}
	v.CMPQ(k, end)
	v.JGE(op.LabelRef("done"))
	v.Label("entry")
	v.ahead(k, last, col, x, ldx, tile)
	at := v.GP64()
	v.MOVLQSX(op.Mem{Base: col, Index: k, Scale: 4}, at)
	v.IMULQ(ldx, at)
	v.ADDQ(x, at)
	v.csrStep(weight, k, at, acc, masked, m)
	v.INCQ(k)
	v.CMPQ(k, end)
	v.JLT(op.LabelRef("entry"))
	v.Label("done")
	for i, r := range acc {
		if masked {
			v.storeMasked(r, m, op.Mem{Base: y})
		} else {
			v.store(r, op.Mem{Base: y, Disp: i * v.bits / 8})
		}
	}
	v.ADDQ(v.address("ldy"), y)
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(rows)
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// ahead fetches the tile of the row of x that belongs to the entry four ahead, or to the last one.
func (v vector) ahead(k, last, col, x, ldx reg.GPVirtual, tile int) {
	t := v.GP64()
	v.LEAQ(op.Mem{Base: k, Disp: 4}, t)
	v.CMPQ(t, last)
	v.CMOVQGT(last, t)
	v.MOVLQSX(op.Mem{Base: col, Index: t, Scale: 4}, t)
	v.IMULQ(ldx, t)
	for line := 0; line < tile*v.bits/8; line += 64 {
		v.PREFETCHT0(op.Mem{Base: x, Index: t, Scale: 1, Disp: line})
	}
}

// csrStep adds entry k, whose row of x begins at the given address.
func (v vector) csrStep(weight string, k, at reg.GPVirtual, acc []reg.VecVirtual, masked bool, m mask) {
	var factor reg.VecVirtual
	if weight != "" {
		place := v.GP64()
		if weight == "Placed" {
			pos := v.param("pos")
			v.MOVLQSX(op.Mem{Base: pos, Index: k, Scale: 4}, place)
		} else {
			v.MOVQ(k, place)
		}
		v.IMULQ(v.address("ldw"), place)
		v.ADDQ(v.address("w"), place)
		factor = v.reg()
		v.bcast(op.Mem{Base: place}, factor)
	}
	for i, r := range acc {
		var term op.Op = op.Mem{Base: at, Disp: i * v.bits / 8}
		if masked {
			t := v.reg()
			v.loadMasked(op.Mem{Base: at}, m, t)
			term = t
		}
		if weight == "" {
			v.add(term, r, r)
		} else {
			v.fma(term, factor, r)
		}
	}
}

// dotFunction declares csrDot, and returns the slope of LeakyReLU.
func (v vector) dotFunction(leaky bool) reg.VecVirtual {
	name, formula, params := "dot"+v.suffix(), "Σ q·x[col]", ""
	if leaky {
		name, formula = "dotLeaky"+v.suffix(), "Σ a·max(z, slope·z), z = q + x[col]"
		params = fmt.Sprintf(", a *%[1]s, slope %[1]s", v.float())
	}
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s computes out[k] = %s, n > 0 elements, for the entries k of each of rows > 0;", name, formula),
		"last is the last entry of col, out that of the first entry; ldq, ldx and ldo are in bytes.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(rows, n int, ptr, col *int32, q *%[1]s, ldq int, x *%[1]s, ldx int, "+
		"out *%[1]s, ldo, last int%[2]s)", v.float(), params))
	slope := v.reg()
	if leaky {
		v.bcast(v.address("slope"), slope)
	}
	return slope
}

// csrDot emits inner products of the rows of q with rows of x, one for each entry; or, leaky, of a with LeakyReLU of
// their sums.
func (v vector) csrDot(leaky bool) {
	slope := v.dotFunction(leaky)
	ptr, col, q, x, ldx := v.param("ptr"), v.param("col"), v.param("q"), v.param("x"), v.param("ldx")
	n, out := v.param("n"), v.param("out")
	rest := v.copyOf(n)
	v.ANDQ(op.U8(v.lanes()-1), rest)
	v.SUBQ(rest, n) // elements in whole vectors
	m := v.first(rest)
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	v.MOVLQSX(op.Mem{Base: ptr}, k)
	v.MOVLQSX(op.Mem{Base: ptr, Disp: 4}, end)
	v.CMPQ(k, end)
	v.JGE(op.LabelRef("next"))
	v.Label("entry")
	v.ahead(k, v.param("last"), col, x, ldx, 1)
	at, i, acc := v.GP64(), v.GP64(), v.reg()
	v.MOVLQSX(op.Mem{Base: col, Index: k, Scale: 4}, at)
	v.IMULQ(ldx, at)
	v.ADDQ(x, at)
	v.zero(acc)
	v.XORQ(i, i)
	v.Label("vector")
	v.CMPQ(i, n)
	v.JGE(op.LabelRef("rest"))
	t := v.reg()
	v.load(op.Mem{Base: q, Index: i, Scale: uint8(v.elem)}, t)
	if leaky {
		v.add(op.Mem{Base: at, Index: i, Scale: uint8(v.elem)}, t, t)
		v.fma(op.Mem{Base: v.param("a"), Index: i, Scale: uint8(v.elem)}, v.leaky(t, slope), acc)
	} else {
		v.fma(op.Mem{Base: at, Index: i, Scale: uint8(v.elem)}, t, acc)
	}
	v.ADDQ(op.U8(v.lanes()), i)
	v.JMP(op.LabelRef("vector"))
	v.Label("rest")
	v.TESTQ(rest, rest)
	v.JZ(op.LabelRef("sum"))
	tq, tx := v.reg(), v.reg()
	v.loadMasked(op.Mem{Base: q, Index: i, Scale: uint8(v.elem)}, m, tq)
	v.loadMasked(op.Mem{Base: at, Index: i, Scale: uint8(v.elem)}, m, tx)
	if leaky {
		v.add(tx, tq, tq)
		v.fma(v.masked(op.Mem{Base: v.param("a"), Index: i, Scale: uint8(v.elem)}, m), v.leaky(tq, slope), acc)
	} else {
		v.fma(tx, tq, acc)
	}
	v.Label("sum")
	v.pick(v.VMOVSS, v.VMOVSD, v.total(acc), op.Mem{Base: out})
	v.ADDQ(v.address("ldo"), out)
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

// total returns the sum of the elements of a register: halves first, then pairs.
func (v vector) total(r reg.VecVirtual) reg.VecVirtual {
	s := v.lower(v.halve(r))
	t := v.XMM()
	if v.elem == 8 {
		v.VUNPCKHPD(s, s, t)
		v.add(t, s, s)
		return s
	}
	v.VSHUFPS(op.U8(0x4e), s, s, t)
	v.add(t, s, s)
	u := v.XMM()
	v.VSHUFPS(op.U8(0xb1), s, s, u)
	v.add(u, s, s)
	return s
}

// topmost emits the maximum of unsigned numbers.
func (v vector) topmost() {
	name := "topmostAVX2"
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s returns the largest of n > 0 vectors of 8 numbers, taken as unsigned.", name))
	v.Pragma("noescape")
	v.SignatureExpr("func(n int, x *int32) uint32")
	n, x := v.param("n"), v.param("x")
	m := v.YMM()
	v.VPXOR(m, m, m)
	v.Label("loop")
	v.VPMAXUD(op.Mem{Base: x}, m, m)
	v.ADDQ(op.U8(32), x)
	v.DECQ(n)
	v.JNZ(op.LabelRef("loop"))
	h, s := v.XMM(), v.XMM()
	v.VEXTRACTI128(op.U8(1), m, h)
	v.VPMAXUD(m.AsX(), h, h)
	for _, order := range []uint8{0x4e, 0xb1} {
		v.VPSHUFD(op.U8(order), h, s)
		v.VPMAXUD(s, h, h)
	}
	r := v.GP32()
	v.VMOVD(h, r)
	v.Store(r, v.ReturnIndex(0))
	v.end()
}
