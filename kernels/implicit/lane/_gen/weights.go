package main

import (
	"math"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// weights emits the steps of the regularisers on n vectors of weights w, with one factor z a weight and the constants
// k. Fused operations are avoided, so that the results are those of the Go path, which handles what is left of a row.
func (k kernel) weights() {
	k.update("repel", "w *= max(0, 1 - k0·z/(k2-|w|·k1))", func(w, z reg.VecVirtual, c []reg.VecVirtual) {
		d := k.reg()
		k.abs(w, c[4], d)
		k.mul(c[1], d, d)
		k.sub(d, c[2], d)
		k.mul(c[0], z, z)
		k.div(d, z, z)
		k.sub(z, c[3], z)
		k.max(z, c[5], z)
		k.mul(z, w, w)
	}, true)
	k.update("shrink", "w = sgn(w)·max(0, |w|-k0·z)", func(w, z reg.VecVirtual, c []reg.VecVirtual) {
		low := k.reg()
		k.mul(c[0], z, z)
		k.add(z, w, low)
		k.sub(z, w, w)
		k.max(w, c[5], w)
		k.min(low, c[5], low)
		k.add(low, w, w)
	}, false)
	k.update("divide", "w /= 1 + k0·z", func(w, z reg.VecVirtual, c []reg.VecVirtual) {
		k.mul(c[0], z, z)
		k.add(c[3], z, z)
		k.div(z, w, w)
	}, true)
	k.greatest()
}

// update emits one step; its body gets the constants k0, k1, k2, then 1 and the mask of the sign if it needs them, and
// 0.
func (k kernel) update(what, doc string, body func(w, z reg.VecVirtual, c []reg.VecVirtual), one bool) {
	k.function(k.name(what, false), "func(n int, w, z *%[1]s, k0, k1, k2 %[1]s)", k.name(what,
		false)+" computes "+doc+" of n vectors.")
	n, w, z := k.param("n"), k.param("w"), k.param("z")
	c := make([]reg.VecVirtual, 6)
	for i := range 3 {
		arg, err := k.Param([]string{"k0", "k1", "k2"}[i]).Resolve()
		if err != nil {
			panic(err)
		}
		c[i] = k.reg()
		k.bcast(arg.Addr, c[i]) // not Load, whose MOVSS is slow between vector instructions
	}
	if one {
		c[3] = k.constant(what+"One", math.Float32bits(1), math.Float64bits(1))
		c[4] = k.absMask(what + "Abs")
	}
	c[5] = k.reg()
	k.zero(c[5])
	k.loop("vector", n, func() {
		a, b := k.reg(), k.reg()
		k.load(op.Mem{Base: w}, a)
		k.load(op.Mem{Base: z}, b)
		body(a, b, c)
		k.store(a, op.Mem{Base: w})
		k.ADDQ(op.U8(k.bytes()), w)
		k.ADDQ(op.U8(k.bytes()), z)
	})
	k.VZEROUPPER()
	k.RET()
}

// greatest raises the elements of one vector to the largest |w| of n vectors at their places; NaN stays.
func (k kernel) greatest() {
	k.function(k.name("greatest", false), "func(n int, most, w *%[1]s)",
		k.name("greatest", false)+" computes most = max(most, |w|) of n vectors, element by element; NaN stays.")
	n, most, w := k.param("n"), k.param("most"), k.param("w")
	acc := k.reg()
	k.load(op.Mem{Base: most}, acc)
	mask := k.absMask("greatest")
	k.loop("vector", n, func() {
		a := k.reg()
		k.load(op.Mem{Base: w}, a)
		k.abs(a, mask, a)
		k.largest(a, acc)
		k.ADDQ(op.U8(k.bytes()), w)
	})
	k.store(acc, op.Mem{Base: most})
	k.VZEROUPPER()
	k.RET()
}

// div is z = y/x; max and min return x where either is NaN.
func (k kernel) div(x, y, z op.Op) { k.pick(three(k.VDIVPS), three(k.VDIVPD), x, y, z) }
func (k kernel) max(x, y, z op.Op) { k.pick(three(k.VMAXPS), three(k.VMAXPD), x, y, z) }
func (k kernel) min(x, y, z op.Op) { k.pick(three(k.VMINPS), three(k.VMINPD), x, y, z) }
