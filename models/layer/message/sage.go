package message

import (
	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
	"ganglion/kernels/sparse"
	"ganglion/models/layer"
)

// SAGE is the layer of Hamilton et al. (arXiv 1706.02216): y_i = agg_j x_j·W_l + b + x_i·W_r.
type SAGE struct {
	Out       int
	Kind      Aggregate // the sum by default; the paper's is Mean
	NoRoot    bool      // without x_i·W_r
	Project   bool      // aggregates relu(x_j·P + p) in the place of x_j
	Normalise bool      // divides rows by max(‖y_i‖₂, 10⁻¹²)
	NoBias    bool
	CountZero bool // in the gradient of Max, see kernels/sparse
}

// Apply declares neighbours/W, neighbours/b and root/W, with Project also project/W and project/b, and returns y
// [nodes, Out].
func (l SAGE) Apply(s *engine.Scope, x Features, e Edges) *Node { return l.Between(s, x, x, e) }

// Between is the layer from the nodes of one side, with features src, to those of another, with dst.
func (l SAGE) Between(s *engine.Scope, src, dst Features, e Edges) *Node {
	if l.Project {
		p := s.In("project")
		src = Dense(layer.Activation(p, act.ReLU, linear(p, src, src.Width(), true, nil)))
	}
	n := s.In("neighbours")
	var y *Node
	if src.X == nil || l.Kind != Max && l.Out < src.Width() { // multiply first, and propagate the narrower matrix
		y = e.reduce(n, l.Kind, linear(n, src, l.Out, false, nil), l.CountZero)
		if !l.NoBias {
			y = add(n, y, n.Param("b", random.Zeros{}, l.Out))
		}
	} else {
		y = linear(n, Dense(e.reduce(n, l.Kind, src.X, l.CountZero)), l.Out, !l.NoBias, nil)
	}
	if !l.NoRoot {
		y = add(s, y, linear(s.In("root"), dst, l.Out, false, nil))
	}
	if l.Normalise {
		y = unit(s, y)
	}
	return y
}

// unit divides the rows of x by their lengths, 10⁻¹² at least.
func unit(s *engine.Scope, x *Node) *Node {
	const least = 1e-24
	rank := len(kernels.SpecOf(x).Shape)
	q := s.Apply(dense.Reduce{Axes: dense.On(rank - 1), Keep: true}, s.Apply(dense.Unary{F: act.Square}, x))
	q = s.Apply(dense.Binary{Kind: dense.Max}, q, s.Apply(dense.FillLike{Value: least}, q))
	return mul(s, x, s.Apply(sparse.InvSqrt{}, q))
}
