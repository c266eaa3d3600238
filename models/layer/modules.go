package layer

import (
	"math"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/implicit"
	"ganglion/kernels/random"
)

// Modules is one general directed graph of p nodes, cycles included, that is pruned to its heaviest edges and solved
// module by module (arXiv 2306.02157, Eq. 1): it takes the nodes' constant part c [batch, p] to their pre-activations X
// [batch, p], the solution of
//
//	x_i = c_i + Σ_{j≠i, j→i kept} f(x_j)·w_ji.
//
// It is an ordinary layer and may stand anywhere in a graph.
type Modules struct {
	// Keep is the number of edges kept, those with the largest |w|; negative keeps all.
	Keep int
	// Every is the number of steps between two restructurings; 0 or 1 restructures at every step.
	Every int
	// Rho is the spectral radius of W at the start.
	Rho float64
	// Solve carries the activation, the method and its limits.
	Solve implicit.Solve
	// Warm, when positive, keeps the last solution of that many samples, and Row says which of them are in the batch; a
	// solve then starts where the sample's last one ended.
	Warm int
	Row  *Node
	// Step is the number of the step, int32 [1]; needed with Every > 1.
	Step *Node
}

// ModulesOut is what Modules returns.
type ModulesOut struct {
	X         *Node // [batch, p] pre-activations
	F         *Node // [batch, p] f(X)
	W         *Node // [p, p] the weights of all edges, kept or not: w_ji at row j, column i; zero diagonal
	Structure *Node // int32, see implicit.View
}

// Apply declares W in s and returns the solution.
func (m Modules) Apply(s *engine.Scope, c *Node) ModulesOut {
	p := kernels.SpecOf(c).Shape[1]
	w := s.Param("W", random.SpectralRadius{Rho: m.Rho}, p, p)
	structure := m.structure(s, w, p)
	in := []*Node{c, w, structure}
	var warm *Node
	if m.Warm > 0 && m.Row != nil {
		warm = s.State("warm", kernels.S(s.DType(), m.Warm, p), unknown{})
		in = append(in, s.Apply(dense.Gather{}, warm, m.Row))
	}
	x := s.Apply(m.Solve, in...)
	if warm != nil {
		s.Update(warm, s.Apply(dense.ScatterRows{}, warm, m.Row, x))
	}
	return ModulesOut{X: x, F: s.Apply(dense.Unary{F: m.Solve.Act}, x), W: w, Structure: structure}
}

func (m Modules) structure(s *engine.Scope, w *Node, p int) *Node {
	if m.Every <= 1 || m.Step == nil {
		return s.Apply(implicit.Structure{Keep: m.Keep}, w)
	}
	old := s.State("structure", kernels.S(kernels.Int32, implicit.StructureLen(p)), nil)
	now := s.Apply(implicit.Restructure{Keep: m.Keep, Every: m.Every}, w, old, m.Step)
	s.Update(old, now)
	return now
}

// unknown fills a tensor with NaN: a solve starts from c where its start is NaN.
type unknown struct{}

// Fill implements engine.Init.
func (unknown) Fill(t kernels.Tensor, _ uint64, _ uint32) error {
	for i := range t.F32 {
		t.F32[i] = float32(math.NaN())
	}
	for i := range t.F64 {
		t.F64[i] = math.NaN()
	}
	return nil
}

// Activation applies f elementwise.
func Activation(s *engine.Scope, f act.Func, x *Node) *Node { return s.Apply(dense.Unary{F: f}, x) }
