package kernels

import (
	"fmt"
	"unsafe"
)

// Float is the constraint of generic kernels.
type Float interface{ float32 | float64 }

// Number lists every element type of a graph.
type Number interface {
	float32 | float64 | int32 | uint8
}

// Tensor is a dense row-major view of memory that is lent for one call. Exactly one of the slices is in use, the one
// that DType names; its length is Size().
type Tensor struct {
	Spec
	F32 []float32
	F64 []float64
	I32 []int32
	U8  []byte
}

// New allocates a zeroed tensor.
func New(s Spec) Tensor {
	t := Tensor{Spec: s}
	n := s.Size()
	switch s.DType {
	case Float32:
		t.F32 = make([]float32, n)
	case Float64:
		t.F64 = make([]float64, n)
	case Int32:
		t.I32 = make([]int32, n)
	case Byte:
		t.U8 = make([]byte, n)
	}
	return t
}

// FromSlice wraps data (not a copy) in a tensor of the given shape. The length must be the product of the dimensions.
func FromSlice[T Number](data []T, shape ...int) Tensor {
	t := Tensor{}
	switch d := any(data).(type) {
	case []float32:
		t.Spec, t.F32 = S(Float32, shape...), d
	case []float64:
		t.Spec, t.F64 = S(Float64, shape...), d
	case []int32:
		t.Spec, t.I32 = S(Int32, shape...), d
	case []byte:
		t.Spec, t.U8 = S(Byte, shape...), d
	}
	if t.Size() != len(data) {
		panic(fmt.Sprintf("kernels: FromSlice: %d elements for %v", len(data), t.Spec))
	}
	return t
}

// FromBytes lays a tensor over memory (not a copy). The memory must be aligned to the element size and hold s.Bytes()
// bytes at least.
func FromBytes(mem []byte, s Spec) Tensor {
	t := Tensor{Spec: s}
	n := s.Size()
	switch s.DType {
	case Float32:
		t.F32 = cast[float32](mem, n)
	case Float64:
		t.F64 = cast[float64](mem, n)
	case Int32:
		t.I32 = cast[int32](mem, n)
	case Byte:
		t.U8 = mem[:n:n]
	}
	return t
}

// Memory returns the tensor's data as bytes, without a copy.
func (t Tensor) Memory() []byte {
	switch t.DType {
	case Float32:
		return bytesOf(t.F32)
	case Float64:
		return bytesOf(t.F64)
	case Int32:
		return bytesOf(t.I32)
	}
	return t.U8
}

// Of returns the tensor's float data as []T; T must be the type that DType names.
func Of[T Float](t Tensor) []T {
	var zero T
	if unsafe.Sizeof(zero) == 4 {
		return *(*[]T)(unsafe.Pointer(&t.F32))
	}
	return *(*[]T)(unsafe.Pointer(&t.F64))
}

// Carve cuts the next n elements off the front of a workspace, aligned to 64 bytes, and panics when the workspace is
// too small: its size was declared by the op itself (see CarveSize).
func Carve[T Number](work *[]byte, n int) []T {
	var zero T
	w := *work
	if n == 0 {
		return nil
	}
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(w))) & 63)
	need := n * int(unsafe.Sizeof(zero))
	if len(w) < skip+need {
		panic(fmt.Sprintf("kernels: workspace of %d bytes, %d wanted", len(w), skip+need))
	}
	*work = w[skip+need:]
	return cast[T](w[skip:skip+need], n)
}

// CarveSize is the number of bytes that Carve takes at most for n elements of the given size.
func CarveSize(n, elem int) int {
	if n == 0 {
		return 0
	}
	return n*elem + 63
}

// Convert returns t with its elements converted to the float type d; tensors of other types, and those of type d
// already, are returned as they are.
func Convert(t Tensor, d DType) Tensor {
	if !t.DType.IsFloat() || !d.IsFloat() || t.DType == d {
		return t
	}
	out := New(S(d, t.Shape...))
	for i, v := range t.F32 {
		out.F64[i] = float64(v)
	}
	for i, v := range t.F64 {
		out.F32[i] = float32(v)
	}
	return out
}

// CopyTo copies t's elements to dst, which must have the same element type and number of elements.
func (t Tensor) CopyTo(dst Tensor) {
	if t.DType != dst.DType || t.Size() != dst.Size() {
		panic(fmt.Sprintf("kernels: CopyTo: %v to %v", t.Spec, dst.Spec))
	}
	copy(dst.F32, t.F32)
	copy(dst.F64, t.F64)
	copy(dst.I32, t.I32)
	copy(dst.U8, t.U8)
}

// Clone returns a copy with memory of its own.
func (t Tensor) Clone() Tensor {
	c := New(S(t.DType, append([]int(nil), t.Shape...)...))
	t.CopyTo(c)
	return c
}

// Slice returns n elements from offset on as a tensor of one dimension over the same memory.
func (t Tensor) Slice(offset, n int) Tensor {
	s := Tensor{Spec: S(t.DType, n)}
	switch t.DType {
	case Float32:
		s.F32 = t.F32[offset : offset+n : offset+n]
	case Float64:
		s.F64 = t.F64[offset : offset+n : offset+n]
	case Int32:
		s.I32 = t.I32[offset : offset+n : offset+n]
	case Byte:
		s.U8 = t.U8[offset : offset+n : offset+n]
	}
	return s
}

func cast[T Number](mem []byte, n int) []T {
	var zero T
	if n == 0 {
		return nil
	}
	if len(mem) < n*int(unsafe.Sizeof(zero)) {
		panic(fmt.Sprintf("kernels: %d bytes for %d elements of %d bytes", len(mem), n, unsafe.Sizeof(zero)))
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(mem))), n)
}

func bytesOf[T Number](s []T) []byte {
	var zero T
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(zero)))
}
