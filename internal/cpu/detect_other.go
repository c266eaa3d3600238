//go:build !amd64 || noasm

package cpu

// detect reports whether the processor and the operating system support the instructions of path p: only plain Go here.
func detect(p Path) bool { return p == Go }
