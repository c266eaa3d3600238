//go:build !amd64 || noasm

package plane

import "ganglion/internal/cpu"

func table32(cpu.Path) *Table[float32] { return go32 }

func table64(cpu.Path) *Table[float64] { return go64 }
