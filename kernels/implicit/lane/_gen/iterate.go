package main

import (
	"fmt"
	"math/bits"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loop emits body n times, n being a register that is used up.
func (k kernel) loop(label string, n reg.GPVirtual, body func()) {
	k.TESTQ(n, n)
	k.JLE(op.LabelRef(label + "End"))
	k.Label(label)
	body()
	k.DECQ(n)
	k.JNZ(op.LabelRef(label))
	k.Label(label + "End")
}

// rows is sparse times lanes: g_r = base_r + Σ value_e · f_index_e over the edges lo_r … hi_r-1 of each row. Several
// sums take turns, to hide the latency of the additions: one and two vectors a row have four, four vectors two.
func (k kernel) rows() {
	k.function(k.name("rows", true), "func(n int, y, base, f *%[1]s, lo, hi, index *int32, value *%[1]s)",
		k.name("rows", true)+" computes y_r = base_r + Σ_e value_e · f_index(e), lo_r ≤ e < hi_r, for n rows of lanes.")
	n, y, base, f := k.param("n"), k.param("y"), k.param("base"), k.param("f")
	lo, hi, index, value := k.param("lo"), k.param("hi"), k.param("index"), k.param("value")
	v := k.vectors()
	turns := min(4, max(1, 8/v))
	e, end := k.GP64(), k.GP64()
	sums := make([][]reg.VecVirtual, turns)
	for i := range sums {
		sums[i] = k.regs(v)
	}
	edge := func(ahead int, acc []reg.VecVirtual) {
		j, w := k.GP64(), k.reg()
		k.MOVLQSX(op.Mem{Base: index, Index: e, Scale: 4, Disp: 4 * ahead}, j)
		k.SHLQ(op.U8(bits.TrailingZeros(uint(k.rowBytes()))), j)
		k.bcast(op.Mem{Base: value, Index: e, Scale: uint8(k.elem), Disp: k.elem * ahead}, w)
		for i := range v {
			k.fma(op.Mem{Base: f, Index: j, Scale: 1, Disp: i * k.bytes()}, w, acc[i])
		}
	}
	k.loop("row", n, func() {
		for i := range v {
			k.load(k.at(base, 0, i), sums[0][i])
		}
		k.MOVLQSX(op.Mem{Base: lo}, e)
		k.MOVLQSX(op.Mem{Base: hi}, end)
		if turns > 1 {
			k.zeros(sums[1:])
			k.SUBQ(op.U8(turns-1), end)
			k.Label("several")
			k.CMPQ(e, end)
			k.JGE(op.LabelRef("rest"))
			for i, s := range sums {
				edge(i, s)
			}
			k.ADDQ(op.U8(turns), e)
			k.JMP(op.LabelRef("several"))
			k.Label("rest")
			k.ADDQ(op.U8(turns-1), end)
		}
		k.Label("single")
		k.CMPQ(e, end)
		k.JGE(op.LabelRef("rowDone"))
		edge(0, sums[0])
		k.INCQ(e)
		k.JMP(op.LabelRef("single"))
		k.Label("rowDone")
		k.total(sums)
		for i := range v {
			k.store(sums[0][i], k.at(y, 0, i))
		}
		for _, p := range []reg.GPVirtual{y, base} {
			k.ADDQ(op.U32(k.rowBytes()), p)
		}
		k.ADDQ(op.U8(4), lo)
		k.ADDQ(op.U8(4), hi)
	})
	k.VZEROUPPER()
	k.RET()
}

// zeros clears several rows of sums.
func (k kernel) zeros(sums [][]reg.VecVirtual) {
	for _, s := range sums {
		for _, r := range s {
			k.zero(r)
		}
	}
}

// total adds all rows of sums to the first, pairwise; their number is a power of two.
func (k kernel) total(sums [][]reg.VecVirtual) {
	for half := len(sums) / 2; half > 0; half /= 2 {
		for i := range half {
			for j, r := range sums[i] {
				k.add(sums[i+half][j], r, r)
			}
		}
	}
}

// tiles are the vectors and the numbers of rows that dense handles at once: as many sums as fit the registers.
func (k kernel) tiles() (vectors int, rows []int) {
	v := k.vectors()
	switch {
	case k.bits == 256:
		return 2, []int{6, 2, 1}
	case v == 4:
		return 4, []int{6, 1}
	}
	return v, []int{12, 4, 1}
}

// dense is a matrix times lanes: y_r = base_r + Σ_j m_rj · f_j. The lanes of f_j are loaded once for the rows of a
// tile, the elements of m are broadcast from their rows, which is near the peak as long as f lies in the first-level
// cache; nothing is packed.
func (k kernel) dense() {
	k.function(k.name("dense", true), "func(n, cols int, y, base, m, f *%[1]s)",
		k.name("dense", true)+" computes y_r = base_r + Σ_j m_rj · f_j for n rows of lanes; m is n × cols.")
	n, cols, y, base, m, f := k.param("n"), k.param("cols"), k.param("y"), k.param("base"), k.param("m"), k.param("f")
	stride := k.GP64()
	k.MOVQ(cols, stride)
	k.SHLQ(op.U8(bits.TrailingZeros(uint(k.elem))), stride)
	v, sizes := k.tiles()
	for first := 0; first < k.vectors(); first += v {
		left, to, from, rowsOf := n, y, base, m
		if v < k.vectors() { // each part runs over all rows
			left, to, from, rowsOf = k.GP64(), k.GP64(), k.GP64(), k.GP64()
			k.MOVQ(n, left)
			k.MOVQ(y, to)
			k.MOVQ(base, from)
			k.MOVQ(m, rowsOf)
		}
		for _, rows := range sizes {
			label := fmt.Sprintf("part%dtile%d", first, rows)
			k.Label(label)
			k.CMPQ(left, op.U8(rows))
			k.JLT(op.LabelRef(label + "End"))
			k.tile(label, first, v, rows, cols, to, from, rowsOf, f, stride)
			for _, p := range []reg.GPVirtual{to, from} {
				k.ADDQ(op.U32(rows*k.rowBytes()), p)
			}
			k.SUBQ(op.U8(rows), left)
			k.JMP(op.LabelRef(label))
			k.Label(label + "End")
		}
	}
	k.VZEROUPPER()
	k.RET()
}

// tile computes v vectors, from the given one on, of some rows, and moves m behind the rows.
func (k kernel) tile(label string, first, v, rows int, cols, y, base, m, f, stride reg.GPVirtual) {
	sums := k.regs(rows * v)
	for i, s := range sums {
		k.load(k.at(base, i/v, first+i%v), s)
	}
	var starts []reg.GPVirtual // of the rows 0, 3, 6, …
	for r := 0; r < rows; r += 3 {
		p := k.GP64()
		if r == 0 {
			k.MOVQ(m, p)
		} else {
			k.LEAQ(op.Mem{Base: starts[len(starts)-1], Index: stride, Scale: 2}, p)
			k.ADDQ(stride, p)
		}
		starts = append(starts, p)
	}
	j, at := k.GP64(), k.GP64()
	k.MOVQ(cols, j)
	k.MOVQ(f, at)
	k.loop(label+"Loop", j, func() {
		lanes := k.regs(v)
		if rows > 1 {
			for i, r := range lanes {
				k.load(k.at(at, 0, first+i), r)
			}
		}
		for r := range rows {
			mem := op.Mem{Base: starts[r/3]}
			if r%3 > 0 {
				mem.Index, mem.Scale = stride, uint8(r%3)
			}
			w := k.reg()
			k.bcast(mem, w)
			for i := range v {
				if rows > 1 {
					k.fma(lanes[i], w, sums[r*v+i])
				} else {
					k.fma(k.at(at, 0, first+i), w, sums[i])
				}
			}
		}
		for _, p := range starts {
			k.ADDQ(op.U8(k.elem), p)
		}
		k.ADDQ(op.U32(k.rowBytes()), at)
	})
	for i, s := range sums {
		k.store(s, k.at(y, i/v, first+i%v))
	}
	for range rows {
		k.ADDQ(stride, m)
	}
}

// extent is the largest |y-x| and |x| of every lane, at most four vectors of a row at a time.
func (k kernel) extent() {
	k.function(k.name("extent", true), "func(n int, res, norm, x, y *%[1]s)",
		k.name("extent", true)+" computes res = max_r |y_r-x_r| and norm = max_r |x_r| of every lane, over n rows.")
	n, res, norm, x, y := k.param("n"), k.param("res"), k.param("norm"), k.param("x"), k.param("y")
	mask := k.absMask("extent")
	for first := 0; first < k.vectors(); first += 4 {
		v := min(4, k.vectors()-first)
		most, size := k.regs(v), k.regs(v)
		for i := range v {
			k.zero(most[i])
			k.zero(size[i])
		}
		rows, from, to := k.GP64(), k.GP64(), k.GP64()
		k.MOVQ(n, rows)
		k.MOVQ(x, from)
		k.MOVQ(y, to)
		k.loop(fmt.Sprint("row", first), rows, func() {
			for i := range v {
				a, d := k.reg(), k.reg()
				k.load(k.at(from, 0, first+i), a)
				k.load(k.at(to, 0, first+i), d)
				k.sub(a, d, d)
				k.abs(d, mask, d)
				k.abs(a, mask, a)
				k.largest(d, most[i])
				k.largest(a, size[i])
			}
			k.ADDQ(op.U32(k.rowBytes()), from)
			k.ADDQ(op.U32(k.rowBytes()), to)
		})
		for i := range v {
			k.store(most[i], k.at(res, 0, first+i))
			k.store(size[i], k.at(norm, 0, first+i))
		}
	}
	k.VZEROUPPER()
	k.RET()
}

// step is y = x + s∘a with one factor a lane.
func (k kernel) step() {
	k.function(k.name("step", true), "func(n int, y, x, a, s *%[1]s)",
		k.name("step", true)+" computes y_r = x_r + s∘a_r for n rows of lanes, s being one row.")
	n, y, x, a, s := k.param("n"), k.param("y"), k.param("x"), k.param("a"), k.param("s")
	v := k.vectors()
	factor := k.regs(v)
	for i := range v {
		k.load(k.at(s, 0, i), factor[i])
	}
	k.loop("row", n, func() {
		for i := range v {
			r := k.reg()
			k.load(k.at(x, 0, i), r)
			k.fma(k.at(a, 0, i), factor[i], r)
			k.store(r, k.at(y, 0, i))
		}
		for _, p := range []reg.GPVirtual{y, x, a} {
			k.ADDQ(op.U32(k.rowBytes()), p)
		}
	})
	k.VZEROUPPER()
	k.RET()
}

// dots is Σ a∘b of every lane.
func (k kernel) dots() {
	k.sums("dots", "a", "b", "Σ_r a_r·b_r", func(a, b op.Mem, acc reg.VecVirtual) {
		r := k.reg()
		k.load(a, r)
		k.fma(b, r, acc)
	})
}

// squares is Σ (g-x)² of every lane.
func (k kernel) squares() {
	k.sums("squares", "x", "y", "Σ_r (y_r-x_r)²", func(x, g op.Mem, acc reg.VecVirtual) {
		r := k.reg()
		k.load(g, r)
		k.sub(x, r, r)
		k.fma(r, r, acc)
	})
}

// sums adds up a function of two arrays, with two sums a lane for even and odd rows where registers allow.
func (k kernel) sums(what, first, second, formula string, add func(a, b op.Mem, acc reg.VecVirtual)) {
	k.function(k.name(what, true), "func(n int, out, "+first+", "+second+" *%[1]s)",
		k.name(what, true)+" computes "+formula+" of every lane over n rows.")
	n, out, a, b := k.param("n"), k.param("out"), k.param(first), k.param(second)
	v := k.vectors()
	even, odd := k.regs(v), k.regs(v)
	if v == 8 {
		odd = even
	}
	for i := range v {
		k.zero(even[i])
		if v < 8 {
			k.zero(odd[i])
		}
	}
	pairs := k.GP64()
	k.MOVQ(n, pairs)
	k.SHRQ(op.U8(1), pairs)
	k.loop("pair", pairs, func() {
		for i := range v {
			add(k.at(a, 0, i), k.at(b, 0, i), even[i])
		}
		for i := range v {
			add(k.at(a, 1, i), k.at(b, 1, i), odd[i])
		}
		k.ADDQ(op.U32(2*k.rowBytes()), a)
		k.ADDQ(op.U32(2*k.rowBytes()), b)
	})
	k.ANDQ(op.U8(1), n)
	k.JZ(op.LabelRef("even"))
	for i := range v {
		add(k.at(a, 0, i), k.at(b, 0, i), even[i])
	}
	k.Label("even")
	for i := range v {
		if v < 8 {
			k.add(odd[i], even[i], even[i])
		}
		k.store(even[i], k.at(out, 0, i))
	}
	k.VZEROUPPER()
	k.RET()
}
