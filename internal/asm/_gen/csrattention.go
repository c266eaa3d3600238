package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Steps of attention over the entries of rows. The numbers of an entry, one for each head, are the first elements of a
// vector. Lists that are called local begin with the first entry of the first row, and are gone through in order.

// numbers moves the numbers of an entry: the first elements of a vector, or, whole, a vector.
type numbers struct {
	vector
	whole bool
	m     mask
}

// attention emits the steps that look at the numbers of entries.
func (v vector) attention() {
	for _, whole := range []bool{false, true} {
		n := numbers{vector: v, whole: whole}
		n.score()
		n.shift()
		n.share()
		n.rescore(false)
		n.rescore(true)
	}
	v.shiftOne()
	v.shareOne()
	tiles := []int{4, 2, 1}
	if v.bits == 512 {
		tiles = []int{8, 4, 2, 1}
	}
	for _, mean := range []bool{false, true} {
		for _, tile := range tiles {
			v.mix(tile, false, mean)
		}
		v.mix(1, true, mean)
	}
	for _, tile := range tiles[len(tiles)-2:] {
		v.slopes(tile, false)
	}
	v.slopes(1, true)
}

// numbersFunction declares a function of rows whose entries have numbers.
func (v *numbers) numbersFunction(name, doc, params string) {
	if v.whole {
		name, doc = name+"Whole", doc+", for as many heads as a vector has elements,"
	}
	v.rowsFunction(name, doc, params)
	if !v.whole {
		v.m = v.first(v.param("heads"))
	}
}

// get loads the numbers of an entry into a new register.
func (v numbers) get(at op.Mem) reg.VecVirtual {
	r := v.reg()
	if v.whole {
		v.load(at, r)
	} else {
		v.loadMasked(at, v.m, r)
	}
	return r
}

// put stores the numbers of an entry.
func (v numbers) put(r reg.VecVirtual, at op.Mem) {
	if v.whole {
		v.store(r, at)
	} else {
		v.storeMasked(r, v.m, at)
	}
}

// rowsFunction declares a function of rows.
func (v vector) rowsFunction(name, doc, params string) {
	v.Function(name + v.suffix())
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s computes %s.", name+v.suffix(), doc), "Distances of rows are in bytes; local lists begin "+
		"with the first entry.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(rows, heads int, ptr *int32, %s)", fmt.Sprintf(params, v.float())))
}

// span loads the bounds of the row that ptr points to, and jumps to a label if it has no entries.
func (v vector) span(ptr reg.GPVirtual, k, end reg.GPVirtual, none string) {
	v.MOVLQSX(op.Mem{Base: ptr}, k)
	v.MOVLQSX(op.Mem{Base: ptr, Disp: 4}, end)
	v.CMPQ(k, end)
	v.JGE(op.LabelRef(none))
}

// rowOf returns the address of row col[k] of x.
func (v vector) rowOf(col, k, ldx, x reg.GPVirtual) reg.GPVirtual {
	at := v.GP64()
	v.MOVLQSX(op.Mem{Base: col, Index: k, Scale: 4}, at)
	v.IMULQ(ldx, at)
	v.ADDQ(x, at)
	return at
}

// bytes returns the bytes of the numbers of an entry.
func (v vector) bytes() reg.GPVirtual {
	n := v.param("heads")
	v.SHLQ(op.U8(map[int]int{4: 2, 8: 3}[v.elem]), n)
	return n
}

// masked loads the first elements of a vector into a new register.
func (v vector) masked(at op.Mem, m mask) reg.VecVirtual {
	r := v.reg()
	v.loadMasked(at, m, r)
	return r
}

// leaky returns the larger of z and slope·z.
func (v vector) leaky(z, slope reg.VecVirtual) reg.VecVirtual {
	t := v.reg()
	v.mul(slope, z, t)
	v.max(t, z, t)
	return t
}

// score emits the scores of entries.
func (v numbers) score() {
	v.numbersFunction("score", "s = max(z, slope·z), z = u[col] + v (+ e), for the entries of each of rows > 0",
		"col *int32, u *%[1]s, ldu int, v *%[1]s, ldv int, e *%[1]s, slope %[1]s, s *%[1]s, last int")
	bytes, ptr, col, u, ldu := v.bytes(), v.param("ptr"), v.param("col"), v.param("u"), v.param("ldu")
	row, e, s, last := v.param("v"), v.param("e"), v.param("s"), v.param("last")
	slope := v.reg()
	v.bcast(v.address("slope"), slope)
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	v.span(ptr, k, end, "next")
	near := v.get(op.Mem{Base: row})
	v.Label("entry")
	v.ahead(k, last, col, u, ldu, 1)
	z := v.get(op.Mem{Base: v.rowOf(col, k, ldu, u)})
	v.add(near, z, z)
	v.TESTQ(e, e)
	v.JZ(op.LabelRef("plain"))
	v.add(v.get(op.Mem{Base: e}), z, z)
	v.ADDQ(bytes, e)
	v.Label("plain")
	v.put(v.leaky(z, slope), op.Mem{Base: s})
	v.ADDQ(bytes, s)
	v.INCQ(k)
	v.CMPQ(k, end)
	v.JLT(op.LabelRef("entry"))
	v.Label("next")
	v.ADDQ(v.address("ldv"), row)
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// again emits a loop over the entries k to end of a row, of which list is the place of the first; both are put back.
func (v vector) again(label string, k, end, bytes reg.GPVirtual, lists []reg.GPVirtual, body func()) {
	n := v.copyOf(end)
	v.SUBQ(k, n)
	v.Label(label)
	body()
	for _, p := range lists {
		v.ADDQ(bytes, p)
	}
	v.DECQ(n)
	v.JNZ(op.LabelRef(label))
}

// shift emits the difference to the largest number of a row.
func (v numbers) shift() {
	v.numbersFunction("shift", "to = from − the largest of the row, which is stored in top unless that is nil",
		"from, to, top *%[1]s, ldt int")
	bytes, ptr, from, to, top := v.bytes(), v.param("ptr"), v.param("from"), v.param("to"), v.param("top")
	most := v.reg()
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	v.zero(most)
	v.span(ptr, k, end, "top")
	scan := v.copyOf(from)
	v.bring(v.get(op.Mem{Base: from}), most)
	v.again("scan", k, end, bytes, []reg.GPVirtual{scan}, func() {
		v.max(v.get(op.Mem{Base: scan}), most, most)
	})
	v.again("move", k, end, bytes, []reg.GPVirtual{from, to}, func() {
		r := v.get(op.Mem{Base: from})
		v.sub(most, r, r)
		v.put(r, op.Mem{Base: to})
	})
	v.Label("top")
	v.TESTQ(top, top)
	v.JZ(op.LabelRef("next"))
	v.put(most, op.Mem{Base: top})
	v.ADDQ(v.address("ldt"), top)
	v.Label("next")
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// inverse replaces a sum by 1/(sum + tiny).
func (v vector) inverse(sum reg.VecVirtual) reg.VecVirtual {
	t, one := v.reg(), v.reg()
	v.bcast(v.address("tiny"), t)
	v.add(t, sum, t)
	v.bcast(v.address("one"), one)
	v.div(t, one, one)
	return one
}

// share emits the division by the sum of a row.
func (v numbers) share() {
	v.numbersFunction("share", "x = x/(sum of the row + tiny), and stores one/(sum + tiny) in inv unless that is nil",
		"x *%[1]s, one, tiny %[1]s, inv *%[1]s, ldi int")
	bytes, ptr, x, inv := v.bytes(), v.param("ptr"), v.param("x"), v.param("inv")
	sum := v.reg()
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	v.zero(sum)
	v.MOVLQSX(op.Mem{Base: ptr}, k)
	v.MOVLQSX(op.Mem{Base: ptr, Disp: 4}, end)
	v.CMPQ(k, end)
	v.JGE(op.LabelRef("sum"))
	scan := v.copyOf(x)
	v.again("scan", k, end, bytes, []reg.GPVirtual{scan}, func() {
		v.add(v.get(op.Mem{Base: scan}), sum, sum)
	})
	v.Label("sum")
	factor := v.inverse(sum)
	v.TESTQ(inv, inv)
	v.JZ(op.LabelRef("scale"))
	v.put(factor, op.Mem{Base: inv})
	v.ADDQ(v.address("ldi"), inv)
	v.Label("scale")
	v.CMPQ(k, end)
	v.JGE(op.LabelRef("next"))
	v.again("move", k, end, bytes, []reg.GPVirtual{x}, func() {
		r := v.get(op.Mem{Base: x})
		v.mul(factor, r, r)
		v.put(r, op.Mem{Base: x})
	})
	v.Label("next")
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// mix emits weighted sums of rows whose parts have weights of their own: a permutation brings each element the weight
// of its head.
func (v vector) mix(tile int, part, mean bool) {
	name, doc, params := fmt.Sprintf("mix%d", tile), fmt.Sprintf("y = Σ w⊗x[col], vectors: %d", tile), ""
	if part {
		name, doc, params = "mixRest", "y = Σ w⊗x[col], 0 < rest ≤ lanes elements", ", rest int"
	}
	if mean {
		name, doc, params = name+"Mean", doc+", divided by the sum of w + tiny", ", one, tiny "+v.float()+params
	}
	v.rowsFunction(name, doc, "col *int32, w, x *%[1]s, ldx int, y *%[1]s, ldy int, lanes *int32, last int"+params)
	var rest mask
	if part {
		rest = v.first(v.param("rest"))
	}
	m := v.first(v.param("heads"))
	bytes, ptr, col, w, x, ldx := v.bytes(), v.param("ptr"), v.param("col"), v.param("w"), v.param("x"), v.param("ldx")
	y, last, lanes := v.param("y"), v.param("last"), v.param("lanes")
	index, acc, sum := v.regs(tile), v.regs(tile), v.reg()
	for i, r := range index {
		if part {
			v.loadMasked(op.Mem{Base: lanes}, rest, r)
		} else {
			v.load(op.Mem{Base: lanes, Disp: i * v.bits / 8}, r)
		}
	}
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	for _, r := range append(acc, sum) {
		v.zero(r)
	}
	v.span(ptr, k, end, "done")
	v.Label("entry")
	v.ahead(k, last, col, x, ldx, tile)
	at := v.rowOf(col, k, ldx, x)
	weights := v.masked(op.Mem{Base: w}, m)
	v.ADDQ(bytes, w)
	if mean {
		v.add(weights, sum, sum)
	}
	for i, r := range acc {
		t := v.reg()
		v.VPERMPS(weights, index[i], t)
		if part {
			v.fma(v.masked(op.Mem{Base: at}, rest), t, r)
		} else {
			v.fma(op.Mem{Base: at, Disp: i * v.bits / 8}, t, r)
		}
	}
	v.INCQ(k)
	v.CMPQ(k, end)
	v.JLT(op.LabelRef("entry"))
	v.Label("done")
	if mean {
		factor := v.inverse(sum)
		for i, r := range acc {
			t := v.reg()
			v.VPERMPS(factor, index[i], t)
			v.mul(t, r, r)
		}
	}
	v.storeTile(acc, part, rest, y)
	v.ADDQ(v.address("ldy"), y)
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// storeTile stores vectors one behind another, or a part of one.
func (v vector) storeTile(acc []reg.VecVirtual, part bool, rest mask, y reg.GPVirtual) {
	for i, r := range acc {
		if part {
			v.storeMasked(r, rest, op.Mem{Base: y})
		} else {
			v.store(r, op.Mem{Base: y, Disp: i * v.bits / 8})
		}
	}
}

// slopes emits weighted sums of the slopes of LeakyReLU.
func (v vector) slopes(tile int, part bool) {
	name, doc, params := fmt.Sprintf("slopes%d", tile), fmt.Sprintf("vectors: %d", tile), ""
	if part {
		name, doc, params = "slopesRest", "0 < rest ≤ lanes elements", ", rest int"
	}
	v.rowsFunction(
		name,
		"y = Σ w⊗(1 where q + x[col] > 0, slope elsewhere), "+doc,
		"col *int32, w, q *%[1]s, ldq int, x *%[1]s, ldx int, y *%[1]s, ldy int, lanes *int32, "+
			"slope %[1]s, last int"+params,
	)
	var rest mask
	if part {
		rest = v.first(v.param("rest"))
	}
	m := v.first(v.param("heads"))
	ptr, col, w, x, ldx := v.param("ptr"), v.param("col"), v.param("w"), v.param("x"), v.param("ldx")
	q, y, lanes := v.param("q"), v.param("y"), v.param("lanes")
	index, acc, slope, zero := v.regs(tile), v.regs(tile), v.reg(), v.reg()
	v.bcast(v.address("slope"), slope)
	v.zero(zero)
	fetch := func(base reg.GPVirtual, i int) reg.VecVirtual {
		if part {
			return v.masked(op.Mem{Base: base}, rest)
		}
		r := v.reg()
		v.load(op.Mem{Base: base, Disp: i * v.bits / 8}, r)
		return r
	}
	for i, r := range index {
		v.bringInto(fetch(lanes, i), r)
	}
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	for _, r := range acc {
		v.zero(r)
	}
	v.span(ptr, k, end, "done")
	v.Label("entry")
	v.ahead(k, v.param("last"), col, x, ldx, tile)
	at := v.rowOf(col, k, ldx, x)
	weights := v.masked(op.Mem{Base: w}, m)
	v.ADDQ(v.bytes(), w)
	for i, r := range acc {
		z, high, low := fetch(at, i), v.reg(), v.reg()
		v.add(fetch(q, i), z, z)
		v.VPERMPS(weights, index[i], high)
		v.mul(slope, high, low)
		v.add(v.blend(v.compare(greater, z, zero), high, low), r, r)
	}
	v.INCQ(k)
	v.CMPQ(k, end)
	v.JLT(op.LabelRef("entry"))
	v.Label("done")
	v.storeTile(acc, part, rest, y)
	v.ADDQ(v.address("ldy"), y)
	v.ADDQ(v.address("ldq"), q)
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// bringInto copies a register.
func (v vector) bringInto(from, to reg.VecVirtual) { v.bring(from, to) }

// rescore emits the scores of the transposed matrix, from records of what the columns name; or, derive, what follows
// when they have become exponentials.
func (v numbers) rescore(derive bool) {
	name, params := "rescore", ""
	doc := "s = max(z, slope·z) − m, z = u + v (+ e[pos]), with the record v, m, r, d of col"
	if derive {
		name = "derive"
		doc = "s = s·r and dz[pos] = s·(product − d)·slope of z, du = Σ dz, z and the record v, m, r, d as there"
		params = ", product, dz, du *%[1]s"
	}
	v.numbersFunction(name, doc, "col, pos *int32, u, records, e *%[1]s, slope %[1]s, s *%[1]s"+params+", last int")
	bytes, ptr, col, records, s := v.bytes(), v.param("ptr"), v.param("col"), v.param("records"), v.param("s")
	ldr, sum, zero := v.copyOf(bytes), v.reg(), v.reg()
	v.SHLQ(op.U8(2), ldr)
	u, slope := v.param("u"), v.reg()
	v.bcast(v.address("slope"), slope)
	v.zero(zero)
	var g, du reg.GPVirtual
	if derive {
		g, du = v.param("product"), v.param("du")
	}
	v.Label("row")
	k, end := v.GP64(), v.GP64()
	v.zero(sum)
	v.span(ptr, k, end, "next")
	near := v.get(op.Mem{Base: u})
	v.Label("entry")
	v.ahead(k, v.param("last"), col, records, ldr, 4)
	at, place := v.rowOf(col, k, ldr, records), v.GP64()
	z := v.get(op.Mem{Base: at})
	v.add(near, z, z)
	v.MOVQ(v.address("e"), place)
	v.TESTQ(place, place)
	v.JZ(op.LabelRef("plain"))
	v.add(v.get(op.Mem{Base: v.placed(k, bytes, place)}), z, z)
	v.Label("plain")
	v.ADDQ(bytes, at)
	if derive {
		v.ADDQ(bytes, at)
		alpha, dz, low := v.get(op.Mem{Base: s}), v.get(op.Mem{Base: g}), v.reg()
		v.mul(v.get(op.Mem{Base: at}), alpha, alpha)
		v.ADDQ(bytes, at)
		v.sub(v.get(op.Mem{Base: at}), dz, dz)
		v.mul(alpha, dz, dz)
		v.mul(slope, dz, low)
		dz = v.blend(v.compare(greater, z, zero), dz, low)
		v.put(alpha, op.Mem{Base: s})
		v.add(dz, sum, sum)
		v.MOVQ(v.address("dz"), place)
		v.put(dz, op.Mem{Base: v.placed(k, bytes, place)})
		v.ADDQ(bytes, g)
	} else {
		t := v.leaky(z, slope)
		v.sub(v.get(op.Mem{Base: at}), t, t)
		v.put(t, op.Mem{Base: s})
	}
	v.ADDQ(bytes, s)
	v.INCQ(k)
	v.CMPQ(k, end)
	v.JLT(op.LabelRef("entry"))
	v.Label("next")
	if derive {
		v.put(sum, op.Mem{Base: du})
		v.ADDQ(bytes, du)
	}
	v.ADDQ(bytes, u)
	v.ADDQ(op.U8(4), ptr)
	v.DECQ(v.address("rows"))
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// placed adds to base the place of entry k in a list of numbers of entries.
func (v vector) placed(k, bytes, base reg.GPVirtual) reg.GPVirtual {
	pos, at := v.param("pos"), v.GP64()
	v.MOVLQSX(op.Mem{Base: pos, Index: k, Scale: 4}, at)
	v.IMULQ(bytes, at)
	v.ADDQ(base, at)
	return at
}
