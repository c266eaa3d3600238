//go:build !amd64 || noasm

package csr

import "ganglion/internal/cpu"

var (
	go32 = Table[float32]{within: withinGo}
	go64 = Table[float64]{within: withinGo}
)

func table32(cpu.Path) *Table[float32] { return &go32 }

func table64(cpu.Path) *Table[float64] { return &go64 }
