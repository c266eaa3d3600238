package engine

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// Grad returns, for each wrt node, the node of the gradient of loss: of the sum of its entries if it is no scalar. It
// may be called for several losses, for gradients of gradients, and with intermediate nodes in wrt; time is linear in
// the size of the graph below loss.
//
// A wrt node that loss does not depend on has the gradient zero. Where the gradient would have to flow through an op
// that has no rule, Build ends with an error that says which. Int32 values carry no gradient.
func (s *Scope) Grad(loss *Node, wrt ...*Node) []*Node {
	g := s.b.g
	for i, n := range append([]*Node{loss}, wrt...) {
		what := "loss"
		if i > 0 {
			what = fmt.Sprintf("node %d of wrt", i-1)
		}
		if n == nil || n.Graph() != g.expr {
			s.Fail(fmt.Errorf("grad: %s is no node of this graph", what))
		}
		if spec := kernels.SpecOf(n); !spec.DType.IsFloat() {
			s.Fail(fmt.Errorf("grad: %w: %s has type %v", kernels.ErrGradient, what, spec))
		}
	}
	r := &reverse{s: s, order: below(loss), active: map[*Node]bool{}, terms: map[*Node][]*Node{},
		grads: map[*Node]*Node{}}
	for _, n := range wrt {
		r.active[n] = true
	}
	r.run(loss)
	out := make([]*Node, len(wrt))
	for i, n := range wrt {
		if out[i] = r.grads[n]; out[i] == nil {
			out[i] = s.Apply(dense.FillLike{}, n)
		}
	}
	return out
}

// reverse is one backward pass.
type reverse struct {
	s      *Scope
	order  []*Node           // every node behind its inputs
	kids   map[*Node][]*Node // cache of inputs
	active map[*Node]bool    // float nodes that depend on a wrt node
	terms  map[*Node][]*Node // what the users of a node add to its gradient
	grads  map[*Node]*Node   // the sums of the terms
}

// run accumulates the gradients from loss to the inputs.
func (r *reverse) run(loss *Node) {
	r.kids = make(map[*Node][]*Node, len(r.order))
	for _, n := range r.order {
		ch := kernels.Children(n)
		r.kids[n] = ch
		if !kernels.DTypeOf(n.Dtype()).IsFloat() {
			continue
		}
		for _, c := range ch {
			if r.active[c] {
				r.active[n] = true
				break
			}
		}
	}
	if !r.active[loss] {
		return
	}
	r.terms[loss] = []*Node{r.s.one(loss)}
	for i := len(r.order) - 1; i >= 0; i-- {
		n := r.order[i]
		terms := r.terms[n]
		if !r.active[n] || len(terms) == 0 {
			continue
		}
		at := r.s.gradient(n)
		g := terms[0]
		if len(terms) > 1 {
			g = at.Apply(dense.AddN{}, terms...)
		}
		r.grads[n] = g
		if n.Op() != nil {
			r.back(at, n, g)
		}
	}
}

// back adds the terms of n's inputs.
func (r *reverse) back(at *Scope, n, g *Node) {
	ch := r.kids[n]
	needed := false
	for _, c := range ch {
		needed = needed || r.active[c]
	}
	if !needed {
		return
	}
	var grads []*Node
	op, own := kernels.KernelOf(n)
	if own {
		grads = ownRule(at, op, ch, n, g)
	} else {
		grads = at.foreignRule(ch, n, g)
	}
	for i, c := range ch {
		if !r.active[c] || grads[i] == nil {
			continue
		}
		want, got := kernels.SpecOf(c), kernels.SpecOf(grads[i])
		if !own && got.DType == want.DType && got.Size() == want.Size() && !got.Equal(want) {
			grads[i] = at.Apply(dense.Reshape{}, grads[i], c) // gorgonia's sums drop dimensions of size 1
			got = want
		}
		if !got.Equal(want) {
			at.Fail(fmt.Errorf("%w: the rule of %v gives %v for input %d, which is %v", kernels.ErrGradient, n.Op(),
				got, i, want))
		}
		r.terms[c] = append(r.terms[c], grads[i])
	}
}

// ownRule differentiates one of our ops.
func ownRule(at *Scope, op kernels.Op, in []*Node, n, g *Node) []*Node {
	d, ok := op.(kernels.Differentiable)
	if !ok {
		at.Fail(kernels.Errorf(op, specsOf(in), kernels.ErrGradient,
			"has no gradient rule, and a gradient would flow through it"))
	}
	grads := d.Grad(at, in, n, g)
	for len(grads) > len(in) && grads[len(grads)-1] == nil { // gorgonia's normalisations return two of these
		grads = grads[:len(grads)-1]
	}
	if len(grads) != len(in) {
		at.Fail(kernels.Errorf(op, specsOf(in), kernels.ErrGradient, "rule returned %d nodes for %d inputs",
			len(grads), len(in)))
	}
	for i, c := range in {
		if grads[i] == nil && kernels.DTypeOf(c.Dtype()).IsFloat() {
			at.Fail(kernels.Errorf(op, specsOf(in), kernels.ErrGradient, "rule returned nothing for input %d", i))
		}
	}
	return grads
}

// foreignRule differentiates a built-in op of gorgonia by its own rule, or ours where its own is wrong. Inputs that
// the op declares as having no derivative (those of comparisons) get nothing.
func (s *Scope) foreignRule(in []*Node, n, g *Node) []*Node {
	if fix := s.corrected(in, n, g); fix != nil {
		return fix
	}
	fail := func(err error) {
		s.Fail(fmt.Errorf("gradient of %v%v: %w: %w", n.Op(), specsOf(in), kernels.ErrGradient, err))
	}
	op, ok := n.Op().(gorgonia.SDOp)
	if !ok {
		fail(fmt.Errorf("it has no gradient rule, and a gradient would flow through it"))
	}
	some := false
	wrt := op.DiffWRT(len(in))
	for _, d := range wrt {
		some = some || d
	}
	out := make([]*Node, len(in))
	if !some {
		if !flat(n) {
			fail(fmt.Errorf("it has no gradient rule, and a gradient would flow through it"))
		}
		return out
	}
	before := len(s.b.g.expr.AllNodes())
	grads, err := op.SymDiff(in, n, g)
	if err != nil {
		fail(err)
	}
	for len(grads) > len(in) && grads[len(grads)-1] == nil { // gorgonia's normalisations return two of these
		grads = grads[:len(grads)-1]
	}
	if len(grads) != len(in) {
		fail(fmt.Errorf("its rule returned %d nodes for %d inputs", len(grads), len(in)))
	}
	all := s.b.g.expr.AllNodes()
	for _, made := range all[min(before, len(all)):] {
		s.b.g.locate(made, s.path)
	}
	for i := range in {
		if wrt[i] {
			out[i] = grads[i]
		}
	}
	return out
}

// gradient is the scope in which the gradient of n is written: the path of n behind a ∂.
func (s *Scope) gradient(n *Node) *Scope {
	path := s.b.g.paths[n]
	if path == "" {
		path = s.path
	}
	return &Scope{s.b, "∂" + path}
}

// one is the gradient of the loss by itself.
func (s *Scope) one(loss *Node) *Node {
	if loss.Shape().Dims() > 0 {
		return s.Apply(dense.FillLike{Value: 1}, loss)
	}
	if s.b.ones == nil {
		t := kernels.New(kernels.S(s.DType()))
		for i := range t.F32 {
			t.F32[i] = 1
		}
		for i := range t.F64 {
			t.F64[i] = 1
		}
		s.b.ones = s.Const(t)
	}
	if kernels.DTypeOf(loss.Dtype()) != s.DType() {
		return s.Apply(dense.FillLike{Value: 1}, loss)
	}
	return s.b.ones
}

// below lists root and all it depends on, every node behind its inputs.
func below(root *Node) []*Node { return appendBelow(nil, root, map[*Node]bool{}) }

// appendBelow appends root and all it depends on that is not seen yet, without recursion (graphs are deep).
func appendBelow(out []*Node, root *Node, seen map[*Node]bool) []*Node {
	type frame struct {
		n    *Node
		kids []*Node
	}
	seen[root] = true
	stack := []frame{{root, kernels.Children(root)}}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if len(f.kids) == 0 {
			out = append(out, f.n)
			stack = stack[:len(stack)-1]
			continue
		}
		c := f.kids[0]
		f.kids = f.kids[1:]
		if !seen[c] {
			seen[c] = true
			stack = append(stack, frame{c, kernels.Children(c)})
		}
	}
	return out
}

func specsOf(nodes []*Node) []kernels.Spec {
	specs := make([]kernels.Spec, len(nodes))
	for i, n := range nodes {
		specs[i] = kernels.SpecOf(n)
	}
	return specs
}
