package vec

import (
	"ganglion/internal/cpu"
	"ganglion/internal/philox"
)

// Words fills dst with the words of Philox4x32-10 blocks whose counters are ctr, ctr + 1, … in their first word (which
// wraps around) and equal in the others: the same words on all paths.
func Words(path cpu.Path, dst []uint32, key [2]uint32, ctr [4]uint32) {
	done := wholeWords(path, dst, key, ctr)
	ctr[0] += uint32(done / 4)
	for dst = dst[done:]; len(dst) > 0; dst = dst[min(4, len(dst)):] {
		w := philox.Block(key, ctr)
		copy(dst, w[:])
		ctr[0]++
	}
}

// Drop is dropout: dst = scale·x where the upper 24 bits of an element's word are least at least, and 0 elsewhere. Each
// block of words (see Words) belongs to four elements, the first to the first four. It is the same on all paths.
func Drop[T float32 | float64](path cpu.Path, dst, x []T, key [2]uint32, ctr [4]uint32, least uint32, scale T) {
	same2("Drop", len(dst), len(x))
	var buffer [512]uint32
	for len(x) > 0 {
		words := buffer[:min(len(buffer), len(x))]
		Words(path, words, key, ctr)
		keep(path, dst[:len(words)], x[:len(words)], words, least, scale)
		ctr[0] += uint32(len(buffer) / 4)
		dst, x = dst[len(words):], x[len(words):]
	}
}

// keepGo selects without branches, which a processor would guess wrong too often.
func keepGo[T float](dst, x []T, words []uint32, least uint32, scale T) {
	for i, v := range x {
		kept := 0
		if words[i]>>8 >= least {
			kept = 1
		}
		dst[i] = [2]T{0, v * scale}[kept&1]
	}
}
