package main

import (
	"fmt"
	"math"
	"sort"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transform is a matrix along columns: y = op(x), in vectors of columns.
type transform struct {
	name, doc string
	code      []instruction
	in, out   func(row int) int // the number of the factor of a row
	pairs     bool              // rows are pairs of vectors, which count as two
	variables bool              // there are variable constants
}

// writer emits a codelet: it holds values in registers and, when these run out, on the stack.
type writer struct {
	vector
	t       transform
	last    [][]int // for each value: the instructions that read it, in order
	held    []int   // for each register: the value in it, or −1
	where   []int   // for each value: its register, or −1
	slot    []int   // for each value: its place on the stack, or −1
	free    []int   // places on the stack that are not in use
	slots   int
	x, y    rowAddress
	scale   reg.GPVirtual
	turns   reg.GPVirtual // variable constants
	stack   reg.GPVirtual
	numbers map[float64]op.Mem
	emit    bool // instructions are written; else the room on the stack is counted
}

// rowAddress finds rows of an array: base + row·pitch, with 3·pitch at hand.
type rowAddress struct{ base, pitch, triple reg.GPVirtual }

// transform emits a codelet.
func (v vector) transform(t transform, numbers map[float64]op.Mem) {
	slots := v.declare(t, t.doc+" for n > 0 vectors of columns; pitches are in bytes.",
		"func(n int, x *%[1]s, ldx int, y *%[1]s, ldy int, scale *%[1]s)")
	w := &writer{vector: v, t: t, numbers: numbers, emit: true}
	w.x, w.y = w.rows("x", "ldx"), w.rows("y", "ldy")
	n := v.param("n")
	if t.in != nil || t.out != nil {
		w.scale = v.param("scale")
	}
	w.reserve(slots)
	v.Label("loop")
	w.body()
	v.ADDQ(op.U8(v.bits/8), w.x.base)
	v.ADDQ(op.U8(v.bits/8), w.y.base)
	v.DECQ(n)
	v.JNZ(op.LabelRef("loop"))
	v.end()
}

// declare begins a function and returns the vectors that it needs on the stack.
func (v vector) declare(t transform, doc, signature string) (slots int) {
	dry := &writer{vector: v, t: t}
	dry.body()
	v.Function(t.name + v.suffix())
	if dry.slots == 0 {
		v.Attributes(codeFlags)
	}
	v.Doc(t.name + v.suffix() + " computes " + doc)
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf(signature, v.float()))
	return dry.slots
}

// reserve makes room on the stack.
func (w *writer) reserve(slots int) {
	if slots == 0 {
		return
	}
	w.stack = w.GP64()
	w.LEAQ(w.AllocLocal(slots*w.bits/8+64), w.stack)
	w.ADDQ(op.U8(63), w.stack)
	w.ANDQ(op.I8(-64), w.stack)
}

func (w *writer) rows(base, pitch string) rowAddress {
	r := rowAddress{base: w.param(base), pitch: w.param(pitch), triple: w.GP64()}
	w.LEAQ(op.Mem{Base: r.pitch, Index: r.pitch, Scale: 2}, r.triple)
	return r
}

// parts writes a row number as a sum of as few of 1, 2, 4, 8, 3, 6, 12 and 24 as it can.
func parts(row int) []int {
	units := []int{1, 2, 3, 4, 6, 8, 12, 24}
	var best []int
	var search func(left, from int, have []int)
	search = func(left, from int, have []int) {
		switch {
		case left == 0:
			if best == nil || len(have) < len(best) {
				best = append([]int{}, have...)
			}
			return
		case best != nil && len(have)+1 >= len(best), len(have) == 4:
			return
		}
		for i := from; i >= 0; i-- {
			if units[i] <= left {
				search(left-units[i], i, append(have, units[i]))
			}
		}
	}
	search(row, len(units)-1, nil)
	return best
}

// at is the address of a row.
func (w *writer) at(r rowAddress, row int) op.Mem {
	m := op.Mem{Base: r.base}
	disp := 0
	if w.t.pairs {
		row, disp = row/2, row%2*w.bits/8
	}
	for i, p := range parts(row) {
		if i > 0 {
			t := w.GP64()
			w.LEAQ(m, t)
			m = op.Mem{Base: t}
		}
		m.Index, m.Scale = r.pitch, uint8(p)
		if p%3 == 0 {
			m.Index, m.Scale = r.triple, uint8(p/3)
		}
	}
	m.Disp = disp
	return m
}

// physical is a vector register.
func (w *writer) physical(i int) reg.Register {
	if w.bits == 512 {
		return []reg.Register{
			reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
			reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
			reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
		}[i]
	}
	return []reg.Register{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}[i]
}

// values is the number of registers for values: all, but one for a variable constant where no instruction spreads it.
func (w *writer) values() int {
	if w.t.variables && w.bits == 256 {
		return w.registers() - 1
	}
	return w.registers()
}

func filled(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = -1
	}
	return x
}

// body emits the instructions.
func (w *writer) body() {
	code := w.t.code
	w.last = make([][]int, len(code))
	for i, c := range code {
		for _, s := range c.sources() {
			w.last[s] = append(w.last[s], i)
		}
	}
	w.held, w.where, w.slot = filled(w.values()), filled(len(code)), filled(len(code))
	for i, c := range code {
		w.instruction(i, c)
	}
}

// next is the instruction, behind i or at it, that reads a value; far away if there is none.
func (w *writer) next(value, i int) int {
	reads := w.last[value]
	if k := sort.SearchInts(reads, i); k < len(reads) {
		return reads[k]
	}
	return math.MaxInt
}

// room returns a free register, not one of those that hold the values of keep: that of the value that is needed last.
func (w *writer) room(i int, keep ...int) int {
	best, far := -1, -1
	for r, value := range w.held {
		if value < 0 {
			return r
		}
		needed := w.next(value, i)
		for _, k := range keep {
			if k == value {
				needed = -1
			}
		}
		if needed > far {
			best, far = r, needed
		}
	}
	value := w.held[best]
	if w.slot[value] < 0 && !w.again(value) {
		w.slot[value] = w.place()
		w.write(func() { w.store(w.physical(best), w.local(w.slot[value])) })
	}
	w.where[value], w.held[best] = -1, -1
	return best
}

// again reports whether a value can be loaded again.
func (w *writer) again(value int) bool { return w.t.code[value].action == load && w.t.in == nil }

func (w *writer) place() int {
	if n := len(w.free); n > 0 {
		s := w.free[n-1]
		w.free = w.free[:n-1]
		return s
	}
	w.slots++
	return w.slots - 1
}

func (w *writer) local(slot int) op.Mem { return op.Mem{Base: w.stack, Disp: slot * w.bits / 8} }

func (w *writer) write(f func()) {
	if w.emit {
		f()
	}
}

// read brings a value into a register.
func (w *writer) read(value, i int, keep ...int) int {
	if r := w.where[value]; r >= 0 {
		return r
	}
	r := w.room(i, keep...)
	w.write(func() {
		from := w.x
		if w.again(value) {
			w.load(w.at(from, w.t.code[value].a), w.physical(r))
		} else {
			w.load(w.local(w.slot[value]), w.physical(r))
		}
	})
	w.where[value], w.held[r] = r, value
	return r
}

// drop forgets a value that is not read behind instruction i.
func (w *writer) drop(value, i int) {
	if w.next(value, i+1) < math.MaxInt {
		return
	}
	if r := w.where[value]; r >= 0 {
		w.where[value], w.held[r] = -1, -1
	}
	if s := w.slot[value]; s >= 0 {
		w.slot[value] = -1
		w.free = append(w.free, s)
	}
}

func (w *writer) instruction(i int, c instruction) {
	sources := c.sources()
	regs := make([]int, len(sources))
	for k, s := range sources {
		regs[k] = w.read(s, i, sources...)
	}
	if c.action == store {
		w.write(func() { w.put(c, w.physical(regs[0])) })
		w.drop(c.a, i)
		return
	}
	if c.action >= timesUp {
		w.fused(i, c, regs)
		return
	}
	for _, s := range sources {
		w.drop(s, i)
	}
	r := w.room(i+1, sources...)
	w.where[i], w.held[r] = r, i
	w.write(func() {
		to := w.physical(r)
		switch c.action {
		case load:
			w.load(w.at(w.x, c.a), to)
			if w.t.in != nil {
				w.pick(w.VMULPS, w.VMULPD, w.factor(w.t.in(c.a)), to, to)
			}
		case plus:
			w.add(w.physical(regs[1]), w.physical(regs[0]), to)
		case minus:
			w.pick(w.VSUBPS, w.VSUBPD, w.physical(regs[1]), w.physical(regs[0]), to)
		case times:
			w.constant(arithmetic{w.VMULPS, w.VMULPD, w.VMULPS_BCST, w.VMULPD_BCST}, c.c, w.physical(regs[0]), to)
		}
	})
}

func (w *writer) factor(i int) op.Mem { return op.Mem{Base: w.scale, Disp: i * w.bits / 8} }

// arithmetic is an instruction on a number in memory: in both precisions, of a whole vector and of one that is spread.
type arithmetic struct{ single, double, single1, double1 func(ops ...op.Op) }

// constant emits an instruction on a constant.
func (w *writer) constant(a arithmetic, c float64, x, y op.Op) {
	m := w.numbers[c]
	if c >= variable {
		m = op.Mem{Base: w.turns, Disp: (int(math.Round(c/variable)) - 1) * w.elem}
	}
	switch {
	case w.bits == 512:
		w.pick(a.single1, a.double1, m, x, y)
	case c >= variable:
		one := w.physical(w.registers() - 1)
		w.bcast(m, one)
		w.pick(a.single, a.double, one, x, y)
	default:
		w.pick(a.single, a.double, m, x, y)
	}
}

// fused emits a multiply-add in the register of a source that is not read again, or in a copy.
func (w *writer) fused(i int, c instruction, regs []int) {
	a, b := regs[0], regs[1]
	r := a
	switch {
	case w.next(c.a, i+1) == math.MaxInt:
	case w.next(c.b, i+1) == math.MaxInt && c.a != c.b:
		r = b
	default:
		r = w.room(i+1, c.a, c.b)
		w.write(func() { w.pick(w.VMOVAPS, w.VMOVAPD, w.physical(a), w.physical(r)) })
	}
	w.write(func() {
		if r == b { // b·c ± a
			w.constant(w.over(c.action), c.c, w.physical(a), w.physical(r))
		} else {
			w.constant(w.onto(c.action), c.c, w.physical(b), w.physical(r))
		}
	})
	w.drop(c.a, i)
	w.drop(c.b, i)
	if v := w.held[r]; v >= 0 && v != i {
		w.where[v], w.held[r] = -1, -1
	}
	w.where[i], w.held[r] = r, i
}

// put stores a row.
func (w *writer) put(c instruction, r reg.Register) {
	to := w.at(w.y, c.b)
	f := -1
	if w.t.out != nil {
		f = w.t.out(c.b)
	}
	switch {
	case f >= 0 && c.neg:
		f += 2
		fallthrough
	case f >= 0:
		w.pick(w.VMULPS, w.VMULPD, w.factor(f), r, r)
	case c.neg:
		panic(w.t.name + ": a negative output without a factor")
	}
	w.store(r, to)
}

// over is the multiply-add z = z·m ± x.
func (w *writer) over(a action) arithmetic {
	switch a {
	case timesUp:
		return arithmetic{w.VFMADD132PS, w.VFMADD132PD, w.VFMADD132PS_BCST, w.VFMADD132PD_BCST}
	case timesDown:
		return arithmetic{w.VFNMADD132PS, w.VFNMADD132PD, w.VFNMADD132PS_BCST, w.VFNMADD132PD_BCST}
	}
	return arithmetic{w.VFMSUB132PS, w.VFMSUB132PD, w.VFMSUB132PS_BCST, w.VFMSUB132PD_BCST}
}

// onto is the multiply-add z = ±z ± m·x.
func (w *writer) onto(a action) arithmetic {
	switch a {
	case timesUp:
		return arithmetic{w.VFMADD231PS, w.VFMADD231PD, w.VFMADD231PS_BCST, w.VFMADD231PD_BCST}
	case timesDown:
		return arithmetic{w.VFNMADD231PS, w.VFNMADD231PD, w.VFNMADD231PS_BCST, w.VFNMADD231PD_BCST}
	}
	return arithmetic{w.VFMSUB231PS, w.VFMSUB231PD, w.VFMSUB231PS_BCST, w.VFMSUB231PD_BCST}
}
