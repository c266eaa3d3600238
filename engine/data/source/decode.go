package source

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// read decodes an array chunk by chunk into a slice that grows as bytes arrive, and puts it into C order. The number
// of bytes that really unpack must be the number that the head announces, and their checksum the archive's.
func read[T int64 | float64](a *Archive, key string, check func(arrayHeader) error,
	decode func([]T, []byte, arrayHeader) ([]T, error)) ([]T, []int, error) {
	r, h, err := a.open(key)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close() // only read: nothing to lose
	if err := check(h); err != nil {
		return nil, nil, a.bad(key, err)
	}
	n, _ := h.elements()
	out := make([]T, 0, min(n, 1<<20))
	buf := make([]byte, 64<<10)
	for len(out) < n {
		part := buf[:min(len(buf), (n-len(out))*h.size)]
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, nil, a.bad(key, fmt.Errorf("element %d of %d is cut off: %w", len(out), n, err))
		}
		if out, err = decode(out, part, h); err != nil {
			return nil, nil, a.bad(key, err)
		}
	}
	if _, err := io.ReadFull(r, buf[:1]); !errors.Is(err, io.EOF) { // reaching the end verifies the checksum
		return nil, nil, a.bad(key, fmt.Errorf("want the end of the array: %w", err))
	}
	if h.fortran {
		out = rowMajor(out, h.shape)
	}
	return out, h.shape, nil
}

// bits returns element i of b as an unsigned number.
func (h arrayHeader) bits(b []byte, i int) uint64 {
	b = b[i*h.size : (i+1)*h.size]
	switch {
	case h.size == 1:
		return uint64(b[0])
	case h.size == 2 && h.big:
		return uint64(binary.BigEndian.Uint16(b))
	case h.size == 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case h.size == 4 && h.big:
		return uint64(binary.BigEndian.Uint32(b))
	case h.size == 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case h.big:
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// signed returns element i of b, which is of an integer type or bool, as a signed number; false if it is beyond int64.
func (h arrayHeader) signed(b []byte, i int) (int64, bool) {
	u := h.bits(b, i)
	switch {
	case h.kind == 'i':
		shift := 64 - 8*h.size
		return int64(u<<shift) >> shift, true
	case h.kind == 'b':
		return min(int64(u), 1), true
	}
	return int64(u), u <= math.MaxInt64
}

func floats(out []float64, b []byte, h arrayHeader) ([]float64, error) {
	for i := range len(b) / h.size {
		var v float64
		switch {
		case h.kind == 'f' && h.size == 4:
			v = float64(math.Float32frombits(uint32(h.bits(b, i))))
		case h.kind == 'f':
			v = math.Float64frombits(h.bits(b, i))
		case h.kind == 'u':
			v = float64(h.bits(b, i))
		default:
			s, _ := h.signed(b, i)
			v = float64(s)
		}
		out = append(out, v)
	}
	return out, nil
}

func ints(out []int64, b []byte, h arrayHeader) ([]int64, error) {
	for i := range len(b) / h.size {
		v, ok := h.signed(b, i)
		if !ok {
			return nil, fmt.Errorf("element %d is %d: want at most %d", len(out), h.bits(b, i), int64(math.MaxInt64))
		}
		out = append(out, v)
	}
	return out, nil
}

// rowMajor copies an array whose first index runs fastest into one whose last index does.
func rowMajor[T any](in []T, shape []int) []T {
	out := make([]T, len(in))
	index := make([]int, len(shape))
	for i := range out {
		from, stride := 0, 1
		for k, s := range shape {
			from += index[k] * stride
			stride *= s
		}
		out[i] = in[from]
		for k := len(shape) - 1; k >= 0; k-- {
			if index[k]++; index[k] < shape[k] {
				break
			}
			index[k] = 0
		}
	}
	return out
}
