package message

import (
	"fmt"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
)

// EdgeConv is the edge convolution of Wang et al. (arXiv 1801.07829, Eq. 7): y_i = agg_e net([x_i, x_j − x_i]). The
// first linear layer is computed at nodes: with its rows W₁ for x_i and W₂ behind them, [x_i, x_j − x_i]·W =
// x_i·(W₁−W₂) + x_j·W₂.
type EdgeConv struct {
	Net       MLP
	Kind      Aggregate // the sum by default; the paper's is Max
	CountZero bool      // in the gradient of Max, see kernels/sparse
}

// Apply declares the network below net, the first layer's W [2·width, …], and returns y.
func (l EdgeConv) Apply(s *engine.Scope, x *Node, e Edges) *Node {
	if len(l.Net.Widths) == 0 {
		s.Fail(fmt.Errorf("edge convolution: a network without layers"))
	}
	net, in := s.In("net"), kernels.SpecOf(x).Shape[1]
	first := net.In("0")
	r := fan(2 * in)
	w := first.Param("W", r, 2*in, l.Net.Widths[0])
	near := s.Apply(dense.Slice{Hi: in}, w)
	far := s.Apply(dense.Slice{Lo: in}, w)
	q := s.Apply(dense.GEMM{}, x, s.Apply(dense.Binary{Kind: dense.Sub}, near, far))
	q = add(s, q, first.Param("b", r, l.Net.Widths[0]))
	m := l.Net.behind(first, 0, e.on(s, sparse.SDDMM{Kind: sparse.Plus}, q, s.Apply(dense.GEMM{}, x, far)))
	return e.on(s, sparse.Segment{Kind: l.Kind, CountZero: l.CountZero && l.Kind == Max}, l.Net.from(net, 1, m))
}
