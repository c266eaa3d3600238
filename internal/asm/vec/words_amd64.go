//go:build !noasm

package vec

import "ganglion/internal/cpu"

// wholeWords fills as much of dst as whole vectors of blocks do, and returns its length.
func wholeWords(path cpu.Path, dst []uint32, key [2]uint32, ctr [4]uint32) int {
	words := 32
	switch path {
	case cpu.Go:
		return 0
	case cpu.AVX2:
		words = 16
	}
	done := 0
	for {
		n := min((len(dst)-done)/words, block/words)
		if n == 0 {
			return done
		}
		at, first := &dst[done], ctr[0]+uint32(done/4)
		if path == cpu.AVX2 {
			philoxF64AVX2(n, key[0], key[1], first, ctr[1], ctr[2], ctr[3], at)
		} else {
			philoxF64AVX512(n, key[0], key[1], first, ctr[1], ctr[2], ctr[3], at)
		}
		done += n * words
	}
}

// keep selects by words, of which there are as many as elements, and not too many for one call of assembly.
func keep[T float](path cpu.Path, dst, x []T, words []uint32, least uint32, scale T) {
	to, ok := any(dst).([]float32)
	if !ok || path == cpu.Go {
		keepGo(dst, x, words, least, scale)
		return
	}
	from := any(x).([]float32)
	if path == cpu.AVX2 {
		keepF32AVX2(len(to), least, float32(scale), &to[0], &from[0], &words[0])
	} else {
		keepF32AVX512(len(to), least, float32(scale), &to[0], &from[0], &words[0])
	}
}
