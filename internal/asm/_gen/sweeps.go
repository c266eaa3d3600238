package main

import (
	"strings"

	"github.com/mmcloughlin/avo/ir"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tanhGrad is the body of (1−y)·(1+y)·dy: no element loses digits, and no product is fused with a sum.
func (v vector) tanhGrad(in []reg.VecVirtual) reg.VecVirtual {
	y, down, up := in[0], v.reg(), v.reg()
	one := v.constant(v.one())
	v.add(one, y, up)
	v.bring(one, down)
	v.sub(y, down, down)
	v.mul(up, down, down)
	v.mul(in[1], down, down)
	return down
}

// sigmoidGrad is the body of y·(1−y)·dy.
func (v vector) sigmoidGrad(in []reg.VecVirtual) reg.VecVirtual {
	y, down := in[0], v.reg()
	v.bring(v.constant(v.one()), down)
	v.sub(y, down, down)
	v.mul(y, down, down)
	v.mul(in[1], down, down)
	return down
}

// reluGrad is the body of dy where x > 0, 0 where x ≤ 0, x where x is NaN.
func (v vector) reluGrad(in []reg.VecVirtual) reg.VecVirtual {
	x, zero := in[0], v.reg()
	v.zero(zero)
	y := v.keep(v.compare(less, zero, x), in[1])
	return v.blend(v.compare(unordered, x, x), x, y)
}

// guarded emits an elementwise kernel of x that leaves elements of which the magnitude exceeds a limit as they are, and
// returns a number other than 0 if there are any.
func (v vector) guarded(e elementwise, limit float64) {
	v.begin(e.name, e.doc, "dst, x *"+v.float(), "float64")
	n, dst, x := v.param("n"), v.param("dst"), v.param("x")
	over := v.reg()
	v.zero(over)
	body := func(v vector, in reg.VecVirtual) (y reg.VecVirtual, m mask) {
		y = e.body(v, []reg.VecVirtual{in})
		m = v.compare(greater, v.magnitude(in), v.f64(limit))
		return v.blend(m, in, y), m
	}
	v = v.hoist(func(v vector) { body(v, v.reg()) })
	v.loops(n, []reg.GPVirtual{dst, x}, 1, func(_ int, m *mask) {
		y, beyond := body(v, v.fetch(op.Mem{Base: x}, m))
		v.or(v.ones(beyond), over, over)
		if m != nil {
			v.storeMasked(y, *m, op.Mem{Base: dst})
		} else {
			v.store(y, op.Mem{Base: dst})
		}
	})
	v.result(v.across(over, vector.orLanes))
}

// expSum emits dst = e^(x − shift) and its sum. The lanes are added by halves.
func (v vector) expSum() {
	v.begin("expSum", "dst = e^(x − shift), and returns the sum of dst,", "shift "+v.float()+", dst, x *"+v.float(),
		v.float())
	n, dst, x := v.param("n"), v.param("dst"), v.param("x")
	shift, sum := v.reg(), v.reg()
	v.bcast(v.address("shift"), shift)
	v.zero(sum)
	v = v.hoist(func(v vector) { v.exp([]reg.VecVirtual{v.reg()}) })
	v.loops(n, []reg.GPVirtual{dst, x}, 1, func(_ int, m *mask) {
		r := v.fetch(op.Mem{Base: x}, m)
		v.sub(shift, r, r)
		r = v.exp([]reg.VecVirtual{r})
		if m != nil {
			r = v.keep(*m, r)
			v.storeMasked(r, *m, op.Mem{Base: dst})
		} else {
			v.store(r, op.Mem{Base: dst})
		}
		v.add(r, sum, sum)
	})
	v.result(v.across(sum, vector.add))
}

// adam emits the update of Adam. Nothing is fused, so that every path gives the same bits.
//
// Parameters that the products of a step have read are in the caches of all cores. What is stored is therefore fetched
// for writing beforehand: a load first, and the right to write later, take two journeys to the other core. With 536,000
// parameters that two cores have read, 2 threads, AVX-512: 0.76 of the time; 1024 bytes ahead 0.79, 2048 bytes 0.87,
// because what is fetched beyond the end of a chunk is taken from the core that works on it.
func (v vector) adam() {
	state := []string{"toP", "toM", "toV", "p", "m", "v", "grad"}
	constants := []string{"beta1", "rest1", "beta2", "rest2", "keep", "step", "scale", "eps"}
	v.begin("adam", "one step of Adam",
		strings.Join(constants, ", ")+" "+v.float()+", "+strings.Join(state, ", ")+" *"+v.float(), "")
	n := v.param("n")
	var at []reg.GPVirtual
	for _, name := range state {
		at = append(at, v.param(name))
	}
	k := v.regs(len(constants))
	for i, r := range k {
		v.bcast(v.address(constants[i]), r)
	}
	v.loops(n, at, 1, func(_ int, m *mask) {
		if m == nil {
			v.fetchToWrite(at[:3])
			v.PREFETCHT0(op.Mem{Base: at[6], Disp: ahead})
		}
		var in [4]reg.VecVirtual // p, m, v, grad
		for i := range in {
			in[i] = v.fetch(op.Mem{Base: at[3+i]}, m)
		}
		for i, r := range v.adamBody(k, in) {
			if m != nil {
				v.storeMasked(r, *m, op.Mem{Base: at[i]})
			} else {
				v.store(r, op.Mem{Base: at[i]})
			}
		}
	})
	v.end()
}

// adamBody emits m ← k₀m + k₁g, v ← k₂v + (k₃g)g, p ← k₄p − (k₅m)/(√v·k₆ + k₇).
func (v vector) adamBody(k []reg.VecVirtual, in [4]reg.VecVirtual) [3]reg.VecVirtual {
	p, m, s, g, t := in[0], in[1], in[2], in[3], v.reg()
	v.mul(k[0], m, m)
	v.mul(k[1], g, t)
	v.add(t, m, m)
	v.mul(k[2], s, s)
	v.mul(k[3], g, t)
	v.mul(g, t, t)
	v.add(t, s, s)
	down := v.reg()
	v.pick(func(o ...op.Op) { v.VSQRTPS(o...) }, func(o ...op.Op) { v.VSQRTPD(o...) }, s, down)
	v.mul(k[6], down, down)
	v.add(k[7], down, down)
	v.mul(k[5], m, t)
	v.div(down, t, t)
	v.mul(k[4], p, p)
	v.sub(t, p, p)
	return [3]reg.VecVirtual{p, m, s}
}

// ahead is how long before its use memory is fetched, in bytes.
const ahead = 512

// fetchToWrite emits PREFETCHW, which Go's assembler does not know, for what follows each of the addresses. A processor
// without the instruction takes it for none.
func (v vector) fetchToWrite(at []reg.GPVirtual) {
	for _, p := range at {
		v.LEAQ(op.Mem{Base: p, Disp: ahead}, reg.RAX)
		for _, b := range []op.U8{0x0f, 0x0d, 0x08} { // PREFETCHW (AX)
			v.Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []op.Op{b}, Inputs: []op.Op{reg.RAX}})
		}
	}
}
