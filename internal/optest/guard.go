package optest

import (
	"bytes"

	"ganglion/kernels"
)

// guardBytes of quiet NaN stand before and after every buffer: what a kernel reads there shows up in its result, and
// what it writes there is found.
const guardBytes = 256

// fill is a byte pattern that is a NaN as float32 and as float64, and a large negative number as int32.
const fill = 0xff

type guard struct{ mem, data []byte }

func newGuard(s kernels.Spec) (guard, kernels.Tensor) {
	n := s.Bytes()
	mem := make([]byte, n+2*guardBytes)
	for i := range mem {
		mem[i] = fill
	}
	data := mem[guardBytes : guardBytes+n : guardBytes+n]
	return guard{mem, data}, kernels.FromBytes(data, s)
}

func (g guard) intact() bool {
	pad := bytes.Repeat([]byte{fill}, guardBytes)
	return bytes.Equal(g.mem[:guardBytes], pad) && bytes.Equal(g.mem[guardBytes+len(g.data):], pad)
}
