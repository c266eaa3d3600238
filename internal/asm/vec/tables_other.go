//go:build !amd64 || noasm

package vec

import "ganglion/internal/cpu"

// The tables of the Go path, the only one of this build.
var (
	go32 = twin32()
	go64 = twin64()
)

// F32 returns the float32 primitives of a path. The table must not be changed.
func F32(cpu.Path) *Table[float32] { return go32 }

// F64 returns the float64 primitives of a path. The table must not be changed.
func F64(cpu.Path) *Table[float64] { return go64 }
