//go:build !unix

package main

import (
	"os"
	"syscall"
)

// signals lists what asks a run to save and end.
func signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }
