package plan

import (
	"fmt"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Precision is how exactly the operands of products are taken. Everything else keeps the type of the graph.
type Precision uint8

// The precisions. Results in each depend on nothing but the sizes: processor and devices round alike.
const (
	Full Precision = iota // as they are
	TF32                  // rounded to TF32
	BF16                  // rounded to bfloat16
)

var precisions = [...]string{Full: "f32", TF32: "tf32", BF16: "bf16"}

// ParsePrecision reads f32, which stands for the type of the graph as it is, tf32 or bf16.
func ParsePrecision(name string) (Precision, error) {
	for i, p := range precisions {
		if p == name {
			return Precision(i), nil
		}
	}
	return Full, fmt.Errorf("precision %q is not one of f32, tf32, bf16", name)
}

// String is f32, tf32 or bf16.
func (p Precision) String() string { return precisions[p] }

// format is that of the operands.
func (p Precision) format() dense.Format {
	if p == TF32 {
		return dense.TF32
	}
	return dense.BF16
}

// same is the map of a pass that changes nothing.
func (g *Graph) same() Map {
	to := make(Map, len(g.Nodes))
	for i := range to {
		to[i] = i
	}
	return to
}

// Reduce is the pass that makes products of float32 ones in mixed precision. A product of float64 is an error: what is
// to be exact to 16 digits is not meant to lose all but three.
func Reduce(g *Graph, p Precision) (*Graph, Map, error) {
	if p == Full {
		return g, g.same(), nil
	}
	var failed error
	out, to := g.rewrite(func(r *rewriter, _ int, n Node) int {
		op, ok := dense.Mixed(n.Op, p.format())
		if n.Kind != Apply || !ok {
			return r.add(n)
		}
		if n.Spec.DType != kernels.Float32 && failed == nil {
			failed = Locate(n.Path, fmt.Errorf("%s: precision %v is for networks of float32, this product is of %v",
				n.OpName(), p, n.Spec.DType))
		}
		n.Notes = n.note("operands rounded to %v", p)
		n.Op = op
		return r.add(n)
	})
	return out, to, failed
}
