// Package selfcheck compares the assembly of this processor with its twins in Go, before it is first used.
package selfcheck

import (
	"fmt"

	"ganglion/internal/asm/csr"
	"ganglion/internal/asm/direct"
	"ganglion/internal/asm/fft"
	"ganglion/internal/asm/gemm"
	"ganglion/internal/asm/plane"
	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
)

// Run checks every path of this processor, once in the life of the process (about a millisecond), and switches off
// those whose results are wrong; cpu.Disabled tells which. On a machine unlike those of the developers this is what
// stands between a faulty kernel and a result. More checks are those of assembly outside of this folder.
func Run(more ...func(cpu.Path) error) {
	cpu.Verify(func(p cpu.Path) error { return check(p, more) })
}

// Deep compares the functions of a path with the Go path at a quarter of a million arguments each, and runs the checks
// of Run. It takes a second, and switches nothing off.
func Deep(p cpu.Path, more ...func(cpu.Path) error) error {
	if err := check(p, more); err != nil {
		return err
	}
	if err := vec.DeepCheck(p); err != nil {
		return fmt.Errorf("vector primitives: %w", err)
	}
	return nil
}

func check(p cpu.Path, more []func(cpu.Path) error) error {
	if err := gemm.SelfCheck(p); err != nil {
		return fmt.Errorf("matrix product: %w", err)
	}
	if err := vec.SelfCheck(p); err != nil {
		return fmt.Errorf("vector primitives: %w", err)
	}
	if err := direct.SelfCheck(p); err != nil {
		return fmt.Errorf("convolution: %w", err)
	}
	if err := csr.SelfCheck(p); err != nil {
		return fmt.Errorf("sparse matrices: %w", err)
	}
	if err := fft.SelfCheck(p); err != nil {
		return fmt.Errorf("transforms: %w", err)
	}
	if err := plane.SelfCheck(p); err != nil {
		return fmt.Errorf("sums of planes: %w", err)
	}
	for _, m := range more {
		if err := m(p); err != nil {
			return err
		}
	}
	return nil
}
