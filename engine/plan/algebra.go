package plan

import (
	"slices"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// rule is one law of algebra. It looks at a node whose inputs are already simplified and returns the number of the
// node that stands for it, or another node to be put in its place, or neither (-1 and false) when the law has nothing
// to say.
type rule struct {
	name  string
	apply func(r *rewriter, n *Node) (id int, other Node, changed bool)
}

// rules returns the laws in the order in which they are tried. They hold at all sizes, not just those the graph was
// written with, and keep the bits of the result; only that x + 0 turns −0 into 0 when it is computed and does not
// when it is left out.
func rules() []rule {
	return []rule{
		{"x·1 = x ÷ 1 = x ^ 1 = x", unit},
		{"x + 0 = x − 0 = x", zero},
		{"identity", identity},
		{"transpose of a transpose", transposes},
		{"transpose absorbed by a product", absorb},
		{"repetition of a dimension of size 1 is a broadcast", repetition},
		{"broadcast that the op does by itself", broadcast},
	}
}

// Rules lists the names of the laws that Simplify knows.
func Rules() []string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}

// Simplify is the pass that applies the laws of algebra.
func Simplify(g *Graph) (*Graph, Map) {
	laws := rules()
	return g.rewrite(func(r *rewriter, _ int, n Node) int {
		for i := 0; n.Kind == Apply && i < len(laws); i++ {
			id, other, changed := laws[i].apply(r, &n)
			if id >= 0 {
				return id
			}
			if changed {
				other.Notes = n.note("%s", laws[i].name)
				n, i = other, -1
			}
		}
		return r.add(n)
	})
}

// with returns the node with another op and other inputs, of the same spec.
func (n *Node) with(op kernels.Op, in ...int) Node {
	other := *n
	other.Op, other.In = op, in
	return other
}

// neutral returns the operand that a binary op gives back unchanged because the other is a constant number v, or -1.
// The number has no more dimensions than the operand, so that it cannot change its shape. Only some ops are
// symmetric.
func neutral(r *rewriter, n *Node, v float64, symmetric bool) int {
	for i := range 2 {
		x, c := n.In[i], r.node(n.In[1-i])
		if i == 1 && !symmetric {
			break
		}
		if k, ok := scalarValue(c); ok && k == v && c.Spec.Rank() <= r.node(x).Spec.Rank() {
			return x
		}
	}
	return -1
}

func unit(r *rewriter, n *Node) (int, Node, bool) {
	if b, ok := n.Op.(dense.Binary); ok && (b.Kind == dense.Mul || b.Kind == dense.Div || b.Kind == dense.Pow) {
		return neutral(r, n, 1, b.Kind == dense.Mul), Node{}, false
	}
	return -1, Node{}, false
}

func zero(r *rewriter, n *Node) (int, Node, bool) {
	if b, ok := n.Op.(dense.Binary); ok && (b.Kind == dense.Add || b.Kind == dense.Sub) {
		return neutral(r, n, 0, b.Kind == dense.Add), Node{}, false
	}
	return -1, Node{}, false
}

// identity removes ops that copy their only input.
func identity(_ *rewriter, n *Node) (int, Node, bool) {
	switch n.Op {
	case dense.Scale{Alpha: 1}, dense.Unary{F: act.Identity}:
		return n.In[0], Node{}, false
	case dense.AddN{}:
		if len(n.In) == 1 {
			return n.In[0], Node{}, false
		}
	}
	return -1, Node{}, false
}

// permutation returns, for a Transpose, the axis of the input that becomes axis i of the output.
func permutation(n *Node) ([]int, bool) {
	t, ok := n.Op.(dense.Transpose)
	if !ok || n.Kind != Apply {
		return nil, false
	}
	perm := make([]int, n.Spec.Rank())
	for i := range perm {
		perm[i] = int(t.Perm[i])
		if t == (dense.Transpose{}) {
			perm[i] = len(perm) - 1 - i
		}
	}
	return perm, true
}

func transposes(r *rewriter, n *Node) (int, Node, bool) {
	outer, ok := permutation(n)
	if !ok {
		return -1, Node{}, false
	}
	inner, twice := permutation(r.node(n.In[0]))
	from := n.In[0]
	perm := outer
	if twice {
		from = r.node(from).In[0]
		perm = make([]int, len(outer))
		for i, a := range outer {
			perm[i] = inner[a]
		}
	}
	straight := true
	for i, a := range perm {
		straight = straight && i == a
	}
	if straight {
		return from, Node{}, false
	}
	if !twice {
		return -1, Node{}, false
	}
	return -1, n.with(dense.NewTranspose(perm...), from), true
}

// absorb computes a product with a transposed operand by the product that transposes it itself.
func absorb(r *rewriter, n *Node) (int, Node, bool) {
	var trans [2]bool
	switch op := n.Op.(type) {
	case dense.GEMM:
		trans = [2]bool{op.TransA, op.TransB}
	case dense.BatchedGEMM:
		trans = [2]bool{op.TransA, op.TransB}
	default:
		return -1, Node{}, false
	}
	in := append([]int(nil), n.In...)
	changed := false
	for i, c := range in {
		if perm, ok := permutation(r.node(c)); ok && swapsLast(perm) {
			in[i] = r.node(c).In[0]
			trans[i] = !trans[i]
			changed = true
		}
	}
	var op kernels.Op = dense.GEMM{TransA: trans[0], TransB: trans[1]}
	if _, ok := n.Op.(dense.BatchedGEMM); ok {
		op = dense.BatchedGEMM{TransA: trans[0], TransB: trans[1]}
	}
	return -1, n.with(op, in...), changed
}

// swapsLast reports whether a permutation exchanges the last two axes and nothing else.
func swapsLast(perm []int) bool {
	k := len(perm)
	for i, a := range perm {
		want := i
		switch i {
		case k - 2:
			want = k - 1
		case k - 1:
			want = k - 2
		}
		if a != want {
			return false
		}
	}
	return k >= 2
}

// repetition turns a chain of Repeats along inserted dimensions, which together give the shape of like, into a
// BroadcastTo.
func repetition(r *rewriter, n *Node) (int, Node, bool) {
	if op, ok := n.Op.(Repeat); !ok || len(n.In) != 2 || !n.Spec.DType.IsFloat() || !inserted(r, n.In[0], op.Axis) {
		return -1, Node{}, false
	}
	like := n.In[1]
	if !slices.Equal(n.Spec.Shape, r.node(like).Spec.Shape) || n.Spec.Rank() > dense.MaxRank {
		return -1, Node{}, false
	}
	x := n.In[0]
	for {
		inner := r.node(x)
		op, ok := inner.Op.(Repeat)
		if !ok || len(inner.In) != 2 || inner.In[1] != like || !inserted(r, inner.In[0], op.Axis) {
			break
		}
		x = inner.In[0]
	}
	return -1, n.with(dense.BroadcastTo{}, x, like), true
}

// inserted reports whether an axis of a node was inserted with size 1, or is that of a constant, so that it has this
// size at all sizes of the inputs.
func inserted(r *rewriter, id, axis int) bool {
	for {
		n := r.node(id)
		if n.Kind == Const {
			return n.Spec.Shape[axis] == 1
		}
		switch op := n.Op.(type) {
		case Fit:
			return op.Insert.Has(axis)
		case Repeat:
			if op.Axis == axis {
				return false
			}
			id = n.In[0]
		default:
			return false
		}
	}
}

// shapeRoot is the value from which a node has its shape, at all sizes.
func shapeRoot(r *rewriter, id int) int {
	for {
		n := r.node(id)
		if n.Kind != Apply {
			return id
		}
		s := shapeSource(n)
		if _, ok := n.Op.(dense.Binary); ok && s < 0 {
			s = largerOperand(r, n)
		}
		if s < 0 || !r.node(s).Spec.Equal(n.Spec) {
			return id
		}
		id = s
	}
}

// largerOperand is the operand of n that has n's shape at all sizes: the other one is a number, or they are alike.
func largerOperand(r *rewriter, n *Node) int {
	for i, c := range n.In {
		if r.node(c).Spec.Rank() == 0 || n.In[0] == n.In[1] {
			return n.In[1-i]
		}
	}
	return -1
}

// broadcast leaves out an explicit repetition of one operand to the shape of the other, when it repeats at the front
// as the op does.
func broadcast(r *rewriter, n *Node) (int, Node, bool) {
	if _, ok := n.Op.(dense.Binary); !ok {
		return -1, Node{}, false
	}
	for i, c := range n.In {
		b := r.node(c)
		op, ok := b.Op.(dense.BroadcastTo)
		if !ok || op.Mean || shapeRoot(r, b.In[1]) != shapeRoot(r, n.In[1-i]) {
			continue
		}
		front := r.node(b.In[1]).Spec.Rank() - r.node(b.In[0]).Spec.Rank()
		if op.Insert != dense.Axes(1<<front-1) {
			continue
		}
		in := append([]int(nil), n.In...)
		in[i] = b.In[0]
		return -1, n.with(n.Op, in...), true
	}
	return -1, Node{}, false
}
