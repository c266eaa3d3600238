// Package selfcheck compares the assembly of this processor with its twins in Go, before it is first used.
package selfcheck

import (
	"fmt"

	"ganglion/internal/asm/direct"
	"ganglion/internal/asm/gemm"
	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
)

// Run checks every path of this processor, once in the life of the process (about a millisecond), and switches off
// those whose results are wrong; cpu.Disabled tells which. On a machine unlike those of the developers this is what
// stands between a faulty kernel and a result.
func Run() { cpu.Verify(check) }

func check(p cpu.Path) error {
	if err := gemm.SelfCheck(p); err != nil {
		return fmt.Errorf("matrix product: %w", err)
	}
	if err := vec.SelfCheck(p); err != nil {
		return fmt.Errorf("vector primitives: %w", err)
	}
	if err := direct.SelfCheck(p); err != nil {
		return fmt.Errorf("convolution: %w", err)
	}
	return nil
}
