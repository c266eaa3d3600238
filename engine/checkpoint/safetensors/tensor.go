// Package safetensors reads and writes the safetensors format: an 8-byte little-endian header length, a JSON header
// that gives each tensor's dtype, shape and byte range, then the data, row-major and little-endian, without holes.
// Anything else is refused before memory is taken for it. Files written here carry a CRC32C of the header and of
// each tensor in their metadata, which other readers ignore and this one verifies.
package safetensors

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"unsafe"
)

// DType is an element type by its name in the format.
type DType string

// The element types. F16 and BF16, like the integers Of does not take, are carried as raw bytes.
const (
	Bool DType = "BOOL"
	U8   DType = "U8"
	I8   DType = "I8"
	I16  DType = "I16"
	U16  DType = "U16"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I32  DType = "I32"
	U32  DType = "U32"
	F32  DType = "F32"
	I64  DType = "I64"
	U64  DType = "U64"
	F64  DType = "F64"
)

// Size returns the bytes of one element, or 0 if the type is unknown.
func (d DType) Size() int {
	switch d {
	case Bool, U8, I8:
		return 1
	case I16, U16, F16, BF16:
		return 2
	case I32, U32, F32:
		return 4
	case I64, U64, F64:
		return 8
	}
	return 0
}

// Tensor is a named array. Data holds the product of Shape elements, row-major and little-endian; an empty Shape is
// a scalar.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte
}

// Number is an element type that Of and Copy take.
type Number interface {
	float32 | float64 | int32 | int64 | uint8
}

// Of returns a tensor over data. On little-endian machines it shares data's memory, so that a block is saved
// without a copy; on others it copies. That the shape fits is checked when the tensor is written.
func Of[T Number](name string, shape []int, data []T) Tensor {
	t := Tensor{Name: name, DType: typeOf[T](), Shape: shape, Data: view(data)}
	if !littleEndian() {
		t.Data = swapped(t.Data, t.DType.Size())
	}
	return t
}

// Copy writes the elements of t to dst; type and number must be equal.
func Copy[T Number](dst []T, t Tensor) error {
	if d := typeOf[T](); t.DType != d {
		return fmt.Errorf("tensor %q is %s, wanted %s", t.Name, t.DType, d)
	}
	if err := t.check(); err != nil {
		return err
	}
	raw := view(dst)
	if len(raw) != len(t.Data) {
		return fmt.Errorf("tensor %q has shape %v, wanted %d elements", t.Name, t.Shape, len(dst))
	}
	if copy(raw, t.Data); !littleEndian() {
		copy(raw, swapped(raw, t.DType.Size()))
	}
	return nil
}

// check says whether dtype, shape and data agree.
func (t Tensor) check() error {
	n, ok := span(t.DType, t.Shape)
	switch {
	case t.DType.Size() == 0:
		return fmt.Errorf("tensor %q: unknown dtype %q", t.Name, t.DType)
	case !ok:
		return fmt.Errorf("tensor %q: shape %v is negative, too large or of rank above %d", t.Name, t.Shape, maxRank)
	case n != int64(len(t.Data)):
		return fmt.Errorf("tensor %q: %s%v takes %d bytes, has %d", t.Name, t.DType, t.Shape, n, len(t.Data))
	}
	return nil
}

// maxRank bounds the dimensions of one tensor (as numpy and torch do), and with it the memory a header can ask for.
const maxRank = 64

// span returns the bytes of an array. It fails if the rank is too large, a dimension is negative, or the product of
// the non-zero dimensions overflows, even where another dimension is zero.
func span(d DType, shape []int) (int64, bool) {
	if len(shape) > maxRank {
		return 0, false
	}
	n, empty := uint64(d.Size()), false
	for _, dim := range shape {
		if dim < 0 {
			return 0, false
		}
		if dim == 0 {
			empty = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 || lo > 1<<63-1 {
			return 0, false
		}
		n = lo
	}
	if empty {
		n = 0
	}
	return int64(n), true
}

// typeOf returns the format's name for T.
func typeOf[T Number]() DType {
	var zero T
	switch any(zero).(type) {
	case float32:
		return F32
	case float64:
		return F64
	case int32:
		return I32
	case int64:
		return I64
	}
	return U8
}

// view returns the memory of s as bytes.
func view[T Number](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// littleEndian reports the machine's byte order.
func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// swapped returns a copy of b with the bytes of every element of the given size reversed.
func swapped(b []byte, size int) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i/size*size+size-1-i%size]
	}
	return out
}
