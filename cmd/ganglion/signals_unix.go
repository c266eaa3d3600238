//go:build unix

package main

import (
	"os"
	"syscall"
)

// signals lists what asks a run to save and end: Ctrl-C, and the two that batch systems send before they kill.
func signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1} }
