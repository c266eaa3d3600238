package main

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/mmcloughlin/avo/build"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (v vector) sub(y, x, z op.Op) { v.pick(v.VSUBPS, v.VSUBPD, y, x, z) }
func (v vector) mul(y, x, z op.Op) { v.pick(v.VMULPS, v.VMULPD, y, x, z) }
func (v vector) div(y, x, z op.Op) { v.pick(v.VDIVPS, v.VDIVPD, y, x, z) }

// max is z = max(x, y): y if either is NaN, or if both are zero.
func (v vector) max(y, x, z op.Op) { v.pick(v.VMAXPS, v.VMAXPD, y, x, z) }

func (v vector) and(y, x, z op.Op) { v.pick(v.VANDPS, v.VANDPD, y, x, z) }
func (v vector) or(y, x, z op.Op)  { v.pick(v.VORPS, v.VORPD, y, x, z) }

// orLanes is or, under the type of the functions that combine lanes.
func (v vector) orLanes(y, x, z op.Op) { v.or(y, x, z) }

// signBit is the sign of an element.
func (v vector) signBit() uint64 { return 1 << (8*v.elem - 1) }

// one is the bit pattern of 1.
func (v vector) one() uint64 {
	if v.elem == 4 {
		return uint64(math.Float32bits(1))
	}
	return math.Float64bits(1)
}

// nan is the bit pattern of a quiet NaN.
func (v vector) nan() uint64 {
	if v.elem == 4 {
		return 0x7fc00000
	}
	return 0x7ff8000000000000
}

// bring copies an operand to a register.
func (v vector) bring(from op.Op, r reg.VecVirtual) { v.pick(v.VMOVUPS, v.VMOVUPD, from, r) }

// inf is the bit pattern of +Inf.
func (v vector) inf() uint64 {
	if v.elem == 4 {
		return uint64(math.Float32bits(float32(math.Inf(1))))
	}
	return math.Float64bits(math.Inf(1))
}

// constant returns an operand of which every element has the given bits: a vector in memory or, where there are
// registers enough, a register that must not be changed. Vectors of 512 bits are not kept in memory, because the
// linker does not align them to cache lines.
func (v vector) constant(bits uint64) op.Op {
	if v.bits == 256 {
		return v.datum(bits, v.lanes())
	}
	if _, ok := v.hoisted[bits]; !ok {
		v.hoisted[bits] = v.spread(bits)
	}
	return v.hoisted[bits]
}

// xor is z = x ⊕ y.
func (v vector) xor(y, x, z op.Op) { v.pick(v.VXORPS, v.VXORPD, y, x, z) }

// min is z = min(x, y): y if either is NaN, or if both are zero.
func (v vector) min(y, x, z op.Op) { v.pick(v.VMINPS, v.VMINPD, y, x, z) }

// value returns a constant in a new register, which may be changed.
func (v vector) value(bits uint64) reg.VecVirtual {
	if v.bits == 512 {
		return v.spread(bits)
	}
	r := v.reg()
	v.bring(v.datum(bits, v.lanes()), r)
	return r
}

// spread loads a constant into all elements of a new register.
func (v vector) spread(bits uint64) reg.VecVirtual {
	r := v.reg()
	v.bcast(v.datum(bits, 1), r)
	return r
}

// datum returns read-only memory that holds a constant n times.
func (v vector) datum(bits uint64, n int) op.Mem {
	if m, ok := v.constants[bits]; ok {
		return m
	}
	m := v.StaticGlobal(fmt.Sprintf("c%d_%0*x", 8*v.elem, 2*v.elem, bits))
	v.DataAttributes(dataFlags)
	for range n {
		if v.elem == 4 {
			v.AppendDatum(op.U32(bits))
		} else {
			v.AppendDatum(op.U64(bits))
		}
	}
	v.constants[bits] = m
	return m
}

// hoist loads the constants that a body uses into registers, for 512 bits. A trial run on another context lists them.
func (v vector) hoist(body func(v vector)) vector {
	if v.bits == 256 {
		return v
	}
	trial := v
	trial.Context, trial.constants = build.NewContext(), map[uint64]op.Mem{}
	trial.hoisted = map[uint64]reg.VecVirtual{}
	trial.rowData, trial.held = map[row]op.Mem{}, map[row]pair{}
	trial.Function("trial")
	body(trial)
	v.hoisted = map[uint64]reg.VecVirtual{}
	for _, bits := range slices.Sorted(maps.Keys(trial.hoisted)) {
		v.hoisted[bits] = v.spread(bits)
	}
	v.held = map[row]pair{}
	v.hoistRows(trial.held)
	return v
}

// Predicates of compare: quiet, and false for NaN unless the name says otherwise.
const (
	equal           = 0
	unordered       = 3
	less            = 17
	notLess         = 21 // true for NaN
	notGreaterEqual = 25 // true for NaN
	greater         = 30
)

// compare returns the elements for which x stands in a relation to y.
func (v vector) compare(predicate uint8, x, y op.Op) mask {
	if v.bits == 512 {
		k := v.K()
		v.pick(v.VCMPPS, v.VCMPPD, op.U8(predicate), y, x, k)
		return mask{k: k}
	}
	r := v.reg()
	v.pick(v.VCMPPS, v.VCMPPD, op.U8(predicate), y, x, r)
	return mask{y: r}
}

// blend returns yes where m is set, and no elsewhere.
func (v vector) blend(m mask, yes, no reg.VecVirtual) reg.VecVirtual {
	r := v.reg()
	switch {
	case v.bits == 512 && v.elem == 4:
		v.VBLENDMPS(yes, no, m.k, r)
	case v.bits == 512:
		v.VBLENDMPD(yes, no, m.k, r)
	case v.elem == 4:
		v.VBLENDVPS(m.y, yes, no, r)
	default:
		v.VBLENDVPD(m.y, yes, no, r)
	}
	return r
}

// keep returns x where m is set, and 0 elsewhere.
func (v vector) keep(m mask, x reg.VecVirtual) reg.VecVirtual {
	r := v.reg()
	switch {
	case v.bits == 512 && v.elem == 4:
		v.VMOVAPS_Z(x, m.k, r)
	case v.bits == 512:
		v.VMOVAPD_Z(x, m.k, r)
	default:
		v.VANDPS(m.y, x, r)
	}
	return r
}

// ones returns a mask as a vector of ones and zeros.
func (v vector) ones(m mask) reg.VecVirtual {
	if v.bits == 256 {
		return m.y
	}
	r := v.reg()
	v.pick(func(o ...op.Op) { v.VPMOVM2D(o[0], o[1]) }, func(o ...op.Op) { v.VPMOVM2Q(o[0], o[1]) }, m.k, r)
	return r
}

// negative returns the elements whose sign is set, for blend alone.
func (v vector) negative(x reg.VecVirtual) mask {
	if v.bits == 256 {
		return mask{y: x}
	}
	k := v.K()
	v.pick(func(o ...op.Op) { v.VPMOVD2M(o[0], o[1]) }, func(o ...op.Op) { v.VPMOVQ2M(o[0], o[1]) }, x, k)
	return mask{k: k}
}

// round rounds to the nearest integers, ties to even.
func (v vector) round(x, z op.Op) {
	if v.bits == 512 {
		v.VRNDSCALEPS(op.U8(0), x, z)
		return
	}
	v.VROUNDPS(op.U8(0), x, z)
}

// address returns where a parameter stands.
func (v vector) address(param string) op.Mem {
	c, err := v.Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}

// resultAddress returns where the result stands.
func (v vector) resultAddress() op.Mem {
	c, err := v.ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}
