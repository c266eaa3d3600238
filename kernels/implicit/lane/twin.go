package lane

// The Go path. Each function is the definition of its primitive, for w lanes.

func twin[T float32 | float64](w int) *Table[T] {
	return &Table[T]{
		Rows: func(g, base, f []T, lo, hi, index []int32, value []T) { rows(w, g, base, f, lo, hi, index, value) },
		Dense: func(g, base, m, f []T) {
			checkDense(w, g, base, m, f)
			dense(w, g, base, m, f)
		},
		Extent: func(res, norm, x, g []T) {
			checkSums(w, res, norm, x, g)
			extent(w, res, norm, x, g)
		},
		Step: func(y, x, a, s []T) {
			checkStep(w, y, x, a, s)
			for i := range y {
				y[i] = x[i] + s[i%w]*a[i]
			}
		},
		Dots: func(out, a, b []T) {
			checkSums(w, out, out, a, b)
			clear(out)
			for i, v := range a {
				out[i%w] += v * b[i]
			}
		},
		Squares: func(out, x, g []T) {
			checkSums(w, out, out, x, g)
			clear(out)
			for i, v := range x {
				out[i%w] += (g[i] - v) * (g[i] - v)
			}
		},
		FMA: func(y, c, d, a []T) {
			checkFMA(y, c, d, a)
			for i := range y {
				y[i] = c[i] + d[i]*a[i]
			}
		},
	}
}

func rows[T float32 | float64](w int, g, base, f []T, lo, hi, index []int32, value []T) {
	checkRows(w, g, base, f, lo, hi, index, value)
	copy(g, base)
	for r := range lo {
		row := g[r*w:][:w]
		for e := lo[r]; e < hi[r]; e++ {
			axpy(row, value[e], f[int(index[e])*w:])
		}
	}
}

func axpy[T float32 | float64](y []T, a T, x []T) {
	x = x[:len(y)]
	for i := range y {
		y[i] += a * x[i]
	}
}

func dense[T float32 | float64](w int, g, base, m, f []T) {
	copy(g, base)
	k := len(f) / w
	for r := range len(g) / w {
		row := g[r*w:][:w]
		for j, v := range m[r*k:][:k] {
			axpy(row, v, f[j*w:])
		}
	}
}

func extent[T float32 | float64](w int, res, norm, x, g []T) {
	clear(res)
	clear(norm)
	for i, v := range x {
		res[i%w] = larger(res[i%w], g[i]-v)
		norm[i%w] = larger(norm[i%w], v)
	}
}

// larger is max(a, |v|), NaN if either is.
func larger[T float32 | float64](a, v T) T {
	if v < 0 {
		v = -v
	}
	if v > a || v != v {
		return v
	}
	return a
}

func twinJacobians[T float32 | float64]() *Jacobians[T] {
	return &Jacobians[T]{
		Columns: func(y, m, s []T) {
			checkColumns(y, m, s, len(m))
			for i := range y {
				y[i] = -m[i/Group] * s[i]
			}
		},
		Scale: func(y, m, s []T) {
			checkColumns(y, m, s, 1)
			for i := range y {
				y[i] = -m[i/Group] * s[i%Group]
			}
		},
		Pivots: pivots[T],
		Eliminate: func(a, b, l []T) {
			checkEliminate(a, b, l, 1, 0)
			for i := range a {
				a[i] -= l[i%Group] * b[i]
			}
		},
		Eliminate4: func(a, b, l []T, stride int) {
			checkEliminate(a, b, l, 4, stride)
			for i := range a {
				for k := range 4 {
					a[i] -= l[k*Group+i%Group] * b[k*stride*Group+i]
				}
			}
		},
	}
}

func pivots[T float32 | float64](row, most, a []T, n, stride int) {
	checkPivots(row, most, a, n, stride)
	clear(row)
	clear(most)
	for r := range n {
		for k, v := range a[r*stride*Group:][:Group] {
			if v < 0 {
				v = -v
			}
			if v > most[k] {
				row[k], most[k] = T(r), v
			}
		}
	}
}
