package main

import (
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// along emits a loop over the entries k to end of a row with one number each: whole vectors, and the rest with a mask.
// The lists go along.
func (v vector) along(label string, k, end reg.GPVirtual, lists []reg.GPVirtual, body func(m *mask)) {
	n := v.copyOf(end)
	v.SUBQ(k, n)
	v.Label(label)
	v.CMPQ(n, op.U32(v.lanes()))
	v.JLT(op.LabelRef(label + "Rest"))
	body(nil)
	for _, p := range lists {
		v.ADDQ(op.U32(v.bits/8), p)
	}
	v.SUBQ(op.U32(v.lanes()), n)
	v.JMP(op.LabelRef(label))
	v.Label(label + "Rest")
	v.TESTQ(n, n)
	v.JZ(op.LabelRef(label + "Done"))
	m := v.first(n)
	body(&m)
	v.SHLQ(op.U8(map[int]int{4: 2, 8: 3}[v.elem]), n)
	for _, p := range lists {
		v.ADDQ(n, p)
	}
	v.Label(label + "Done")
}

// everyLane returns a vector of the lowest element of a register.
func (v vector) everyLane(r reg.VecVirtual) reg.VecVirtual {
	y := v.reg()
	v.pick(v.VBROADCASTSS, v.VBROADCASTSD, r, y)
	return y
}

// putBack stores a vector, or its first elements.
func (v vector) putBack(r reg.VecVirtual, m *mask, at op.Mem) {
	if m != nil {
		v.storeMasked(r, *m, at)
	} else {
		v.store(r, at)
	}
}

// shiftOne is shift for one head.
func (v vector) shiftOne() {
	v.rowsFunction(
		"shiftOne",
		"to = from − the largest of the row, which is stored in top unless that is nil, "+
			"for one head",
		"from, to, top *%[1]s, lowest %[1]s, ldt int",
	)
	ptr, from, to, top := v.param("ptr"), v.param("from"), v.param("to"), v.param("top")
	lowest := v.reg()
	v.bcast(v.address("lowest"), lowest)
	v.Label("row")
	k, end, most := v.GP64(), v.GP64(), v.reg()
	v.zero(most)
	v.span(ptr, k, end, "top")
	v.bring(lowest, most)
	scan := v.copyOf(from)
	v.along("scan", k, end, []reg.GPVirtual{scan}, func(m *mask) {
		r := v.fetch(op.Mem{Base: scan}, m)
		if m != nil {
			r = v.blend(*m, r, lowest)
		}
		v.max(r, most, most)
	})
	v.bring(v.everyLane(v.across(most, vector.max)), most)
	v.along("move", k, end, []reg.GPVirtual{from, to}, func(m *mask) {
		r := v.fetch(op.Mem{Base: from}, m)
		v.sub(most, r, r)
		v.putBack(r, m, op.Mem{Base: to})
	})
	v.Label("top")
	v.TESTQ(top, top)
	v.JZ(op.LabelRef("next"))
	v.pick(v.VMOVSS, v.VMOVSD, most.AsX(), op.Mem{Base: top})
	v.ADDQ(v.address("ldt"), top)
	v.Label("next")
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// shareOne is share for one head.
func (v vector) shareOne() {
	v.rowsFunction("shareOne", "x = x/(sum of the row + tiny), and stores one/(sum + tiny) in inv unless that is nil, "+
		"for one head", "x *%[1]s, one, tiny %[1]s, inv *%[1]s, ldi int")
	ptr, x, inv := v.param("ptr"), v.param("x"), v.param("inv")
	v.Label("row")
	k, end, sum := v.GP64(), v.GP64(), v.reg()
	v.zero(sum)
	v.MOVLQSX(op.Mem{Base: ptr}, k)
	v.MOVLQSX(op.Mem{Base: ptr, Disp: 4}, end)
	v.CMPQ(k, end)
	v.JGE(op.LabelRef("sum"))
	scan := v.copyOf(x)
	v.along("scan", k, end, []reg.GPVirtual{scan}, func(m *mask) {
		v.add(v.fetch(op.Mem{Base: scan}, m), sum, sum)
	})
	v.bring(v.everyLane(v.across(sum, vector.add)), sum)
	v.Label("sum")
	factor := v.inverse(sum)
	v.TESTQ(inv, inv)
	v.JZ(op.LabelRef("scale"))
	v.pick(v.VMOVSS, v.VMOVSD, factor.AsX(), op.Mem{Base: inv})
	v.ADDQ(v.address("ldi"), inv)
	v.Label("scale")
	v.CMPQ(k, end)
	v.JGE(op.LabelRef("next"))
	v.along("move", k, end, []reg.GPVirtual{x}, func(m *mask) {
		r := v.fetch(op.Mem{Base: x}, m)
		v.mul(factor, r, r)
		v.putBack(r, m, op.Mem{Base: x})
	})
	v.Label("next")
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}
