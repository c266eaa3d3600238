package gemm

import (
	"slices"
	"sync/atomic"

	"ganglion/internal/par"
)

// block is a step of method panels: kc rows and nc columns of B, packed into panels of nr columns, times mc rows and kc
// columns of A, packed into tiles as high as their kernels, unless that would not pay. Its chunks pack first and then
// compute.
type block struct {
	jc, nc, pc, kc, ic, mc int
	number, numberB        int // of blocks before it, and of blocks of B before its own

	ownA, ownB    bool // each chunk that computes packs its rows of A, or its columns of B, for itself
	packsB, packs int  // chunks that pack B, and that pack at all
	tiles         tiling
	tilesA        int  // tiles of A that a chunk packs
	grid          grid // tiles and columns of the chunks that compute
}

// chunks is the number of chunks of a block.
func (b *block) chunks() int { return b.packs + b.grid.total }

// progress is a block in a product that workers share. The chunks of all blocks are handed out in one go, in order, and
// each waits for those that it builds upon: those that pack for it, and the one that computed the same part of C in the
// block before it along k. These have been claimed before it, so that nobody waits for a worker that has not begun.
type progress struct {
	block
	first            int            // number of its first chunk
	packed, computed atomic.Int32   // chunks that are done
	done             []atomic.Int32 // 1 for each chunk that has computed
}

const (
	panelGroup = 4       // panels of B that a chunk packs
	packRows   = 56      // rows of A that a chunk packs, about
	chunkRows  = 128     // rows that a chunk computes at most: its part of A stays in the second-level cache
	ownRows    = 256     // rows of a product up to which chunks take all of them, and pack columns of B for themselves
	ownCols    = 768     // columns of a block up to which chunks take all of them, and pack rows of A for themselves
	ownPanels  = 4       // panels of B that a chunk packs for itself at most
	chunkWork  = 2 << 20 // multiply-adds that a chunk computes at least, if it can
	chunksWant = 16      // chunks that compute a block, about, if it is large enough
)

// even returns the length of the parts, multiples of unit, into which n is cut evenly so that none is longer than most,
// a multiple of unit.
func even(n, most, unit int) int {
	parts := (n + most - 1) / most
	return roundUp((n+parts-1)/parts, unit)
}

// advance makes b the block behind it, or the first one if it is the zero value, and reports whether there is one.
func (j *job[T]) advance(b *block) bool {
	k := j.kern
	if b.mc == 0 {
		b.jc, b.pc, b.ic = 0, 0, 0
	} else {
		b.number++
		if b.ic += b.mc; b.ic == j.M {
			b.ic = 0
			b.numberB++
			b.pc += b.kc
		}
		if b.pc == j.K {
			b.pc = 0
			b.jc += b.nc
		}
		if b.jc == j.N {
			return false
		}
	}
	b.nc = min(even(j.N, k.nc, k.nr), j.N-b.jc)
	b.kc = min(j.depth(), j.K-b.pc)
	b.ownB = j.M <= ownRows && j.M <= j.N && !j.PackedB.set()
	b.ownA = !b.ownB && b.nc <= ownCols && j.packsA()
	if b.mc = j.M; !b.ownA {
		b.mc = min(even(j.M, k.mc, k.mr), j.M-b.ic)
	}
	b.tiles = tile(b.mc, k.heights)
	b.packsB, b.packs = 0, 0
	if b.ic == 0 && !b.ownB && !j.PackedB.set() {
		b.packsB = (b.nc + panelGroup*k.nr - 1) / (panelGroup * k.nr)
	}
	b.packs = b.packsB
	if j.packsA() && !b.ownA {
		b.tilesA = max(1, packRows/k.mr)
		b.packs += (b.tiles.count + b.tilesA - 1) / b.tilesA
	}
	b.grid = j.chunkGrid(b)
	return true
}

// chunkGrid cuts a block into chunks that compute: tiles × columns.
func (j *job[T]) chunkGrid(b *block) grid {
	k := j.kern
	tiles := max(1, chunkRows/k.mr)
	area := max(chunkWork/j.depth(), b.mc*b.nc/chunksWant) // elements of C of a chunk
	if b.ownB {
		return cut(b.tiles.count, b.nc, b.tiles.count, min(roundUp(area/b.mc, k.nr), ownPanels*k.nr))
	}
	if b.ownA {
		return cut(b.tiles.count, b.nc, min(tiles, max(1, area/b.nc/k.mr)), roundUp(b.nc, k.nr))
	}
	if j.pool == nil {
		return cut(b.tiles.count, b.nc, tiles, roundUp(b.nc, k.nr))
	}
	rows := min(b.mc, chunkRows)
	cols := max(roundUp(area/rows, k.nr), 2*k.nr)
	if b.nc <= cols {
		cols = roundUp(b.nc, k.nr)
		rows = min(rows, max(area/b.nc, k.mr))
	}
	return cut(b.tiles.count, b.nc, max(1, rows/k.mr), cols)
}

// packsA reports whether A is packed: it is read for each panel of B, so that it pays if there are several, and it does
// not stay in the cache as it is.
func (j *job[T]) packsA() bool {
	return j.N >= j.kern.packCols && (j.TransA || j.M > j.kern.looseRows || j.M > j.N)
}

// panels computes C block by block.
func (j *job[T]) panels() {
	var b block
	if j.pool == nil {
		for j.advance(&b) {
			for chunk := range b.packs {
				j.packChunk(&b, chunk)
			}
			for chunk := range b.grid.total {
				j.panelsChunk(&b, chunk, 0)
			}
		}
		return
	}
	n, total := 0, 0
	for ; j.advance(&b); n++ {
		if n == len(j.blocks) {
			j.blocks = append(j.blocks, new(progress))
		}
		p := j.blocks[n]
		p.block, p.first = b, total
		p.packed.Store(0)
		p.computed.Store(0)
		p.done = slices.Grow(p.done[:0], b.grid.total)[:b.grid.total]
		clear(p.done)
		total += b.chunks()
	}
	j.count = n
	j.phase = phasePanels
	j.pool.Run(total, j.run)
}

// sharedChunk runs a chunk of the product that workers share.
func (j *job[T]) sharedChunk(chunk, worker int) {
	lo, hi := 0, j.count // the block is one of these
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; j.blocks[mid].first <= chunk {
			lo = mid
		} else {
			hi = mid
		}
	}
	b := j.blocks[lo]
	chunk -= b.first
	if chunk < b.packs {
		defer b.packed.Add(1) // even if it panics: others wait for it
		j.await(lo - buffers)
		j.packChunk(&b.block, chunk)
		return
	}
	chunk -= b.packs
	defer b.computed.Add(1)
	defer b.done[chunk].Store(1)
	par.Await(&b.packed, int32(b.packs))
	if b.pc > 0 { // the block before it along k, which is cut in the same way
		par.Await(&j.blocks[lo-j.down(&b.block)].done[chunk], 1)
	}
	j.panelsChunk(&b.block, chunk, worker)
}

// down is the number of blocks that lie below each other.
func (j *job[T]) down(b *block) int {
	if b.ownA {
		return 1
	}
	unit := even(j.M, j.kern.mc, j.kern.mr)
	return (j.M + unit - 1) / unit
}

// await returns when a block is computed; there is nothing to wait for before the first one.
func (j *job[T]) await(number int) {
	if number >= 0 {
		par.Await(&j.blocks[number].computed, int32(j.blocks[number].grid.total))
	}
}

// panelsB is where the packed columns of a block stand.
func (j *job[T]) panelsB(b *block) []T {
	if j.PackedB.set() {
		return j.PackedB.data[b.jc*j.K+b.pc*roundUp(b.nc, j.kern.nr):]
	}
	return j.bufB[b.numberB%j.bufs*j.perB:]
}

// tilesA is where the packed rows of a block stand: row i from element i*kc on.
func (j *job[T]) tilesA(b *block) []T { return j.bufA[b.number%j.bufs*j.perA:] }

// packChunk packs some panels of B, or tiles of A.
func (j *job[T]) packChunk(b *block, chunk int) {
	if chunk < b.packsB {
		lo := chunk * panelGroup * j.kern.nr
		j.packB(b, lo, min(lo+panelGroup*j.kern.nr, b.nc), j.panelsB(b)[lo*b.kc:])
		return
	}
	lo := (chunk - b.packsB) * b.tilesA
	row, _ := b.tiles.at(lo)
	j.packA(b, lo, min(lo+b.tilesA, b.tiles.count), j.tilesA(b)[row*b.kc:])
}

// packB packs the columns from j0 to j1 of a block of B: element (k, j) of a panel stands at k*nr+j. The last panel may
// have fewer than nr columns; what stands in their place is never read.
func (j *job[T]) packB(b *block, j0, j1 int, dst []T) {
	nr := j.kern.nr
	if whole := (j1 - j0) / nr; !j.TransB && whole > 0 {
		j.kern.packB(b.kc, whole, j.B[b.pc*j.LDB+b.jc+j0:], j.LDB, dst)
		j0 += whole * nr
		dst = dst[whole*nr*b.kc:]
	}
	for c := j0; c < j1; c += nr {
		cols := min(nr, j1-c)
		d := dst[(c-j0)*b.kc:][:b.kc*nr]
		if j.TransB {
			j.kern.transpose(cols, b.kc, j.B[(b.jc+c)*j.LDB+b.pc:], j.LDB, d, nr)
			continue
		}
		copyRows(b.kc, cols, j.B[b.pc*j.LDB+b.jc+c:], j.LDB, d, nr)
	}
}

// copyRows copies rows of some elements.
func copyRows[T float](rows, cols int, src []T, lds int, dst []T, ldd int) {
	for r := range rows {
		copy(dst[r*ldd:][:cols], src[r*lds:])
	}
}

// packA packs tiles of a block of A: element (i, k) of a tile of h rows stands at k*h+i.
func (j *job[T]) packA(b *block, lo, hi int, dst []T) {
	first, _ := b.tiles.at(lo)
	if whole := min(hi, b.tiles.full) - lo; j.TransA && whole > 0 {
		j.kern.packA(b.kc, whole, j.A[b.pc*j.LDA+b.ic+first:], j.LDA, dst)
		lo += whole
	}
	for i := lo; i < hi; i++ {
		row, h := b.tiles.at(i)
		d := dst[(row-first)*b.kc:][:h*b.kc]
		if j.TransA {
			copyRows(b.kc, h, j.A[b.pc*j.LDA+b.ic+row:], j.LDA, d, h)
			continue
		}
		j.kern.transpose(h, b.kc, j.A[(b.ic+row)*j.LDA+b.pc:], j.LDA, d, h)
	}
}

// finishCols is the number of columns that an epilogue takes at a time: with the rows of a chunk they fit the
// second-level cache, where the tiles left them.
const finishCols = 128

// operands are what a chunk computes with: packed rows of A from the first one on, none if A is not packed, and packed
// columns of B.
type operands[T float] struct {
	a, b         []T
	row0, row1   int // of the block
	col0, col1   int
	tile0, tile1 int
}

// panelsChunk adds a block's part to some rows and columns of C.
func (j *job[T]) panelsChunk(b *block, chunk, worker int) {
	var o operands[T]
	o.tile0, o.tile1, o.col0, o.col1 = b.grid.span(chunk, b.tiles.count, b.nc)
	o.row0, _ = b.tiles.at(o.tile0)
	o.row1, _ = b.tiles.at(o.tile1)
	switch own := j.bufOwn[worker*j.perOwn:]; {
	case b.ownB:
		o.b = own[:(o.col1-o.col0+j.kern.nr-1)/j.kern.nr*j.kern.nr*b.kc]
		j.packB(b, o.col0, o.col1, o.b)
	default:
		o.b = j.panelsB(b)[o.col0*b.kc:]
		if b.ownA {
			o.a = own[:(o.row1-o.row0)*b.kc]
			j.packA(b, o.tile0, o.tile1, o.a)
		}
	}
	if j.packsA() && !b.ownA {
		o.a = j.tilesA(b)[o.row0*b.kc:]
	}
	if b.pc == 0 {
		j.begin(b.ic+o.row0, b.ic+o.row1, b.jc+o.col0, b.jc+o.col1)
	}
	done, nr := o.col0, j.kern.nr // columns whose epilogue is done
	for c := o.col0; c < o.col1; c += nr {
		next := min(c+nr, o.col1)
		j.column(b, &o, c, next-c)
		if b.pc+b.kc == j.K && (next-done >= finishCols || next == o.col1) {
			j.finish(b.ic+o.row0, b.ic+o.row1, b.jc+done, b.jc+next)
			done = next
		}
	}
}

// column computes the tiles of a chunk for one panel of B. Meanwhile the next panel is fetched, a part with each tile.
func (j *job[T]) column(b *block, o *operands[T], c, cols int) {
	kern, kc, nr := j.kern, b.kc, j.kern.nr
	panel := o.b[(c-o.col0)*kc:][:kc*nr]
	next := panel
	if c+nr < o.col1 {
		next = o.b[(c+nr-o.col0)*kc:]
	}
	fetched := kc / 4 * kern.lanes // elements, with a tile
	acc := j.Acc || b.pc > 0
	for i := o.tile0; i < o.tile1; i++ {
		row, h := b.tiles.at(i)
		out := j.C[(b.ic+row)*j.LDC+b.jc+c:]
		if o.a == nil {
			kern.tile(h, cols, kc, j.A[(b.ic+row)*j.rsa+b.pc*j.csa:], j.rsa, j.csa, panel, nr, out, j.LDC, acc)
			continue
		}
		tile := o.a[(row-o.row0)*kc:][:h*kc]
		if h == kern.mr && cols%kern.lanes == 0 {
			kern.full(cols, kc, tile, panel, out, j.LDC, acc, next)
			if next = next[min(fetched, len(next)-1):]; (i+1-o.tile0)*fetched >= kc*nr {
				next = panel
			}
		} else {
			kern.tile(h, cols, kc, tile, 1, h, panel, nr, out, j.LDC, acc)
		}
	}
}
