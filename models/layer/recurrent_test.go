package layer

import (
	"fmt"
	"testing"

	"ganglion/engine"
	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/recurrent"
)

// unroll writes a sequence step by step; next returns what a step makes of x_t.
func unroll(s *engine.Scope, x *Node, next func(x *Node) *Node) *Node {
	var all []*Node
	for t := range kernels.SpecOf(x).Shape[0] {
		h := next(s.Apply(recurrent.Part{Index: t}, x))
		all = append(all, s.Apply(dense.Reshape{}, h, s.Apply(dense.Slice{Lo: t, Hi: t + 1}, x)))
	}
	return s.Apply(dense.Concat{}, all...)
}

// The sequence as one operator and the cell unrolled are the same function with the same gradients. The number of
// inputs is that of hidden units here, so that steps have the shape of x.
func TestSequenceIsUnrolledCell(t *testing.T) {
	const steps, batch, n = 4, 3, 5
	x := waves(1, steps, batch, n)
	zeros := func(s *engine.Scope, x *Node) *Node {
		return s.Apply(dense.FillLike{}, s.Apply(recurrent.Part{}, x))
	}
	for name, f := range map[string][2]func(s *engine.Scope, x *Node) *Node{
		"gru": {
			func(s *engine.Scope, x *Node) *Node { return GRU{Hidden: n}.Apply(s, x, nil) },
			func(s *engine.Scope, x *Node) *Node {
				cell, h := GRU{Hidden: n}.Cell(s, n), zeros(s, x)
				return unroll(s, x, func(x *Node) *Node { h = cell.Step(s, x, h); return h })
			},
		},
		"lstm": {
			func(s *engine.Scope, x *Node) *Node {
				h, c := LSTM{Hidden: n}.Apply(s, x, nil, nil)
				return s.Apply(dense.Binary{Kind: dense.Add}, h, c)
			},
			func(s *engine.Scope, x *Node) *Node {
				cell, h, c := LSTM{Hidden: n}.Cell(s, n), zeros(s, x), zeros(s, x)
				return unroll(s, x, func(x *Node) *Node {
					h, c = cell.Step(s, x, h, c)
					return s.Apply(dense.Binary{Kind: dense.Add}, h, c)
				})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			one := newTrial(t, engine.BuildOptions{}, nil, x, f[0])
			many := newTrial(t, engine.BuildOptions{}, one.p.Store(), x, f[1])
			for _, out := range []string{"y", "d x", "d layer/weight_ih", "d layer/weight_hh", "d layer/bias_ih",
				"d layer/bias_hh"} {
				if msg := optest.Compare(one.run(t, x.Shape, out).F64, many.run(t, x.Shape, out).F64,
					1e-12); msg != "" {
					t.Errorf("%s: %s", out, msg)
				}
			}
			one.checkGrads(t, x.Shape, "weight_ih", "weight_hh", "bias_ih", "bias_hh")
			one.x = waves(2, 2*steps, 2*batch, n)
			if y := one.run(t, one.x.Shape, "y"); fmt.Sprint(y.Shape) != fmt.Sprint(one.x.Shape) {
				t.Errorf("a longer sequence gives %v", y.Shape)
			}
		})
	}
}

// A given start is what the first step continues.
func TestSequenceStart(t *testing.T) {
	x := waves(1, 4, 3, 2)
	tail := waves(1, 4, 3, 2)
	r := newTrial(t, engine.BuildOptions{}, nil, x, func(s *engine.Scope,
		x *Node) *Node {
		return GRU{Hidden: 5}.Apply(s, x, nil)
	})
	whole := r.run(t, []int{4, 3, 5}, "y")
	first := whole.Slice(0, 15)
	first.Shape = []int{3, 5}
	rest := newTrial(t, engine.BuildOptions{}, r.p.Store(), kernels.FromSlice(tail.F64[6:], 3, 3, 2),
		func(s *engine.Scope, x *Node) *Node { return GRU{Hidden: 5}.Apply(s, x, s.Const(first)) })
	if msg := optest.Compare(rest.run(t, []int{3, 3, 5}, "y").F64, whole.F64[15:], 1e-14); msg != "" {
		t.Error(msg)
	}
}
