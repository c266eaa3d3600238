//go:build amd64 && !noasm

package roof

import "ganglion/internal/cpu"

//go:noescape
func fmaAVX2F32(n int, x float32)

//go:noescape
func fmaAVX2F64(n int, x float64)

//go:noescape
func fmaAVX512F32(n int, x float32)

//go:noescape
func fmaAVX512F64(n int, x float64)

//go:noescape
func loadedAVX2F32(n int, a, b *float32)

//go:noescape
func loadedAVX2F64(n int, a, b *float64)

//go:noescape
func loadedAVX512F32(n int, a, b *float32)

//go:noescape
func loadedAVX512F64(n int, a, b *float64)

// multiplyAdd runs n > 0 rounds of the path's widest multiply-adds on numbers of elem bytes, and returns the
// operations of a round.
func multiplyAdd(path cpu.Path, elem, n int) float64 {
	lanes := float64(32 / elem)
	switch {
	case path == cpu.AVX512 && elem == 4:
		fmaAVX512F32(n, 1.0/3)
	case path == cpu.AVX512:
		fmaAVX512F64(n, 1.0/3)
	case path == cpu.AVX2 && elem == 4:
		fmaAVX2F32(n, 1.0/3)
	case path == cpu.AVX2:
		fmaAVX2F64(n, 1.0/3)
	case elem == 4:
		return multiplyAddGo[float32](n)
	default:
		return multiplyAddGo[float64](n)
	}
	if path == cpu.AVX512 {
		return 24 * 2 * lanes * 2
	}
	return 12 * lanes * 2
}

// multiplyLoaded is multiplyAdd on operands in the first-level cache, in the proportions of a matrix product. In plain
// Go it is multiplyAdd.
func multiplyLoaded(path cpu.Path, elem, n int, o *operands) float64 {
	lanes := float64(32 / elem)
	switch {
	case path == cpu.AVX512 && elem == 4:
		loadedAVX512F32(n, &o.a32[0], &o.b32[0])
	case path == cpu.AVX512:
		loadedAVX512F64(n, &o.a64[0], &o.b64[0])
	case path == cpu.AVX2 && elem == 4:
		loadedAVX2F32(n, &o.a32[0], &o.b32[0])
	case path == cpu.AVX2:
		loadedAVX2F64(n, &o.a64[0], &o.b64[0])
	default:
		return multiplyAdd(path, elem, n)
	}
	if path == cpu.AVX512 {
		return 2 * 27 * 2 * lanes * 2
	}
	return 2 * 12 * lanes * 2
}
