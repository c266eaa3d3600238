package lane

// The checks of lengths that stand before every primitive.

func checkRows[T float32 | float64](w int, g, base, f []T, lo, hi, index []int32, value []T) {
	n := len(lo)
	fit("Rows", len(g) == n*w && len(base) == n*w && len(hi) == n && len(index) == len(value) && len(f)%w == 0,
		len(g), len(base), len(f), n, len(hi), len(index), len(value))
	if n > 0 {
		fit("Rows", lo[0] >= 0 && int(hi[n-1]) <= len(index), int(lo[0]), int(hi[n-1]), len(index))
	}
}

func checkDense[T float32 | float64](w int, g, base, m, f []T) {
	fit("Dense", len(g)%w == 0 && len(base) == len(g) && len(f)%w == 0 && len(m) == len(g)/w*(len(f)/w),
		len(g), len(base), len(m), len(f))
}

func checkSums[T float32 | float64](w int, out, more, a, b []T) {
	fit("Extent, Dots or Squares", len(out) == w && len(more) == w && len(a)%w == 0 && len(a) == len(b),
		len(out), len(more), len(a), len(b))
}

func checkStep[T float32 | float64](w int, y, x, a, s []T) {
	fit("Step", len(s) == w && len(y)%w == 0 && len(x) == len(y) && len(a) == len(y), len(y), len(x), len(a), len(s))
}

func checkFMA[T float32 | float64](y, c, d, a []T) {
	fit("FMA", len(y)%Group == 0 && len(c) == len(y) && len(d) == len(y) && len(a) == len(y), len(y), len(c), len(d), len(a))
}

func checkColumns[T float32 | float64](y, m, s []T, rows int) {
	fit("Columns or Scale", len(y) == len(m)*Group && len(s) == rows*Group, len(y), len(m), len(s))
}

func checkPivots[T float32 | float64](row, most, a []T, n, stride int) {
	fit("Pivots", len(row) == Group && len(most) == Group && n >= 0 && stride >= 1 && len(a) >= (max(n-1, 0)*stride+min(n, 1))*Group,
		len(row), len(most), len(a), n, stride)
}

func checkEliminate[T float32 | float64](a, b, l []T, rows, stride int) {
	fit("Eliminate", len(a)%Group == 0 && len(l) == rows*Group && stride >= 0 && len(b) >= len(a)+(rows-1)*stride*Group,
		len(a), len(b), len(l), stride)
}
