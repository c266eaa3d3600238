package message

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels/act"
	"ganglion/models/layer"
)

// MLP is a small network that layers apply to nodes or edges: linear layers with F between them, the last without.
type MLP struct {
	Widths []int    // of the outputs of the linear layers
	F      act.Func // the identity by default
	Norm   bool     // batch normalisation behind each linear layer but the last
}

// Apply declares W and b of layers 0, 1, … and returns the last one's output.
func (m MLP) Apply(s *engine.Scope, x Features) *Node {
	if len(m.Widths) == 0 {
		s.Fail(fmt.Errorf("a network without layers"))
	}
	return m.from(s, 0, x)
}

// from applies the layers from number k on.
func (m MLP) from(s *engine.Scope, k int, x Features) *Node {
	for i := k; i < len(m.Widths); i++ {
		h := s.In(fmt.Sprint(i))
		x = m.behind(h, i, linear(h, x, m.Widths[i], true, nil))
	}
	return x.X
}

// behind is what stands behind linear layer i.
func (m MLP) behind(s *engine.Scope, i int, y *Node) Features {
	if i == len(m.Widths)-1 {
		return Dense(y)
	}
	if m.Norm {
		y = layer.BatchNorm{}.Apply(s.In("norm"), y)
	}
	return Dense(layer.Activation(s, m.F, y))
}
