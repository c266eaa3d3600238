package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// planeRows is the number of rows that the kernels on planes take at a time: the sums of four rows are reduced
// together.
const planeRows = 4

// plane emits the kernels of internal/asm/plane.
func plane(c *build.Context, bits int) {
	for _, elem := range []int{4, 8} {
		v := vector{Context: c, bits: bits, elem: elem}
		v.masks()
		for _, k := range []struct {
			name       string
			rows, cols bool
		}{{"Rows", true, false}, {"Columns", false, true}, {"Both", true, true}} {
			v.planeSums("sum"+k.name, k.rows, k.cols)
			v.planeSpread("spread"+k.name, k.rows, k.cols)
		}
		v.planeMove("move", false)
		v.planeMove("add", true)
		if bits == 256 {
			v.planeTranspose()
		}
	}
}

// sheet is how a kernel walks over planes: groups of rows, and of each whole vectors and then a masked one.
type sheet struct {
	vector
	// bytes of whole vectors, elements behind them, place in a row, bytes of a row
	whole, rest, at, stride reg.GPVirtual

	tail mask
}

// newSheet begins a function with a parameter n, the elements of a row.
func (v vector) newSheet() sheet {
	n := v.param("n")
	s := sheet{vector: v, whole: v.copyOf(n), rest: n, at: v.GP64(), stride: v.GP64()}
	s.ANDQ(op.U8(v.lanes()-1), s.rest)
	s.SUBQ(s.rest, s.whole)
	shift := map[int]uint64{4: 2, 8: 3}[v.elem]
	s.SHLQ(op.U8(shift), s.whole)
	s.LEAQ(op.Mem{Base: s.whole, Index: s.rest, Scale: uint8(v.elem)}, s.stride)
	s.tail = v.first(s.rest)
	return s
}

// row emits step for every vector of rows whose pointers are given; m is nil for whole ones. Each finds its place in
// s.at too. Behind the last vector the first pointer is at the end of its row.
func (s sheet) row(label string, moving rowsOf, step func(m *mask)) {
	s.XORQ(s.at, s.at)
	s.Label("vector" + label)
	s.CMPQ(s.at, s.whole)
	s.JGE(op.LabelRef("rest" + label))
	step(nil)
	s.ADDQ(op.U8(s.bits/8), s.at)
	s.advance(moving, op.U8(s.bits/8))
	s.JMP(op.LabelRef("vector" + label))
	s.Label("rest" + label)
	s.TESTQ(s.rest, s.rest)
	s.JZ(op.LabelRef("end" + label))
	step(&s.tail)
	s.LEAQ(op.Mem{Base: moving.base[0], Index: s.rest, Scale: uint8(s.elem)}, moving.base[0])
	s.Label("end" + label)
}

func (s sheet) get(at op.Mem, m *mask) reg.VecVirtual {
	r := s.reg()
	if m == nil {
		s.load(at, r)
	} else {
		s.loadMasked(at, *m, r)
	}
	return r
}

func (s sheet) put(r reg.VecVirtual, at op.Mem, m *mask) {
	if m == nil {
		s.store(r, at)
	} else {
		s.storeMasked(r, *m, at)
	}
}

// groups emits body for planeRows rows at a time and then row by row, for a parameter m.
func (s sheet) groups(body func(label string, rows int)) {
	m := s.param("m")
	for _, rows := range []int{planeRows, 1} {
		label := fmt.Sprint(rows)
		s.Label("group" + label)
		s.CMPQ(m, op.U8(rows))
		s.JLT(op.LabelRef("after" + label))
		body(label, rows)
		s.SUBQ(op.U8(rows), m)
		s.JMP(op.LabelRef("group" + label))
		s.Label("after" + label)
	}
}

// planeHead begins a function on planes, which have row vectors or column vectors or both.
func (v vector) planeHead(name, what, matrix string, rows, cols bool) {
	v.Function(name + v.suffix())
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s %s of planes > 0 of m > 0 rows of n > 0 elements.", name+v.suffix(), what))
	v.Pragma("noescape")
	more := ""
	if rows {
		more += ", rows"
	}
	if cols {
		more += ", cols"
	}
	v.SignatureExpr(fmt.Sprintf("func(planes, m, n int, %s%s *%s)", matrix, more, v.float()))
}

// planeSums emits rows[p, i] = Σ_j x[p, i, j] and cols[p, j] = Σ_i x[p, i, j], in one pass over x.
func (v vector) planeSums(name string, rows, cols bool) {
	what := map[bool]string{true: "sums the rows", false: "sums the columns"}[rows]
	if rows && cols {
		what = "sums the rows and the columns"
	}
	v.planeHead(name, what, "x", rows, cols)
	s := v.newSheet()
	planes, x := v.param("planes"), v.param("x")
	var sums, line reg.GPVirtual
	if rows {
		sums = v.param("rows")
	}
	if cols {
		line = v.param("cols")
	}
	s.Label("plane")
	if cols {
		zero := s.reg()
		s.zero(zero)
		s.row("clear", s.rows(s.copyOf(line), s.stride, 1), func(m *mask) {
			s.put(zero, op.Mem{Base: line, Index: s.at, Scale: 1}, m)
		})
	}
	s.groups(func(label string, height int) { s.sumGroup(label, height, x, sums, line) })
	if cols {
		s.ADDQ(s.stride, line)
	}
	s.DECQ(planes)
	s.JNZ(op.LabelRef("plane"))
	v.end()
}

// sumGroup emits the sums of some rows; sums or line may be absent.
func (s sheet) sumGroup(label string, height int, x, sums, line reg.GPVirtual) {
	in := s.rows(x, s.stride, height)
	acc := s.regs(height)
	if sums != nil {
		for _, r := range acc {
			s.zero(r)
		}
	}
	s.row(label, in, func(m *mask) {
		here := make([]reg.VecVirtual, height)
		for i := range here {
			here[i] = s.get(in.at(i), m)
			if sums != nil {
				s.add(here[i], acc[i], acc[i])
			}
		}
		if line == nil {
			return
		}
		at := op.Mem{Base: line, Index: s.at, Scale: 1}
		old := s.get(at, m)
		for n := height; n > 1; n /= 2 {
			for i := range n / 2 {
				s.add(here[2*i+1], here[2*i], here[i])
			}
		}
		s.add(here[0], old, old)
		s.put(old, at, m)
	})
	for range height - 1 {
		s.ADDQ(s.stride, x)
	}
	if sums != nil {
		s.storeSums(acc, sums)
	}
}

// storeSums stores the sums of the elements of one or planeRows registers, and advances to.
func (s sheet) storeSums(acc []reg.VecVirtual, to reg.GPVirtual) {
	y := make([]reg.VecVirtual, planeRows)
	for i := range y {
		y[i] = s.halve(acc[min(i, len(acc)-1)])
		if len(acc) == 1 {
			y[i] = y[0]
		}
	}
	var sums []reg.VecVirtual
	if s.elem == 4 {
		sums = append(sums, s.lower(s.pairs(s.pairs(y[0], y[1]), s.pairs(y[2], y[3]))))
	} else {
		sums = append(sums, s.lower(s.pairs(y[0], y[1])), s.lower(s.pairs(y[2], y[3])))
	}
	if len(acc) == 1 {
		s.pick(s.VMOVSS, s.VMOVSD, sums[0], op.Mem{Base: to})
		s.ADDQ(op.U8(s.elem), to)
		return
	}
	for i, r := range sums {
		s.store(r, op.Mem{Base: to, Disp: 16 * i})
	}
	s.ADDQ(op.U8(planeRows*s.elem), to)
}

// planeSpread emits z[p, i, j] += cols[p, j], and then += rows[p, i]: the transpose of the sums.
func (v vector) planeSpread(name string, rows, cols bool) {
	what := map[bool]string{true: "adds a number to each row", false: "adds a row to each row"}[rows]
	if rows && cols {
		what = "adds a row and a number to each row"
	}
	v.planeHead(name, what, "z", rows, cols)
	s := v.newSheet()
	planes, z := v.param("planes"), v.param("z")
	var numbers, line reg.GPVirtual
	if rows {
		numbers = v.param("rows")
	}
	if cols {
		line = v.param("cols")
	}
	s.Label("plane")
	s.groups(func(label string, height int) {
		out, each := s.rows(z, s.stride, height), s.regs(height)
		if rows {
			for i, r := range each {
				s.bcast(op.Mem{Base: numbers, Disp: i * s.elem}, r)
			}
			s.ADDQ(op.U8(height*s.elem), numbers)
		}
		s.row(label, out, func(m *mask) {
			var more reg.VecVirtual
			if cols {
				more = s.get(op.Mem{Base: line, Index: s.at, Scale: 1}, m)
			}
			for i, r := range each {
				x := s.get(out.at(i), m)
				if cols {
					s.add(more, x, x)
				}
				if rows {
					s.add(r, x, x)
				}
				s.put(x, out.at(i), m)
			}
		})
		for range height - 1 {
			s.ADDQ(s.stride, z)
		}
	})
	if cols {
		s.ADDQ(s.stride, line)
	}
	s.DECQ(planes)
	s.JNZ(op.LabelRef("plane"))
	v.end()
}

// planeMove emits copies of rows, or their addition to others.
func (v vector) planeMove(name string, sum bool) {
	name += v.suffix()
	v.Function(name)
	v.Attributes(codeFlags)
	what := map[bool]string{true: "adds", false: "copies"}[sum]
	v.Doc(fmt.Sprintf("%s %s m > 0 rows of n > 0 elements; pitches are in bytes.", name, what))
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(m, n int, dst *%[1]s, ldd int, src *%[1]s, lds int)", v.float()))
	s := v.newSheet()
	m, dst, ldd, src, lds := v.param("m"), v.param("dst"), v.param("ldd"), v.param("src"), v.param("lds")
	s.Label("line")
	s.row("", s.rows(s.copyOf(src), s.stride, 1), func(m *mask) {
		x := s.get(op.Mem{Base: src, Index: s.at, Scale: 1}, m)
		to := op.Mem{Base: dst, Index: s.at, Scale: 1}
		if sum {
			s.add(s.get(to, m), x, x)
		}
		s.put(x, to, m)
	})
	s.ADDQ(ldd, dst)
	s.ADDQ(lds, src)
	s.DECQ(m)
	s.JNZ(op.LabelRef("line"))
	v.end()
}

// planeTranspose emits the transposition of a matrix, in blocks as those of transpose; the last ones overlap those
// before them.
func (v vector) planeTranspose() {
	name, high, wide := "transpose"+v.suffix(), 32/v.elem, 16/v.elem
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s is dst[j, i] = src[i, j] for m >= %d rows and n >= %d columns; pitches are in bytes.", name,
		high, wide))
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(m, n int, dst *%[1]s, ldd int, src *%[1]s, lds int)", v.float()))
	i, lds, ldd := v.GP64(), v.param("lds"), v.param("ldd")
	v.XORQ(i, i)
	v.Label("strip")
	last := v.param("m")
	v.SUBQ(op.U8(high), last)
	v.CMPQ(i, last)
	v.CMOVQGT(last, i)
	from := v.copyOf(i)
	v.IMULQ(lds, from)
	src := v.param("src")
	v.ADDQ(src, from)
	to := v.param("dst")
	v.LEAQ(op.Mem{Base: to, Index: i, Scale: uint8(v.elem)}, to)
	in := v.rows(from, lds, high)
	left := v.param("n")
	v.SUBQ(op.U8(wide), left) // columns behind this block
	v.Label("block")
	out := v.copyOf(to)
	for k, r := range v.columns(in, high) {
		if k > 0 {
			v.ADDQ(ldd, out)
		}
		v.storeRows(r, high, out)
	}
	v.TESTQ(left, left)
	v.JZ(op.LabelRef("next"))
	step := v.GP64()
	v.MOVQ(op.U32(wide), step)
	v.CMPQ(left, step)
	v.CMOVQLT(left, step)
	v.SUBQ(step, left)
	bytes := v.copyOf(step)
	v.SHLQ(op.U8(map[int]uint64{4: 2, 8: 3}[v.elem]), bytes)
	v.advance(in, bytes)
	v.IMULQ(ldd, step)
	v.ADDQ(step, to)
	v.JMP(op.LabelRef("block"))
	v.Label("next")
	v.ADDQ(op.U8(high), i)
	end := v.param("m")
	v.CMPQ(i, end)
	v.JLT(op.LabelRef("strip"))
	v.end()
}
