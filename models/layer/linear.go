// Package layer holds the layers that several systems share, one a file.
package layer

import (
	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// Node is a node of the model's graph.
type Node = kernels.Node

// Linear is y = x·W + b with x [batch, in], W [in, Out], b [Out].
type Linear struct {
	Out    int
	NoBias bool
	Init   engine.Init // of W; Glorot's uniform when nil (Glorot and Bengio 2010, Eq. 16)
}

// Apply declares W and b in s and returns y [batch, Out].
func (l Linear) Apply(s *engine.Scope, x *Node) *Node {
	init := l.Init
	if init == nil {
		init = random.Glorot{}
	}
	y := s.Apply(dense.GEMM{}, x, s.Param("W", init, kernels.SpecOf(x).Shape[1], l.Out))
	if l.NoBias {
		return y
	}
	return s.Apply(dense.Binary{Kind: dense.Add}, y, s.Param("b", random.Zeros{}, l.Out))
}
