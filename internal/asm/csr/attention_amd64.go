//go:build !noasm

package csr

import (
	"math"
	"unsafe"
)

// The functions below hand the tasks of attention to the kernels of a path.

// at is the address of element n of a list, nil if there is no list.
func at[T float32 | float64](x []T, n int) *T {
	if x == nil {
		return nil
	}
	return &x[n]
}

func score32AVX2(a Score[float32], rows int) {
	f := scoreF32AVX2
	switch a.Heads {
	case 8:
		f = scoreWholeF32AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.U[0], a.StepU*4, &a.V[0], a.StepV*4,
		at(a.E, int(a.Ptr[0])*a.Heads), a.Slope, &a.S[0], len(a.Col)-1)
}

func shift32AVX2(a Shift[float32], rows int) {
	if a.Heads == 1 {
		shiftOneF32AVX2(
			rows,
			1,
			&a.Ptr[0],
			&a.From[0],
			&a.To[0],
			unsafe.SliceData(a.Top),
			float32(math.Inf(-1)),
			a.StepTop*4,
		)
		return
	}
	f := shiftF32AVX2
	switch a.Heads {
	case 8:
		f = shiftWholeF32AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.From[0], &a.To[0], unsafe.SliceData(a.Top), a.StepTop*4)
}

func share32AVX2(a Share[float32], rows int) {
	if a.Heads == 1 {
		shareOneF32AVX2(rows, 1, &a.Ptr[0], &a.X[0], 1, a.Tiny, unsafe.SliceData(a.Inverse), a.StepInv*4)
		return
	}
	f := shareF32AVX2
	switch a.Heads {
	case 8:
		f = shareWholeF32AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.X[0], 1, a.Tiny, unsafe.SliceData(a.Inverse), a.StepInv*4)
}

func rescore32AVX2(a Rescore[float32], rows int) {
	f := rescoreF32AVX2
	switch a.Heads {
	case 8:
		f = rescoreWholeF32AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.Pos[0], &a.U[0], &a.Records[0], unsafe.SliceData(a.E), a.Slope,
		&a.S[0], len(a.Col)-1)
}

func derive32AVX2(a Derive[float32], rows int) {
	f := deriveF32AVX2
	switch a.Heads {
	case 8:
		f = deriveWholeF32AVX2
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.Pos[0], &a.U[0], &a.Records[0], unsafe.SliceData(a.E), a.Slope,
		&a.S[0], &a.G[0], &a.DZ[0], &a.DU[0], len(a.Col)-1)
}

func mix32AVX2(tile int, a mixArgs[float32]) {
	if a.mean {
		switch tile {
		case 0:
			mixRestMeanF32AVX2(
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
			mix4MeanF32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		case 2:
			mix2MeanF32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		default:
			mix1MeanF32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		}
		return
	}
	switch tile {
	case 0:
		mixRestF32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, a.rest)
	case 4:
		mix4F32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	case 2:
		mix2F32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	default:
		mix1F32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	}
}

func slopes32AVX2(tile int, a slopeArgs[float32]) {
	switch tile {
	case 0:
		slopesRestF32AVX2(
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
		slopes2F32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.q, a.ldq, a.x, a.ldx, a.y, a.ldy, a.lanes, a.slope, a.last)
	default:
		slopes1F32AVX2(a.rows, a.heads, a.ptr, a.col, a.w, a.q, a.ldq, a.x, a.ldx, a.y, a.ldy, a.lanes, a.slope, a.last)
	}
}

func leaky32AVX2(a dotArgs[float32], weights *float32, slope float32) {
	dotLeakyF32AVX2(a.rows, a.n, a.ptr, a.col, a.q, a.ldq, a.x, a.ldx, a.out, a.ldo, a.last, weights, slope)
}

func score32AVX512(a Score[float32], rows int) {
	f := scoreF32AVX512
	switch a.Heads {
	case 8:
		f = scoreWholeF32AVX2
	case 16:
		f = scoreWholeF32AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.U[0], a.StepU*4, &a.V[0], a.StepV*4,
		at(a.E, int(a.Ptr[0])*a.Heads), a.Slope, &a.S[0], len(a.Col)-1)
}

func shift32AVX512(a Shift[float32], rows int) {
	if a.Heads == 1 {
		shiftOneF32AVX512(
			rows,
			1,
			&a.Ptr[0],
			&a.From[0],
			&a.To[0],
			unsafe.SliceData(a.Top),
			float32(math.Inf(-1)),
			a.StepTop*4,
		)
		return
	}
	f := shiftF32AVX512
	switch a.Heads {
	case 8:
		f = shiftWholeF32AVX2
	case 16:
		f = shiftWholeF32AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.From[0], &a.To[0], unsafe.SliceData(a.Top), a.StepTop*4)
}

func share32AVX512(a Share[float32], rows int) {
	if a.Heads == 1 {
		shareOneF32AVX512(rows, 1, &a.Ptr[0], &a.X[0], 1, a.Tiny, unsafe.SliceData(a.Inverse), a.StepInv*4)
		return
	}
	f := shareF32AVX512
	switch a.Heads {
	case 8:
		f = shareWholeF32AVX2
	case 16:
		f = shareWholeF32AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.X[0], 1, a.Tiny, unsafe.SliceData(a.Inverse), a.StepInv*4)
}

func rescore32AVX512(a Rescore[float32], rows int) {
	f := rescoreF32AVX512
	switch a.Heads {
	case 8:
		f = rescoreWholeF32AVX2
	case 16:
		f = rescoreWholeF32AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.Pos[0], &a.U[0], &a.Records[0], unsafe.SliceData(a.E), a.Slope,
		&a.S[0], len(a.Col)-1)
}

func derive32AVX512(a Derive[float32], rows int) {
	f := deriveF32AVX512
	switch a.Heads {
	case 8:
		f = deriveWholeF32AVX2
	case 16:
		f = deriveWholeF32AVX512
	}
	f(rows, a.Heads, &a.Ptr[0], &a.Col[0], &a.Pos[0], &a.U[0], &a.Records[0], unsafe.SliceData(a.E), a.Slope,
		&a.S[0], &a.G[0], &a.DZ[0], &a.DU[0], len(a.Col)-1)
}

func mix32AVX512(tile int, a mixArgs[float32]) {
	if a.mean {
		switch tile {
		case 0:
			mixRestMeanF32AVX512(
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
			mix8MeanF32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		case 4:
			mix4MeanF32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		case 2:
			mix2MeanF32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		default:
			mix1MeanF32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, 1, a.tiny)
		}
		return
	}
	switch tile {
	case 0:
		mixRestF32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last, a.rest)
	case 8:
		mix8F32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	case 4:
		mix4F32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	case 2:
		mix2F32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	default:
		mix1F32AVX512(a.rows, a.heads, a.ptr, a.col, a.w, a.x, a.ldx, a.y, a.ldy, a.lanes, a.last)
	}
}

func slopes32AVX512(tile int, a slopeArgs[float32]) {
	switch tile {
	case 0:
		slopesRestF32AVX512(
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
		slopes2F32AVX512(
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
		slopes1F32AVX512(
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

func leaky32AVX512(a dotArgs[float32], weights *float32, slope float32) {
	dotLeakyF32AVX512(a.rows, a.n, a.ptr, a.col, a.q, a.ldq, a.x, a.ldx, a.out, a.ldo, a.last, weights, slope)
}

func dots8AVX2(a Dots[float32], rows int) {
	n, last := a.Width/a.Heads, len(a.Col)-1
	if a.A != nil {
		dots8LeakyF32AVX2(rows, a.Heads, &a.Ptr[0], &a.Col[0], n, &a.Q[0], a.StepQ*4, &a.X[0], a.StepX*4, &a.Out[0],
			last, &a.A[0], a.Slope)
		return
	}
	dots8F32AVX2(rows, a.Heads, &a.Ptr[0], &a.Col[0], n, &a.Q[0], a.StepQ*4, &a.X[0], a.StepX*4, &a.Out[0], last)
}

func dots8AVX512(a Dots[float32], rows int) {
	n, last := a.Width/a.Heads, len(a.Col)-1
	if a.A != nil {
		dots8LeakyF32AVX512(rows, a.Heads, &a.Ptr[0], &a.Col[0], n, &a.Q[0], a.StepQ*4, &a.X[0], a.StepX*4, &a.Out[0],
			last, &a.A[0], a.Slope)
		return
	}
	dots8F32AVX512(rows, a.Heads, &a.Ptr[0], &a.Col[0], n, &a.Q[0], a.StepQ*4, &a.X[0], a.StepX*4, &a.Out[0], last)
}

func dots8NarrowAVX512(a Dots[float32], rows int) {
	n, last := a.Width/a.Heads, len(a.Col)-1
	if a.A != nil {
		dots8NarrowLeakyF32AVX512(
			rows,
			a.Heads,
			&a.Ptr[0],
			&a.Col[0],
			n,
			&a.Q[0],
			a.StepQ*4,
			&a.X[0],
			a.StepX*4,
			&a.Out[0],
			last,
			&a.A[0],
			a.Slope,
		)
		return
	}
	dots8NarrowF32AVX512(
		rows,
		a.Heads,
		&a.Ptr[0],
		&a.Col[0],
		n,
		&a.Q[0],
		a.StepQ*4,
		&a.X[0],
		a.StepX*4,
		&a.Out[0],
		last,
	)
}
