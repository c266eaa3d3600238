//go:build (amd64 || arm64) && !noasm

package par

// pause executes n ≥ 1 of the processor's spin-wait hints; one takes between 10 and 150 cycles.
func pause(n uint32)

// goroutine returns a number that no other living goroutine has: the address of its descriptor.
func goroutine() uintptr
