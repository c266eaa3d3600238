package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// patch is a tile kernel of the direct convolution: rows, and the width in vectors of its wide strips; the rest goes
// through strips of one vector.
type patch struct{ rows, width int }

// patches fill the registers with accumulators: 24 of 32 registers, or up to 12 of 16.
func patches(bits int) []patch {
	if bits == 512 {
		return []patch{{8, 3}, {6, 4}, {4, 6}, {2, 8}, {1, 8}}
	}
	return []patch{{6, 2}, {4, 2}, {2, 4}, {1, 4}}
}

// direct emits the micro-kernels of internal/asm/direct.
//
// The tile of the convolution is that of a matrix product whose right operand is never written: its row (channel, tap)
// begins at the tap's offset in the channel's plane. Loads of it are unaligned and mostly cross a line; each serves all
// rows of a tile, so that the multiplications remain the limit.
func direct(c *build.Context, bits int) {
	for _, elem := range []int{4, 8} {
		v := vector{Context: c, bits: bits, elem: elem}
		v.masks()
		for _, p := range patches(bits) {
			v.convolve(p)
		}
		rows, cols := []int{4, 2, 1}, 6
		if bits == 256 {
			rows, cols = []int{2, 1}, 4
		}
		for _, r := range rows {
			v.shifted(r, cols)
			v.shifted(r, 1)
		}
		v.move()
		if bits == 256 {
			v.pool()
			v.poolGrad("poolGrad", false)
			v.poolGrad("reluPoolGrad", true)
		}
	}
}

// convolve emits rows of the convolution on n vectors of positions.
func (v vector) convolve(p patch) {
	name := fmt.Sprintf("patch%d%s", p.rows, v.suffix())
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s computes %d rows of n vectors: c = Σ a·x over channels > 0 and taps > 0. a is packed;", name,
		p.rows), "plane, the offsets and ldc are in bytes.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(n, channels, taps int, a, x *%[1]s, plane int, off *int32, c *%[1]s, ldc int)",
		v.float()))
	n, x, c := v.param("n"), v.param("x"), v.param("c")
	widths := []int{p.width, 1}
	for _, width := range widths {
		loop, next := fmt.Sprintf("strip%d", width), fmt.Sprintf("after%d", width)
		v.Label(loop)
		v.CMPQ(n, op.U32(width))
		v.JLT(op.LabelRef(next))
		v.convolveStrip(p.rows, width, x, c)
		v.ADDQ(op.U32(width*v.bits/8), x)
		v.ADDQ(op.U32(width*v.bits/8), c)
		v.SUBQ(op.U32(width), n)
		v.JMP(op.LabelRef(loop))
		v.Label(next)
	}
	v.end()
}

func (v vector) convolveStrip(rows, width int, x, c reg.GPVirtual) {
	acc := v.regs(rows * width)
	for _, r := range acc {
		v.zero(r)
	}
	a, plane, channels, at := v.param("a"), v.param("plane"), v.param("channels"), v.copyOf(x)
	v.Label(fmt.Sprint("channel", width))
	off, taps, shift := v.param("off"), v.param("taps"), v.GP64()
	v.Label(fmt.Sprint("tap", width))
	v.MOVLQSX(op.Mem{Base: off}, shift)
	cols := v.regs(width)
	for j, r := range cols {
		v.load(op.Mem{Base: at, Index: shift, Scale: 1, Disp: j * v.bits / 8}, r)
	}
	for i := range rows {
		t := v.reg()
		v.bcast(op.Mem{Base: a, Disp: i * v.elem}, t)
		for j, col := range cols {
			v.fma(col, t, acc[i*width+j])
		}
	}
	v.ADDQ(op.U32(rows*v.elem), a)
	v.ADDQ(op.U8(4), off)
	v.DECQ(taps)
	v.JNZ(op.LabelRef(fmt.Sprint("tap", width)))
	v.ADDQ(plane, at)
	v.DECQ(channels)
	v.JNZ(op.LabelRef(fmt.Sprint("channel", width)))
	ldc, to := v.param("ldc"), v.copyOf(c)
	for i := range rows {
		for j := range width {
			v.store(acc[i*width+j], op.Mem{Base: to, Disp: j * v.bits / 8})
		}
		if i < rows-1 {
			v.ADDQ(ldc, to)
		}
	}
}

// shifted emits inner products of rows of y with x at several offsets. Each is summed by lane, then as dot does.
func (v vector) shifted(rows, cols int) {
	name := fmt.Sprintf("shifted%dx%d%s", rows, cols, v.suffix())
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s adds to sums the inner products of %d rows of y with x at %d offsets:", name, rows, cols),
		"n > 0 vectors of each of some images > 0; offsets, ldy, the steps between images and ld are in bytes.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(images, n int, y *%[1]s, ldy, stepy int, x *%[1]s, stepx int, off *int32, "+
		"sums *%[1]s, ld int)", v.float()))
	images, y, ldy := v.param("images"), v.param("y"), v.param("ldy")
	x, off := v.param("x"), v.param("off")
	at := make([]reg.GPVirtual, cols)
	for j := range at {
		at[j] = v.GP64()
		v.MOVLQSX(op.Mem{Base: off, Disp: 4 * j}, at[j])
		v.ADDQ(x, at[j])
	}
	acc := v.regs(rows * cols)
	for _, r := range acc {
		v.zero(r)
	}
	v.Label("image")
	lines := v.rows(v.copyOf(y), ldy, rows)
	n, i := v.param("n"), v.GP64()
	v.XORQ(i, i)
	v.Label("loop")
	part := make([]reg.VecVirtual, cols)
	for j := range part {
		part[j] = v.reg()
		v.load(op.Mem{Base: at[j], Index: i, Scale: 1}, part[j])
	}
	for r := range rows {
		t := v.reg()
		v.load(lines.at(r), t)
		for j, p := range part {
			v.fma(p, t, acc[r*cols+j])
		}
	}
	v.advance(lines, op.U32(v.bits/8))
	v.ADDQ(op.U32(v.bits/8), i)
	v.DECQ(n)
	v.JNZ(op.LabelRef("loop"))
	step := v.param("stepx")
	for _, p := range at {
		v.ADDQ(step, p)
	}
	step = v.param("stepy")
	v.ADDQ(step, y)
	v.DECQ(images)
	v.JNZ(op.LabelRef("image"))
	sums, ld := v.param("sums"), v.param("ld")
	for r := range rows {
		v.addSums(acc[r*cols:][:cols], sums)
		if r < rows-1 {
			v.ADDQ(ld, sums)
		}
	}
	v.end()
}

// addSums adds the sums of the elements of registers to as many numbers in memory.
func (v vector) addSums(acc []reg.VecVirtual, to reg.GPVirtual) {
	y := make([]reg.VecVirtual, len(acc))
	for i, r := range acc {
		y[i] = v.halve(r)
	}
	last := len(y) - 1
	each := 16 / v.elem
	for i := 0; i < len(y); i += each {
		s := v.pairs(y[i], y[min(i+1, last)])
		if v.elem == 4 {
			s = v.pairs(s, v.pairs(y[min(i+2, last)], y[min(i+3, last)]))
		}
		sum, mem := v.lower(s), op.Mem{Base: to, Disp: i * v.elem}
		switch left := len(y) - i; {
		case left >= each:
			v.add(mem, sum, sum)
			v.store(sum, mem)
		case left == 2: // of four
			t := v.XMM()
			v.VMOVSD(mem, t)
			v.VADDPS(t, sum, sum)
			v.VMOVSD(sum, mem)
		default:
			v.pick(v.VADDSS, v.VADDSD, mem, sum, sum)
			v.pick(v.VMOVSS, v.VMOVSD, sum, mem)
		}
	}
}

// move emits copies of short rows.
func (v vector) move() {
	name := "move" + v.suffix()
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s copies rows > 0 of n > 0 elements, with bias added and then raised to floor;", name),
		"pitches are in bytes.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(rows, n int, to *%[1]s, ldt int, from *%[1]s, ldf int, bias, floor %[1]s)",
		v.float()))
	n, to, ldt, from, ldf := v.param("n"), v.param("to"), v.param("ldt"), v.param("from"), v.param("ldf")
	rows, rest, full := v.param("rows"), v.copyOf(n), v.GP64()
	level := v.regs(2)
	for i, p := range []string{"bias", "floor"} {
		arg, err := v.Param(p).Resolve()
		if err != nil {
			panic(err)
		}
		v.bcast(arg.Addr, level[i])
	}
	v.ANDQ(op.U8(v.lanes()-1), rest)
	v.SUBQ(rest, n) // elements in whole vectors
	m := v.first(rest)
	put := func(m *mask, dst, src op.Mem) {
		r := v.reg()
		if m == nil {
			v.load(src, r)
		} else {
			v.loadMasked(src, *m, r)
		}
		v.add(level[0], r, r)
		v.pick(v.VMAXPS, v.VMAXPD, r, level[1], r) // NaN stays
		if m == nil {
			v.store(r, dst)
		} else {
			v.storeMasked(r, *m, dst)
		}
	}
	v.Label("row")
	v.XORQ(full, full)
	v.Label("vector")
	v.CMPQ(full, n)
	v.JGE(op.LabelRef("rest"))
	put(nil, op.Mem{Base: to, Index: full, Scale: uint8(v.elem)}, op.Mem{Base: from, Index: full, Scale: uint8(v.elem)})
	v.ADDQ(op.U8(v.lanes()), full)
	v.JMP(op.LabelRef("vector"))
	v.Label("rest")
	v.TESTQ(rest, rest)
	v.JZ(op.LabelRef("next"))
	put(&m, op.Mem{Base: to, Index: full, Scale: uint8(v.elem)}, op.Mem{Base: from, Index: full, Scale: uint8(v.elem)})
	v.Label("next")
	v.ADDQ(ldt, to)
	v.ADDQ(ldf, from)
	v.DECQ(rows)
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// window is how a kernel of pooling walks: lines of output, along each whole vectors and then a masked one.
type window struct {
	rows, n, rest, at   reg.GPVirtual
	narrow, left, right mask // of the rest: in the output, and in the two vectors of a line of the input
}

// walk emits the loops over the output; body gets the masks of the rest, or nil.
func (v vector) walk(body func(w *window, masked bool), nextRow func(w *window)) {
	w := &window{rows: v.param("rows"), n: v.param("n"), at: v.GP64()}
	w.rest = v.copyOf(w.n)
	v.ANDQ(op.U8(v.lanes()-1), w.rest)
	v.SUBQ(w.rest, w.n)
	w.narrow = v.first(w.rest)
	two, zero, lanes := v.copyOf(w.rest), v.GP64(), v.GP64()
	v.ADDQ(two, two)
	v.MOVQ(op.U32(v.lanes()), lanes)
	first := v.copyOf(two)
	v.CMPQ(first, lanes)
	v.CMOVQGT(lanes, first)
	w.left = v.first(first)
	v.XORQ(zero, zero)
	v.SUBQ(lanes, two)
	v.CMOVQLT(zero, two)
	w.right = v.first(two)
	v.Label("row")
	v.XORQ(w.at, w.at)
	v.Label("vector")
	v.CMPQ(w.at, w.n)
	v.JGE(op.LabelRef("rest"))
	body(w, false)
	v.ADDQ(op.U8(v.lanes()), w.at)
	v.JMP(op.LabelRef("vector"))
	v.Label("rest")
	v.TESTQ(w.rest, w.rest)
	v.JZ(op.LabelRef("next"))
	body(w, true)
	v.Label("next")
	nextRow(w)
	v.DECQ(w.rows)
	v.JNZ(op.LabelRef("row"))
	v.end()
}

// corners loads two lines of windows of 2×2 at the walk's place: the elements of even and of odd columns, each in the
// order of the windows that VPERMPD 0xd8 gives.
func (v vector) corners(w *window, masked bool, base reg.GPVirtual) (even, odd reg.VecVirtual) {
	l, r := v.reg(), v.reg()
	at := func(i int) op.Mem { return v.double(w, base, i) }
	if masked {
		v.loadMasked(at(0), w.left, l)
		v.loadMasked(at(1), w.right, r)
	} else {
		v.load(at(0), l)
		v.load(at(1), r)
	}
	even, odd = v.reg(), v.reg()
	if v.elem == 4 {
		v.VSHUFPS(op.U8(0x88), r, l, even)
		v.VSHUFPS(op.U8(0xdd), r, l, odd)
	} else {
		v.VUNPCKLPD(r, l, even)
		v.VUNPCKHPD(r, l, odd)
	}
	return even, odd
}

// double addresses vector i of the elements of x at twice the walk's place.
func (v vector) double(w *window, base reg.GPVirtual, i int) op.Mem {
	m := op.Mem{Base: base, Index: w.at, Scale: uint8(2 * v.elem), Disp: i * v.bits / 8}
	if v.elem == 8 { // there is no scale of 16
		t := v.GP64()
		v.LEAQ(op.Mem{Base: base, Index: w.at, Scale: 8}, t)
		m = op.Mem{Base: t, Index: w.at, Scale: 8, Disp: i * v.bits / 8}
	}
	return m
}

// pool emits maxima over windows of 2×2.
func (v vector) pool() {
	name := "pool" + v.suffix()
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s computes rows > 0 of n > 0 maxima over windows of 2×2; NaN stays, and +0 is above -0.", name),
		"ldx is in bytes; rows of y have no gaps.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(rows, n int, y, x *%s, ldx int)", v.float()))
	y, x, ldx := v.param("y"), v.param("x"), v.param("ldx")
	below := v.copyOf(x)
	v.ADDQ(ldx, below)
	v.walk(func(w *window, masked bool) {
		a, b := v.corners(w, masked, x)
		v.larger(b, a)
		c, d := v.corners(w, masked, below)
		v.larger(d, c)
		v.larger(c, a)
		v.VPERMPD(op.U8(0xd8), a, a)
		mem := op.Mem{Base: y, Index: w.at, Scale: uint8(v.elem)}
		if masked {
			v.storeMasked(a, w.narrow, mem)
		} else {
			v.store(a, mem)
		}
	}, func(w *window) {
		v.LEAQ(op.Mem{Base: x, Index: ldx, Scale: 2}, x)
		v.LEAQ(op.Mem{Base: below, Index: ldx, Scale: 2}, below)
		width := v.copyOf(w.n)
		v.ADDQ(w.rest, width)
		v.LEAQ(op.Mem{Base: y, Index: width, Scale: uint8(v.elem)}, y)
	})
}

// larger is m = max(m, x).
func (v vector) larger(x, m reg.VecVirtual) {
	nan, other := v.reg(), v.reg()
	v.ordered(3, x, m, nan)
	v.pick(v.VMAXPS, v.VMAXPD, x, m, other)
	v.pick(v.VMAXPS, v.VMAXPD, m, x, m)
	v.pick(v.VANDPS, v.VANDPD, other, m, m) // of two zeros the positive one
	v.pick(v.VORPS, v.VORPD, nan, m, m)
}

// poolGrad emits the gradient of pool, or of pool behind ReLU from the values of ReLU.
func (v vector) poolGrad(what string, relu bool) {
	name := what + v.suffix()
	v.Function(name)
	v.Attributes(codeFlags)
	above := ""
	if relu {
		above = " above 0"
	}
	v.Doc(fmt.Sprintf("%s spreads rows > 0 of n > 0 numbers dy over windows of 2×2: to the first maximum%s of x,", name,
		above), "or the first NaN; 0 elsewhere. ldx, that of x and of dx, is in bytes; rows of dy have no gaps.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(rows, n int, dx, x, dy *%s, ldx int)", v.float()))
	dx, x, dy, ldx := v.param("dx"), v.param("x"), v.param("dy"), v.param("ldx")
	v.walk(func(w *window, masked bool) {
		top, b := v.corners(w, masked, x)
		inB := v.beats(b, top)
		line := v.copyOf(x)
		v.ADDQ(ldx, line)
		c, d := v.corners(w, masked, line)
		inC := v.beats(c, top)
		inD := v.beats(d, top)
		g := v.reg()
		mem := op.Mem{Base: dy, Index: w.at, Scale: uint8(v.elem)}
		if masked {
			v.loadMasked(mem, w.narrow, g)
		} else {
			v.load(mem, g)
		}
		v.VPERMPD(op.U8(0xd8), g, g)
		and := func(x, y, z reg.VecVirtual) { v.pick(v.VANDPS, v.VANDPD, x, y, z) }
		if relu {
			zero := v.reg()
			v.zero(zero)
			v.ordered(22, zero, top, zero) // not top ≤ 0
			and(zero, g, g)
			v.ordered(3, top, top, top) // NaN
			v.pick(v.VORPS, v.VORPD, top, g, g)
		}
		without := func(x, y, z reg.VecVirtual) { v.pick(v.VANDNPS, v.VANDNPD, x, y, z) } // z = x and not y
		and(g, inD, d)
		without(g, inD, g)
		and(g, inC, c)
		without(g, inC, g)
		down := v.copyOf(dx)
		v.ADDQ(ldx, down)
		v.interleave(w, masked, down, c, d)
		and(g, inB, b)
		without(g, inB, g)
		v.interleave(w, masked, dx, g, b)
	}, func(w *window) {
		v.LEAQ(op.Mem{Base: x, Index: ldx, Scale: 2}, x)
		v.LEAQ(op.Mem{Base: dx, Index: ldx, Scale: 2}, dx)
		width := v.copyOf(w.n)
		v.ADDQ(w.rest, width)
		v.LEAQ(op.Mem{Base: dy, Index: width, Scale: uint8(v.elem)}, dy)
	})
}

// ordered is z = y compared with x, all bits where the predicate is true.
func (v vector) ordered(predicate uint8, x, y, z reg.VecVirtual) {
	v.pick(func(o ...op.Op) { v.VCMPPS(o...) }, func(o ...op.Op) { v.VCMPPD(o...) }, op.U8(predicate), x, y, z)
}

// beats returns where x is above top, or NaN when top is not, and raises top there.
func (v vector) beats(x, top reg.VecVirtual) reg.VecVirtual {
	in, number := v.reg(), v.reg()
	v.ordered(22, top, x, in) // not x ≤ top
	v.ordered(7, top, top, number)
	v.pick(v.VANDPS, v.VANDPD, number, in, in)
	if v.elem == 4 {
		v.VBLENDVPS(in, x, top, top)
	} else {
		v.VBLENDVPD(in, x, top, top)
	}
	return in
}

// interleave stores the elements of even and of odd columns of a line.
func (v vector) interleave(w *window, masked bool, base reg.GPVirtual, even, odd reg.VecVirtual) {
	l, r := v.reg(), v.reg()
	if v.elem == 4 {
		v.VUNPCKLPS(odd, even, l)
		v.VUNPCKHPS(odd, even, r)
	} else {
		v.VUNPCKLPD(odd, even, l)
		v.VUNPCKHPD(odd, even, r)
	}
	if masked {
		v.storeMasked(l, w.left, v.double(w, base, 0))
		v.storeMasked(r, w.right, v.double(w, base, 1))
		return
	}
	v.store(l, v.double(w, base, 0))
	v.store(r, v.double(w, base, 1))
}
