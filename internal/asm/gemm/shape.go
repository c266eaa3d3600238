package gemm

// method is a way to compute a product.
type method uint8

const (
	direct method = iota // micro-kernels on A and B as they are; B is not transposed
	panels               // micro-kernels on packed panels of B and, if it pays, packed blocks of A
	dots                 // inner products of contiguous rows of A and Bᵀ; one of them may be gathered first
	swap                 // Cᵀ = Bᵀ·A for a C of few columns, directly on the operands, and then C from it
)

const (
	// fewRows is the number of rows or columns up to which C is thin.
	fewRows = 4
	// dotKC is the length of a block along k of an inner product.
	dotKC = 2048
	// swapRows is the number of rows of C that a chunk of method swap computes.
	swapRows = 512
)

// plan chooses the method. It looks at shapes only, so that results do not depend on the number of workers.
func (k *kernels[T]) plan(transA, transB bool, m, n, depth int) method {
	thinM, thinN := m <= fewRows, n <= fewRows
	switch {
	case transB && !transA && (thinM || thinN):
		return dots
	case transB && transA && thinM:
		return dots // A is gathered
	case !transB && !transA && thinN:
		return dots // B is gathered
	case transA && thinN && !thinM:
		return swap
	}
	b := n * depth
	if transA {
		b *= 6 // rows of a tile come from as many lines as there are columns, and are read for each panel again
	}
	if !transB && (m <= k.directRows || b <= k.directArea || m <= 4*k.directRows && b <= k.directWide) {
		return direct
	}
	return panels
}

// grid is how C is cut into chunks: rows × cols elements each, across chunks beside each other.
type grid struct{ rows, cols, across, total int }

// cut returns the grid that cuts an m × n matrix into chunks of the given size.
func cut(m, n, rows, cols int) grid {
	g := grid{rows: rows, cols: cols, across: (n + cols - 1) / cols}
	g.total = (m + rows - 1) / rows * g.across
	return g
}

// span returns the half-open ranges of rows and columns of a chunk of an m × n matrix.
func (g grid) span(chunk, m, n int) (i0, i1, j0, j1 int) {
	i0, j0 = chunk/g.across*g.rows, chunk%g.across*g.cols
	return i0, min(i0+g.rows, m), j0, min(j0+g.cols, n)
}

// wanted is the number of chunks into which a parallel product is cut if it is large enough.
const wanted = 12

// share cuts an m × n matrix into about the wanted number of chunks: rows first, at most maxRows at a time, then
// columns, at least minCols at a time. Rows and columns of a chunk are multiples of the given units.
func share(m, n, unitRows, maxRows, unitCols, minCols int) grid {
	rows := min(maxRows, roundUp((m+wanted-1)/wanted, unitRows))
	down := (m + rows - 1) / rows
	cols := roundUp(n, unitCols)
	if down < wanted {
		across := (wanted + down - 1) / down
		cols = max(minCols, roundUp((n+across-1)/across, unitCols))
	}
	return cut(m, n, rows, cols)
}
