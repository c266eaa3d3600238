//go:build !amd64 || noasm

package roof

import "ganglion/internal/cpu"

// multiplyAdd runs n > 0 rounds of multiply-adds in plain Go, which is the only path of this build, on numbers of
// elem bytes, and returns the operations of a round.
func multiplyAdd(_ cpu.Path, elem, n int) float64 {
	if elem == 4 {
		return multiplyAddGo[float32](n)
	}
	return multiplyAddGo[float64](n)
}

// multiplyLoaded is multiplyAdd: plain Go keeps its operands in registers.
func multiplyLoaded(path cpu.Path, elem, n int, _ *operands) float64 {
	return multiplyAdd(path, elem, n)
}
