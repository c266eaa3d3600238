package vec

import (
	"math"

	"ganglion/internal/cpu"
)

// The tables of the Go path.
var (
	go32 = twin(exp32, tanh32, sigmoid32, log32)
	go64 = twin(math.Exp, math.Tanh, sigmoid64, math.Log)
)

// F32 returns the float32 primitives of a path. The table must not be changed.
func F32(cpu.Path) *Table[float32] { return go32 }

// F64 returns the float64 primitives of a path. The table must not be changed.
func F64(cpu.Path) *Table[float64] { return go64 }
