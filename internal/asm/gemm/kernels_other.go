//go:build !amd64 || noasm

package gemm

import "ganglion/internal/cpu"

// The kernels of the Go path, the only one of this build.
var (
	go32 = twin[float32]()
	go64 = twin[float64]()
)

// kernels32 returns the float32 kernels of a path.
func kernels32(cpu.Path) *kernels[float32] { return &go32 }

// kernels64 returns the float64 kernels of a path.
func kernels64(cpu.Path) *kernels[float64] { return &go64 }
