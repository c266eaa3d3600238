//go:build !noasm

package fft

import "ganglion/internal/cpu"

var (
	avx2x32 = table[float32]{
		lanes: 8,
		stage: [maxRadix + 1]stage[float32]{
			2: stage2F32AVX2, 3: stage3F32AVX2, 4: stage4F32AVX2,
			5: stage5F32AVX2, 7: stage7F32AVX2, 8: stage8F32AVX2,
		},
		last: [maxRadix + 1]stage[float32]{
			2: last2F32AVX2, 3: last3F32AVX2, 4: last4F32AVX2,
			5: last5F32AVX2, 7: last7F32AVX2, 8: last8F32AVX2,
		},
		split: splitF32AVX2, join: joinF32AVX2, cosines: cosinesF32AVX2, cosinesBack: cosinesBackF32AVX2,
		modulate: modulateF32AVX2,
	}
	avx512x32 = table[float32]{
		lanes: 16,
		stage: [maxRadix + 1]stage[float32]{
			2: stage2F32AVX512, 3: stage3F32AVX512, 4: stage4F32AVX512,
			5: stage5F32AVX512, 7: stage7F32AVX512, 8: stage8F32AVX512,
		},
		last: [maxRadix + 1]stage[float32]{
			2: last2F32AVX512, 3: last3F32AVX512, 4: last4F32AVX512,
			5: last5F32AVX512, 7: last7F32AVX512, 8: last8F32AVX512,
		},
		split: splitF32AVX512, join: joinF32AVX512, cosines: cosinesF32AVX512, cosinesBack: cosinesBackF32AVX512,
		modulate: modulateF32AVX512,
	}
	avx2x64 = table[float64]{
		lanes: 4,
		stage: [maxRadix + 1]stage[float64]{
			2: stage2F64AVX2, 3: stage3F64AVX2, 4: stage4F64AVX2,
			5: stage5F64AVX2, 7: stage7F64AVX2, 8: stage8F64AVX2,
		},
		last: [maxRadix + 1]stage[float64]{
			2: last2F64AVX2, 3: last3F64AVX2, 4: last4F64AVX2,
			5: last5F64AVX2, 7: last7F64AVX2, 8: last8F64AVX2,
		},
		split: splitF64AVX2, join: joinF64AVX2, cosines: cosinesF64AVX2, cosinesBack: cosinesBackF64AVX2,
		modulate: modulateF64AVX2,
	}
	avx512x64 = table[float64]{
		lanes: 8,
		stage: [maxRadix + 1]stage[float64]{
			2: stage2F64AVX512, 3: stage3F64AVX512, 4: stage4F64AVX512,
			5: stage5F64AVX512, 7: stage7F64AVX512, 8: stage8F64AVX512,
		},
		last: [maxRadix + 1]stage[float64]{
			2: last2F64AVX512, 3: last3F64AVX512, 4: last4F64AVX512,
			5: last5F64AVX512, 7: last7F64AVX512, 8: last8F64AVX512,
		},
		split: splitF64AVX512, join: joinF64AVX512, cosines: cosinesF64AVX512, cosinesBack: cosinesBackF64AVX512,
		modulate: modulateF64AVX512,
	}
)

func table32(path cpu.Path) *table[float32] { return pick(path, &plain32, &avx2x32, &avx512x32) }

func table64(path cpu.Path) *table[float64] { return pick(path, &plain64, &avx2x64, &avx512x64) }

func pick[P any](path cpu.Path, plain, avx2, avx512 *P) *P {
	switch path {
	case cpu.AVX512:
		return avx512
	case cpu.AVX2:
		return avx2
	}
	return plain
}

// codelets are those of a path, and their number of lanes.
func codelets(path cpu.Path) (list []codelet, lanes int) {
	switch path {
	case cpu.AVX512:
		return avx512Codelets[:], 16
	case cpu.AVX2:
		return avx2Codelets[:], 8
	}
	return nil, 0
}
