//go:build !linux

package run

import "errors"

// memory is the size of the machine's memory in bytes.
func memory() (uint64, error) { return 0, errors.New("size unknown on this system") }

// resident is the memory that Go has asked for, in bytes, now and at most: this system is not asked how much of it the
// process really holds.
func resident() (now, most int) { return asked() }
