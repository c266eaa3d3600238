//go:build !(linux || darwin || freebsd)

package exec

// reserved takes memory from Go.
func reserved(n int) ([]byte, error) { return make([]byte, n), nil }

// unreserve leaves the memory to Go.
func unreserve([]byte) {}
