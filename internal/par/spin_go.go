//go:build !(amd64 || arm64) || noasm

package par

import (
	"runtime"
	"sync"
)

// pause lets some cycles pass.
func pause(n uint32) {
	for range 20 * n {
		// Each pass is a cycle without a memory access.
	}
}

// traces holds buffers for the first line of a stack trace, which escape to the runtime.
var traces = sync.Pool{New: func() any { return new([64]byte) }}

// goroutine returns a number that no other living goroutine has, read from the first line of its stack trace, which is
// "goroutine 123 [running]:"; this takes about a microsecond.
func goroutine() uintptr {
	buf := traces.Get().(*[64]byte)
	defer traces.Put(buf)
	line := buf[:runtime.Stack(buf[:], false)]
	id := uintptr(0)
	for _, c := range line[len("goroutine "):] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uintptr(c-'0')
	}
	if id == 0 {
		panic("par: goroutine: unexpected stack trace " + string(line))
	}
	return id
}
