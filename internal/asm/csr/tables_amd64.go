//go:build !noasm

package csr

import "ganglion/internal/cpu"

var (
	go32 = Table[float32]{within: withinGo}
	go64 = Table[float64]{within: withinGo}

	avx2x32 = Table[float32]{lanes: 8, sum: sum32AVX2, rest: rest32AVX2, dot: dot32AVX2, within: within,
		score: score32AVX2, shift: shift32AVX2, share: share32AVX2, rescore: rescore32AVX2,
		derive: derive32AVX2,
		mix:    mix32AVX2,
		tiles:  4, slopes: slopes32AVX2, leaky: leaky32AVX2, dots: dots32AVX2}
	avx512x32 = Table[float32]{lanes: 16, sum: sum32AVX512, rest: rest32AVX512, dot: dot32AVX512, within: within,
		score: score32AVX512, shift: shift32AVX512, share: share32AVX512, rescore: rescore32AVX512,
		derive: derive32AVX512,
		mix:    mix32AVX512,
		tiles:  8, slopes: slopes32AVX512, leaky: leaky32AVX512, dots: dots32AVX512}
	avx2x64 = Table[float64]{lanes: 4, sum: sum64AVX2, rest: rest64AVX2, dot: dot64AVX2, within: within,
		score: score64AVX2, shift: shift64AVX2, share: share64AVX2, rescore: rescore64AVX2,
		derive: derive64AVX2,
		mix:    mix64AVX2,
		tiles:  4, slopes: slopes64AVX2, leaky: leaky64AVX2}
	avx512x64 = Table[float64]{lanes: 8, sum: sum64AVX512, rest: rest64AVX512, dot: dot64AVX512, within: within,
		score: score64AVX512, shift: shift64AVX512, share: share64AVX512, rescore: rescore64AVX512,
		derive: derive64AVX512,
		mix:    mix64AVX512,
		tiles:  8, slopes: slopes64AVX512, leaky: leaky64AVX512}

	dots32AVX2   = []dotsKernel[float32]{{8, 8, dots8AVX2}}
	dots32AVX512 = []dotsKernel[float32]{{8, 16, dots8AVX512}, {8, 8, dots8NarrowAVX512}}
)

func table32(path cpu.Path) *Table[float32] { return pick(path, &go32, &avx2x32, &avx512x32) }

func table64(path cpu.Path) *Table[float64] { return pick(path, &go64, &avx2x64, &avx512x64) }

func pick[P any](path cpu.Path, plain, avx2, avx512 *P) *P {
	switch path {
	case cpu.AVX512:
		return avx512
	case cpu.AVX2:
		return avx2
	}
	return plain
}

// within is Within on a processor with AVX2, which one with AVX-512 has as well.
func within(col []int32, rows int) bool {
	const lanes, block = 8, 1 << 16
	for len(col) >= lanes {
		n := min(len(col)/lanes, block/lanes)
		if int(topmostAVX2(n, &col[0])) >= rows {
			return false
		}
		col = col[n*lanes:]
	}
	return withinGo(col, rows)
}

func sum32AVX2(tile int, a sumArgs[float32]) {
	switch {
	case a.w != nil && a.pos != nil:
		switch tile {
		case 8:
			sum8PlacedF32AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4PlacedF32AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2PlacedF32AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1PlacedF32AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	case a.w != nil:
		switch tile {
		case 8:
			sum8WeightedF32AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4WeightedF32AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2WeightedF32AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1WeightedF32AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	default:
		switch tile {
		case 8:
			sum8F32AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4F32AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2F32AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1F32AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	}
}

func rest32AVX2(a sumArgs[float32], rest int) {
	switch {
	case a.w != nil && a.pos != nil:
		sumRestPlacedF32AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	case a.w != nil:
		sumRestWeightedF32AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	default:
		sumRestF32AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	}
}

func dot32AVX2(a dotArgs[float32]) {
	dotF32AVX2(a.rows, a.n, a.ptr, a.col, a.q, a.ldq, a.x, a.ldx, a.out, a.ldo, a.last)
}

func sum32AVX512(tile int, a sumArgs[float32]) {
	switch {
	case a.w != nil && a.pos != nil:
		switch tile {
		case 8:
			sum8PlacedF32AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4PlacedF32AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2PlacedF32AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1PlacedF32AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	case a.w != nil:
		switch tile {
		case 8:
			sum8WeightedF32AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4WeightedF32AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2WeightedF32AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1WeightedF32AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	default:
		switch tile {
		case 8:
			sum8F32AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4F32AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2F32AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1F32AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	}
}

func rest32AVX512(a sumArgs[float32], rest int) {
	switch {
	case a.w != nil && a.pos != nil:
		sumRestPlacedF32AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	case a.w != nil:
		sumRestWeightedF32AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	default:
		sumRestF32AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	}
}

func dot32AVX512(a dotArgs[float32]) {
	dotF32AVX512(a.rows, a.n, a.ptr, a.col, a.q, a.ldq, a.x, a.ldx, a.out, a.ldo, a.last)
}

func sum64AVX2(tile int, a sumArgs[float64]) {
	switch {
	case a.w != nil && a.pos != nil:
		switch tile {
		case 8:
			sum8PlacedF64AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4PlacedF64AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2PlacedF64AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1PlacedF64AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	case a.w != nil:
		switch tile {
		case 8:
			sum8WeightedF64AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4WeightedF64AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2WeightedF64AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1WeightedF64AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	default:
		switch tile {
		case 8:
			sum8F64AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4F64AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2F64AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1F64AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	}
}

func rest64AVX2(a sumArgs[float64], rest int) {
	switch {
	case a.w != nil && a.pos != nil:
		sumRestPlacedF64AVX2(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	case a.w != nil:
		sumRestWeightedF64AVX2(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	default:
		sumRestF64AVX2(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	}
}

func dot64AVX2(a dotArgs[float64]) {
	dotF64AVX2(a.rows, a.n, a.ptr, a.col, a.q, a.ldq, a.x, a.ldx, a.out, a.ldo, a.last)
}

func sum64AVX512(tile int, a sumArgs[float64]) {
	switch {
	case a.w != nil && a.pos != nil:
		switch tile {
		case 8:
			sum8PlacedF64AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4PlacedF64AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2PlacedF64AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1PlacedF64AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	case a.w != nil:
		switch tile {
		case 8:
			sum8WeightedF64AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4WeightedF64AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2WeightedF64AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1WeightedF64AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	default:
		switch tile {
		case 8:
			sum8F64AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		case 4:
			sum4F64AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		case 2:
			sum2F64AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		default:
			sum1F64AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last)
		}
	}
}

func rest64AVX512(a sumArgs[float64], rest int) {
	switch {
	case a.w != nil && a.pos != nil:
		sumRestPlacedF64AVX512(a.rows, a.ptr, a.col, a.pos, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	case a.w != nil:
		sumRestWeightedF64AVX512(a.rows, a.ptr, a.col, a.w, a.ldw, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	default:
		sumRestF64AVX512(a.rows, a.ptr, a.col, a.x, a.ldx, a.y, a.ldy, a.last, rest)
	}
}

func dot64AVX512(a dotArgs[float64]) {
	dotF64AVX512(a.rows, a.n, a.ptr, a.col, a.q, a.ldq, a.x, a.ldx, a.out, a.ldo, a.last)
}
