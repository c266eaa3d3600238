package message

import (
	"math"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/sparse"
	"ganglion/models/layer"
)

// Features are a matrix with a row for each node: dense, or sparse as bags of words are.
type Features struct {
	X         *Node   // dense, float [nodes, width]
	Structure []*Node // sparse: the structure of [nodes, width], where X is nil
	Values    *Node   // sparse: float [entries]
}

// Dense are features that are all stored.
func Dense(x *Node) Features { return Features{X: x} }

// Width is the number of features of a node.
func (f Features) Width() int {
	if f.X != nil {
		return kernels.SpecOf(f.X).Shape[1]
	}
	return kernels.SpecOf(f.Structure[2]).Shape[0] - 1
}

// Times is the product with w [width, out].
func (f Features) Times(s *engine.Scope, w *Node) *Node {
	if f.X != nil {
		return s.Apply(dense.GEMM{}, f.X, w)
	}
	return s.Apply(sparse.SpMM{}, append(append([]*Node{w}, f.Structure...), f.Values)...)
}

// Dropout drops elements, of sparse features stored ones.
func (f Features) Dropout(s *engine.Scope, rate float64, key *Node) Features {
	d := layer.Dropout{Rate: rate, Key: key}
	if f.X != nil {
		return Dense(d.Apply(s, f.X))
	}
	f.Values = d.Apply(s, f.Values)
	return f
}

// linear is x·W + b with W [width, out] and b [out] declared in s: W by init, or, where that is nil, both evenly in
// ±1/√width.
func linear(s *engine.Scope, x Features, out int, bias bool, init engine.Init) *Node {
	var first engine.Init = random.Zeros{}
	if init == nil {
		init, first = fan(x.Width()), fan(x.Width())
	}
	y := x.Times(s, s.Param("W", init, x.Width(), out))
	if bias {
		y = add(s, y, s.Param("b", first, out))
	}
	return y
}

// fan is the start of a linear layer of the given width: evenly in ±1/√width.
func fan(width int) random.Uniform {
	r := 1 / math.Sqrt(float64(max(1, width)))
	return random.Uniform{Lo: -r, Hi: r}
}
