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

// multiplyAdd runs n > 0 rounds of the path's widest multiply-adds on numbers of elem bytes, and returns the
// operations of a round.
func multiplyAdd(path cpu.Path, elem, n int) float64 {
	lanes := float64(32 / elem)
	switch {
	case path == cpu.AVX512 && elem == 4:
		fmaAVX512F32(n, 1e-3)
	case path == cpu.AVX512:
		fmaAVX512F64(n, 1e-3)
	case path == cpu.AVX2 && elem == 4:
		fmaAVX2F32(n, 1e-3)
	case path == cpu.AVX2:
		fmaAVX2F64(n, 1e-3)
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
