package main

import (
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// fma is y = c + d∘a elementwise over rows.
func (k kernel) fmaRows() {
	k.function(k.name("fma", false), "func(n int, y, c, d, a *%[1]s)",
		k.name("fma", false)+" computes y = c + d∘a of n times 16 elements.")
	n, y, c, d, a := k.param("n"), k.param("y"), k.param("c"), k.param("d"), k.param("a")
	k.loop("row", n, func() {
		for i := range k.vectors() {
			r, s := k.reg(), k.reg()
			k.load(k.at(c, 0, i), r)
			k.load(k.at(d, 0, i), s)
			k.fma(k.at(a, 0, i), s, r)
			k.store(r, k.at(y, 0, i))
		}
		for _, p := range []reg.GPVirtual{y, c, d, a} {
			k.ADDQ(op.U32(k.rowBytes()), p)
		}
	})
	k.VZEROUPPER()
	k.RET()
}

// columns is a row of a Jacobian: y_j = -m_j·s_j, or with one row s for all.
func (k kernel) columns() {
	for _, fixed := range []bool{false, true} {
		what, doc := "columns", "y_j = -m_j·s_j for n rows of 16 lanes"
		if fixed {
			what, doc = "scale", "y_j = -m_j·s for n rows of 16 lanes, s being one row"
		}
		k.function(k.name(what, false), "func(n int, y, m, s *%[1]s)", k.name(what, false)+" computes "+doc+".")
		n, y, m, s := k.param("n"), k.param("y"), k.param("m"), k.param("s")
		zero := k.reg()
		k.zero(zero)
		k.loop("row", n, func() {
			w := k.reg()
			k.bcast(op.Mem{Base: m}, w)
			k.sub(w, zero, w)
			for i := range k.vectors() {
				r := k.reg()
				k.mul(k.at(s, 0, i), w, r)
				k.store(r, k.at(y, 0, i))
			}
			k.ADDQ(op.U8(k.elem), m)
			k.ADDQ(op.U32(k.rowBytes()), y)
			if !fixed {
				k.ADDQ(op.U32(k.rowBytes()), s)
			}
		})
		k.VZEROUPPER()
		k.RET()
	}
}

// pivots finds, lane by lane, the row with the largest |a|; the first of equals, and the row 0 where all are 0 or NaN.
func (k kernel) pivots() {
	k.function(k.name("pivots", false), "func(n, stride int, row, most, a *%[1]s)",
		k.name("pivots", false)+" finds the largest |a_r|, r < n, of 16 lanes and its r; rows are stride bytes apart.")
	n, stride, row, most, a := k.param("n"), k.param("stride"), k.param("row"), k.param("most"), k.param("a")
	v := k.vectors()
	best, at := k.regs(v), k.regs(v)
	number := k.reg()
	k.zero(number)
	for i := range v {
		k.zero(best[i])
		k.zero(at[i])
	}
	mask := k.absMask("pivots")
	one := k.constant("one", 0x3f800000, 0x3ff0000000000000)
	k.loop("row", n, func() {
		for i := range v {
			x := k.reg()
			k.load(k.at(a, 0, i), x)
			k.abs(x, mask, x)
			k.better(x, number, best[i], at[i])
		}
		k.add(one, number, number)
		k.ADDQ(stride, a)
	})
	for i := range v {
		k.store(at[i], k.at(row, 0, i))
		k.store(best[i], k.at(most, 0, i))
	}
	k.VZEROUPPER()
	k.RET()
}

// better replaces best and at by x and number where x > best.
func (k kernel) better(x, number, best, at reg.VecVirtual) {
	const greater = 30 // ordered, quiet
	if k.bits == 512 {
		m := k.K()
		if k.elem == 4 {
			k.VCMPPS(op.U8(greater), best, x, m)
			k.VMOVAPS(x, m, best)
			k.VMOVAPS(number, m, at)
		} else {
			k.VCMPPD(op.U8(greater), best, x, m)
			k.VMOVAPD(x, m, best)
			k.VMOVAPD(number, m, at)
		}
		return
	}
	m := k.YMM()
	if k.elem == 4 {
		k.VCMPPS(op.U8(greater), best, x, m)
		k.VBLENDVPS(m, x, best, best)
		k.VBLENDVPS(m, number, at, at)
	} else {
		k.VCMPPD(op.U8(greater), best, x, m)
		k.VBLENDVPD(m, x, best, best)
		k.VBLENDVPD(m, number, at, at)
	}
}

// eliminate subtracts a multiple of the pivot row, with one factor a lane.
func (k kernel) eliminate() {
	k.function(k.name("eliminate", false), "func(n int, a, b, l *%[1]s)",
		k.name("eliminate", false)+" computes a_j -= l∘b_j for n rows of 16 lanes, l being one row.")
	n, a, b, l := k.param("n"), k.param("a"), k.param("b"), k.param("l")
	v := k.vectors()
	factor := k.regs(v)
	for i := range v {
		k.load(k.at(l, 0, i), factor[i])
	}
	k.loop("row", n, func() {
		for i := range v {
			r := k.reg()
			k.load(k.at(a, 0, i), r)
			k.fnma(k.at(b, 0, i), factor[i], r)
			k.store(r, k.at(a, 0, i))
		}
		k.ADDQ(op.U32(k.rowBytes()), a)
		k.ADDQ(op.U32(k.rowBytes()), b)
	})
	k.VZEROUPPER()
	k.RET()
}

// eliminate4 subtracts multiples of four pivot rows at once: a quarter of the traffic of four calls of eliminate.
func (k kernel) eliminate4() {
	k.function(k.name("eliminate4", false), "func(n, stride int, a, b, l *%[1]s)",
		k.name("eliminate4", false)+" computes a_j -= Σ_i l_i∘b_ij, i < 4, for n rows; b_i are stride bytes apart.")
	n, stride, a, b, l := k.param("n"), k.param("stride"), k.param("a"), k.param("b"), k.param("l")
	v := k.vectors()
	b3 := k.GP64()
	k.LEAQ(op.Mem{Base: b, Index: stride, Scale: 2}, b3)
	k.ADDQ(stride, b3)
	pivot := func(i, part int) op.Mem {
		m := op.Mem{Base: b, Disp: part * k.bytes()}
		switch i {
		case 1, 2:
			m.Index, m.Scale = stride, uint8(i)
		case 3:
			m.Base = b3
		}
		return m
	}
	keep := 4*v <= 12 || k.bits == 512 // factors stay in registers
	factor := k.regs(4 * v)
	if keep {
		for i := range 4 * v {
			k.load(k.at(l, i/v, i%v), factor[i])
		}
	}
	k.loop("row", n, func() {
		for part := range v {
			r := k.reg()
			k.load(k.at(a, 0, part), r)
			for i := range 4 {
				w := factor[i*v+part]
				if !keep {
					w = k.reg()
					k.load(k.at(l, i, part), w)
				}
				k.fnma(pivot(i, part), w, r)
			}
			k.store(r, k.at(a, 0, part))
		}
		for _, p := range []reg.GPVirtual{a, b, b3} {
			k.ADDQ(op.U32(k.rowBytes()), p)
		}
	})
	k.VZEROUPPER()
	k.RET()
}
