package gemm

// twin returns the kernels in plain Go, which run everywhere and are what the assembly is tested against.
func twin[T float]() kernels[T] {
	return kernels[T]{
		mr: 4, nr: 4, lanes: 4, kc: 400, mc: 1024, nc: 1024, heights: []int{4, 2, 1},
		loose: []int{4, 2, 1}, looseCols: 4,
		directRows: 16, directArea: 64 << 10, directWide: 256 << 10, packCols: 32, serial: 30_000,
		tile: tileGo[T], full: fullGo[T], dot: dotGo[T], transpose: transposeGo[T],
		packB: packGo[T], packA: packGo[T],
	}
}

// store sets or adds to an element.
func store[T float](c *T, v T, acc bool) {
	if acc {
		v += *c
	}
	*c = v
}

// store4 sets or adds to four elements.
func store4[T float](c []T, v0, v1, v2, v3 T, acc bool) {
	c = c[:4:4]
	if acc {
		v0 += c[0]
		v1 += c[1]
		v2 += c[2]
		v3 += c[3]
	}
	c[0], c[1], c[2], c[3] = v0, v1, v2, v3
}

// tileGo is kernels.tile.
func tileGo[T float](rows, n, k int, a []T, rsa, csa int, b []T, ldb int, c []T, ldc int, acc bool) {
	if rows == 4 {
		for ; n >= 4; n -= 4 {
			tile4x4(k, a, rsa, csa, b, ldb, c, ldc, acc)
			if n == 4 {
				return
			}
			b, c = b[4:], c[4:]
		}
	}
	for i := range rows {
		j := 0
		for ; j+4 <= n; j += 4 {
			tile1x4(k, a[i*rsa:], csa, b[j:], ldb, c[i*ldc+j:], acc)
		}
		for ; j < n; j++ {
			var s T
			for p := range k {
				s += a[i*rsa+p*csa] * b[p*ldb+j]
			}
			store(&c[i*ldc+j], s, acc)
		}
	}
}

// tile4x4 computes four rows and four columns.
func tile4x4[T float](k int, a []T, rsa, csa int, b []T, ldb int, c []T, ldc int, acc bool) {
	var s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33 T
	a0, a1, a2, a3 := a, a[rsa:], a[2*rsa:], a[3*rsa:]
	for p := range k {
		r := b[p*ldb:]
		r = r[:4:4]
		b0, b1, b2, b3 := r[0], r[1], r[2], r[3]
		x := a0[p*csa]
		s00 += x * b0
		s01 += x * b1
		s02 += x * b2
		s03 += x * b3
		x = a1[p*csa]
		s10 += x * b0
		s11 += x * b1
		s12 += x * b2
		s13 += x * b3
		x = a2[p*csa]
		s20 += x * b0
		s21 += x * b1
		s22 += x * b2
		s23 += x * b3
		x = a3[p*csa]
		s30 += x * b0
		s31 += x * b1
		s32 += x * b2
		s33 += x * b3
	}
	store4(c, s00, s01, s02, s03, acc)
	store4(c[ldc:], s10, s11, s12, s13, acc)
	store4(c[2*ldc:], s20, s21, s22, s23, acc)
	store4(c[3*ldc:], s30, s31, s32, s33, acc)
}

// tile1x4 computes one row and four columns.
func tile1x4[T float](k int, a []T, csa int, b []T, ldb int, c []T, acc bool) {
	var s0, s1, s2, s3 T
	for p := range k {
		r := b[p*ldb:]
		r = r[:4:4]
		x := a[p*csa]
		s0 += x * r[0]
		s1 += x * r[1]
		s2 += x * r[2]
		s3 += x * r[3]
	}
	store4(c, s0, s1, s2, s3, acc)
}

// fullGo is kernels.full: columns are nr, which is what lanes are.
func fullGo[T float](_, k int, a, b, c []T, ldc int, acc bool, _ []T) {
	var s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33 T
	for a, b = a[:4*k], b[:4*k]; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
		x := a[0]
		s00 += x * b0
		s01 += x * b1
		s02 += x * b2
		s03 += x * b3
		x = a[1]
		s10 += x * b0
		s11 += x * b1
		s12 += x * b2
		s13 += x * b3
		x = a[2]
		s20 += x * b0
		s21 += x * b1
		s22 += x * b2
		s23 += x * b3
		x = a[3]
		s30 += x * b0
		s31 += x * b1
		s32 += x * b2
		s33 += x * b3
	}
	store4(c, s00, s01, s02, s03, acc)
	store4(c[ldc:], s10, s11, s12, s13, acc)
	store4(c[2*ldc:], s20, s21, s22, s23, acc)
	store4(c[3*ldc:], s30, s31, s32, s33, acc)
}

// dotGo is kernels.dot: four sums over every fourth product, added in pairs.
func dotGo[T float](m, n, k int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool) {
	for i := range m {
		for j := range n {
			x, y := a[i*lda:][:k], b[j*ldb:][:k]
			var s0, s1, s2, s3 T
			for ; len(x) >= 4 && len(y) >= 4; x, y = x[4:], y[4:] {
				s0 += x[0] * y[0]
				s1 += x[1] * y[1]
				s2 += x[2] * y[2]
				s3 += x[3] * y[3]
			}
			s := (s0 + s1) + (s2 + s3)
			for p := range x {
				s += x[p] * y[p]
			}
			store(&c[i*ldc+j], s, acc)
		}
	}
}

// transposeGo is kernels.transpose, in blocks of four rows.
func transposeGo[T float](rows, cols int, src []T, lds int, dst []T, ldd int) {
	r := 0
	for ; r+4 <= rows; r += 4 {
		s0, s1 := src[r*lds:][:cols], src[(r+1)*lds:][:cols]
		s2, s3 := src[(r+2)*lds:][:cols], src[(r+3)*lds:][:cols]
		for c := range s0 {
			d := dst[c*ldd+r:]
			d = d[:4:4]
			d[0], d[1], d[2], d[3] = s0[c], s1[c], s2[c], s3[c]
		}
	}
	for ; r < rows; r++ {
		for c, v := range src[r*lds:][:cols] {
			dst[c*ldd+r] = v
		}
	}
}

// packGo is kernels.packB and kernels.packA: mr and nr are both 4.
func packGo[T float](rows, panels int, src []T, lds int, dst []T) {
	for r := range rows {
		for p, s := 0, src[r*lds:][:4*panels]; p < panels; p++ {
			copy(dst[(p*rows+r)*4:][:4], s[4*p:])
		}
	}
}
