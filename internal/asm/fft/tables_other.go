//go:build !amd64 || noasm

package fft

import "ganglion/internal/cpu"

func table32(cpu.Path) *table[float32] { return &plain32 }

func table64(cpu.Path) *table[float64] { return &plain64 }

// codelets are those of a path: there are none in Go.
func codelets(cpu.Path) (list []codelet, lanes int) { return nil, 0 }
