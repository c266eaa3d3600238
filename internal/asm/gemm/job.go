package gemm

import (
	"fmt"

	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/internal/par"
)

// kernels are the micro-kernels of one path for one type, and the sizes that suit them. All of them compute an
// element of C as the sum of one block along k, in the order of k for tile and full, in an order that depends on k
// alone for dot, so that a result does not depend on the place of an element in a tile. They add the sum to C if
// acc is set and else set it.
type kernels[T float] struct {
	mr, nr int // register tile: rows and columns
	lanes  int // columns of which full takes any multiple up to nr

	kc, mc, nc int   // blocks along k, m and n of method panels, at most
	heights    []int // of the tiles of packed rows for which there are kernels, from mr down to 1
	loose      []int // of the tiles on B as it is
	looseCols  int   // columns that they take at a time

	directRows int // up to that many rows, B is not packed if it need not be transposed
	directArea int // up to that many elements of B neither
	directWide int // nor up to that many, with up to four times as many rows
	packCols   int // from that many columns on, packing A pays
	looseRows  int // up to that many rows it does not, if there are more columns
	serial     int // below that many multiply-adds a product is not shared among workers

	// tile computes C [rows, n] from any A [rows, k] with row stride rsa and column stride csa, and B [k, n]; rows
	// ≤ loose[0].
	tile func(rows, n, k int, a []T, rsa, csa int, b []T, ldb int, c []T, ldc int, acc bool)
	// full computes C [mr, cols] from packed A [k, mr] and the first columns of packed B [k, nr]. It may fetch
	// what is needed next: some cache lines from the beginning of next on, and behind its end.
	full func(cols, k int, a, b, c []T, ldc int, acc bool, next []T)
	// dot computes C [m, n] from A [m, k] and Bᵀ [n, k].
	dot func(m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool)
	// transpose sets dst [cols, rows] to the transpose of src [rows, cols].
	transpose func(rows, cols int, src []T, lds int, dst []T, ldd int)
	// packB and packA lay panels of nr, or mr, columns of src [rows, panels*nr] one behind another.
	packB, packA func(rows, panels int, src []T, lds int, dst []T)
}

// phase is what the chunks of a job do at the moment.
type phase uint8

const (
	phaseDirect phase = iota
	phaseDots
	phaseSwap
	phasePanels
)

// job is a product in the making.
type job[T float] struct {
	Args[T]
	kern *kernels[T]
	vec  *vec.Table[T] // of the epilogue
	pool *par.Pool     // nil to run on the caller
	run  func(chunk, worker int)

	plain    bool // there is no epilogue
	rsa, csa int  // strides of op(A)

	bufB   []T // packed blocks of B, or the gathered operand
	bufA   []T // packed blocks of A, or for each worker a scratch tile
	bufOwn []T // for each worker: what it packs for itself
	perOwn int // elements of bufOwn for one worker
	perB   int // elements of bufB for one block
	perA   int // elements of bufA for one block or worker
	bufs   int // blocks that are packed at a time
	phase  phase
	grid   grid
	pc, kc int // range along k of the current block of method dots

	blocks []*progress // of a product that workers share; count of them are in use
	count  int
}

// on computes the product of the arguments on a path.
func (j *job[T]) on(path cpu.Path, pool *par.Pool, a Args[T]) {
	if a.PackedB.set() {
		a.PackedB.validate(path, a.N, a.K)
	}
	j.vec = vec.For[T](path)
	j.multiply(kernelsFor[T](path), pool, a)
}

// multiply computes the product of the arguments.
func (j *job[T]) multiply(kern *kernels[T], pool *par.Pool, a Args[T]) {
	a.validate()
	if a.M == 0 || a.N == 0 {
		return
	}
	if a.Init != nil {
		a.Acc = true
		if &a.Init[0] == &a.C[0] {
			a.Init = nil
		}
	}
	j.Args, j.kern, j.pool, j.plain = a, kern, nil, a.Epilogue.empty()
	if a.K == 0 {
		for i := 0; i < a.M && !a.Acc; i++ {
			clear(a.C[i*a.LDC:][:a.N])
		}
		j.begin(0, a.M, 0, a.N)
		j.finish(0, a.M, 0, a.N)
		j.Args = Args[T]{}
		return
	}
	j.rsa, j.csa = a.LDA, 1
	if a.TransA {
		j.rsa, j.csa = 1, a.LDA
	}
	workers := 1
	if pool != nil && float64(a.M)*float64(a.N)*float64(a.K) >= float64(kern.serial) {
		j.pool, workers = pool, pool.Workers()
	}
	method := panels
	if !a.PackedB.set() {
		method = kern.plan(a.TransA, a.TransB, a.M, a.N, a.K)
	}
	j.lend(method, workers)
	switch method {
	case direct:
		j.direct()
	case dots:
		j.dots()
	case swap:
		j.swap()
	case panels:
		j.panels()
	}
	j.Args, j.bufA, j.bufB, j.bufOwn = Args[T]{}, nil, nil, nil
}

// lend divides the workspace.
func (j *job[T]) lend(method method, workers int) {
	var lenB, lenA, lenOwn int
	switch method {
	case direct:
		return
	case dots:
		lenB = gathered(j.K)
	case swap:
		j.perA = scratchC(j.M, j.N)
		lenA = workers * j.perA
	case panels:
		j.bufs, j.perB, j.perA = bufferCount(j.M, j.N, j.K, workers), packedB(j.N, j.K), packedA(j.M, j.K)
		lenB, lenA = j.bufs*j.perB, j.bufs*j.perA
		if j.PackedB.set() {
			lenB = 0
		}
		if !j.packsA() {
			lenA = 0
		}
		j.perOwn = own(j.M, j.N, j.K)
		lenOwn = workers * j.perOwn
	}
	work := carve[T](j.Work)
	if len(work) < lenB+lenA+lenOwn {
		panic(fmt.Sprintf("gemm: m=%d n=%d k=%d with %d workers: workspace of %d bytes is too small",
			j.M, j.N, j.K, workers, len(j.Work)))
	}
	j.bufB, j.bufA, j.bufOwn = work[:lenB], work[lenB:][:lenA], work[lenB+lenA:][:lenOwn]
}

// each runs the chunks of a phase.
func (j *job[T]) each(phase phase, g grid) {
	j.phase, j.grid = phase, g
	if j.pool != nil && g.total > 1 {
		j.pool.Run(g.total, j.run)
		return
	}
	for chunk := range g.total {
		j.chunk(chunk, 0)
	}
}

// chunk runs one chunk of the current phase.
func (j *job[T]) chunk(chunk, worker int) {
	switch j.phase {
	case phaseDirect:
		j.directChunk(chunk)
	case phaseDots:
		j.dotsChunk(chunk)
	case phaseSwap:
		j.swapChunk(chunk, worker)
	case phasePanels:
		j.sharedChunk(chunk, worker)
	}
}

// direct computes C from A and B as they are.
func (j *job[T]) direct() {
	mr, nr := j.kern.loose[0], j.kern.looseCols
	g := cut(j.M, j.N, roundUp(j.M, mr), j.N)
	switch {
	case j.pool == nil:
	case j.M <= directTall*mr: // each part of B is read by one worker
		g = cut(j.M, j.N, j.M, max(2*nr, roundUp((j.N+wanted-1)/wanted, nr)))
	default:
		g = share(j.M, j.N, mr, roundUp(j.M, mr), nr, 8*nr)
	}
	j.each(phaseDirect, g)
}

// depth is the length of a block along k.
func (j *job[T]) depth() int { return even(j.K, j.kern.kc, 4) }

// directTall is the number of tiles up to which a chunk of method direct has all rows.
const directTall = 4

// directCols is the number of columns that are computed for all rows of a chunk before the next ones are: their
// part of B stays in the second-level cache.
const directCols = 256

func (j *job[T]) directChunk(chunk int) {
	i0, i1, j0, j1 := j.grid.span(chunk, j.M, j.N)
	mr, depth := j.kern.loose[0], j.depth()
	for jc := j0; jc < j1; jc += directCols {
		cols := min(directCols, j1-jc)
		for pc := 0; pc < j.K; pc += depth {
			kc := min(depth, j.K-pc)
			b := j.B[pc*j.LDB+jc:]
			for i := i0; i < i1; i += mr {
				if pc == 0 {
					j.begin(i, min(i+mr, i1), jc, jc+cols)
				}
				j.kern.tile(min(mr, i1-i), cols, kc, j.A[i*j.rsa+pc*j.csa:], j.rsa, j.csa, b, j.LDB,
					j.C[i*j.LDC+jc:], j.LDC, j.Acc || pc > 0)
				if pc+kc >= j.K {
					j.finish(i, min(i+mr, i1), jc, jc+cols)
				}
			}
		}
	}
}

// dots computes C by inner products. An operand that is not contiguous along k is thin: it is gathered first.
func (j *job[T]) dots() {
	var g grid
	if j.pool == nil {
		g = cut(j.M, j.N, j.M, j.N)
	} else if j.M >= j.N {
		g = share(j.M, j.N, fewRows, j.M, j.N, j.N)
	} else {
		g = share(j.M, j.N, j.M, j.M, fewRows, fewRows)
	}
	for j.pc = 0; j.pc < j.K; j.pc += dotKC {
		j.kc = min(dotKC, j.K-j.pc)
		if j.TransA {
			gather(j.bufB, j.A[j.pc*j.LDA:], j.LDA, j.M, j.kc)
		} else if !j.TransB {
			gather(j.bufB, j.B[j.pc*j.LDB:], j.LDB, j.N, j.kc)
		}
		j.each(phaseDots, g)
	}
}

// gather sets dst [cols, rows] to the transpose of src [rows, cols], of few columns.
func gather[T float](dst, src []T, lds, cols, rows int) {
	for c := range cols {
		d := dst[c*rows:][:rows]
		for r := range d {
			d[r] = src[r*lds+c]
		}
	}
}

func (j *job[T]) dotsChunk(chunk int) {
	i0, i1, j0, j1 := j.grid.span(chunk, j.M, j.N)
	var a, b []T
	lda, ldb := j.kc, j.kc
	if j.TransA {
		a = j.bufB[i0*lda:]
	} else {
		lda = j.LDA
		a = j.A[i0*lda+j.pc:]
	}
	if !j.TransB {
		b = j.bufB[j0*ldb:]
	} else {
		ldb = j.LDB
		b = j.B[j0*ldb+j.pc:]
	}
	if j.pc == 0 {
		j.begin(i0, i1, j0, j1)
	}
	j.kern.dot(i1-i0, j1-j0, j.kc, a, lda, b, ldb, j.C[i0*j.LDC+j0:], j.LDC, j.Acc || j.pc > 0)
	if j.pc+j.kc >= j.K {
		j.finish(i0, i1, j0, j1)
	}
}

// swap computes Cᵀ = Bᵀ·A for transposed A: the rows of C become columns of contiguous elements.
func (j *job[T]) swap() {
	j.each(phaseSwap, cut(j.M, j.N, swapRows, j.N))
}

func (j *job[T]) swapChunk(chunk, worker int) {
	i0, i1, _, _ := j.grid.span(chunk, j.M, j.N)
	rows := i1 - i0
	j.begin(i0, i1, 0, j.N)
	t := j.bufA[worker*j.perA:][:j.N*rows] // [n, rows]
	rsb, csb := 1, j.LDB
	if j.TransB {
		rsb, csb = j.LDB, 1
	}
	depth := j.depth()
	for pc := 0; pc < j.K; pc += depth {
		kc := min(depth, j.K-pc)
		j.kern.tile(j.N, rows, kc, j.B[pc*csb:], rsb, csb, j.A[pc*j.LDA+i0:], j.LDA, t, rows, pc > 0)
	}
	for i := range rows {
		c := j.C[(i0+i)*j.LDC:][:j.N]
		for n := range c {
			if v := t[n*rows+i]; j.Acc {
				c[n] += v
			} else {
				c[n] = v
			}
		}
	}
	j.finish(i0, i1, 0, j.N)
}
