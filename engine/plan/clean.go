package plan

import "ganglion/kernels"

// Dead is the pass that drops nodes on which no output and no state depends.
func Dead(g *Graph) (*Graph, Map) {
	needed := make([]bool, len(g.Nodes))
	for _, o := range g.Outputs {
		needed[o.Node] = true
	}
	for _, u := range g.Updates {
		needed[u.State], needed[u.Next] = true, true
	}
	for id := len(g.Nodes) - 1; id >= 0; id-- {
		if needed[id] {
			for _, c := range g.Nodes[id].In {
				needed[c] = true
			}
		}
	}
	return g.rewrite(func(r *rewriter, id int, n Node) int {
		if !needed[id] {
			return -1
		}
		return r.add(n)
	})
}

// mergeKey finds candidates for equality: the rest of the inputs is compared one by one.
type mergeKey struct {
	op          kernels.Op
	arity       int
	first, last int
}

// constBytes is the largest constant for which an equal one is looked for.
const constBytes = 64

// Merge is the pass that unites equal ops over equal inputs, and equal small constants. Ops of gorgonia are left
// alone: some of them keep state.
func Merge(g *Graph) (*Graph, Map) {
	seen := map[mergeKey][]int{}
	consts := map[string]int{}
	return g.rewrite(func(r *rewriter, _ int, n Node) int {
		switch {
		case n.Kind == Const && n.Spec.Bytes() <= constBytes:
			key := n.Spec.String() + string(n.Value.Memory())
			if at, ok := consts[key]; ok {
				return at
			}
			consts[key] = len(r.out.Nodes)
		case n.Kind == Apply && len(n.In) > 0:
			key := mergeKey{n.Op, len(n.In), n.In[0], n.In[len(n.In)-1]}
			for _, at := range seen[key] {
				if equalNodes(r.node(at), &n) {
					return at
				}
			}
			seen[key] = append(seen[key], len(r.out.Nodes))
		}
		return r.add(n)
	})
}

// equalNodes compares two applications of ops that are equal as Go values. Their texts are compared too, since 0 and
// −0 are equal as values but may mean something else to an op.
func equalNodes(a, b *Node) bool {
	for i := range a.In {
		if a.In[i] != b.In[i] {
			return false
		}
	}
	return kernels.Identity(a.Op) == kernels.Identity(b.Op)
}

// foldLimit is the size in bytes up to which the result of a folded op may be larger than its inputs.
const foldLimit = 1 << 20

// Evaluate computes an op on constants; ok is false when the result should not be relied upon.
type Evaluate func(op kernels.Op, in []kernels.Tensor) (out kernels.Tensor, ok bool)

// Fold is the pass that computes ops over constants once and for all. Parameters and states are not constants.
func Fold(g *Graph, eval Evaluate) (*Graph, Map) {
	return g.rewrite(func(r *rewriter, _ int, n Node) int {
		if n.Kind != Apply || len(n.In) == 0 {
			return r.add(n)
		}
		in := make([]kernels.Tensor, len(n.In))
		size := 0
		for i, c := range n.In {
			if r.node(c).Kind != Const {
				return r.add(n)
			}
			in[i] = r.node(c).Value
			size += in[i].Bytes()
		}
		if n.Spec.Bytes() > size+foldLimit {
			return r.add(n)
		}
		v, ok := eval(n.Op, in)
		if !ok {
			return r.add(n)
		}
		return r.add(Node{Kind: Const, Spec: n.Spec, Value: v, Path: n.Path, Notes: n.note("folded %s", n.OpName())})
	})
}

// scalarValue returns the number that a constant of one element holds.
func scalarValue(n *Node) (float64, bool) {
	if n.Kind != Const || n.Spec.Size() != 1 {
		return 0, false
	}
	switch n.Spec.DType {
	case kernels.Float32:
		return float64(n.Value.F32[0]), true
	case kernels.Float64:
		return n.Value.F64[0], true
	}
	return 0, false
}
