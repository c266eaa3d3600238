//go:build linux || darwin || freebsd

package exec

import "golang.org/x/sys/unix"

// reserved asks the system itself: memory from Go may have been used before, and would then be zeroed, which touches
// it; and it might lie in a large page, which is backed as one.
func reserved(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

// unreserve gives memory back. It fails only for what is no memory of reserved.
func unreserve(mem []byte) {
	if err := unix.Munmap(mem); err != nil {
		panic("exec: reserve: " + err.Error())
	}
}
