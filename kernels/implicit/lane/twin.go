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
			for at := 0; at < len(y); at += w {
				u, v := x[at:][:w], a[at:][:w]
				for k, f := range s {
					y[at+k] = u[k] + f*v[k]
				}
			}
		},
		Dots: func(out, a, b []T) {
			checkSums(w, out, out, a, b)
			clear(out)
			for at := 0; at < len(a); at += w {
				u, v := a[at:][:w], b[at:][:w]
				for k := range out {
					out[k] += u[k] * v[k]
				}
			}
		},
		Squares: func(out, x, g []T) {
			checkSums(w, out, out, x, g)
			clear(out)
			for at := 0; at < len(x); at += w {
				u, v := x[at:][:w], g[at:][:w]
				for k := range out {
					out[k] += (v[k] - u[k]) * (v[k] - u[k])
				}
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
	for at := 0; at < len(x); at += w {
		u, v := x[at:][:w], g[at:][:w]
		for k, f := range u {
			res[k] = larger(res[k], v[k]-f)
			norm[k] = larger(norm[k], f)
		}
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
			for j, v := range m {
				scale(y[j*Group:][:Group], -v, s[j*Group:])
			}
		},
		Scale: func(y, m, s []T) {
			checkColumns(y, m, s, 1)
			for j, v := range m {
				scale(y[j*Group:][:Group], -v, s)
			}
		},
		Pivots: pivots[T],
		Eliminate: func(a, b, l []T) {
			checkEliminate(a, b, l, 1, 0)
			eliminate(a, b, l)
		},
		Eliminate4: func(a, b, l []T, stride int) {
			checkEliminate(a, b, l, 4, stride)
			for i := range 4 {
				eliminate(a, b[i*stride*Group:], l[i*Group:][:Group])
			}
		},
	}
}

// scale is y = v·s for one row.
func scale[T float32 | float64](y []T, v T, s []T) {
	s = s[:len(y)]
	for k := range y {
		y[k] = v * s[k]
	}
}

func eliminate[T float32 | float64](a, b, l []T) {
	for at := 0; at < len(a); at += Group {
		u, v := a[at:][:Group], b[at:][:Group]
		for k, f := range l {
			u[k] -= f * v[k]
		}
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
