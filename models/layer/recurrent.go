package layer

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/recurrent"
)

// Parameters of recurrent layers are laid out as PyTorch does: weight_ih [gates·Hidden, in], weight_hh [gates·Hidden,
// Hidden], bias_ih and bias_hh [gates·Hidden], at first uniform within ±1/√Hidden. Gates: r, z, n of a GRU; i, f, g, o
// of an LSTM.

// weights are the parameters of a recurrent layer.
type weights struct{ wx, wh, bx, bh *Node }

func recurrentWeights(s *engine.Scope, gates, in, hidden int) weights {
	return declareWeights(s, gates, in, hidden, orUniform(nil, hidden))
}

// declareWeights declares the parameters; bias_ih begins as bias says.
func declareWeights(s *engine.Scope, gates, in, hidden int, bias engine.Init) weights {
	init := orUniform(nil, hidden)
	return weights{
		wx: s.Param("weight_ih", init, gates*hidden, in), wh: s.Param("weight_hh", init, gates*hidden, hidden),
		bx: s.Param("bias_ih", bias, gates*hidden), bh: s.Param("bias_hh", init, gates*hidden),
	}
}

// affine is x·wᵀ + b.
func affine(s *engine.Scope, x, w, b *Node) *Node {
	return s.Apply(dense.Binary{Kind: dense.Add}, s.Apply(dense.GEMM{TransB: true}, x, w), b)
}

// project is x_t·weight_ihᵀ [steps, batch, gates·Hidden] for all steps of x [steps, batch, in].
func (w weights) project(s *engine.Scope, x *Node, in int) *Node {
	flat := s.Apply(dense.GEMM{TransB: true}, s.Apply(dense.Reshape{To: dense.ShapeOf(-1, in)}, x), w.wx)
	return s.Apply(recurrent.Steps{}, flat, x)
}

// start is h or, when that is nil, zeros [batch, hidden].
func start(s *engine.Scope, h, x, wh *Node) *Node {
	if h != nil {
		return h
	}
	// [batch, 1] of zeros plus [hidden] of zeros.
	first := s.Apply(recurrent.Part{}, x)
	column := s.Apply(dense.FillLike{}, s.Apply(dense.Slice{Axis: -1, Lo: 0, Hi: 1}, first))
	row := s.Apply(dense.FillLike{}, s.Apply(recurrent.Part{}, wh))
	return s.Apply(dense.Binary{Kind: dense.Add}, column, row)
}

// wantRank aborts the build unless x has the given number of dimensions and none empty behind the batch.
func wantRank(s *engine.Scope, what string, x *Node, rank, hidden int) int {
	shape := kernels.SpecOf(x).Shape
	if len(shape) != rank || hidden < 1 || shape[rank-1] < 1 {
		s.Fail(fmt.Errorf("%s: %w: wants an input of %d dimensions, one feature at least, has %v with %d hidden units",
			what, kernels.ErrShape, rank, shape, hidden))
	}
	return shape[rank-1]
}

// GRU is a layer of gated recurrent units over a sequence (see recurrent.GRU for the equations), as one operator.
type GRU struct{ Hidden int }

// Apply declares the parameters in s and returns h of all steps [steps, batch, Hidden] for x [steps, batch, in]. h0
// [batch, Hidden] may be nil for zeros.
func (l GRU) Apply(s *engine.Scope, x, h0 *Node) *Node {
	in := wantRank(s, "gru", x, 3, l.Hidden)
	w := recurrentWeights(s, 3, in, l.Hidden)
	// The reset gate does not apply to bias_ih: the biases of n stay apart, those of r and z are one.
	part := func(b *Node, lo, hi int) *Node { return s.Apply(dense.Slice{Lo: lo * l.Hidden, Hi: hi * l.Hidden}, b) }
	gates := s.Apply(dense.Binary{Kind: dense.Add}, part(w.bx, 0, 2), part(w.bh, 0, 2))
	bias := s.Apply(dense.Concat{}, gates, part(w.bx, 2, 3), part(w.bh, 2, 3))
	all := s.Apply(recurrent.GRU{}, w.project(s, x, in), start(s, h0, x, w.wh), w.wh, bias)
	return s.Apply(recurrent.Part{Index: recurrent.GRUHidden}, all)
}

// LSTM is a layer of long short-term memory over a sequence (see recurrent.LSTM for the equations), as one operator.
type LSTM struct {
	Hidden int
	// ForgetBias is added to the initial bias of the forget gates (Gers et al. 2000): with 1 a memory lasts from the
	// start.
	ForgetBias float64
}

// Apply declares the parameters in s and returns h and c of all steps [steps, batch, Hidden] for x [steps, batch, in].
// h0 and c0 [batch, Hidden] may be nil for zeros.
func (l LSTM) Apply(s *engine.Scope, x, h0, c0 *Node) (h, c *Node) {
	in := wantRank(s, "lstm", x, 3, l.Hidden)
	w := l.weights(s, in)
	bias := s.Apply(dense.Binary{Kind: dense.Add}, w.bx, w.bh)
	all := s.Apply(recurrent.LSTM{}, w.project(s, x, in), start(s, h0, x, w.wh), start(s, c0, x, w.wh), w.wh, bias)
	return s.Apply(recurrent.Part{Index: recurrent.LSTMHidden}, all), s.Apply(recurrent.Part{Index: recurrent.LSTMCell},
		all)
}

// GRUCell is one step of a GRU, out of elementary operators: second derivatives exist. Declare it once by Cell, and
// call Step as often as there are steps.
type GRUCell struct {
	hidden int
	w      weights
}

// Cell declares the parameters of a step for inputs of in features.
func (l GRU) Cell(s *engine.Scope, in int) GRUCell {
	return GRUCell{l.Hidden, recurrentWeights(s, 3, in, l.Hidden)}
}

// Step returns the next h [batch, Hidden] for x [batch, in] and h.
func (l GRUCell) Step(s *engine.Scope, x, h *Node) *Node {
	wantRank(s, "gru cell", x, 2, l.hidden)
	a, b := affine(s, x, l.w.wx, l.w.bx), affine(s, h, l.w.wh, l.w.bh)
	add, mul := binary(s, dense.Add), binary(s, dense.Mul)
	r := Activation(s, act.Sigmoid, add(gate(s, a, 0, l.hidden), gate(s, b, 0, l.hidden)))
	z := Activation(s, act.Sigmoid, add(gate(s, a, 1, l.hidden), gate(s, b, 1, l.hidden)))
	n := Activation(s, act.Tanh, add(gate(s, a, 2, l.hidden), mul(r, gate(s, b, 2, l.hidden))))
	return add(mul(s.Apply(dense.Scale{Alpha: -1, Beta: 1}, z), n), mul(z, h))
}

// LSTMCell is one step of an LSTM, out of elementary operators: second derivatives exist. Declare it once by Cell,
// and call Step as often as there are steps.
type LSTMCell struct {
	hidden int
	w      weights
}

// weights declares the parameters.
func (l LSTM) weights(s *engine.Scope, in int) weights {
	init := orUniform(nil, l.Hidden)
	forget := init
	if l.ForgetBias != 0 {
		forget = raised{init, l.Hidden, 2 * l.Hidden, l.ForgetBias}
	}
	return declareWeights(s, 4, in, l.Hidden, forget)
}

// raised is an initial value with some elements raised.
type raised struct {
	engine.Init
	lo, hi int
	by     float64
}

// Fill implements engine.Init.
func (r raised) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	if err := r.Init.Fill(t, seed, stream); err != nil {
		return err
	}
	for i := r.lo; i < r.hi; i++ {
		if t.DType == kernels.Float32 {
			t.F32[i] += float32(r.by)
		} else {
			t.F64[i] += r.by
		}
	}
	return nil
}

// Cell declares the parameters of a step for inputs of in features.
func (l LSTM) Cell(s *engine.Scope, in int) LSTMCell {
	return LSTMCell{l.Hidden, l.weights(s, in)}
}

// Step returns the next h and c [batch, Hidden] for x [batch, in], h and c.
func (l LSTMCell) Step(s *engine.Scope, x, h, c *Node) (nextH, nextC *Node) {
	wantRank(s, "lstm cell", x, 2, l.hidden)
	add, mul := binary(s, dense.Add), binary(s, dense.Mul)
	a := add(affine(s, x, l.w.wx, l.w.bx), affine(s, h, l.w.wh, l.w.bh))
	of := func(i int, f act.Func) *Node { return Activation(s, f, gate(s, a, i, l.hidden)) }
	nextC = add(mul(of(1, act.Sigmoid), c), mul(of(0, act.Sigmoid), of(2, act.Tanh)))
	return mul(of(3, act.Sigmoid), Activation(s, act.Tanh, nextC)), nextC
}

// gate is block i of the columns of a.
func gate(s *engine.Scope, a *Node, i, hidden int) *Node {
	return s.Apply(dense.Slice{Axis: -1, Lo: i * hidden, Hi: (i + 1) * hidden}, a)
}

// binary is an elementwise operation as a function.
func binary(s *engine.Scope, k dense.Kind) func(x, y *Node) *Node {
	return func(x, y *Node) *Node { return s.Apply(dense.Binary{Kind: k}, x, y) }
}
