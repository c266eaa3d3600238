package message

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels/dense"
)

// Jump joins what several layers made of the nodes (Xu et al., arXiv 1806.03536): side by side by default, or, with
// Largest, the largest of each element.
type Jump struct{ Largest bool }

// Apply returns [nodes, sum of the widths], or [nodes, width] with Largest, for rows of all layers.
func (l Jump) Apply(s *engine.Scope, layers ...*Node) *Node {
	if len(layers) == 0 {
		s.Fail(fmt.Errorf("jumping knowledge of no layers"))
	}
	if !l.Largest {
		return s.Apply(dense.Concat{Axis: 1}, layers...)
	}
	y := layers[0]
	for _, x := range layers[1:] {
		y = s.Apply(dense.Binary{Kind: dense.Max}, y, x)
	}
	return y
}
