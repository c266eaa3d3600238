//go:build amd64 && !noasm

package cpu

import "golang.org/x/sys/cpu"

// detect reports whether the processor and the operating system support the instructions of path p.
func detect(p Path) bool {
	x := &cpu.X86
	avx2 := x.HasAVX2 && x.HasFMA
	switch p {
	case Go:
		return true
	case AVX2:
		return avx2
	case AVX512:
		return avx2 && x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW
	}
	return false
}
