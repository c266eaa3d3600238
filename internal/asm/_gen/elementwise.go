package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/build"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elementwise is a kernel that computes each element of dst from those of other vectors.
type elementwise struct {
	name   string
	in     []string // input vectors
	update bool     // dst is the last input as well
	scalar bool     // there is a factor a, which is the first input of body
	unroll int      // vectors in one pass of the main loop
	doc    string
	body   func(v vector, in []reg.VecVirtual) reg.VecVirtual // may overwrite its inputs, but not the factor
}

// vec emits the primitives of internal/asm/vec.
func vec(c *build.Context, bits int) {
	v32 := vector{Context: c, bits: bits, elem: 4, constants: map[uint64]op.Mem{}, rowData: map[row]op.Mem{}}
	v64 := vector{Context: c, bits: bits, elem: 8, constants: map[uint64]op.Mem{}}
	v32.masks()
	v64.masks()
	for _, v := range []vector{v32, v64} {
		for _, e := range elementwises() {
			v.elementwise(e)
		}
		v.reduction("sum", []string{"x"}, "the sum of x")
		v.reduction("dot", []string{"x", "y"}, "the inner product of x and y")
		v.maximum()
		v.expSum()
		v.adam()
	}
	v64.philox()
	v32.keepSome()
	wide := v64
	wide.narrow, wide.table = true, v32.table
	for _, e := range wides() {
		wide.elementwise(e)
	}
	if bits == 512 {
		v32.elementwise(elementwise{"silu", []string{"x"}, false, false, 1, "dst = x/(1 + e^-x)", vector.siluT})
		v32.elementwise(elementwise{"erf", []string{"x"}, false, false, 1, "dst = erf x", vector.erfT})
		v32.patched()
		wide.patch()
	} else {
		for _, e := range doubled() {
			wide.elementwise(e)
		}
	}
	for _, e := range guardeds() {
		wide.guarded(e, circular)
	}
	wide.reduction("sumSquares", []string{"x"}, "the sum of x², in float64,")
}

// elementwises lists the elementwise kernels.
func elementwises() []elementwise {
	xy, x := []string{"x", "y"}, []string{"x"}
	return []elementwise{
		{"add", xy, false, false, 4, "dst = x + y", arith(vector.add)},
		{"sub", xy, false, false, 4, "dst = x − y", arith(vector.sub)},
		{"mul", xy, false, false, 4, "dst = x·y", arith(vector.mul)},
		{"div", xy, false, false, 2, "dst = x/y", arith(vector.div)},
		{"scale", x, false, true, 4, "dst = a·x", arith(vector.mul)},
		{"shift", x, false, true, 4, "dst = x + a", arith(vector.add)},
		{"axpy", x, true, true, 4, "dst += a·x", vector.fused},
		{"mulAdd", xy, true, false, 4, "dst += x·y", vector.fused},
		{"larger", xy, false, false, 2, "dst = max(x, y)", vector.largest},
		{"smaller", xy, false, false, 2, "dst = min(x, y)", vector.smallest},
		{"relu", x, false, false, 4, "dst = max(x, 0)", vector.relu},
		{"exp", x, false, false, 1, "dst = e^x", vector.exp},
		{"tanh", x, false, false, 1, "dst = tanh x", vector.tanh},
		{"sigmoid", x, false, false, 1, "dst = 1/(1 + e^-x)", vector.sigmoid},
		{"log", x, false, false, 1, "dst = ln x", vector.log},
		{"tanhGrad", []string{"y", "dy"}, false, false, 2, "dst = (1 − y²)·dy", vector.tanhGrad},
		{"sigmoidGrad", []string{"y", "dy"}, false, false, 2, "dst = y·(1 − y)·dy", vector.sigmoidGrad},
		{"reluGrad", []string{"x", "dy"}, false, false, 2, "dst = dy where x > 0, else 0,", vector.reluGrad},
	}
}

// doubled lists the float32 functions that are computed in float64 for vectors of 256 bits.
func doubled() []elementwise {
	x := []string{"x"}
	return []elementwise{
		{"silu", x, false, false, 1, "dst = x/(1 + e^-x)", vector.silu},
		{"erf", x, false, false, 1, "dst = erf x", vector.erf},
		{"gelu", x, false, false, 1, "dst = x·Φ(x)", vector.gelu},
	}
}

// wides lists the float32 functions that are computed in float64.
func wides() []elementwise {
	x := []string{"x"}
	return []elementwise{
		{"expm1", x, false, false, 1, "dst = e^x − 1", vector.expm1},
		{"log1p", x, false, false, 1, "dst = ln(1 + x)", vector.log1p},
		{"softplus", x, false, false, 1, "dst = ln(1 + e^x)", vector.softplus},
		{"siluSlope", x, false, false, 1, "the slope of x/(1 + e^-x)", vector.siluSlope},
		{"geluSlope", x, false, false, 1, "dst = Φ(x) + x·φ(x)", vector.geluSlope},
	}
}

// guardeds lists the functions with a limit.
func guardeds() []elementwise {
	x := []string{"x"}
	return []elementwise{
		{"sin", x, false, false, 1, "dst = sin x", vector.sin},
		{"cos", x, false, false, 1, "dst = cos x", vector.cos},
	}
}

// arith makes a body of z = x ∘ y.
func arith(f func(v vector, y, x, z op.Op)) func(v vector, in []reg.VecVirtual) reg.VecVirtual {
	return func(v vector, in []reg.VecVirtual) reg.VecVirtual {
		r := v.reg()
		f(v, in[1], in[0], r)
		return r
	}
}

// fused is the body of z += x·y.
func (v vector) fused(in []reg.VecVirtual) reg.VecVirtual {
	v.fma(in[1], in[0], in[2])
	return in[2]
}

// relu is the body of max(x, 0). The maximum of zeros, or of 0 and NaN, is the second operand, x: adding 0 makes −0
// a 0.
func (v vector) relu(in []reg.VecVirtual) reg.VecVirtual {
	zero, r := v.reg(), v.reg()
	v.zero(zero)
	v.max(in[0], zero, r)
	v.add(zero, r, r)
	return r
}

// largest is the body of max(x, y). The maximum of a NaN and a number is the second operand, so a NaN in x is put back.
func (v vector) largest(in []reg.VecVirtual) reg.VecVirtual {
	r := v.reg()
	v.max(in[1], in[0], r)
	return v.blend(v.compare(unordered, in[0], in[0]), in[0], r)
}

// smallest is the body of min(x, y), in the same way.
func (v vector) smallest(in []reg.VecVirtual) reg.VecVirtual {
	r := v.reg()
	v.min(in[1], in[0], r)
	return v.blend(v.compare(unordered, in[0], in[0]), in[0], r)
}

// begin declares a function of vectors of n elements.
func (v vector) begin(name, doc, params, result string) {
	name += v.suffix()
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s computes %s of n elements.", name, doc))
	v.Pragma("noescape")
	v.SignatureExpr(strings.TrimSpace(fmt.Sprintf("func(n int, %s) %s", params, result)))
}

// elementwise emits a kernel: a main loop of several vectors, a loop of one vector, and a masked vector for the rest.
func (v vector) elementwise(e elementwise) {
	vectors := append([]string{"dst"}, e.in...)
	params := strings.Join(vectors, ", ") + " *" + v.float()
	if e.scalar {
		params = "a " + v.float() + ", " + params
	}
	v.begin(e.name, e.doc, params, "")
	n := v.param("n")
	var p []reg.GPVirtual
	for _, name := range vectors {
		p = append(p, v.param(name))
	}
	var a reg.VecVirtual
	if e.scalar {
		a = v.reg()
		v.bcast(v.address("a"), a)
	}
	v = v.hoist(func(v vector) {
		e.body(v, v.regs(len(e.in)+2)) // a factor and dst, if there are any
	})
	v.loops(n, p, v.unroll(e), func(i int, m *mask) {
		var in []reg.VecVirtual
		if e.scalar {
			in = append(in, a)
		}
		from := p[1:]
		if e.update {
			from = append(from[:len(from):len(from)], p[0])
		}
		for _, q := range from {
			in = append(in, v.fetch(op.Mem{Base: q, Disp: i * v.step()}, m))
		}
		r, mem := e.body(v, in), op.Mem{Base: p[0], Disp: i * v.step()}
		if m != nil {
			v.storeMasked(r, *m, mem)
		} else {
			v.store(r, mem)
		}
	})
	v.end()
}

// unroll is the number of vectors in one pass.
func (v vector) unroll(e elementwise) int {
	if v.bits == 512 && v.elem == 4 {
		return max(2, e.unroll)
	}
	return e.unroll
}

// fetch loads a vector, or its first elements and zeros, into a new register.
func (v vector) fetch(at op.Mem, m *mask) reg.VecVirtual {
	r := v.reg()
	if m != nil {
		v.loadMasked(at, *m, r)
	} else {
		v.load(at, r)
	}
	return r
}

// loops emits the loops over n elements at the pointers p: body i of a pass handles the i-th vector from there on.
func (v vector) loops(n reg.GPVirtual, p []reg.GPVirtual, unroll int, body func(i int, m *mask)) {
	counts := []int{unroll, 1}
	if unroll == 1 {
		counts = counts[:1]
	}
	for _, count := range counts {
		loop, next := fmt.Sprintf("loop%d", count), fmt.Sprintf("after%d", count)
		v.Label(loop)
		v.CMPQ(n, op.U32(count*v.lanes()))
		v.JLT(op.LabelRef(next))
		for i := range count {
			body(i, nil)
		}
		for _, q := range p {
			v.ADDQ(op.U32(count*v.step()), q)
		}
		v.SUBQ(op.U32(count*v.lanes()), n)
		v.JMP(op.LabelRef(loop))
		v.Label(next)
	}
	v.TESTQ(n, n)
	v.JZ(op.LabelRef("done"))
	m := v.first(n)
	body(0, &m)
	v.Label("done")
}

// accumulators is the number of partial results of a reduction.
const accumulators = 4

// reduction emits a sum of elements or of products. The partial sums are added in pairs, then the lanes by halves.
func (v vector) reduction(name string, in []string, doc string) {
	v.begin(name, doc, strings.Join(in, ", ")+" *"+v.float(), fmt.Sprintf("float%d", 8*v.elem))
	n := v.param("n")
	var p []reg.GPVirtual
	for _, q := range in {
		p = append(p, v.param(q))
	}
	acc := v.regs(accumulators)
	for _, r := range acc {
		v.zero(r)
	}
	v.loops(n, p, accumulators, func(i int, m *mask) {
		x := v.fetch(op.Mem{Base: p[0], Disp: i * v.step()}, m)
		switch {
		case name == "sumSquares":
			v.fma(x, x, acc[i])
		case len(p) == 1:
			v.add(x, acc[i], acc[i])
		default:
			v.fma(v.fetch(op.Mem{Base: p[1], Disp: i * v.step()}, m), x, acc[i])
		}
	})
	v.add(acc[1], acc[0], acc[0])
	v.add(acc[3], acc[2], acc[2])
	v.add(acc[2], acc[0], acc[0])
	v.result(v.across(acc[0], vector.add))
}

// across combines the lanes of a vector by halves.
func (v vector) across(r reg.VecVirtual, f func(v vector, y, x, z op.Op)) reg.VecVirtual {
	if v.bits == 512 {
		t := v.YMM()
		v.VEXTRACTF64X4(op.U8(1), r, t)
		f(v, t, r.AsY(), t)
		r = t
	}
	t, u := v.XMM(), v.XMM()
	if v.bits == 512 {
		v.VEXTRACTF32X4(op.U8(1), r, t)
	} else {
		v.VEXTRACTF128(op.U8(1), r, t)
	}
	f(v, r.AsX(), t, t)
	if v.elem == 4 {
		v.VPERMILPS(op.U8(0x4e), t, u)
		f(v, u, t, t)
		v.VPERMILPS(op.U8(0xb1), t, u)
	} else {
		v.VPERMILPD(op.U8(1), t, u)
	}
	f(v, u, t, t)
	return t
}

// result returns the lowest element of a register.
func (v vector) result(r reg.VecVirtual) {
	v.pick(v.VMOVSS, v.VMOVSD, r, v.resultAddress())
	v.end()
}

// maximum emits the largest element. VMAXPS forgets a NaN when a number follows it, so NaNs are collected on the side.
func (v vector) maximum() {
	v.begin("max", "the largest element of x, NaN if there is a NaN", "x *"+v.float(), v.float())
	n, x := v.param("n"), v.param("x")
	acc, bad := v.regs(accumulators), v.reg()
	for i := range acc {
		acc[i] = v.value(v.inf() | v.signBit())
	}
	v.zero(bad)
	v.loops(n, []reg.GPVirtual{x}, accumulators, func(i int, m *mask) {
		r := v.fetch(op.Mem{Base: x, Disp: i * v.step()}, m)
		if m != nil {
			r = v.blend(*m, r, v.value(v.inf()|v.signBit()))
		}
		v.max(r, acc[i], acc[i])
		v.or(v.ones(v.compare(unordered, r, r)), bad, bad)
	})
	v.max(acc[1], acc[0], acc[0])
	v.max(acc[3], acc[2], acc[2])
	v.max(acc[2], acc[0], acc[0])
	best, some := v.across(acc[0], vector.max), v.across(bad, vector.orLanes)
	v.VORPS(some, best, best)
	v.result(best)
}
