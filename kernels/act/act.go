// Package act holds the elementwise functions of one variable: the activation functions of layers and the unary
// functions of gorgonia graphs, each with its first and second derivative.
package act

import (
	"fmt"
	"math"
	"strings"
)

// Func is an elementwise function of one variable. The zero value is the identity.
type Func uint8

// The functions. Their formulas stand in eval.go, one function each.
const (
	Identity Func = iota
	Tanh
	Sigmoid
	ReLU
	LeakyReLU
	ELU
	Softplus
	GELU
	SiLU
	Mish
	Sin
	Cos
	Exp
	Log
	Sqrt
	Square
	Abs
	Sign
	Neg
	Inv
	InvSqrt
	Cube
	Log1p
	Expm1
	Log2
	Ceil
	Floor
)

// Orders is the number of orders of derivative that each function has: 0 (the value), 1 and 2.
const Orders = 3

type entry struct {
	name      string
	at        [Orders]func(x float64) float64
	lipschitz float64
}

func zero(float64) float64 { return 0 }
func one(float64) float64  { return 1 }

var inf = math.Inf(1)

// table is indexed by Func.
var table = [...]entry{
	Identity:  {"identity", [Orders]func(float64) float64{identity, one, zero}, 1},
	Tanh:      {"tanh", [Orders]func(float64) float64{math.Tanh, sech2, tanh2}, 1},
	Sigmoid:   {"sigmoid", [Orders]func(float64) float64{sigmoid, sigmoid1, sigmoid2}, 0.25},
	ReLU:      {"relu", [Orders]func(float64) float64{relu, relu1, zero}, 1},
	LeakyReLU: {"leakyrelu", [Orders]func(float64) float64{leaky, leaky1, zero}, 1},
	ELU:       {"elu", [Orders]func(float64) float64{elu, elu1, elu2}, 1},
	Softplus:  {"softplus", [Orders]func(float64) float64{softplus, sigmoid, sigmoid1}, 1},
	GELU:      {"gelu", [Orders]func(float64) float64{gelu, gelu1, gelu2}, lipschitzGELU},
	SiLU:      {"silu", [Orders]func(float64) float64{silu, silu1, silu2}, lipschitzSiLU},
	Mish:      {"mish", [Orders]func(float64) float64{mish, mish1, mish2}, lipschitzMish},
	Sin:       {"sin", [Orders]func(float64) float64{math.Sin, math.Cos, sin2}, 1},
	Cos:       {"cos", [Orders]func(float64) float64{math.Cos, sin2, cos2}, 1},
	Exp:       {"exp", [Orders]func(float64) float64{math.Exp, math.Exp, math.Exp}, inf},
	Log:       {"log", [Orders]func(float64) float64{ln, inv, inv1}, inf},
	Sqrt:      {"sqrt", [Orders]func(float64) float64{math.Sqrt, sqrt1, sqrt2}, inf},
	Square:    {"square", [Orders]func(float64) float64{square, square1, square2}, inf},
	Abs:       {"abs", [Orders]func(float64) float64{math.Abs, sign, zero}, 1},
	Sign:      {"sign", [Orders]func(float64) float64{sign, zero, zero}, inf},
	Neg:       {"neg", [Orders]func(float64) float64{neg, neg1, zero}, 1},
	Inv:       {"inv", [Orders]func(float64) float64{inv, inv1, inv2}, inf},
	InvSqrt:   {"invsqrt", [Orders]func(float64) float64{invSqrt, invSqrt1, invSqrt2}, inf},
	Cube:      {"cube", [Orders]func(float64) float64{cube, cube1, cube2}, inf},
	Log1p:     {"log1p", [Orders]func(float64) float64{math.Log1p, log1p1, log1p2}, inf},
	Expm1:     {"expm1", [Orders]func(float64) float64{math.Expm1, math.Exp, math.Exp}, inf},
	Log2:      {"log2", [Orders]func(float64) float64{math.Log2, log21, log22}, inf},
	Ceil:      {"ceil", [Orders]func(float64) float64{math.Ceil, zero, zero}, inf},
	Floor:     {"floor", [Orders]func(float64) float64{math.Floor, zero, zero}, inf},
}

// The largest slopes of the three functions whose derivative overshoots 1. GELU': at √2, (1+erf 1)/2 + e⁻¹/√π. The
// others are maxima found numerically (SiLU at x ≈ 2.3994, Mish at x ≈ 1.4906), rounded up in the last digit.
const (
	lipschitzGELU = 1.1289041452
	lipschitzSiLU = 1.0998393202
	lipschitzMish = 1.0884981613
)

// Valid reports whether f is one of the functions above and order one of 0, 1, 2.
func Valid(f Func, order int) bool {
	return int(f) < len(table) && order >= 0 && order < Orders
}

// Name is the function's name as Parse reads it, in lower case.
func Name(f Func) string {
	if int(f) >= len(table) {
		return fmt.Sprintf("act.Func(%d)", uint8(f))
	}
	return table[f].name
}

// Names lists the names of all functions in the order of their constants.
func Names() []string {
	names := make([]string, len(table))
	for i := range table {
		names[i] = table[i].name
	}
	return names
}

// Parse returns the function of the given name; upper and lower case are one. The error lists the known names.
func Parse(name string) (Func, error) {
	for i := range table {
		if strings.EqualFold(table[i].name, name) {
			return Func(i), nil
		}
	}
	return 0, fmt.Errorf("act: unknown function %q (known: %s)", name, strings.Join(Names(), ", "))
}

// Eval returns f(x) for order 0, f′(x) for order 1 and f″(x) for order 2. Other orders and functions are a bug of the
// caller and panic (see Valid).
//
// At a kink the derivative is the one from the left, so ReLU′(0) = 0, LeakyReLU′(0) = 0.01 and ELU″(0) = 1; Abs′(0) =
// 0. Sign, Ceil and Floor have derivative 0 everywhere. NaN gives NaN except where the derivative is a constant, and
// infinite arguments give the limit (GELU, SiLU and Mish of −Inf are 0).
func Eval(f Func, order int, x float64) float64 {
	if !Valid(f, order) {
		panic(fmt.Sprintf("act: Eval: no order %d of %s", order, Name(f)))
	}
	return table[f].at[order](x)
}

// Lipschitz returns the smallest L with |f(x) − f(y)| ≤ L·|x − y| for all x and y of the domain, +Inf if there is none.
func Lipschitz(f Func) float64 {
	if int(f) >= len(table) {
		panic("act: Lipschitz: unknown function " + Name(f))
	}
	return table[f].lipschitz
}
