package main

import (
	"fmt"
	"math"
	"sort"

	"github.com/mmcloughlin/avo/build"
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// family is a transform for several lengths.
type family struct {
	name, what string
	lengths    []int
	write      func(g *network, n int) []term
	scaled     bool // the planes of the DFT have factors: one for the real ones, one for the others
}

func families() []family {
	short := []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 20, 24, 28, 32, 64}
	return []family{
		{"dft", "the DFT of length %d, in planes", short, (*network).realDFT, true},
		{"dct", "the orthonormal DCT-II of length %d", short, (*network).cosines, false},
		{"haar", "the orthonormal Haar transform of length %d", []int{2, 4, 8, 16, 32, 64}, (*network).haar, false},
	}
}

// transforms are the codelets of a family: forwards, and with the transposed matrix.
func (f family) transforms() []transform {
	var out []transform
	for _, n := range f.lengths {
		g := newNetwork()
		outputs := f.write(g, n)
		t, inputs := g.transposed(outputs, n)
		there := transform{name: fmt.Sprintf("%s%d", f.name, n), doc: "y = " + fmt.Sprintf(f.what, n) + " of x",
			code: schedule(g, outputs, f.scaled)}
		back := transform{name: fmt.Sprintf("%s%dT", f.name, n), doc: "the transpose of " + fmt.Sprintf(f.what, n),
			code: schedule(t, inputs, false)}
		if f.scaled {
			factor := func(row int) int { return min(1, row/(2-n%2)) }
			there.out, back.in = factor, factor
		}
		out = append(out, there, back)
	}
	return out
}

// codeletList is a Go table of the codelets of a path.
func codeletList(path string) string {
	kindName := map[string]string{"dft": "DFT", "dct": "DCT", "haar": "Haar"}
	suffix := map[string]string{"avx2": "F32AVX2", "avx512": "F32AVX512"}[path]
	list := fmt.Sprintf("\n// %sCodelets are all codelets of this path.\nvar %[1]sCodelets = [...]codelet{\n", path)
	for _, f := range families() {
		for _, n := range f.lengths {
			list += fmt.Sprintf("\t{%s, %d, %s%[2]d%[4]s, %[3]s%[2]dT%[4]s},\n", kindName[f.name], n, f.name, suffix)
		}
	}
	return list + "}\n"
}

// fft emits the kernels of internal/asm/fft.
func fft(c *build.Context, bits int) {
	short := vector{Context: c, bits: bits, elem: 4}
	var all []transform
	for _, f := range families() {
		all = append(all, f.transforms()...)
	}
	numbers := short.numbers(all)
	for _, t := range all {
		short.transform(t, numbers)
	}
	for _, elem := range []int{4, 8} {
		v := vector{Context: c, bits: bits, elem: elem}
		stages := stages()
		numbers := v.numbers(stages)
		for _, t := range stages {
			v.stage(t, numbers)
		}
		v.split()
		v.join()
		v.cosines()
		v.cosinesBack()
		v.modulate()
	}
}

// numbers declares the constants of codelets: for 512 bits one element each, else a whole vector.
func (v vector) numbers(all []transform) map[float64]op.Mem {
	out := map[float64]op.Mem{}
	var list []float64
	for _, t := range all {
		for _, i := range t.code {
			if _, ok := out[i.c]; i.c != 0 && i.c < variable && !ok {
				out[i.c] = op.Mem{}
				list = append(list, i.c)
			}
		}
	}
	sort.Float64s(list)
	copies := 1
	if v.bits == 256 {
		copies = v.lanes()
	}
	table := v.StaticGlobal(fmt.Sprintf("numbers%d_%d", 8*v.elem, len(all)))
	v.DataAttributes(dataFlags)
	for i, c := range list {
		out[c] = table.Offset(i * copies * v.elem)
		for range copies {
			if v.elem == 4 {
				v.AppendDatum(op.U32(math.Float32bits(float32(c))))
			} else {
				v.AppendDatum(op.U64(math.Float64bits(c)))
			}
		}
	}
	return out
}

// radices are those of the stages of long transforms.
func radices() []int { return []int{2, 3, 4, 5, 7, 8} }

// stages are the stages of a long complex transform: a DFT of r rows, behind which row k is multiplied with the k-th
// root of unity, and the last stage, without roots.
func stages() []transform {
	var out []transform
	for _, r := range radices() {
		for _, last := range []bool{false, true} {
			g := newNetwork()
			x := make([]complexTerm, r)
			for i := range x {
				x[i] = complexTerm{g.input(2 * i), g.input(2*i + 1)}
			}
			var terms []term
			for k, z := range g.dft(x) {
				if k > 0 && !last { // times c − is
					c, s := float64(2*k-1)*variable, float64(2*k)*variable
					z = complexTerm{
						g.add(g.mul(c, z.re), g.mul(s, z.im)),
						g.sub(g.mul(c, z.im), g.mul(s, z.re)),
					}
				}
				terms = append(terms, z.re, z.im)
			}
			t := transform{name: fmt.Sprintf("stage%d", r), pairs: true, variables: !last, doc: fmt.Sprintf(
				"DFTs of %d rows: row (rp+k)s+q of y is row k of the one of rows (p+im)s+q of x,", r)}
			if last {
				t.name = fmt.Sprintf("last%d", r)
			} else {
				t.doc += " times root k of p,"
			}
			t.code = schedule(g, terms, false)
			out = append(out, t)
		}
	}
	return out
}

// stage emits a stage.
func (v vector) stage(t transform, numbers map[float64]op.Mem) {
	slots := v.declare(t, t.doc+" for p < m and q < s. A row is a pair of vectors; steps between rows are in bytes.",
		"func(m, s int, x *%[1]s, stepx int, y *%[1]s, stepy int, roots *%[1]s)")
	w := &writer{vector: v, t: t, numbers: numbers, emit: true}
	var r int
	if _, err := fmt.Sscanf(t.name, map[bool]string{true: "stage%d", false: "last%d"}[t.variables], &r); err != nil {
		panic(err)
	}
	w.x, w.y = w.rows("x", "stepx"), w.rows("y", "stepy")
	groups, rows, left := v.param("m"), v.param("s"), v.GP64()
	// The rows of a DFT are ms apart in x, and s apart in y.
	for _, p := range []*rowAddress{&w.x, &w.y} {
		v.IMULQ(rows, p.pitch)
	}
	v.IMULQ(groups, w.x.pitch)
	for _, p := range []*rowAddress{&w.x, &w.y} {
		v.LEAQ(op.Mem{Base: p.pitch, Index: p.pitch, Scale: 2}, p.triple)
	}
	if t.variables {
		w.turns = v.param("roots")
	}
	w.reserve(slots)
	v.Label("group")
	v.MOVQ(rows, left)
	v.Label("row")
	w.body()
	v.ADDQ(v.argument("stepx"), w.x.base)
	v.ADDQ(v.argument("stepy"), w.y.base)
	v.DECQ(left)
	v.JNZ(op.LabelRef("row"))
	for range r - 1 {
		v.ADDQ(w.y.pitch, w.y.base)
	}
	if t.variables {
		v.ADDQ(op.U8(2*(r-1)*v.elem), w.turns)
	}
	v.DECQ(groups)
	v.JNZ(op.LabelRef("group"))
	v.end()
}

// argument is a parameter in memory.
func (v vector) argument(name string) op.Mem {
	a, err := v.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return a.Addr
}

// pair loads a row of two vectors.
func (v vector) pair(at reg.GPVirtual) (re, im reg.VecVirtual) {
	re, im = v.reg(), v.reg()
	v.load(op.Mem{Base: at}, re)
	v.load(op.Mem{Base: at, Disp: v.bits / 8}, im)
	return re, im
}

func (v vector) put(re, im reg.VecVirtual, at reg.GPVirtual) {
	v.store(re, op.Mem{Base: at})
	v.store(im, op.Mem{Base: at, Disp: v.bits / 8})
}

// opposite begins a kernel over rows k and n−k.
func (v vector) opposite(name, doc, signature string) {
	v.Function(name + v.suffix())
	v.Attributes(codeFlags)
	v.Doc(name+v.suffix()+" "+doc, "Rows are pairs of vectors, those of z one behind another; pitches are in bytes.")
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf(signature, v.float()))
}

// split emits what takes the spectra of pairs of real columns apart.
func (v vector) split() {
	v.opposite("split", "computes, for k = 1 … n, re = (a+b)w and im = −i(a−b)w of rows a and b, row k from the "+
		"beginning of z and row k from its end;", "func(n int, z, end, re, im *%[1]s, ldy int, w *%[1]s)")
	n, a, b, re, im, ld := v.param("n"), v.param("z"), v.param("end"), v.param("re"), v.param("im"), v.param("ldy")
	w := v.reg()
	v.bcast(op.Mem{Base: v.param("w")}, w)
	v.Label("loop")
	ar, ai := v.pair(a)
	br, bi := v.pair(b)
	for _, x := range []reg.VecVirtual{ar, ai, br, bi} {
		v.mul(w, x, x)
	}
	s, t, u := v.reg(), v.reg(), v.reg()
	v.add(ar, br, s)
	v.add(ai, bi, t)
	v.put(s, t, re)
	v.sub(bi, ai, u)
	v.sub(ar, br, br)
	v.put(u, br, im)
	v.ADDQ(op.U32(v.bits/4), a)
	v.SUBQ(op.U32(v.bits/4), b)
	v.ADDQ(ld, re)
	v.ADDQ(ld, im)
	v.DECQ(n)
	v.JNZ(op.LabelRef("loop"))
	v.end()
}

// join emits what puts the spectra of pairs of real columns together.
func (v vector) join() {
	v.opposite("join", "computes, for k = 1 … n, a = conj(u + iv)w and b = (u + iv)w of the rows u of re and v of im "+
		"and their second halves, times i; a is row k from the beginning of z and b row k from its end.",
		"func(n int, z, end, re, im *%[1]s, ldx int, w *%[1]s)")
	n, a, b, re, im, ld := v.param("n"), v.param("z"), v.param("end"), v.param("re"), v.param("im"), v.param("ldx")
	w := v.reg()
	v.bcast(op.Mem{Base: v.param("w")}, w)
	v.Label("loop")
	u1, u2 := v.pair(re)
	v1, v2 := v.pair(im)
	for _, x := range []reg.VecVirtual{u1, u2, v1, v2} {
		v.mul(w, x, x)
	}
	ar, ai := v.reg(), v.reg()
	v.add(u1, v2, ar)
	v.sub(v1, u2, ai)
	v.put(ar, ai, a)
	v.sub(v2, u1, u1)
	v.add(v1, u2, u2)
	v.put(u1, u2, b)
	v.ADDQ(op.U32(v.bits/4), a)
	v.SUBQ(op.U32(v.bits/4), b)
	v.ADDQ(ld, re)
	v.ADDQ(ld, im)
	v.DECQ(n)
	v.JNZ(op.LabelRef("loop"))
	v.end()
}

// cosines emits the rotation behind the spectrum of a DCT.
func (v vector) cosines() {
	v.opposite("cosines", "computes, for k = 1 … n, y = (a+b)c − i(a−b)s of rows a and b, row k from the beginning of "+
		"z and row k from its end, with the next two numbers c and s of roots.",
		"func(n int, z, end, y *%[1]s, ldy int, roots *%[1]s)")
	n, a, b, y, ld, roots := v.param("n"), v.param("z"), v.param("end"), v.param("y"), v.param("ldy"), v.param("roots")
	v.Label("loop")
	ar, ai := v.pair(a)
	br, bi := v.pair(b)
	c, s, t, u := v.reg(), v.reg(), v.reg(), v.reg()
	v.bcast(op.Mem{Base: roots}, c)
	v.bcast(op.Mem{Base: roots, Disp: v.elem}, s)
	v.add(ar, br, t)
	v.add(ai, bi, u)
	v.mul(c, t, t)
	v.mul(c, u, u)
	v.sub(bi, ai, ai)
	v.sub(ar, br, br)
	v.fma(s, ai, t)
	v.fma(s, br, u)
	v.put(t, u, y)
	v.ADDQ(op.U32(v.bits/4), a)
	v.SUBQ(op.U32(v.bits/4), b)
	v.ADDQ(ld, y)
	v.ADDQ(op.U8(2*v.elem), roots)
	v.DECQ(n)
	v.JNZ(op.LabelRef("loop"))
	v.end()
}

// cosinesBack emits the rotation before the inverse DCT.
func (v vector) cosinesBack() {
	v.opposite("cosinesBack", "computes, for k = 1 … n, row k from the end of z: (c + is)(u − iv) of the first halves "+
		"of the rows u of x and v of mirror, and i times that of their second halves; c and s are the next two "+
		"numbers "+
		"of roots; mirror goes backwards.", "func(n int, end, x, mirror *%[1]s, ldx int, roots *%[1]s)")
	n, b, x, mirror, ld := v.param("n"), v.param("end"), v.param("x"), v.param("mirror"), v.param("ldx")
	roots := v.param("roots")
	v.Label("loop")
	u1, u2 := v.pair(x)
	v1, v2 := v.pair(mirror)
	c, s, re, im := v.reg(), v.reg(), v.reg(), v.reg()
	v.bcast(op.Mem{Base: roots}, c)
	v.bcast(op.Mem{Base: roots, Disp: v.elem}, s)
	// re = u1c + v1s − u2s + v2c, im = u1s − v1c + u2c + v2s.
	v.add(u1, v2, re)
	v.sub(u2, v1, im) // v1 − u2
	t := v.reg()
	v.mul(c, re, t)
	v.fma(s, im, t)
	v.mul(s, re, re)
	v.pick(v.VFNMADD231PS, v.VFNMADD231PD, c, im, re)
	v.put(t, re, b)
	v.SUBQ(op.U32(v.bits/4), b)
	v.ADDQ(ld, x)
	v.SUBQ(ld, mirror)
	v.ADDQ(op.U8(2*v.elem), roots)
	v.DECQ(n)
	v.JNZ(op.LabelRef("loop"))
	v.end()
}

// modulate emits products of rows with complex numbers.
func (v vector) modulate() {
	v.opposite("modulate", "computes, for n > 0 rows, y = (c − is)x with the next "+
		"two numbers c and s of roots.", "func(n int, x *%[1]s, stepx int, y *%[1]s, stepy int, roots *%[1]s)")
	n, x, stepx, y, stepy := v.param("n"), v.param("x"), v.param("stepx"), v.param("y"), v.param("stepy")
	roots := v.param("roots")
	v.Label("loop")
	re, im := v.pair(x)
	c, s, t, u := v.reg(), v.reg(), v.reg(), v.reg()
	v.bcast(op.Mem{Base: roots}, c)
	v.bcast(op.Mem{Base: roots, Disp: v.elem}, s)
	v.mul(c, re, t)
	v.fma(s, im, t)
	v.mul(c, im, u)
	v.pick(v.VFNMADD231PS, v.VFNMADD231PD, s, re, u)
	v.put(t, u, y)
	v.ADDQ(stepx, x)
	v.ADDQ(stepy, y)
	v.ADDQ(op.U8(2*v.elem), roots)
	v.DECQ(n)
	v.JNZ(op.LabelRef("loop"))
	v.end()
}
