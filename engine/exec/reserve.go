package exec

import (
	"fmt"
	"runtime"
)

// Reserve is memory for cases that seldom come: nobody touches it before a kernel needs it, so that, where the system
// backs memory when it is first touched, it takes nothing until then.
type Reserve struct{ mem []byte }

// NewReserve reserves n > 0 bytes. They are given back when nothing refers to the Reserve any more.
func NewReserve(n int) (*Reserve, error) {
	mem, err := reserved(n)
	if err != nil {
		return nil, fmt.Errorf("%d bytes in reserve: %w", n, err)
	}
	r := &Reserve{mem}
	runtime.AddCleanup(r, unreserve, mem)
	return r, nil
}

// Size is the number of bytes, 0 for nil.
func (r *Reserve) Size() int {
	if r == nil {
		return 0
	}
	return len(r.mem)
}
