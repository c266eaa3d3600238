package implicit

import (
	"math"
	"unsafe"

	"ganglion/kernels"
)

const (
	digitBits = 11
	histogram = 1 << digitBits
)

// rank maps |v| to an integer of the same order: 0 for ±0, NaN above +Inf.
func rank[T kernels.Float](v T) uint64 {
	if unsafe.Sizeof(v) == 4 {
		return uint64(math.Float32bits(float32(v))<<1) << 32
	}
	return math.Float64bits(float64(v)) << 1
}

// none is above every rank.
const none = math.MaxUint64

// threshold returns the rank of γ, the keep-th largest |w| off the diagonal: edges of that rank and above are kept. It is never 0, so
// that weights of exactly 0 are not kept. Radix selection from the top digit down: two passes over w, then over what is left of the
// candidates, at most six. candidates has room for p² elements, hist for one digit.
func threshold[T kernels.Float](w []T, p, keep int, candidates []T, hist []int32) uint64 {
	if keep < 0 || keep >= p*(p-1) {
		return 1
	}
	if keep == 0 {
		return none
	}
	shift := 64 - digitBits
	clear(hist)
	for j := range p {
		tally(hist, w[j*p:j*p+j], shift)
		tally(hist, w[j*p+j+1:j*p+p], shift)
	}
	digit, need := descend(hist, keep)
	left := candidates[:0]
	for j := range p {
		left = gather(left, w[j*p:j*p+j], shift, digit)
		left = gather(left, w[j*p+j+1:j*p+p], shift, digit)
	}
	for shift > 0 && len(left) > 1 {
		shift = max(0, shift-digitBits)
		clear(hist)
		tally(hist, left, shift)
		digit, need = descend(hist, need)
		left = gather(left[:0], left, shift, digit)
	}
	return max(1, rank(left[0]))
}

// tally counts the digits of the ranks of row.
func tally[T kernels.Float](hist []int32, row []T, shift int) {
	h := (*[histogram]int32)(hist)
	for _, v := range row {
		h[rank(v)>>shift&(histogram-1)]++
	}
}

// descend returns the digit of the need-th largest element, and how many of the elements with that digit are needed.
func descend(hist []int32, need int) (digit uint64, left int) {
	for d := len(hist) - 1; d > 0; d-- {
		if need <= int(hist[d]) {
			return uint64(d), need
		}
		need -= int(hist[d])
	}
	return 0, need
}

// gather appends the elements of row with the given digit to dst.
func gather[T kernels.Float](dst, row []T, shift int, digit uint64) []T {
	for _, v := range row {
		if rank(v)>>shift&(histogram-1) == digit {
			dst = append(dst, v)
		}
	}
	return dst
}
