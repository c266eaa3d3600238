//go:build !noasm

package lane

import (
	"unsafe"

	"ganglion/internal/cpu"
)

// The tables of all paths, for 16 and 32 lanes.
var (
	go32 = [2]*Table[float32]{twin[float32](16), twin[float32](32)}
	go64 = [2]*Table[float64]{twin[float64](16), twin[float64](32)}

	goJacobians32 = twinJacobians[float32]()
	goJacobians64 = twinJacobians[float64]()

	goWeights32 = twinWeights[float32]()
	goWeights64 = twinWeights[float64]()

	avx2x32 = [2]*Table[float32]{
		bind(16, kernels[float32]{
			rowsW16F32AVX2, denseW16F32AVX2,
			extentW16F32AVX2, stepW16F32AVX2,
			dotsW16F32AVX2, squaresW16F32AVX2,
			fmaF32AVX2,
		}),
		bind(32, kernels[float32]{
			rowsW32F32AVX2, denseW32F32AVX2,
			extentW32F32AVX2, stepW32F32AVX2,
			dotsW32F32AVX2, squaresW32F32AVX2,
			fmaF32AVX2,
		}),
	}
	avx2Jacobians32 = bindJacobians(jacobianKernels[float32]{
		columnsF32AVX2, scaleF32AVX2,
		pivotsF32AVX2, eliminateF32AVX2,
		eliminate4F32AVX2,
	})
	avx2Weights32 = bindWeights(8, weightKernels[float32]{repelF32AVX2, shrinkF32AVX2, divideF32AVX2, greatestF32AVX2})

	avx2x64 = [2]*Table[float64]{
		bind(16, kernels[float64]{
			rowsW16F64AVX2, denseW16F64AVX2,
			extentW16F64AVX2, stepW16F64AVX2,
			dotsW16F64AVX2, squaresW16F64AVX2,
			fmaF64AVX2,
		}),
		bind(32, kernels[float64]{
			rowsW32F64AVX2, denseW32F64AVX2,
			extentW32F64AVX2, stepW32F64AVX2,
			dotsW32F64AVX2, squaresW32F64AVX2,
			fmaF64AVX2,
		}),
	}
	avx2Jacobians64 = bindJacobians(jacobianKernels[float64]{
		columnsF64AVX2, scaleF64AVX2,
		pivotsF64AVX2, eliminateF64AVX2,
		eliminate4F64AVX2,
	})
	avx2Weights64 = bindWeights(4, weightKernels[float64]{repelF64AVX2, shrinkF64AVX2, divideF64AVX2, greatestF64AVX2})

	avx512x32 = [2]*Table[float32]{
		bind(16, kernels[float32]{
			rowsW16F32AVX512, denseW16F32AVX512,
			extentW16F32AVX512, stepW16F32AVX512,
			dotsW16F32AVX512, squaresW16F32AVX512,
			fmaF32AVX512,
		}),
		bind(32, kernels[float32]{
			rowsW32F32AVX512, denseW32F32AVX512,
			extentW32F32AVX512, stepW32F32AVX512,
			dotsW32F32AVX512, squaresW32F32AVX512,
			fmaF32AVX512,
		}),
	}
	avx512Jacobians32 = bindJacobians(jacobianKernels[float32]{
		columnsF32AVX512, scaleF32AVX512,
		pivotsF32AVX512, eliminateF32AVX512,
		eliminate4F32AVX512,
	})
	avx512Weights32 = bindWeights(16, weightKernels[float32]{repelF32AVX512, shrinkF32AVX512, divideF32AVX512,
		greatestF32AVX512})

	avx512x64 = [2]*Table[float64]{
		bind(16, kernels[float64]{
			rowsW16F64AVX512, denseW16F64AVX512,
			extentW16F64AVX512, stepW16F64AVX512,
			dotsW16F64AVX512, squaresW16F64AVX512,
			fmaF64AVX512,
		}),
		bind(32, kernels[float64]{
			rowsW32F64AVX512, denseW32F64AVX512,
			extentW32F64AVX512, stepW32F64AVX512,
			dotsW32F64AVX512, squaresW32F64AVX512,
			fmaF64AVX512,
		}),
	}
	avx512Jacobians64 = bindJacobians(jacobianKernels[float64]{
		columnsF64AVX512, scaleF64AVX512,
		pivotsF64AVX512, eliminateF64AVX512,
		eliminate4F64AVX512,
	})
	avx512Weights64 = bindWeights(8, weightKernels[float64]{repelF64AVX512, shrinkF64AVX512, divideF64AVX512,
		greatestF64AVX512})
)

func table32(path cpu.Path, width int) *Table[float32] {
	return pick(path, go32[width], avx2x32[width], avx512x32[width])
}

func table64(path cpu.Path, width int) *Table[float64] {
	return pick(path, go64[width], avx2x64[width], avx512x64[width])
}

func jacobians32(path cpu.Path) *Jacobians[float32] {
	return pick(path, goJacobians32, avx2Jacobians32, avx512Jacobians32)
}

func jacobians64(path cpu.Path) *Jacobians[float64] {
	return pick(path, goJacobians64, avx2Jacobians64, avx512Jacobians64)
}

func weights32(path cpu.Path) *Weights[float32] {
	return pick(path, goWeights32, avx2Weights32, avx512Weights32)
}

func weights64(path cpu.Path) *Weights[float64] {
	return pick(path, goWeights64, avx2Weights64, avx512Weights64)
}

func pick[P any](path cpu.Path, plain, avx2, avx512 P) P {
	switch path {
	case cpu.AVX512:
		return avx512
	case cpu.AVX2:
		return avx2
	}
	return plain
}

// kernels are the assembly functions for one type, path and number of lanes.
type kernels[T float32 | float64] struct {
	rows    func(n int, g, base, f *T, lo, hi, index *int32, value *T)
	dense   func(n, cols int, g, base, m, f *T)
	extent  func(n int, res, norm, x, g *T)
	step    func(n int, y, x, a, s *T)
	dots    func(n int, out, a, b *T)
	squares func(n int, out, x, g *T)
	fma     func(n int, y, c, d, a *T)
}

// data is the first element, nil if there is none: the kernels touch no memory then.
func data[T float32 | float64 | int32](s []T) *T { return unsafe.SliceData(s) }

// bind wraps the assembly functions in the checks of lengths.
func bind[T float32 | float64](w int, k kernels[T]) *Table[T] {
	return &Table[T]{
		Rows: func(g, base, f []T, lo, hi, index []int32, value []T) {
			checkRows(w, g, base, f, lo, hi, index, value)
			k.rows(len(lo), data(g), data(base), data(f), data(lo), data(hi), data(index), data(value))
		},
		Dense: func(g, base, m, f []T) {
			checkDense(w, g, base, m, f)
			k.dense(len(g)/w, len(f)/w, data(g), data(base), data(m), data(f))
		},
		Extent: func(res, norm, x, g []T) {
			checkSums(w, res, norm, x, g)
			k.extent(len(x)/w, data(res), data(norm), data(x), data(g))
		},
		Step: func(y, x, a, s []T) {
			checkStep(w, y, x, a, s)
			k.step(len(y)/w, data(y), data(x), data(a), data(s))
		},
		Dots: func(out, a, b []T) {
			checkSums(w, out, out, a, b)
			k.dots(len(a)/w, data(out), data(a), data(b))
		},
		Squares: func(out, x, g []T) {
			checkSums(w, out, out, x, g)
			k.squares(len(x)/w, data(out), data(x), data(g))
		},
		FMA: func(y, c, d, a []T) {
			checkFMA(y, c, d, a)
			k.fma(len(y)/Group, data(y), data(c), data(d), data(a))
		},
	}
}

// jacobianKernels are the assembly functions for Jacobians of one type and path.
type jacobianKernels[T float32 | float64] struct {
	columns, scale func(n int, y, m, s *T)
	pivots         func(n, stride int, row, most, a *T)
	eliminate      func(n int, a, b, l *T)
	eliminate4     func(n, stride int, a, b, l *T)
}

func bindJacobians[T float32 | float64](k jacobianKernels[T]) *Jacobians[T] {
	var zero T
	const lanes = Group
	rowBytes := lanes * int(unsafe.Sizeof(zero))
	return &Jacobians[T]{
		Columns: func(y, m, s []T) {
			checkColumns(y, m, s, len(m))
			k.columns(len(m), data(y), data(m), data(s))
		},
		Scale: func(y, m, s []T) {
			checkColumns(y, m, s, 1)
			k.scale(len(m), data(y), data(m), data(s))
		},
		Pivots: func(row, most, a []T, n, stride int) {
			checkPivots(row, most, a, n, stride)
			k.pivots(n, stride*rowBytes, data(row), data(most), data(a))
		},
		Eliminate: func(a, b, l []T) {
			checkEliminate(a, b, l, 1, 0)
			k.eliminate(len(a)/Group, data(a), data(b), data(l))
		},
		Eliminate4: func(a, b, l []T, stride int) {
			checkEliminate(a, b, l, 4, stride)
			k.eliminate4(len(a)/Group, stride*rowBytes, data(a), data(b), data(l))
		},
	}
}

// weightKernels are the assembly functions for weights of one type and path.
type weightKernels[T float32 | float64] struct {
	repel, shrink, divide func(n int, w, z *T, k0, k1, k2 T)
	greatest              func(n int, most, w *T)
}

// bindWeights wraps the assembly functions, which handle whole vectors of v elements; the Go path handles the rest.
func bindWeights[T float32 | float64](v int, k weightKernels[T]) *Weights[T] {
	return &Weights[T]{
		Repel: func(w, z []T, a, inverse, b T) {
			checkWeights(w, z)
			n := len(w) / v
			k.repel(n, data(w), data(z), a, inverse, b)
			repel(w[n*v:], z[n*v:], a, inverse, b)
		},
		Shrink: func(w, z []T, a T) {
			checkWeights(w, z)
			n := len(w) / v
			k.shrink(n, data(w), data(z), a, 0, 0)
			shrink(w[n*v:], z[n*v:], a)
		},
		Divide: func(w, z []T, a T) {
			checkWeights(w, z)
			n := len(w) / v
			k.divide(n, data(w), data(z), a, 0, 0)
			divide(w[n*v:], z[n*v:], a)
		},
		Largest: func(most, w []T) {
			checkLargest(most)
			n := len(w) / v
			k.greatest(n, data(most), data(w))
			most[0] = largest(most[0], w[n*v:])
		},
	}
}
