package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	codeFlags = attr.NOSPLIT
	dataFlags = attr.RODATA | attr.NOPTR
)

// height is a tile kernel: rows, and the widths in vectors of the strips of columns that it takes, widest first. A last
// strip of one masked vector takes the rest.
type height struct {
	rows   int
	strips []int
}

// heights returns the tile kernels of a vector width, highest first. The highest ones fill the registers: 12
// accumulators of 16 registers, 28 of 32.
func heights(bits int) []height {
	if bits == 512 {
		return []height{
			{14, []int{2}}, {9, []int{3, 2}}, {8, []int{3, 2}}, {4, []int{6, 3, 2}}, {2, []int{6, 3}}, {1, []int{8, 3}},
		}
	}
	return []height{{6, []int{2}}, {4, []int{2}}, {2, []int{4, 2}}, {1, []int{8, 2}}}
}

// gemm emits the micro-kernels of internal/asm/gemm.
//
// There is one kind of tile kernel for unpacked, packed and partial operands: it takes any strides of A and masks the
// last columns, so that edges need no scratch tile and small products no packing. A is broadcast into a register for
// each row instead of being an operand of the multiplication, so that one load serves all vectors of a row. The kernel
// for packed full tiles differs by constant offsets, a loop unrolled four times and prefetches of C and of the next
// panel of B; there is one for each width in vectors.
//
// Measured on one core of an Intel Xeon (Granite Rapids class, AVX-512), float32, operands in the caches, GFLOP/s in
// one run: multiply-adds on registers alone 224, tiles of 9×48 203, 8×48 198, 12×32 199, 6×64 195, 14×32 191; with A as
// an operand in memory of the multiplication 181 (9×48) to 197 (28×16). All of them use both multipliers in almost
// every cycle: the clock falls with what is loaded besides (3.4 GHz without loads, 3.05 with those of 9×48, 2.9 with
// those of 14×32), so that the tile with the fewest loads is the fastest. Numbers of many or few bits make no
// difference.
func gemm(c *build.Context, bits int) {
	for _, elem := range []int{4, 8} {
		v := vector{Context: c, bits: bits, elem: elem}
		v.masks()
		for _, h := range heights(bits) {
			v.tile(h)
		}
		for width := v.tileColumns(); width > 0; width-- {
			v.full(width)
		}
		v.pack(v.tileRows())
		v.pack(v.tileColumns() * v.lanes())
		tall := 2
		if bits == 512 {
			tall = 4
		}
		for _, rows := range []int{tall, 1} {
			for _, cols := range []int{4, 1} {
				v.dot(rows, cols)
			}
		}
		if bits == 256 {
			v.transposes()
		}
	}
}

// rowsOf addresses the rows of a matrix by few registers: one for three rows.
type rowsOf struct {
	base   []reg.GPVirtual
	stride reg.GPVirtual
}

// rows returns pointers to n rows, from the pointer p on.
func (v vector) rows(p, stride reg.GPVirtual, n int) rowsOf {
	r := rowsOf{base: []reg.GPVirtual{p}, stride: stride}
	for i := 3; i < n; i += 3 {
		last, next := r.base[len(r.base)-1], v.GP64()
		v.LEAQ(op.Mem{Base: last, Index: stride, Scale: 2}, next)
		v.ADDQ(stride, next)
		r.base = append(r.base, next)
	}
	return r
}

// at addresses row i.
func (r rowsOf) at(i int) op.Mem {
	m := op.Mem{Base: r.base[i/3]}
	if i%3 > 0 {
		m.Index, m.Scale = r.stride, uint8(i%3)
	}
	return m
}

// advance adds a register or a constant to all pointers.
func (v vector) advance(r rowsOf, by op.Op) {
	for _, p := range r.base {
		v.ADDQ(by, p)
	}
}

// tile emits C [rows, n] = A·B or C += A·B for any A, and B with unit column stride. Strides are in bytes.
func (v vector) tile(h height) {
	name := fmt.Sprintf("tile%d%s", h.rows, v.suffix())
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s computes %d rows and n columns of C from k > 0 columns of A and rows of B;", name, h.rows),
		"strides are in bytes; it adds to C if acc is not 0.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(n, k int, a *%[1]s, rsa, csa int, b *%[1]s, ldb int, c *%[1]s, ldc, acc int)",
		v.float()))
	n, b, c := v.param("n"), v.param("b"), v.param("c")
	for _, width := range h.strips {
		loop, next := fmt.Sprintf("strip%d", width), fmt.Sprintf("after%d", width)
		v.Label(loop)
		v.CMPQ(n, op.U32(width*v.lanes()))
		v.JLT(op.LabelRef(next))
		v.strip(fmt.Sprint(width), h.rows, width, b, c, nil)
		v.ADDQ(op.U32(width*v.bits/8), b)
		v.ADDQ(op.U32(width*v.bits/8), c)
		v.SUBQ(op.U32(width*v.lanes()), n)
		v.JMP(op.LabelRef(loop))
		v.Label(next)
	}
	v.Label("rest")
	v.TESTQ(n, n)
	v.JLE(op.LabelRef("done"))
	some := v.GP64()
	v.MOVQ(op.U32(v.lanes()), some)
	v.CMPQ(n, some)
	v.CMOVQLT(n, some)
	m := v.first(some)
	v.strip("rest", h.rows, 1, b, c, &m)
	v.ADDQ(op.U32(v.bits/8), b)
	v.ADDQ(op.U32(v.bits/8), c)
	v.SUBQ(op.U32(v.lanes()), n)
	v.JMP(op.LabelRef("rest"))
	v.Label("done")
	v.end()
}

// strip emits one strip of a tile: width vectors of columns.
func (v vector) strip(label string, rows, width int, b, c reg.GPVirtual, m *mask) {
	acc := v.regs(rows * width)
	for _, r := range acc {
		v.zero(r)
	}
	a := v.rows(v.param("a"), v.param("rsa"), rows)
	csa, ldb, k, at := v.param("csa"), v.param("ldb"), v.param("k"), v.copyOf(b)
	ahead := op.Mem{Base: at, Index: ldb, Scale: 8}
	if rows > 4 { // rows of B take longer each: there is time for twice as many
		ahead.Index, ahead.Scale = v.copyOf(ldb), 1
		v.SHLQ(op.U8(4), ahead.Index)
	}
	v.alignLoop()
	v.Label("k" + label)
	if rows > 4 || width >= 4 {
		for line := 0; line < width*v.bits/8; line += 64 {
			v.PREFETCHT0(ahead.Offset(line))
		}
	}
	inMemory := rows == 1 && m == nil // each vector of B is used once: leave it in memory
	cols := make([]op.Op, width)
	for i := range cols {
		mem := op.Mem{Base: at, Disp: i * v.bits / 8}
		if inMemory {
			cols[i] = mem
			continue
		}
		r := v.reg()
		if cols[i] = r; m != nil {
			v.loadMasked(mem, *m, r)
		} else {
			v.load(mem, r)
		}
	}
	for i := range rows {
		t := v.reg()
		v.bcast(a.at(i), t)
		for j, col := range cols {
			v.fma(col, t, acc[i*width+j])
		}
	}
	v.advance(a, csa)
	v.ADDQ(ldb, at)
	v.DECQ(k)
	v.JNZ(op.LabelRef("k" + label))
	v.output(label, acc, rows, width, c, m)
}

// alignLoop puts what follows at the beginning of a cache line of code: without it, the speed of a loop would depend on
// what stands before it.
func (v vector) alignLoop() {
	v.Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []op.Op{op.U8(64)}})
}

// output emits the end of a tile: C = acc or C += acc.
func (v vector) output(label string, acc []reg.VecVirtual, rows, width int, c reg.GPVirtual, m *mask) {
	ldc, at, add := v.param("ldc"), v.copyOf(c), v.param("acc")
	v.TESTQ(add, add)
	v.JZ(op.LabelRef("store" + label))
	for i := range rows {
		for j := range width {
			mem, r := op.Mem{Base: at, Disp: j * v.bits / 8}, acc[i*width+j]
			if m == nil {
				v.add(mem, r, r)
				continue
			}
			t := v.reg()
			v.loadMasked(mem, *m, t)
			v.add(t, r, r)
		}
		if i < rows-1 {
			v.ADDQ(ldc, at)
		}
	}
	v.MOVQ(c, at)
	v.Label("store" + label)
	for i := range rows {
		for j := range width {
			mem, r := op.Mem{Base: at, Disp: j * v.bits / 8}, acc[i*width+j]
			if m == nil {
				v.store(r, mem)
			} else {
				v.storeMasked(r, *m, mem)
			}
		}
		if i < rows-1 {
			v.ADDQ(ldc, at)
		}
	}
}

// unroll is the number of steps along k in one pass of the loop of a full tile.
const unroll = 4

// tileRows is the number of rows of a full register tile.
func (v vector) tileRows() int {
	if v.bits == 512 {
		return 9
	}
	return 6
}

// tileColumns is the width in vectors of a full register tile.
func (v vector) tileColumns() int {
	if v.bits == 512 {
		return 3
	}
	return 2
}

// full emits a register tile from packed operands: all of a panel of B, or its first vectors. The first passes of the
// loop fetch a row of C each: fetched all at once, they would keep the operands waiting. Every pass fetches a cache
// line of what is needed next into the second-level cache.
func (v vector) full(width int) {
	rows := v.tileRows()
	name := fmt.Sprintf("full%d%s", width, v.suffix())
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s computes a tile of %d rows and %d columns of C from packed A and B and k > 0;",
		name, rows, width*v.lanes()),
		"ldc is in bytes; it adds to C if acc is not 0 and fetches k/4 cache lines from next on.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(k int, a, b, c *%[1]s, ldc, acc int, next *%[1]s)", v.float()))
	a, b, c, k := v.param("a"), v.param("b"), v.param("c"), v.param("k")
	ldc, at, next := v.param("ldc"), v.copyOf(c), v.param("next")
	acc := v.regs(rows * width)
	for _, r := range acc {
		v.zero(r)
	}
	passes, fetched := v.copyOf(k), v.GP64()
	v.SHRQ(op.U8(2), passes)
	v.JZ(op.LabelRef("tail"))
	v.MOVQ(op.U32(rows), fetched)
	v.CMPQ(passes, fetched)
	v.CMOVQLT(passes, fetched)
	v.SUBQ(fetched, passes)
	pass := func(label string, fetch func(step int)) {
		v.alignLoop()
		v.Label(label)
		for step := range unroll {
			fetch(step)
			v.fullStep(rows, width, step, a, b, acc)
		}
		v.PREFETCHT1(op.Mem{Base: next})
		v.ADDQ(op.U32(64), next)
		v.ADDQ(op.U32(unroll*rows*v.elem), a)
		v.ADDQ(op.U32(unroll*v.tileColumns()*v.bits/8), b)
	}
	pass("fetch", func(step int) {
		if end := width*v.bits/8 - 1; step*64 <= end {
			v.PREFETCHT0(op.Mem{Base: at, Disp: step * 64})
		} else if step*64 <= end+64 {
			v.PREFETCHT0(op.Mem{Base: at, Disp: end})
		}
	})
	v.ADDQ(ldc, at)
	v.DECQ(fetched)
	v.JNZ(op.LabelRef("fetch"))
	v.TESTQ(passes, passes)
	v.JZ(op.LabelRef("tail"))
	pass("loop", func(int) {})
	v.DECQ(passes)
	v.JNZ(op.LabelRef("loop"))
	v.Label("tail")
	v.ANDQ(op.U32(unroll-1), k)
	v.JZ(op.LabelRef("output"))
	v.Label("step")
	v.fullStep(rows, width, 0, a, b, acc)
	v.ADDQ(op.U32(rows*v.elem), a)
	v.ADDQ(op.U32(v.tileColumns()*v.bits/8), b)
	v.DECQ(k)
	v.JNZ(op.LabelRef("step"))
	v.Label("output")
	v.output("", acc, rows, width, c, nil)
	v.end()
}

// fullStep emits one step along k of a full tile.
func (v vector) fullStep(rows, width, step int, a, b reg.GPVirtual, acc []reg.VecVirtual) {
	cols := v.regs(width)
	for j, r := range cols {
		v.load(op.Mem{Base: b, Disp: (step*v.tileColumns() + j) * v.bits / 8}, r)
	}
	for i := range rows {
		t := v.reg()
		v.bcast(op.Mem{Base: a, Disp: (step*rows + i) * v.elem}, t)
		for j, col := range cols {
			v.fma(col, t, acc[i*width+j])
		}
	}
}
