package plan

import (
	"slices"

	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// Slopes is the pass that takes the derivative of an activation from its value where the value is computed anyway: then
// its argument need not be kept. ReLU′ = LeakyReLU′ = [y > 0 …] and exp′ = y keep their bits; tanh′ = 1 − y² and
// sigmoid′ = y(1 − y) are within an ulp of 1 of what they were.
func Slopes(g *Graph) (*Graph, Map) {
	values := map[[2]int]int{} // of functions by function and argument
	for id := range g.Nodes {
		if u, ok := g.Nodes[id].Op.(dense.Unary); ok && u.Order == 0 {
			values[[2]int{int(u.F), g.Nodes[id].In[0]}] = id
		}
	}
	made := map[int]int{} // values, by their old number, that were needed before their turn
	return g.rewrite(func(r *rewriter, id int, n Node) int {
		if at, ok := made[id]; ok {
			return at
		}
		u, ok := n.Op.(dense.Unary)
		if !ok || u.Order != 1 {
			return r.add(n)
		}
		value, ok := values[[2]int{int(u.F), g.Nodes[id].In[0]}]
		if !ok || !slopeOfValue(u.F) {
			return r.add(n)
		}
		y := -1
		if value < id {
			y = r.to[value]
		} else if y, ok = made[value]; !ok {
			early := g.Nodes[value]
			early.In = n.In
			y = r.add(early)
			made[value] = y
		}
		n.Notes = n.note("slope from the value")
		return slope(r, n, u.F, y)
	})
}

// slopeOfValue reports whether f′ can be had from the value of f.
func slopeOfValue(f act.Func) bool {
	return f == act.ReLU || f == act.LeakyReLU || f == act.Exp || f == act.Tanh || f == act.Sigmoid
}

// slope is f′, which n is, of an argument at which f is y.
func slope(r *rewriter, n Node, f act.Func, y int) int {
	switch f {
	case act.Exp:
		return y
	case act.Tanh:
		square := r.add(n.with(dense.Unary{F: act.Square}, y))
		return r.add(n.with(dense.Scale{Alpha: -1, Beta: 1}, square))
	case act.Sigmoid:
		rest := r.add(n.with(dense.Scale{Alpha: -1, Beta: 1}, y))
		return r.add(n.with(dense.Binary{Kind: dense.Mul}, y, rest))
	}
	return r.add(n.with(n.Op, y))
}

// Epilogues is the pass that lets products do what follows them: a bias added to every row, a matrix added, and a
// function of the result, as one dense.Linear. Sums of products become products that add to one another, in place where
// the memory allows it. Only what nobody else reads is taken in. A matrix is added before the products are, where it
// was added behind them: such sums differ by rounding.
func Epilogues(g *Graph) (*Graph, Map) {
	e := newEpilogues(g)
	for id := range g.Nodes {
		if _, ok := g.Nodes[id].Op.(dense.AddN); ok {
			e.gather(id)
		}
	}
	for id := range g.Nodes {
		if op, ok := g.Nodes[id].Op.(dense.GEMM); ok && !e.taken[id] {
			e.follow(id, op)
		}
	}
	out, to := g.rewrite(e.node)
	for id, taken := range e.taken {
		if taken {
			to[id] = -1
		}
	}
	return out, to
}

// epilogues is an Epilogues at work; all numbers are those of the old graph.
type epilogues struct {
	g       *Graph
	readers [][]int // of elements, with repeats
	shapes  [][]int // nodes that look at the shape alone
	wanted  []bool  // after the run
	taken   []bool  // the node becomes part of another
	ends    map[int]*epilogue
	sums    map[int]*sum
}

// epilogue is a product and what follows it.
type epilogue struct {
	path           []int // the product and what follows it, but the end
	op             dense.Linear
	bias, residual int
}

// sum is a sum of many terms, some of which are products.
type sum struct{ products, rest []int }

// newEpilogues notes who reads what in a graph.
func newEpilogues(g *Graph) *epilogues {
	e := &epilogues{g: g, readers: make([][]int, len(g.Nodes)), shapes: make([][]int, len(g.Nodes)),
		wanted: make([]bool, len(g.Nodes)), taken: make([]bool, len(g.Nodes)), ends: map[int]*epilogue{},
		sums: map[int]*sum{}}
	e.count()
	return e
}

// count notes who reads what.
func (e *epilogues) count() {
	for id := range e.g.Nodes {
		n := &e.g.Nodes[id]
		for i, c := range n.In {
			if n.Kind == Apply && shapeOnly(n, i) {
				e.shapes[c] = append(e.shapes[c], id)
			} else {
				e.readers[c] = append(e.readers[c], id)
			}
		}
	}
	for _, o := range e.g.Outputs {
		e.wanted[o.Node] = true
	}
	for _, u := range e.g.Updates {
		e.wanted[u.State], e.wanted[u.Next] = true, true
	}
}

// reader is the only node that reads the elements of a value, -1 when there is none or more than one.
func (e *epilogues) reader(id int) int {
	if e.wanted[id] || len(e.readers[id]) != 1 {
		return -1
	}
	return e.readers[id][0]
}

// hidden reports whether values can be left out before node end: who looks at their shapes must come behind it.
func (e *epilogues) hidden(path []int, end int) bool {
	for _, id := range path {
		for _, s := range e.shapes[id] {
			if s <= end {
				return false
			}
		}
	}
	return true
}

// gather finds the products among the terms of a sum.
func (e *epilogues) gather(id int) {
	x := &sum{}
	for _, c := range e.g.Nodes[id].In {
		_, ok := e.g.Nodes[c].Op.(dense.GEMM)
		if ok && e.reader(c) == id && e.hidden([]int{c}, id) {
			x.products = append(x.products, c)
		} else {
			x.rest = append(x.rest, c)
		}
	}
	if len(x.rest) == 0 && len(x.products) > 0 { // the first product begins
		x.products, x.rest = x.products[1:], x.products[:1]
	}
	if len(x.products) > 0 {
		e.sums[id] = x
		for _, c := range x.products {
			e.taken[c] = true
		}
	}
}

// follow takes in what follows the product.
func (e *epilogues) follow(product int, op dense.GEMM) {
	x := &epilogue{op: dense.Linear{TransA: op.TransA, TransB: op.TransB}, bias: -1, residual: -1}
	at := product
	for x.op.F == act.Identity {
		next := e.reader(at)
		if next < 0 || e.taken[next] || e.ends[next] != nil || !e.take(x, product, at, next) {
			break
		}
		x.path = append(x.path, at)
		at = next
	}
	if len(x.path) == 0 || !e.hidden(x.path, at) {
		return
	}
	e.ends[at] = x
	for _, id := range x.path {
		e.taken[id] = true
	}
}

// take extends an epilogue, whose value so far is node at, by its reader next if that is possible.
func (e *epilogues) take(x *epilogue, product, at, next int) bool {
	n := &e.g.Nodes[next]
	switch op := n.Op.(type) {
	case dense.Unary:
		if op.Order == 0 && op.F != act.Identity {
			x.op.F = op.F
			return true
		}
	case dense.Binary:
		if op.Kind != dense.Add || !n.Spec.Equal(e.g.Nodes[at].Spec) {
			return false
		}
		other := n.In[0]
		if other == at {
			other = n.In[1]
		}
		if bias := e.vector(product, other); bias >= 0 && !x.op.Bias {
			x.op.Bias, x.bias = true, bias
			return true
		}
		if !x.op.Residual && e.alike(other, at) {
			x.op.Residual, x.residual = true, other
			return true
		}
	}
	return false
}

// vector returns the value of a row that is added to every row of a product, at all sizes, or -1.
func (e *epilogues) vector(product, id int) int {
	n := &e.g.Nodes[id]
	if fit, ok := n.Op.(Fit); ok && n.Kind == Apply && fit == (Fit{Insert: dense.On(0)}) {
		id = n.In[0]
		n = &e.g.Nodes[id]
	}
	p := &e.g.Nodes[product]
	if n.Spec.Rank() != 1 || n.Spec.Shape[0] != p.Spec.Shape[1] {
		return -1
	}
	if n.Spec.Shape[0] == 1 && (n.Kind != State || e.g.Nodes[p.In[1]].Kind != State) {
		return -1 // a row of one element may be one that is repeated
	}
	return id
}

// alike reports whether two values have equal shapes at all sizes: not so if a dimension of size 1 is repeated.
func (e *epilogues) alike(a, b int) bool {
	x, y := e.g.Nodes[a].Spec, e.g.Nodes[b].Spec
	return x.Equal(y) && !slices.Contains(x.Shape, 1)
}

// node writes the new graph.
func (e *epilogues) node(r *rewriter, id int, n Node) int {
	if e.taken[id] {
		return -1
	}
	if x := e.sums[id]; x != nil {
		return e.accumulate(r, n, x)
	}
	x := e.ends[id]
	if x == nil {
		return r.add(n)
	}
	more := []int{}
	if x.op.Bias {
		more = append(more, r.to[x.bias])
	}
	if x.op.Residual {
		more = append(more, r.to[x.residual])
	}
	at := e.linear(r, x.path[0], x.op, more...)
	r.node(at).Notes = append(r.node(at).Notes, x.note())
	for _, c := range x.path {
		r.to[c] = at
	}
	return at
}

// linear adds a product of the old graph as the given op, with further inputs of the new graph.
func (e *epilogues) linear(r *rewriter, product int, op dense.Linear, more ...int) int {
	p := e.g.Nodes[product]
	p.In = append([]int{r.to[p.In[0]], r.to[p.In[1]]}, more...)
	p.Op, p.Notes = op, append([]string(nil), p.Notes...)
	return r.add(p)
}

// accumulate adds the products of a sum, one after another, to the rest of it.
func (e *epilogues) accumulate(r *rewriter, n Node, x *sum) int {
	at := r.to[x.rest[0]]
	if len(x.rest) > 1 {
		rest := make([]int, len(x.rest))
		for i, c := range x.rest {
			rest[i] = r.to[c]
		}
		at = r.add(n.with(dense.AddN{}, rest...))
	}
	for _, c := range x.products {
		op := e.g.Nodes[c].Op.(dense.GEMM)
		at = e.linear(r, c, dense.Linear{TransA: op.TransA, TransB: op.TransB, Residual: true}, at)
		r.node(at).Notes = append(r.node(at).Notes, "the product adds to a sum")
		r.to[c] = at
	}
	return at
}

// note says what the product does besides.
func (x *epilogue) note() string {
	text := "the product"
	if x.op.Bias {
		text += " adds the bias,"
	}
	if x.op.Residual {
		text += " adds to a matrix,"
	}
	if x.op.F != act.Identity {
		text += " applies " + act.Name(x.op.F) + ","
	}
	return text[:len(text)-1]
}
