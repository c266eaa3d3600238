package engine

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// corrected returns the gradient by our own rule for the ops of gorgonia v0.9.18 whose rules are wrong, nil for all
// others, and fails for those that cannot be put right here.
func (s *Scope) corrected(in []*Node, n, g *Node) []*Node {
	fail := func(text string) {
		s.Fail(fmt.Errorf("gradient of %v%v: %w: %s", n.Op(), specsOf(in), kernels.ErrGradient, text))
	}
	switch kind, text := reflect.TypeOf(n.Op()).String(), n.Op().String(); {
	case kind == "gorgonia.elemUnaryOp" && text == "log2":
		return s.unaryRule(act.Log2, in[0], g)
	case kind == "gorgonia.elemUnaryOp" && text == "invSqrt":
		return s.unaryRule(act.InvSqrt, in[0], g)
	case kind == "gorgonia.linAlgBinOp" && text == "a ⊗ b":
		return s.outerRule(in, g)
	case kind == "*gorgonia.byIndicesOp" && attribute(n, "axis").Int() > 0:
		fail("gorgonia's rule is wrong along axes other than 0; use dense.Gather")
	case kind == "*gorgonia.ctcLossOp" && attribute(n, "reduction").Uint() == uint64(gorgonia.ReductionMean):
		fail("gorgonia's rule is wrong for the mean; use the sum")
	case kind == "*gorgonia.avgPoolOp":
		fail("gorgonia divides by the width of the image instead of the size of the window, forwards and backwards")
	}
	return nil
}

// attribute reads a field of the op that a pointer holds.
func attribute(n *Node, name string) reflect.Value {
	return reflect.ValueOf(n.Op()).Elem().FieldByName(name)
}

// flat reports whether the derivative of one of gorgonia's ops that declares none is zero indeed, wherever it exists:
// comparisons, sign, floor and ceil, and sizes.
func flat(n *Node) bool {
	switch reflect.TypeOf(n.Op()).String() {
	case "gorgonia.elemBinOp", "gorgonia.elemUnaryOp", "gorgonia.sizeOp":
		return true
	}
	return false
}

// unaryRule is g·f′(x).
func (s *Scope) unaryRule(f act.Func, x, g *Node) []*Node {
	return []*Node{s.Apply(dense.Binary{Kind: dense.Mul}, g, s.Apply(dense.Unary{F: f, Order: 1}, x))}
}

// outerRule is the gradient of the outer product abᵀ: G·b and Gᵀ·a.
func (s *Scope) outerRule(in []*Node, g *Node) []*Node {
	out := make([]*Node, 2)
	for i, trans := range []bool{false, true} {
		col := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, 1)}, in[1-i])
		out[i] = s.Apply(dense.Reshape{}, s.Apply(dense.GEMM{TransA: trans}, g, col), in[i])
	}
	return out
}
