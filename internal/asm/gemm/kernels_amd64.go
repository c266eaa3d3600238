//go:build !noasm

package gemm

import (
	"unsafe"

	"ganglion/internal/cpu"
)

// The kernels of all paths. Measured on an Intel Xeon with 2 MB of second-level cache, AVX-512, medians of alternating
// runs: packed tiles of 9×48 beat those of 14×32 by 3 % and those of 8×48 by 2 %, on B as it is those of 14×32 beat
// both by 3 to 8 %. Blocks of 512×768 of B, which fit the second-level cache, beat those of 344×1056 by 2 to 4 % from
// 1024³ to 2048³. The direct method beats packing on two workers as long as B takes up to 1 MB (AVX-512) or 0.3 MB
// (AVX2), with 128 rows up to 1.9 MB and 1.3 MB. BenchmarkGEMM times them.
var (
	go32 = twin[float32]()
	go64 = twin[float64]()

	avx2x32 = kernels[float32]{
		mr: 6, nr: 16, lanes: 8, kc: 400, mc: 2016, nc: 768,
		heights: []int{6, 4, 2, 1}, loose: []int{6, 4, 2, 1}, looseCols: 16,
		directRows: 32, directArea: 80 << 10, directWide: 320 << 10, packCols: 96, looseRows: 128, serial: 50_000,
		tile: tiles[float32]{
			{6, tile6F32AVX2}, {4, tile4F32AVX2}, {2, tile2F32AVX2}, {1, tile1F32AVX2},
		}.tile,
		full:      panel[float32]{6, 8, []wide[float32]{full1F32AVX2, full2F32AVX2}}.full,
		dot:       products[float32]{2, dot2x4F32AVX2, dot2x1F32AVX2, dot1x4F32AVX2, dot1x1F32AVX2}.dot,
		transpose: transposer[float32]{8, 6, 4, transpose8F32, transpose6F32, transpose1F32}.transpose,
		packB:     packer[float32]{16, pack16F32AVX2}.pack, packA: packer[float32]{6, pack6F32AVX2}.pack,
	}
	avx2x64 = kernels[float64]{
		mr: 6, nr: 8, lanes: 4, kc: 400, mc: 2016, nc: 768,
		heights: []int{6, 4, 2, 1}, loose: []int{6, 4, 2, 1}, looseCols: 8,
		directRows: 32, directArea: 40 << 10, directWide: 160 << 10, packCols: 96, looseRows: 128, serial: 30_000,
		tile: tiles[float64]{
			{6, tile6F64AVX2}, {4, tile4F64AVX2}, {2, tile2F64AVX2}, {1, tile1F64AVX2},
		}.tile,
		full:      panel[float64]{6, 4, []wide[float64]{full1F64AVX2, full2F64AVX2}}.full,
		dot:       products[float64]{2, dot2x4F64AVX2, dot2x1F64AVX2, dot1x4F64AVX2, dot1x1F64AVX2}.dot,
		transpose: transposer[float64]{4, 2, 2, transpose4F64, transpose2F64, transpose1F64}.transpose,
		packB:     packer[float64]{8, pack8F64AVX2}.pack, packA: packer[float64]{6, pack6F64AVX2}.pack,
	}
	avx512x32 = kernels[float32]{
		mr: 9, nr: 48, lanes: 16, kc: 512, mc: 2016, nc: 768,
		heights: []int{9, 8, 4, 2, 1}, loose: []int{14, 9, 8, 4, 2, 1}, looseCols: 32,
		directRows: 32, directArea: 256 << 10, directWide: 480 << 10, packCols: 192, looseRows: 128, serial: 100_000,
		tile: tiles[float32]{
			{14, tile14F32AVX512}, {9, tile9F32AVX512}, {8, tile8F32AVX512}, {4, tile4F32AVX512},
			{2, tile2F32AVX512}, {1, tile1F32AVX512},
		}.tile,
		full:      panel[float32]{9, 16, []wide[float32]{full1F32AVX512, full2F32AVX512, full3F32AVX512}}.full,
		dot:       products[float32]{4, dot4x4F32AVX512, dot4x1F32AVX512, dot1x4F32AVX512, dot1x1F32AVX512}.dot,
		transpose: transposer[float32]{8, 6, 4, transpose8F32, transpose6F32, transpose1F32}.transpose,
		packB:     packer[float32]{48, pack48F32AVX512}.pack, packA: packer[float32]{9, pack9F32AVX512}.pack,
	}
	avx512x64 = kernels[float64]{
		mr: 9, nr: 24, lanes: 8, kc: 512, mc: 2016, nc: 768,
		heights: []int{9, 8, 4, 2, 1}, loose: []int{14, 9, 8, 4, 2, 1}, looseCols: 16,
		directRows: 32, directArea: 128 << 10, directWide: 240 << 10, packCols: 192, looseRows: 128, serial: 50_000,
		tile: tiles[float64]{
			{14, tile14F64AVX512}, {9, tile9F64AVX512}, {8, tile8F64AVX512}, {4, tile4F64AVX512},
			{2, tile2F64AVX512}, {1, tile1F64AVX512},
		}.tile,
		full:      panel[float64]{9, 8, []wide[float64]{full1F64AVX512, full2F64AVX512, full3F64AVX512}}.full,
		dot:       products[float64]{4, dot4x4F64AVX512, dot4x1F64AVX512, dot1x4F64AVX512, dot1x1F64AVX512}.dot,
		transpose: transposer[float64]{4, 2, 2, transpose4F64, transpose2F64, transpose1F64}.transpose,
		packB:     packer[float64]{24, pack24F64AVX512}.pack, packA: packer[float64]{9, pack9F64AVX512}.pack,
	}
)

// kernels32 returns the float32 kernels of a path.
func kernels32(path cpu.Path) *kernels[float32] {
	switch path {
	case cpu.AVX512:
		return &avx512x32
	case cpu.AVX2:
		return &avx2x32
	}
	return &go32
}

// kernels64 returns the float64 kernels of a path.
func kernels64(path cpu.Path) *kernels[float64] {
	switch path {
	case cpu.AVX512:
		return &avx512x64
	case cpu.AVX2:
		return &avx2x64
	}
	return &go64
}

// The assembly takes pointers, strides in bytes and no lengths: the methods below check the last element of every
// operand before they call it.

// tiles are the tile kernels of a path, highest first, down to one row.
type tiles[T float] []struct {
	rows int
	run  func(n, k int, a *T, rsa, csa int, b *T, ldb int, c *T, ldc, acc int)
}

// tile is kernels.tile.
func (t tiles[T]) tile(rows, n, k int, a []T, rsa, csa int, b []T, ldb int, c []T, ldc int, acc bool) {
	_, _, _ = a[(rows-1)*rsa+(k-1)*csa], b[(k-1)*ldb+n-1], c[(rows-1)*ldc+n-1]
	elem, add := int(unsafe.Sizeof(*new(T))), number(acc)
	i := 0
	for _, h := range t {
		for ; rows-i >= h.rows; i += h.rows {
			h.run(n, k, &a[i*rsa], rsa*elem, csa*elem, &b[0], ldb*elem, &c[i*ldc], ldc*elem, add)
		}
	}
}

// wide is a full tile kernel of some vectors of columns.
type wide[T float] func(k int, a, b, c *T, ldc, acc int, next *T)

// panel are the full tile kernels of a path, of one vector of columns, of two, and so on to a whole panel.
type panel[T float] struct {
	mr, lanes int
	run       []wide[T]
}

// full is kernels.full.
func (p panel[T]) full(cols, k int, a, b, c []T, ldc int, acc bool, next []T) {
	width := cols / p.lanes
	_, _, _ = a[k*p.mr-1], b[(k-1)*len(p.run)*p.lanes+cols-1], c[(p.mr-1)*ldc+cols-1]
	p.run[width-1](k, &a[0], &b[0], &c[0], ldc*int(unsafe.Sizeof(*new(T))), number(acc), unsafe.SliceData(next))
}

// inner is an inner product kernel of a fixed number of rows and columns.
type inner[T float] func(k int, a *T, lda int, b *T, ldb int, c *T, ldc, acc int)

// products are the inner product kernels of a path: several rows or one, four columns or one.
type products[T float] struct {
	rows                int
	by4, by1, one4, one inner[T]
}

// dot is kernels.dot.
func (p products[T]) dot(m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool) {
	_, _, _ = a[(m-1)*lda+k-1], b[(n-1)*ldb+k-1], c[(m-1)*ldc+n-1]
	elem, add := int(unsafe.Sizeof(*new(T))), number(acc)
	run := func(i, j int) (rows, cols int) {
		rows, cols, kern := p.rows, 4, p.by4
		switch tall, wide := m-i >= rows, n-j >= cols; {
		case tall && !wide:
			cols, kern = 1, p.by1
		case wide && !tall:
			rows, kern = 1, p.one4
		case !wide:
			rows, cols, kern = 1, 1, p.one
		}
		kern(k, &a[i*lda], lda*elem, &b[j*ldb], ldb*elem, &c[i*ldc+j], ldc*elem, add)
		return rows, cols
	}
	if m > n { // the thin operand stays in the cache, the other one is read once
		for i := 0; i < m; {
			rows, cols := 0, 0
			for j := 0; j < n; j += cols {
				rows, cols = run(i, j)
			}
			i += rows
		}
		return
	}
	for j := 0; j < n; {
		rows, cols := 0, 0
		for i := 0; i < m; i += rows {
			rows, cols = run(i, j)
		}
		j += cols
	}
}

// transposer transposes blocks of a number of rows that fills a vector, of fewer rows, or of one, and of step columns.
type transposer[T float] struct {
	tall, short, step         int
	runTall, runShort, runOne func(blocks int, src *T, lds int, dst *T, ldd int)
}

// transpose is kernels.transpose.
func (t transposer[T]) transpose(rows, cols int, src []T, lds int, dst []T, ldd int) {
	_, _ = src[(rows-1)*lds+cols-1], dst[(cols-1)*ldd+rows-1]
	elem, blocks := int(unsafe.Sizeof(*new(T))), cols/t.step
	done := blocks * t.step
	for r, n := 0, 0; blocks > 0 && r < rows; r += n {
		run := t.runOne
		switch n = 1; {
		case rows-r >= t.tall:
			n, run = t.tall, t.runTall
		case rows-r >= t.short:
			n, run = t.short, t.runShort
		}
		run(blocks, &src[r*lds], lds*elem, &dst[r], ldd*elem)
	}
	if done < cols {
		transposeGo(rows, cols-done, src[done:], lds, dst[done*ldd:], ldd)
	}
}

// packer lays panels of a number of columns one behind another.
type packer[T float] struct {
	cols int
	run  func(rows, panels int, src *T, lds int, dst *T)
}

// pack is kernels.packB and kernels.packA.
func (p packer[T]) pack(rows, panels int, src []T, lds int, dst []T) {
	_, _ = src[(rows-1)*lds+panels*p.cols-1], dst[rows*panels*p.cols-1]
	p.run(rows, panels, &src[0], lds*int(unsafe.Sizeof(*new(T))), &dst[0])
}

// number is 1 for true.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
