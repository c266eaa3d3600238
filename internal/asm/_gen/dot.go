package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dot emits rows × cols inner products of contiguous vectors. An inner product is summed in the same order by all
// of the kernels of a width: by lane, then neighbours in pairs.
func (v vector) dot(rows, cols int) {
	name := fmt.Sprintf("dot%dx%d%s", rows, cols, v.suffix())
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(
		fmt.Sprintf(
			"%s computes the inner products of %d rows of A and %d of Bᵀ, of k > 0 elements;",
			name,
			rows,
			cols,
		),
		"strides are in bytes; it adds to C if acc is not 0.",
	)
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(k int, a *%[1]s, lda int, b *%[1]s, ldb int, c *%[1]s, ldc, acc int)", v.float()))
	a := v.rows(v.param("a"), v.param("lda"), rows)
	b := v.rows(v.param("b"), v.param("ldb"), cols)
	k := v.param("k")
	acc := v.regs(rows * cols)
	for _, r := range acc {
		v.zero(r)
	}
	v.Label("loop")
	v.CMPQ(k, op.U32(v.lanes()))
	v.JLT(op.LabelRef("tail"))
	v.dotStep(rows, cols, a, b, acc, nil)
	v.advance(a, op.U32(v.bits/8))
	v.advance(b, op.U32(v.bits/8))
	v.SUBQ(op.U32(v.lanes()), k)
	v.JMP(op.LabelRef("loop"))
	v.Label("tail")
	v.TESTQ(k, k)
	v.JZ(op.LabelRef("output"))
	m := v.first(k)
	v.dotStep(rows, cols, a, b, acc, &m)
	v.Label("output")
	c, ldc, add := v.param("c"), v.param("ldc"), v.param("acc")
	for i := range rows {
		v.dotOutput(fmt.Sprint(i), acc[i*cols:][:cols], c, add)
		if i < rows-1 {
			v.ADDQ(ldc, c)
		}
	}
	v.end()
}

// dotStep emits one vector step of all products.
func (v vector) dotStep(rows, cols int, a, b rowsOf, acc []reg.VecVirtual, m *mask) {
	x := v.regs(rows)
	for i, r := range x {
		if m != nil {
			v.loadMasked(a.at(i), *m, r)
		} else {
			v.load(a.at(i), r)
		}
	}
	for j := range cols {
		var y op.Op = b.at(j)
		if m != nil || rows > 1 {
			r := v.reg()
			if y = r; m != nil {
				v.loadMasked(b.at(j), *m, r)
			} else {
				v.load(b.at(j), r)
			}
		}
		for i, r := range x {
			v.fma(y, r, acc[i*cols+j])
		}
	}
}

// halve returns the sum of the two halves of a 512-bit register, or the register.
func (v vector) halve(r reg.VecVirtual) reg.VecVirtual {
	if v.bits == 256 {
		return r
	}
	t := v.YMM()
	v.VEXTRACTF64X4(op.U8(1), r, t)
	v.add(t, r.AsY(), t)
	return t
}

// pairs returns the sums of neighbours of x and y in each 128 bits, like VHADDPS, which has no form for the upper
// 16 registers.
func (v vector) pairs(x, y reg.VecVirtual) reg.VecVirtual {
	even, odd := v.YMM(), v.YMM()
	if v.elem == 4 {
		v.VSHUFPS(op.U8(0x88), y, x, even)
		v.VSHUFPS(op.U8(0xdd), y, x, odd)
	} else {
		v.VUNPCKLPD(y, x, even)
		v.VUNPCKHPD(y, x, odd)
	}
	v.add(odd, even, even)
	return even
}

// lower returns the sum of the two halves of a 256-bit register.
func (v vector) lower(r reg.VecVirtual) reg.VecVirtual {
	t := v.XMM()
	if v.bits == 512 {
		v.VEXTRACTF32X4(op.U8(1), r, t)
	} else {
		v.VEXTRACTF128(op.U8(1), r, t)
	}
	v.add(t, r.AsX(), t)
	return t
}

// dotOutput emits the sums of one row of products, and their way to C.
func (v vector) dotOutput(label string, acc []reg.VecVirtual, c, add reg.GPVirtual) {
	y := make([]reg.VecVirtual, len(acc))
	for i, r := range acc {
		y[i] = v.halve(r)
	}
	var sums []reg.VecVirtual
	if v.elem == 8 {
		for i := 0; i < len(y); i += 2 {
			sums = append(sums, v.lower(v.pairs(y[i], y[min(i+1, len(y)-1)])))
		}
	} else {
		last := len(y) - 1
		t, u := v.pairs(y[0], y[min(1, last)]), v.pairs(y[min(2, last)], y[last])
		sums = append(sums, v.lower(v.pairs(t, u)))
	}
	v.TESTQ(add, add)
	v.JZ(op.LabelRef("store" + label))
	for i, r := range sums {
		mem := op.Mem{Base: c, Disp: 16 * i}
		if len(acc) == 1 {
			v.pick(v.VADDSS, v.VADDSD, mem, r, r)
		} else {
			v.add(mem, r, r)
		}
	}
	v.Label("store" + label)
	for i, r := range sums {
		mem := op.Mem{Base: c, Disp: 16 * i}
		if len(acc) == 1 {
			v.pick(v.VMOVSS, v.VMOVSD, r, mem)
		} else {
			v.store(r, mem)
		}
	}
}
