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

// Halve is the pass that keeps values in 16 bits: those that the program computes and that products in bf16 read, or
// slopes of functions, are stored as bfloat16 when they are there, and everything that reads them reads what is stored.
// To products that makes no difference, since they round their operands anyway. Parameters, states, inputs and outputs
// stay as they are, and so do views.
func Halve(g *Graph) (*Graph, Map) {
	kept := keptHalf(g)
	half := map[int]int{} // what is stored of a node of the new graph
	return g.rewrite(func(r *rewriter, id int, n Node) int {
		for k, c := range n.In {
			if at, ok := half[c]; ok {
				n.Op, n.In[k] = readHalf(r, n, k, at)
			}
		}
		at := r.add(n)
		if kept[id] {
			store := n.with(dense.Narrow{To: dense.BF16}, at)
			store.Spec = kernels.S(kernels.Byte, append(append([]int(nil), n.Spec.Shape...), 2)...)
			store.Notes = []string{"kept in 16 bits"}
			half[at] = r.add(store)
		}
		return at
	})
}

// keptHalf tells which nodes are kept in 16 bits.
func keptHalf(g *Graph) []bool {
	kept := make([]bool, len(g.Nodes))
	for i := range g.Nodes {
		reads := 0 // so many inputs, from the first on
		switch op := g.Nodes[i].Op.(type) {
		case dense.MixedGEMM:
			if op.Operands == dense.BF16 {
				reads = 2
			}
		case dense.Unary:
			reads = min(op.Order, 1)
		}
		for _, c := range g.Nodes[i].In[:reads] {
			n := &g.Nodes[c]
			_, view := n.Op.(kernels.Viewer)
			_, pack := n.Op.(kernels.Packer)
			kept[c] = n.Kind == Apply && n.Spec.DType == kernels.Float32 && !view && !pack
		}
	}
	for _, o := range g.Outputs {
		kept[o.Node] = false
	}
	for _, u := range g.Updates {
		kept[u.Next] = false
	}
	return kept
}

// readHalf makes input k of a node the stored value at: products take it as it is, others read it as numbers.
func readHalf(r *rewriter, n Node, k, at int) (kernels.Op, int) {
	if op, ok := n.Op.(dense.MixedGEMM); ok && k < 2 && op.Operands == dense.BF16 {
		if k == 0 {
			op.StoredA = true
		} else {
			op.StoredB = true
		}
		return op, at
	}
	wide := Node{Kind: Apply, Op: dense.Widen{From: dense.BF16, To: kernels.Float32}, In: []int{at}, Path: n.Path,
		Notes: []string{"reads what was kept in 16 bits"}}
	stored := r.out.Nodes[at].Spec.Shape
	wide.Spec = kernels.S(kernels.Float32, stored[:len(stored)-1]...)
	return n.Op, r.add(wide)
}
