package plan

import (
	"slices"

	"ganglion/kernels/act"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
)

// Images is the pass that makes one op of what surrounds a convolution: a bias for each channel and ReLU become part of
// it (conv.Biased), and the gradients of pooling and of the ReLU before it become one (conv.ReLUPoolGrad). Values that
// somebody else reads stay. It wants slopes of ReLU to come from its values, as Slopes leaves them.
func Images(g *Graph) (*Graph, Map) {
	e := newEpilogues(g)
	ends := map[int]channels{}
	for id := range g.Nodes {
		if op, ok := g.Nodes[id].Op.(conv.Conv); ok {
			e.convolution(id, op, ends)
		}
	}
	out, to := g.rewrite(func(r *rewriter, id int, n Node) int {
		if e.taken[id] {
			return -1
		}
		if x, ok := ends[id]; ok {
			return e.biased(r, x)
		}
		if pool := e.pooled(id); pool >= 0 {
			in, op := g.Nodes[pool].In, g.Nodes[pool].Op.(conv.MaxPoolGrad)
			n.Notes = n.note("the gradient of ReLU and of the maximum behind it")
			return r.add(n.with(conv.ReLUPoolGrad(op), r.to[in[0]], r.to[in[1]]))
		}
		return r.add(n)
	})
	for id, taken := range e.taken {
		if taken {
			to[id] = -1
		}
	}
	return out, to
}

// channels is a convolution and what follows it.
type channels struct {
	path []int // the convolution, and its sum with the bias if ReLU follows
	op   conv.Biased
	bias int
}

// convolution finds what follows one.
func (e *epilogues) convolution(id int, op conv.Conv, ends map[int]channels) {
	sum := e.reader(id)
	if sum < 0 {
		return
	}
	n := &e.g.Nodes[sum]
	if b, ok := n.Op.(dense.Binary); !ok || b.Kind != dense.Add || !n.Spec.Equal(e.g.Nodes[id].Spec) {
		return
	}
	other := n.In[0]
	if other == id {
		other = n.In[1]
	}
	x, end := channels{path: []int{id}, op: conv.Biased{Of: op}, bias: e.perChannel(id, other)}, sum
	if x.bias < 0 {
		return
	}
	if next := e.reader(sum); next >= 0 {
		if u, ok := e.g.Nodes[next].Op.(dense.Unary); ok && u == (dense.Unary{F: act.ReLU}) {
			x.path, x.op.ReLU, end = append(x.path, sum), true, next
		}
	}
	if !e.hidden(x.path, end) {
		return
	}
	ends[end] = x
	for _, c := range x.path {
		e.taken[c] = true
	}
}

// perChannel returns the vector of which a value [out, 1, …] is a view, if it has an element for each channel of a
// convolution; else -1.
func (e *epilogues) perChannel(convolution, id int) int {
	n, y := &e.g.Nodes[id], e.g.Nodes[convolution].Spec.Shape
	if _, ok := n.Op.(dense.Reshape); !ok || n.Kind != Apply {
		return -1
	}
	want := []int{y[1]}
	for range y[2:] {
		want = append(want, 1)
	}
	from := &e.g.Nodes[n.In[0]]
	if !slices.Equal(n.Spec.Shape, want) || !slices.Equal(from.Spec.Shape, want[:1]) ||
		y[1] == 1 && from.Kind != State { // one element may be one that is repeated
		return -1
	}
	return n.In[0]
}

// biased adds a convolution of the old graph with its bias.
func (e *epilogues) biased(r *rewriter, x channels) int {
	p := e.g.Nodes[x.path[0]]
	p.In = []int{r.to[p.In[0]], r.to[p.In[1]], r.to[x.bias]}
	text := "the convolution adds the bias"
	if x.op.ReLU {
		text += ", applies " + act.Name(act.ReLU)
	}
	p.Op, p.Notes = x.op, p.note("%s", text)
	at := r.add(p)
	for _, c := range x.path {
		r.to[c] = at
	}
	return at
}

// pooled reports whether a node is the product of the gradient of pooling and the slope of ReLU at the same value: it
// returns the former, or -1.
func (e *epilogues) pooled(id int) int {
	n := &e.g.Nodes[id]
	if b, ok := n.Op.(dense.Binary); !ok || b.Kind != dense.Mul {
		return -1
	}
	for i, pool := range n.In {
		p, slope := &e.g.Nodes[pool], &e.g.Nodes[n.In[1-i]]
		_, ok := p.Op.(conv.MaxPoolGrad)
		if ok && slope.Op == (dense.Unary{F: act.ReLU, Order: 1}) && slope.In[0] == p.In[0] && e.reader(pool) == id {
			return pool
		}
	}
	return -1
}
