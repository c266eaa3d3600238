//go:build !linux

package run

import "errors"

// memory is the size of the machine's memory in bytes.
func memory() (uint64, error) { return 0, errors.New("size unknown on this system") }
