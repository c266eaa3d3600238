package lane

// The checks of lengths that stand before every primitive.

func checkRows[T float32 | float64](w int, g, base, f []T, lo, hi, index []int32, value []T) {
	n := len(lo)
	if !(len(g) == n*w && len(base) == n*w && len(hi) == n && len(index) == len(value) && len(f)%w == 0) {
		misfit("Rows", len(g), len(base), len(f), n, len(hi), len(index), len(value))
	}
	if n > 0 {
		if !(lo[0] >= 0 && int(hi[n-1]) <= len(index)) {
			misfit("Rows", int(lo[0]), int(hi[n-1]), len(index))
		}
	}
}

func checkDense[T float32 | float64](w int, g, base, m, f []T) {
	if !(len(g)%w == 0 && len(base) == len(g) && len(f)%w == 0 && len(m) == len(g)/w*(len(f)/w)) {
		misfit("Dense", len(g), len(base), len(m), len(f))
	}
}

func checkSums[T float32 | float64](w int, out, more, a, b []T) {
	if !(len(out) == w && len(more) == w && len(a)%w == 0 && len(a) == len(b)) {
		misfit("Extent, Dots or Squares", len(out), len(more), len(a), len(b))
	}
}

func checkStep[T float32 | float64](w int, y, x, a, s []T) {
	if !(len(s) == w && len(y)%w == 0 && len(x) == len(y) && len(a) == len(y)) {
		misfit("Step", len(y), len(x), len(a), len(s))
	}
}

func checkFMA[T float32 | float64](y, c, d, a []T) {
	if !(len(y)%Group == 0 && len(c) == len(y) && len(d) == len(y) && len(a) == len(y)) {
		misfit("FMA", len(y), len(c), len(d), len(a))
	}
}

func checkColumns[T float32 | float64](y, m, s []T, rows int) {
	if !(len(y) == len(m)*Group && len(s) == rows*Group) {
		misfit("Columns or Scale", len(y), len(m), len(s))
	}
}

func checkPivots[T float32 | float64](row, most, a []T, n, stride int) {
	need := (max(n-1, 0)*stride + min(n, 1)) * Group
	if !(len(row) == Group && len(most) == Group && n >= 0 && stride >= 1 && len(a) >= need) {
		misfit("Pivots", len(row), len(most), len(a), n, stride)
	}
}

func checkEliminate[T float32 | float64](a, b, l []T, rows, stride int) {
	if !(len(a)%Group == 0 && len(l) == rows*Group && stride >= 0 && len(b) >= len(a)+(rows-1)*stride*Group) {
		misfit("Eliminate", len(a), len(b), len(l), stride)
	}
}
