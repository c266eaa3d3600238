//go:build !amd64 || noasm

package direct

import "ganglion/internal/cpu"

func table32(cpu.Path) *Table[float32] { return nil }

func table64(cpu.Path) *Table[float64] { return nil }
