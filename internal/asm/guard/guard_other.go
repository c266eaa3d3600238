//go:build !linux

// Package guard lends tests memory that ends, or begins, at a page which nobody may touch: a kernel that reads or
// writes one element too far crashes the test. It serves tests only.
package guard

import "testing"

// Supported reports whether this system has guard pages; where it has none, slices are ordinary memory.
const Supported = false

// Block stands for memory between two pages that nobody may touch.
type Block struct{}

// New returns a block; on this system it has no memory of its own.
func New(testing.TB, int) *Block { return &Block{} }

// Tail returns n elements of ordinary memory.
func Tail[T any](_ *Block, n int) []T { return make([]T, n) }

// Head returns n elements of ordinary memory.
func Head[T any](_ *Block, n int) []T { return make([]T, n) }
