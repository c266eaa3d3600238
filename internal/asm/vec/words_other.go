//go:build !amd64 || noasm

package vec

import "ganglion/internal/cpu"

// wholeWords leaves all of dst to the Go path.
func wholeWords(cpu.Path, []uint32, [2]uint32, [4]uint32) int { return 0 }

// keep selects by words.
func keep[T float](_ cpu.Path, dst, x []T, words []uint32, least uint32, scale T) {
	keepGo(dst, x, words, least, scale)
}
