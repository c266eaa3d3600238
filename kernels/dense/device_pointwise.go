package dense

import (
	"fmt"
	"strconv"
	"strings"

	"ganglion/kernels"
)

// The operators that one kernel can compute with their neighbours.
var (
	_ kernels.CUDAPointwise = Unary{}
	_ kernels.CUDAPointwise = Scale{}
	_ kernels.CUDAPointwise = Binary{}
	_ kernels.CUDAPointwise = AddN{}
)

// CUDAExpression is f(x) or a derivative.
func (o Unary) CUDAExpression(in []string) string {
	return fmt.Sprintf("act::eval%d(%d, %s)", o.Order, o.F, in[0])
}

// CUDAExpression is αx + β.
func (o Scale) CUDAExpression(in []string) string {
	return fmt.Sprintf("%s * %s + %s", deviceNumber(o.Alpha), in[0], deviceNumber(o.Beta))
}

// deviceNumber is a number, which is not NaN, as a constant of type T, rounded as it would be on the processor.
func deviceNumber(v float64) string {
	switch {
	case v-v != 0 && v > 0:
		return "infinity<T>()"
	case v-v != 0:
		return "(-infinity<T>())"
	}
	return "T(" + strconv.FormatFloat(v, 'x', -1, 64) + ")"
}

// CUDAExpression is x ∘ y.
func (o Binary) CUDAExpression(in []string) string {
	format := [...]string{Add: "%s + %s", Sub: "%s - %s", Mul: "%s * %s", Div: "%s / %s", Pow: "pow_(%s, %s)",
		Max: "max_(%s, %s)", Min: "min_(%s, %s)", Lt: "T(%s < %s)", Gt: "T(%s > %s)", Lte: "T(%s <= %s)",
		Gte: "T(%s >= %s)", Eq: "T(%s == %s)", Ne: "T(%s != %s)"}[o.Kind]
	return fmt.Sprintf(format, in[0], in[1])
}

// CUDAExpression is the sum in the order of the inputs.
func (o AddN) CUDAExpression(in []string) string { return strings.Join(in, " + ") }
