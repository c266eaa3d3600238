//go:build !noasm

package plane

import "ganglion/internal/cpu"

var (
	avx2x32 = Table[float32]{
		sumRows: sumRowsF32AVX2, sumColumns: sumColumnsF32AVX2, sumBoth: sumBothF32AVX2,
		spreadRows: spreadRowsF32AVX2, spreadColumns: spreadColumnsF32AVX2, spreadBoth: spreadBothF32AVX2,
		move: moveF32AVX2, add: addF32AVX2, transpose: transposeF32AVX2, tall: 8, wide: 4,
	}
	avx2x64 = Table[float64]{
		sumRows: sumRowsF64AVX2, sumColumns: sumColumnsF64AVX2, sumBoth: sumBothF64AVX2,
		spreadRows: spreadRowsF64AVX2, spreadColumns: spreadColumnsF64AVX2, spreadBoth: spreadBothF64AVX2,
		move: moveF64AVX2, add: addF64AVX2, transpose: transposeF64AVX2, tall: 4, wide: 2,
	}
	avx512x32 = Table[float32]{
		sumRows: sumRowsF32AVX512, sumColumns: sumColumnsF32AVX512, sumBoth: sumBothF32AVX512,
		spreadRows: spreadRowsF32AVX512, spreadColumns: spreadColumnsF32AVX512, spreadBoth: spreadBothF32AVX512,
		move: moveF32AVX512, add: addF32AVX512, transpose: transposeF32AVX2, tall: 8, wide: 4,
	}
	avx512x64 = Table[float64]{
		sumRows: sumRowsF64AVX512, sumColumns: sumColumnsF64AVX512, sumBoth: sumBothF64AVX512,
		spreadRows: spreadRowsF64AVX512, spreadColumns: spreadColumnsF64AVX512, spreadBoth: spreadBothF64AVX512,
		move: moveF64AVX512, add: addF64AVX512, transpose: transposeF64AVX2, tall: 4, wide: 2,
	}
)

func table32(path cpu.Path) *Table[float32] { return pick(path, &avx2x32, &avx512x32) }

func table64(path cpu.Path) *Table[float64] { return pick(path, &avx2x64, &avx512x64) }

// pick returns the table of a path. A processor with AVX-512 has AVX2 as well, whose transposition serves both.
func pick[T float32 | float64](path cpu.Path, avx2, avx512 *Table[T]) *Table[T] {
	switch path {
	case cpu.AVX512:
		return avx512
	case cpu.AVX2:
		return avx2
	}
	return plain[T]()
}
