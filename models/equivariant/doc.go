// Package equivariant holds networks of linear layers that commute with a group acting on every axis of a tensor: S_n,
// O(n), SO(n) or Sp(n) (E. Pearce-Crump, arXiv 2304.14144), with the non-linearities that commute with it too.
package equivariant

import (
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/diagram"
	"ganglion/kernels/diagram/calculus"
	"ganglion/kernels/random"
)

// Node is a node of a graph.
type Node = kernels.Node

// Layer is Eq. (1) of the paper: the linear maps from tensors of one order to tensors of another that commute with the
// group, and the tensors that it leaves alone.
// Parameters: lambda [diagrams, Out, channels] and mu [diagrams, Out], absent where there are no diagrams.
type Layer struct {
	Group calculus.Group
	N     int // length of the axes
	Order int // of the output
	Out   int // channels of the output
	// Sums leaves sums over axes of the input as they are; else they are means, so that weights carry over to other n.
	Sums   bool
	NoBias bool
}

// Apply declares the parameters in s and maps x [batch, channels, n, …]: to [batch, Out, n, …].
func (l Layer) Apply(s *engine.Scope, x *Node) *Node {
	shape := kernels.SpecOf(x).Shape
	if len(shape) < 2 {
		s.Fail(fmt.Errorf("equivariant layer: %w: wants [batch, channels, n, …], has %v", kernels.ErrShape, shape))
	}
	f := diagram.Family{Group: l.Group, N: l.N, L: l.Order, K: len(shape) - 2}
	scale := diagram.Means
	if l.Sums {
		scale = diagram.Sums
	}
	ds, err := calculus.Enumerate(f.Group, f.N, f.L, f.K)
	if err != nil {
		s.Fail(fmt.Errorf("equivariant layer: %w", err))
	}
	lambda := s.Param("lambda", weights{ds, l.N, shape[1], l.Sums}, len(ds), l.Out, shape[1])
	z := s.Apply(diagram.Map{Family: f, Scale: scale}, x, lambda)
	count := calculus.Count(f.Group, f.N, f.L, 0)
	if l.NoBias || count.Sign() == 0 {
		return z
	}
	mu := s.Param("mu", random.Zeros{}, int(count.Int64()), l.Out)
	constant := diagram.Constant{Family: diagram.Family{Group: l.Group, N: l.N, L: l.Order}}
	return s.Apply(dense.Binary{Kind: dense.Add}, z, s.Apply(constant, mu))
}

// weights are normal numbers of variance n^L/(‖D‖²·diagrams·channels) for each diagram, so that an output of white
// noise has the variance of the input; with means 1/(diagrams·channels).
type weights struct {
	ds       []calculus.Diagram
	n        int
	channels int
	sums     bool
}

// Fill implements engine.Init.
func (w weights) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	if err := (random.Normal{Std: 1}).Fill(t, seed, stream); err != nil {
		return err
	}
	for i, d := range w.ds {
		std := 1 / math.Sqrt(float64(len(w.ds)*max(1, w.channels)))
		if w.sums {
			std *= math.Sqrt(math.Pow(float64(w.n), float64(d.L)) / d.SquaredNorm(w.n))
		}
		row := t.Size() / len(w.ds)
		for k := i * row; k < (i+1)*row; k++ {
			if t.DType == kernels.Float32 {
				t.F32[k] *= float32(std)
			} else {
				t.F64[k] *= std
			}
		}
	}
	return nil
}

// axesOf are the axes of a tensor behind batch and channels.
func axesOf(x *Node) (over dense.Axes, ones []int) {
	shape := kernels.SpecOf(x).Shape
	ones = []int{-1, shape[1]}
	for a := 2; a < len(shape); a++ {
		over |= dense.On(a)
		ones = append(ones, 1)
	}
	return over, ones
}

// NormGate is x·σ(‖x‖²/n^k + b) for each channel, with ‖x‖² over the axes of the tensor: it commutes with O(n) and
// SO(n), and with S_n. The norm is none for Sp(n). Parameter: b [channels].
func NormGate(s *engine.Scope, x *Node) *Node {
	over, ones := axesOf(x)
	square := s.Apply(dense.Binary{Kind: dense.Mul}, x, x)
	gate := s.Apply(dense.Binary{Kind: dense.Add}, s.Apply(dense.Reduce{Kind: dense.Mean, Axes: over}, square),
		s.Param("b", random.Zeros{}, ones[1]))
	return gated(s, x, gate, ones)
}

// ScalarGate is x·σ(g) with one invariant number g [batch, channels] for each channel, which must come from an output
// of order 0: it commutes with every group.
func ScalarGate(s *engine.Scope, x, g *Node) *Node {
	_, ones := axesOf(x)
	return gated(s, x, g, ones)
}

func gated(s *engine.Scope, x, gate *Node, ones []int) *Node {
	sigmoid := s.Apply(dense.Unary{F: act.Sigmoid}, gate)
	return s.Apply(dense.Binary{Kind: dense.Mul}, x, s.Apply(dense.Reshape{To: dense.ShapeOf(ones...)}, sigmoid))
}

// Product is the tensor product x ⊗ y of each channel with the same one of the other: orders add up. A layer behind it
// contracts; so products of vectors become inner products, cross products, Poisson brackets.
func Product(s *engine.Scope, x, y *Node) *Node {
	a, b := kernels.SpecOf(x).Shape, kernels.SpecOf(y).Shape
	if len(a) < 2 || len(b) < 2 || a[1] != b[1] {
		s.Fail(fmt.Errorf("tensor product: %w: wants equal batches and channels, has %v and %v", kernels.ErrShape, a,
			b))
	}
	left, right := append([]int{-1}, a[1:]...), []int{-1, b[1]}
	for range b[2:] {
		left = append(left, 1)
	}
	for range a[2:] {
		right = append(right, 1)
	}
	right = append(right, b[2:]...)
	return s.Apply(dense.Binary{Kind: dense.Mul}, s.Apply(dense.Reshape{To: dense.ShapeOf(left...)}, x),
		s.Apply(dense.Reshape{To: dense.ShapeOf(right...)}, y))
}
