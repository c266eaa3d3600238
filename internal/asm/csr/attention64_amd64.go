//go:build !noasm

package csr

import (
	"math"
	"unsafe"
)

// The functions below are those of attention_amd64.go for float64.

func score64AVX2(a Score[float64], rows int) {
	f := scoreF64AVX2
	switch a.Heads {
	case 4:
		f = scoreWholeF64AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.U[0], a.StepU*8, &a.V[0], a.StepV*8,
		at(a.E, int(a.Ptr[0])*a.Heads), a.Slope, &a.S[0], len(a.Col)-1)
}

func shift64AVX2(a Shift[float64], rows int) {
	if a.Heads == 1 {
		shiftOneF64AVX2(
			rows,
			1,
			&a.Ptr[0],
			&a.From[0],
			&a.To[0],
			unsafe.SliceData(a.Top),
			float64(math.Inf(-1)),
			a.StepTop*8,
		)
		return
	}
	f := shiftF64AVX2
	switch a.Heads {
	case 4:
		f = shiftWholeF64AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.From[0], &a.To[0], unsafe.SliceData(a.Top), a.StepTop*8)
}

func share64AVX2(a Share[float64], rows int) {
	if a.Heads == 1 {
		shareOneF64AVX2(rows, 1, &a.Ptr[0], &a.X[0], 1, a.Tiny, unsafe.SliceData(a.Inverse), a.StepInv*8)
		return
	}
	f := shareF64AVX2
	switch a.Heads {
	case 4:
		f = shareWholeF64AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.X[0], 1, a.Tiny, unsafe.SliceData(a.Inverse), a.StepInv*8)
}

func rescore64AVX2(a Rescore[float64], rows int) {
	f := rescoreF64AVX2
	switch a.Heads {
	case 4:
		f = rescoreWholeF64AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.Pos[0], &a.U[0], &a.Records[0], unsafe.SliceData(a.E), a.Slope,
		&a.S[0], len(a.Col)-1)
}

func derive64AVX2(a Derive[float64], rows int) {
	f := deriveF64AVX2
	switch a.Heads {
	case 4:
		f = deriveWholeF64AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.Pos[0], &a.U[0], &a.Records[0], unsafe.SliceData(a.E), a.Slope,
		&a.S[0], &a.G[0], &a.DZ[0], &a.DU[0], len(a.Col)-1)
}

func mix64AVX2(tile int, a mixArgs[float64]) {
	if a.mean {
		switch tile {
		case 0:
			mixRestMeanF64AVX2(
				a.rows,
				a.heads,
				a.ptr,
				a.col,
				a.w,
				a.x,
				a.ldx,
				a.y,
				a.ldy,
				a.lanes,
				a.last,
				1,
				a.tiny,
				a.rest,
			)
		case 4:
			mix4MeanF64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		case 2:
			mix2MeanF64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		default:
			mix1MeanF64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		}
		return
	}
	switch tile {
	case 0:
		mixRestF64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, a.rest)
	case 4:
		mix4F64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	case 2:
		mix2F64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	default:
		mix1F64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	}
}

func slopes64AVX2(tile int, a slopeArgs[float64]) {
	switch tile {
	case 0:
		slopesRestF64AVX2(
			a.rows,
			a.heads,
			a.ptr,
			a.col,
			a.w,
			a.q,
			a.ldq,
			a.x,
			a.ldx,
			a.y,
			a.ldy,
			a.lanes,
			a.slope,
			a.last,
			a.rest,
		)
	case 2:
		slopes2F64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.q, a.ldq, a.x, a.ldx, a.y, a.ldy, a.lanes, a.slope, a.last)
	default:
		slopes1F64AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.q, a.ldq, a.x, a.ldx, a.y, a.ldy, a.lanes, a.slope, a.last)
	}
}

func leaky64AVX2(a dotArgs[float64], weights *float64, slope float64) {
	dotLeakyF64AVX2(a.rows, a.n, a.ptr, a.col, a.q, a.ldq, a.x, a.ldx, a.out, a.ldo, a.last, weights, slope)
}

func score64AVX512(a Score[float64], rows int) {
	f := scoreF64AVX512
	switch a.Heads {
	case 4:
		f = scoreWholeF64AVX2
	case 8:
		f = scoreWholeF64AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.U[0], a.StepU*8, &a.V[0], a.StepV*8,
		at(a.E, int(a.Ptr[0])*a.Heads), a.Slope, &a.S[0], len(a.Col)-1)
}

func shift64AVX512(a Shift[float64], rows int) {
	if a.Heads == 1 {
		shiftOneF64AVX512(
			rows,
			1,
			&a.Ptr[0],
			&a.From[0],
			&a.To[0],
			unsafe.SliceData(a.Top),
			float64(math.Inf(-1)),
			a.StepTop*8,
		)
		return
	}
	f := shiftF64AVX512
	switch a.Heads {
	case 4:
		f = shiftWholeF64AVX2
	case 8:
		f = shiftWholeF64AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.From[0], &a.To[0], unsafe.SliceData(a.Top), a.StepTop*8)
}

func share64AVX512(a Share[float64], rows int) {
	if a.Heads == 1 {
		shareOneF64AVX512(rows, 1, &a.Ptr[0], &a.X[0], 1, a.Tiny, unsafe.SliceData(a.Inverse), a.StepInv*8)
		return
	}
	f := shareF64AVX512
	switch a.Heads {
	case 4:
		f = shareWholeF64AVX2
	case 8:
		f = shareWholeF64AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.X[0], 1, a.Tiny, unsafe.SliceData(a.Inverse), a.StepInv*8)
}

func rescore64AVX512(a Rescore[float64], rows int) {
	f := rescoreF64AVX512
	switch a.Heads {
	case 4:
		f = rescoreWholeF64AVX2
	case 8:
		f = rescoreWholeF64AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.Pos[0], &a.U[0], &a.Records[0], unsafe.SliceData(a.E), a.Slope,
		&a.S[0], len(a.Col)-1)
}

func derive64AVX512(a Derive[float64], rows int) {
	f := deriveF64AVX512
	switch a.Heads {
	case 4:
		f = deriveWholeF64AVX2
	case 8:
		f = deriveWholeF64AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.Pos[0], &a.U[0], &a.Records[0], unsafe.SliceData(a.E), a.Slope,
		&a.S[0], &a.G[0], &a.DZ[0], &a.DU[0], len(a.Col)-1)
}

func mix64AVX512(tile int, a mixArgs[float64]) {
	if a.mean {
		switch tile {
		case 0:
			mixRestMeanF64AVX512(
				a.rows,
				a.heads,
				a.ptr,
				a.col,
				a.w,
				a.x,
				a.ldx,
				a.y,
				a.ldy,
				a.lanes,
				a.last,
				1,
				a.tiny,
				a.rest,
			)
		case 8:
			mix8MeanF64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		case 4:
			mix4MeanF64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		case 2:
			mix2MeanF64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		default:
			mix1MeanF64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		}
		return
	}
	switch tile {
	case 0:
		mixRestF64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, a.rest)
	case 8:
		mix8F64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	case 4:
		mix4F64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	case 2:
		mix2F64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	default:
		mix1F64AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	}
}

func slopes64AVX512(tile int, a slopeArgs[float64]) {
	switch tile {
	case 0:
		slopesRestF64AVX512(
			a.rows,
			a.heads,
			a.ptr,
			a.col,
			a.w,
			a.q,
			a.ldq,
			a.x,
			a.ldx,
			a.y,
			a.ldy,
			a.lanes,
			a.slope,
			a.last,
			a.rest,
		)
	case 2:
		slopes2F64AVX512(
			a.rows,
			a.heads,
			a.ptr,
			a.col,
			a.w,
			a.q,
			a.ldq,
			a.x,
			a.ldx,
			a.y,
			a.ldy,
			a.lanes,
			a.slope,
			a.last,
		)
	default:
		slopes1F64AVX512(
			a.rows,
			a.heads,
			a.ptr,
			a.col,
			a.w,
			a.q,
			a.ldq,
			a.x,
			a.ldx,
			a.y,
			a.ldy,
			a.lanes,
			a.slope,
			a.last,
		)
	}
}

func leaky64AVX512(a dotArgs[float64], weights *float64, slope float64) {
	dotLeakyF64AVX512(a.rows, a.n, a.ptr, a.col, a.q, a.ldq, a.x, a.ldx, a.out, a.ldo, a.last, weights, slope)
}
