package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pack emits the packing of rows that are contiguous already: element (r, p·cols + j) of src goes to
// dst[(p·rows + r)·cols + j], for panels of a fixed number of columns. It goes through src row by row, so that all that
// is read of a page is read at once, and asks for rows ahead: between two rows the processor expects no more of them.
func (v vector) pack(cols int) {
	name := fmt.Sprintf("pack%d%s", cols, v.suffix())
	v.Function(name)
	v.Attributes(codeFlags)
	v.Doc(fmt.Sprintf("%s packs rows > 0 rows of panels > 0 times %d columns; lds is in bytes.", name, cols))
	v.Pragma("noescape")
	v.SignatureExpr(fmt.Sprintf("func(rows, panels int, src *%[1]s, lds int, dst *%[1]s)", v.float()))
	rows, src, lds, dst := v.param("rows"), v.param("src"), v.param("lds"), v.param("dst")
	step := v.GP64() // bytes from a panel to the next one
	v.IMUL3Q(op.U32(cols*v.elem), rows, step)
	vectors, rest := cols/v.lanes(), cols%v.lanes()
	var m mask
	if rest > 0 {
		n := v.GP64()
		v.MOVQ(op.U32(rest), n)
		m = v.first(n)
	}
	at, to, panels := v.GP64(), v.GP64(), v.GP64()
	v.Label("row")
	v.MOVQ(src, at)
	v.MOVQ(dst, to)
	v.Load(v.Param("panels"), panels)
	v.Label("panel")
	for line := 0; line < cols*v.elem; line += 64 {
		v.PREFETCHT0(op.Mem{Base: at, Index: lds, Scale: 8, Disp: line})
	}
	var r []reg.VecVirtual
	for i := range vectors {
		r = append(r, v.reg())
		v.load(op.Mem{Base: at, Disp: i * v.bits / 8}, r[i])
	}
	if rest > 0 {
		r = append(r, v.reg())
		v.loadMasked(op.Mem{Base: at, Disp: vectors * v.bits / 8}, m, r[vectors])
		v.storeMasked(r[vectors], m, op.Mem{Base: to, Disp: vectors * v.bits / 8})
	}
	for i := range vectors {
		v.store(r[i], op.Mem{Base: to, Disp: i * v.bits / 8})
	}
	v.ADDQ(op.U32(cols*v.elem), at)
	v.ADDQ(step, to)
	v.DECQ(panels)
	v.JNZ(op.LabelRef("panel"))
	v.ADDQ(lds, src)
	v.ADDQ(op.U32(cols*v.elem), dst)
	v.DECQ(rows)
	v.JNZ(op.LabelRef("row"))
	v.end()
}
