package gemm

// panelGroup is the number of panels of B that one chunk packs.
const panelGroup = 4

// panels computes C block by block: a block of B of kc rows and nc columns is packed into panels of nr columns,
// then the chunks of C that it contributes to are computed.
func (j *job[T]) panels() {
	k := j.kern
	for j.jc = 0; j.jc < j.N; j.jc += k.nc {
		j.nc = min(k.nc, j.N-j.jc)
		g := cut(j.M, j.nc, k.mc, roundUp(j.nc, k.nr))
		if j.pool != nil {
			g = share(j.M, j.nc, k.mr, k.mc, k.nr, panelGroup*k.nr)
		}
		for j.pc = 0; j.pc < j.K; j.pc += k.kc {
			j.kc = min(k.kc, j.K-j.pc)
			if j.PackedB.set() {
				j.bufB = j.PackedB.data[j.packedAt():]
			} else {
				j.each(phasePack, cut(1, j.nc, 1, panelGroup*k.nr))
			}
			j.each(phasePanels, g)
		}
	}
}

// packChunk packs some panels of the current block of B: element (k, j) of a panel stands at k*nr+j. The last panel may
// have fewer than nr columns; what stands in their place is never read.
func (j *job[T]) packChunk(chunk int) {
	_, _, j0, j1 := j.grid.span(chunk, 1, j.nc)
	nr := j.kern.nr
	for c := j0; c < j1; c += nr {
		cols := min(nr, j1-c)
		dst := j.bufB[c*j.kc:][:j.kc*nr]
		if j.TransB {
			j.kern.transpose(cols, j.kc, j.B[(j.jc+c)*j.LDB+j.pc:], j.LDB, dst, nr)
			continue
		}
		src := j.B[j.pc*j.LDB+j.jc+c:]
		for k := range j.kc {
			copy(dst[k*nr:][:cols], src[k*j.LDB:])
		}
	}
}

// packA packs full tiles of mr rows of A, from row i on: element (i, k) of a tile stands at k*mr+i.
func (j *job[T]) packA(dst []T, i, rows int) {
	mr := j.kern.mr
	for r := 0; r < rows; r += mr {
		tile := dst[r*j.kc:][:mr*j.kc]
		src := j.A[(i+r)*j.rsa+j.pc*j.csa:]
		if !j.TransA {
			j.kern.transpose(mr, j.kc, src, j.LDA, tile, mr)
			continue
		}
		for k := range j.kc {
			copy(tile[k*mr:][:mr], src[k*j.LDA:])
		}
	}
}

// finishCols is the number of columns that an epilogue takes at a time: with the rows of a block they fit the
// first-level cache, where the tiles left them.
const finishCols = 128

// panelsChunk adds the current block's part to some rows and columns of C.
func (j *job[T]) panelsChunk(chunk, worker int) {
	kern, kc := j.kern, j.kc
	mr, nr := kern.mr, kern.nr
	i0, i1, j0, j1 := j.grid.span(chunk, j.M, j.nc)
	acc := j.Acc || j.pc > 0
	packed := 0 // rows of A that are packed
	done := j0  // columns whose epilogue is done
	a := j.bufA[worker*j.perA:][:j.perA]
	if j1-j0 >= kern.packCols {
		packed = (i1 - i0) / mr * mr
		j.packA(a, i0, packed)
	}
	for c := j0; c < j1; c += nr {
		cols := min(nr, j1-c)
		b := j.bufB[c*kc:][:kc*nr]
		for i := i0; i < i1; i += mr {
			out := j.C[i*j.LDC+j.jc+c:]
			switch {
			case i-i0 >= packed:
				kern.tile(min(mr, i1-i), cols, kc, j.A[i*j.rsa+j.pc*j.csa:], j.rsa, j.csa, b, nr, out, j.LDC, acc)
			case cols == nr:
				kern.full(kc, a[(i-i0)*kc:][:mr*kc], b, out, j.LDC, acc)
			default:
				kern.tile(mr, cols, kc, a[(i-i0)*kc:][:mr*kc], 1, mr, b, nr, out, j.LDC, acc)
			}
		}
		if next := c + cols; j.pc+kc >= j.K && (next-done >= finishCols || next == j1) {
			j.finish(i0, i1, j.jc+done, j.jc+next)
			done = next
		}
	}
}
