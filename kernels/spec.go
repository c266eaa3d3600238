// Package kernels holds the op contract: what an operator is, how it is described, and the one adapter that makes any
// operator a gorgonia op.
//
// An operator is a small comparable struct of attributes. Two methods are required (Infer and Ref); every other facet
// is an optional interface in this package. The families (dense, random, optim, implicit) are sub-packages, one
// operator a file.
package kernels

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/tensor"
)

// DType is the element type of a tensor in a graph.
type DType uint8

// The element types of the graph. Reduced precision is an option of the plan, not a type of the graph.
const (
	Invalid DType = iota
	Float32
	Float64
	Int32
	Byte
)

// String returns float32, float64, int32, byte or invalid.
func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Int32:
		return "int32"
	case Byte:
		return "byte"
	}
	return "invalid"
}

// Size is the number of bytes of one element, 0 for Invalid.
func (d DType) Size() int {
	switch d {
	case Float32, Int32:
		return 4
	case Float64:
		return 8
	case Byte:
		return 1
	}
	return 0
}

// IsFloat reports whether gradients flow through values of this type.
func (d DType) IsFloat() bool { return d == Float32 || d == Float64 }

// Tensor returns gorgonia's name of the type.
func (d DType) Tensor() tensor.Dtype {
	switch d {
	case Float32:
		return tensor.Float32
	case Float64:
		return tensor.Float64
	case Int32:
		return tensor.Int32
	}
	return tensor.Byte
}

// DTypeOf translates gorgonia's type; types that no graph of ours holds are Invalid.
func DTypeOf(d tensor.Dtype) DType {
	switch d {
	case tensor.Float32:
		return Float32
	case tensor.Float64:
		return Float64
	case tensor.Int32:
		return Int32
	case tensor.Byte:
		return Byte
	}
	return Invalid
}

// Spec is the shape and element type of a tensor. A scalar has no dimensions and one element.
type Spec struct {
	DType DType
	Shape []int
}

// S is shorthand for a Spec: S(Float32, 64, 100) is float32(64 100).
func S(d DType, shape ...int) Spec { return Spec{DType: d, Shape: shape} }

// Size is the number of elements: the product of the dimensions, 1 for a scalar.
func (s Spec) Size() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Bytes is the size of the data.
func (s Spec) Bytes() int { return s.Size() * s.DType.Size() }

// Rank is the number of dimensions.
func (s Spec) Rank() int { return len(s.Shape) }

// Equal reports whether shape and element type agree.
func (s Spec) Equal(t Spec) bool { return s.DType == t.DType && slices.Equal(s.Shape, t.Shape) }

// String is the form used in error messages and plans: float32(64 100), or float32() for a scalar.
func (s Spec) String() string {
	return s.DType.String() + strings.NewReplacer("[", "(", "]", ")").Replace(fmt.Sprint(s.Shape))
}
