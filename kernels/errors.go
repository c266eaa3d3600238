package kernels

import (
	"errors"
	"fmt"
	"strings"
)

// The kinds of error, for errors.Is.
var (
	ErrShape        = errors.New("shape")
	ErrDType        = errors.New("dtype")
	ErrGradient     = errors.New("gradient")
	ErrNoKernel     = errors.New("no kernel")
	ErrNotConverged = errors.New("not converged")
)

// OpError says which op refused which inputs.
type OpError struct {
	Op   string // the op's name
	In   []Spec // the inputs it was given
	Kind error  // one of the Err… values above
	Text string // what was expected and what came
}

// Error reads like: dense.GEMM[float32(64 3), float32(4 5)]: inner dimensions differ: 3 and 4.
func (e *OpError) Error() string {
	in := make([]string, len(e.In))
	for i, s := range e.In {
		in[i] = s.String()
	}
	return fmt.Sprintf("%s[%s]: %s", e.Op, strings.Join(in, ", "), e.Text)
}

// Unwrap makes errors.Is(err, ErrShape) work.
func (e *OpError) Unwrap() error { return e.Kind }

// Errorf makes the error that Infer returns.
func Errorf(op Op, in []Spec, kind error, format string, args ...any) error {
	return &OpError{Op: Name(op), In: in, Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// WantInputs checks the number of inputs and, where a rank is not negative, the rank of each.
func WantInputs(op Op, in []Spec, ranks ...int) error {
	if len(in) != len(ranks) {
		return Errorf(op, in, ErrShape, "wants %d inputs, has %d", len(ranks), len(in))
	}
	for i, r := range ranks {
		if r >= 0 && in[i].Rank() != r {
			return Errorf(op, in, ErrShape, "input %d must have %d dimensions, has %d", i, r, in[i].Rank())
		}
	}
	return nil
}

// WantFloats checks that the inputs have one and the same float type.
func WantFloats(op Op, in []Spec, which ...int) error {
	for _, i := range which {
		if !in[i].DType.IsFloat() {
			return Errorf(op, in, ErrDType, "input %d must be float32 or float64, is %v", i, in[i].DType)
		}
		if in[i].DType != in[which[0]].DType {
			return Errorf(op, in, ErrDType, "inputs %d and %d differ in type: %v and %v", which[0], i,
				in[which[0]].DType, in[i].DType)
		}
	}
	return nil
}

// WantType checks the element type of one input.
func WantType(op Op, in []Spec, i int, d DType) error {
	if in[i].DType != d {
		return Errorf(op, in, ErrDType, "input %d must be %v, is %v", i, d, in[i].DType)
	}
	return nil
}
