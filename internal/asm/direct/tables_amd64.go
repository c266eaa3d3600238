//go:build !noasm

package direct

import "ganglion/internal/cpu"

var (
	avx2x32 = Table[float32]{
		Lanes: 8, Heights: []int{6, 4, 2, 1}, Tall: 2, Wide: 4,
		patch: func(rows, n, channels, taps int, a, x *float32, plane int, off *int32, c *float32, ldc int) {
			switch rows {
			case 6:
				patch6F32AVX2(n, channels, taps, a, x, plane, off, c, ldc)
			case 4:
				patch4F32AVX2(n, channels, taps, a, x, plane, off, c, ldc)
			case 2:
				patch2F32AVX2(n, channels, taps, a, x, plane, off, c, ldc)
			case 1:
				patch1F32AVX2(n, channels, taps, a, x, plane, off, c, ldc)
			default:
				misfit("Patch", rows)
			}
		},
		shifted: func(rows, cols, images, n int, y *float32, ldy, stepy int, x *float32, stepx int, off *int32,
			sums *float32, ld int) {
			switch {
			case rows == 2 && cols == 4:
				shifted2x4F32AVX2(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 2 && cols == 1:
				shifted2x1F32AVX2(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 1 && cols == 4:
				shifted1x4F32AVX2(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			default:
				shifted1x1F32AVX2(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			}
		},
		move: moveF32AVX2, pool: poolF32AVX2, poolGrad: poolGradF32AVX2, reluPoolGrad: reluPoolGradF32AVX2,
	}
	avx2x64 = Table[float64]{
		Lanes: 4, Heights: []int{6, 4, 2, 1}, Tall: 2, Wide: 4,
		patch: func(rows, n, channels, taps int, a, x *float64, plane int, off *int32, c *float64, ldc int) {
			switch rows {
			case 6:
				patch6F64AVX2(n, channels, taps, a, x, plane, off, c, ldc)
			case 4:
				patch4F64AVX2(n, channels, taps, a, x, plane, off, c, ldc)
			case 2:
				patch2F64AVX2(n, channels, taps, a, x, plane, off, c, ldc)
			case 1:
				patch1F64AVX2(n, channels, taps, a, x, plane, off, c, ldc)
			default:
				misfit("Patch", rows)
			}
		},
		shifted: func(rows, cols, images, n int, y *float64, ldy, stepy int, x *float64, stepx int, off *int32,
			sums *float64, ld int) {
			switch {
			case rows == 2 && cols == 4:
				shifted2x4F64AVX2(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 2 && cols == 1:
				shifted2x1F64AVX2(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 1 && cols == 4:
				shifted1x4F64AVX2(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			default:
				shifted1x1F64AVX2(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			}
		},
		move: moveF64AVX2, pool: poolF64AVX2, poolGrad: poolGradF64AVX2, reluPoolGrad: reluPoolGradF64AVX2,
	}
	avx512x32 = Table[float32]{
		Lanes: 16, Heights: []int{8, 6, 4, 2, 1}, Tall: 4, Wide: 6,
		patch: func(rows, n, channels, taps int, a, x *float32, plane int, off *int32, c *float32, ldc int) {
			switch rows {
			case 8:
				patch8F32AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			case 6:
				patch6F32AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			case 4:
				patch4F32AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			case 2:
				patch2F32AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			case 1:
				patch1F32AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			default:
				misfit("Patch", rows)
			}
		},
		shifted: func(rows, cols, images, n int, y *float32, ldy, stepy int, x *float32, stepx int, off *int32,
			sums *float32, ld int) {
			switch {
			case rows == 4 && cols == 6:
				shifted4x6F32AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 4 && cols == 1:
				shifted4x1F32AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 2 && cols == 6:
				shifted2x6F32AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 2 && cols == 1:
				shifted2x1F32AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 1 && cols == 6:
				shifted1x6F32AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			default:
				shifted1x1F32AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			}
		},
		move: moveF32AVX512, pool: poolF32AVX2, poolGrad: poolGradF32AVX2, reluPoolGrad: reluPoolGradF32AVX2,
	}
	avx512x64 = Table[float64]{
		Lanes: 8, Heights: []int{8, 6, 4, 2, 1}, Tall: 4, Wide: 6,
		patch: func(rows, n, channels, taps int, a, x *float64, plane int, off *int32, c *float64, ldc int) {
			switch rows {
			case 8:
				patch8F64AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			case 6:
				patch6F64AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			case 4:
				patch4F64AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			case 2:
				patch2F64AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			case 1:
				patch1F64AVX512(n, channels, taps, a, x, plane, off, c, ldc)
			default:
				misfit("Patch", rows)
			}
		},
		shifted: func(rows, cols, images, n int, y *float64, ldy, stepy int, x *float64, stepx int, off *int32,
			sums *float64, ld int) {
			switch {
			case rows == 4 && cols == 6:
				shifted4x6F64AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 4 && cols == 1:
				shifted4x1F64AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 2 && cols == 6:
				shifted2x6F64AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 2 && cols == 1:
				shifted2x1F64AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			case rows == 1 && cols == 6:
				shifted1x6F64AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			default:
				shifted1x1F64AVX512(images, n, y, ldy, stepy, x, stepx, off, sums, ld)
			}
		},
		move: moveF64AVX512, pool: poolF64AVX2, poolGrad: poolGradF64AVX2, reluPoolGrad: reluPoolGradF64AVX2,
	}
)

func table32(path cpu.Path) *Table[float32] { return pick(path, &avx2x32, &avx512x32) }

func table64(path cpu.Path) *Table[float64] { return pick(path, &avx2x64, &avx512x64) }

// pick returns the table of a path. A processor with AVX-512 has AVX2 as well, whose kernels of pooling serve both.
func pick[P any](path cpu.Path, avx2, avx512 *P) *P {
	switch path {
	case cpu.AVX512:
		return avx512
	case cpu.AVX2:
		return avx2
	}
	return nil
}
