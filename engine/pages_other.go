//go:build !linux

package engine

// wantLargePages does nothing: this system has no way to ask for large pages for memory that is there already.
func wantLargePages([]byte) {}
