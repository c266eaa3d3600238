package golden_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/internal/golden"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
	"ganglion/models/layer/message"
)

// option returns an option of a case, or otherwise where it has none of that type.
func option[T any](c golden.Case, name string, otherwise T) T {
	options, _ := c.Meta["options"].(map[string]any)
	if v, ok := options[name].(T); ok {
		return v
	}
	return otherwise
}

// whole returns a whole number among the options of a case.
func whole(c golden.Case, name string, otherwise int) int {
	return int(option(c, name, float64(otherwise)))
}

// aggregate is the option aggr.
func aggregate(t *testing.T, c golden.Case, otherwise string) message.Aggregate {
	name := option(c, "aggr", otherwise)
	kinds := []string{"add", "mean", "max"}
	if !slices.Contains(kinds, name) {
		t.Fatalf("%s: no aggregate %q", c.Name, name)
	}
	return message.Aggregate(slices.Index(kinds, name))
}

// bench is a layer in a program, and the arrays of a case that go in and must come out.
type bench struct {
	*engine.Scope
	t     *testing.T
	c     golden.Case
	feeds map[string]kernels.Tensor
	grads map[string]*kernels.Node // by the array of the gradient
	want  []string                 // outputs that are arrays of the case
	perm  []int32                  // order of the edges of the last structure
}

// give declares an input with a value.
func (b *bench) give(name string, v kernels.Tensor) *kernels.Node {
	b.feeds[name] = v
	return b.Input(name, v.Spec)
}

// array declares an array of the case as an input, with a gradient to compare where the case has one.
func (b *bench) array(name string) *kernels.Node {
	v, ok := b.c.Arrays[name]
	if !ok {
		b.t.Fatalf("%s: no array %q", b.c.Name, name)
	}
	n := b.give(name, tensorOf(v, b.DType()))
	if _, ok := b.c.Arrays["d_"+name]; ok {
		b.grads["d_"+name] = n
	}
	return n
}

func (b *bench) ints(name string, v []int32) *kernels.Node {
	return b.give(name, kernels.FromSlice(v, len(v)))
}

// structure declares a structure.
func (b *bench) structure(name string, s sparse.Structure) []*kernels.Node {
	if err := s.Check(); err != nil {
		b.t.Fatal(err)
	}
	var out []*kernels.Node
	for i, v := range s.Tensors() {
		out = append(out, b.give(fmt.Sprint(name, i), v))
	}
	return out
}

// edges declares the edges of a case as they are, with weights and attributes.
func (b *bench) edges(rows, cols int) message.Edges {
	src, dst := edgesOf(b.c)
	s, perm := build(b.t, rows, cols, src, dst)
	b.perm = perm
	return b.valued(message.Edges{Structure: b.structure("edges", s)}, "order", perm)
}

// valued gives entries the weights and attributes of the edges of the list that they are.
func (b *bench) valued(e message.Edges, name string, order []int32) message.Edges {
	_, weights := b.c.Arrays["edge_weight"]
	_, attributes := b.c.Arrays["edge_attr"]
	if !weights && !attributes {
		return e
	}
	at := b.ints(name, order)
	if weights {
		e.Weight = b.Apply(dense.Gather{}, b.array("edge_weight"), at)
	}
	if attributes {
		e.Attr = b.Apply(dense.Gather{}, b.array("edge_attr"), at)
	}
	return e
}

// bare declares the edges of a case without its loops, and the places of the last loop of each node in the list, -1
// where it has none.
func (b *bench) bare() (e message.Edges, src, dst, loops []int32) {
	n := int(b.c.Number("num_nodes"))
	all, to := edgesOf(b.c)
	var kept []int32
	loops = slices.Repeat([]int32{-1}, n)
	for k, j := range all {
		if j == to[k] {
			loops[j] = int32(k)
			continue
		}
		src, dst, kept = append(src, j), append(dst, to[k]), append(kept, int32(k))
	}
	s, perm := build(b.t, n, n, src, dst)
	b.perm = perm
	order := make([]int32, len(perm))
	for k, p := range perm {
		order[k] = kept[p]
	}
	return b.valued(message.Edges{Structure: b.structure("bare", s)}, "kept", order), src, dst, loops
}

// looped declares the edges of a case with one loop a node, whose weight where the node had none is fill.
func (b *bench) looped(fill float64) message.Edges {
	e, src, dst, loops := b.bare()
	n, order := len(loops), b.perm
	for i := range int32(n) {
		src, dst = append(src, i), append(dst, i)
	}
	s, perm := build(b.t, n, n, src, dst)
	b.perm = perm
	entry := sparse.Inverse(order) // of each edge that is no loop
	from := make([]int32, len(perm))
	for k, p := range perm {
		if from[k] = p; int(p) < len(entry) {
			from[k] = entry[p]
		}
	}
	var loop *kernels.Node
	if e.Weight != nil { // the weight of the last loop, or fill
		count := b.c.Arrays["edge_index"].Shape[1]
		for i, k := range loops {
			if k < 0 {
				loops[i] = int32(count)
			}
		}
		one := b.give("fill", kernels.Convert(kernels.FromSlice([]float64{fill}, 1), b.DType()).Clone())
		loop = b.Apply(dense.Gather{}, b.Apply(dense.Concat{}, b.given("edge_weight"), one), b.ints("loops", loops))
	}
	return e.Looped(b.Scope, b.structure("looped", s), b.ints("from", from), loop)
}

// given is an input that was declared.
func (b *bench) given(name string) *kernels.Node { return b.grads["d_"+name] }

// expected compares a node with an array of the case.
func (b *bench) expected(array string, n *kernels.Node) {
	b.Output(array, b.Apply(dense.Scale{Alpha: 1}, n))
	b.want = append(b.want, array)
}

// listed compares values of the entries with an array in the order of the list of edges.
func (b *bench) listed(array string, n *kernels.Node) {
	inverse := b.ints("inverse", sparse.Inverse(b.perm))
	b.expected(array, b.Apply(sparse.Permute{}, n, inverse, b.ints("permuted", b.perm)))
}

// naming translates the names of PyTorch Geometric's parameters to ours, in the order of the pairs.
func naming(pairs ...string) func(string) string {
	return strings.NewReplacer(pairs...).Replace
}

// plainly is the translation of linear layers.
var plainly = []string{"lin_weight", "W", "lin_bias", "b", "_weight", "/W", "_bias", "/b", "bias", "b"}

// layerCase is how the cases of a layer run.
type layerCase struct {
	names []string                     // pairs for naming, before those of linear layers
	apply func(b *bench) *kernels.Node // writes the layer
	fused func(b *bench) *kernels.Node // writes it with fused operators; nil if there are none
	keep  bool                         // weights stand as ours do, [in, out]
}

// layerRunner runs the cases of a layer: outputs, and the gradients of Σ gy∘y by inputs and parameters.
func layerRunner(l layerCase) func(t *testing.T, c golden.Case, d kernels.DType) {
	if l.fused != nil {
		whole := l
		whole.apply, whole.fused = l.fused, nil
		l.fused = nil
		parts, fused := layerRunner(l), layerRunner(whole)
		return func(t *testing.T, c golden.Case, d kernels.DType) {
			t.Run("parts", func(t *testing.T) { parts(t, c, d) })
			t.Run("fused", func(t *testing.T) { fused(t, c, d) })
		}
	}
	return func(t *testing.T, c golden.Case, d kernels.DType) {
		b := &bench{t: t, c: c, feeds: map[string]kernels.Tensor{}, grads: map[string]*kernels.Node{}}
		ours := naming(append(slices.Clone(l.names), plainly...)...)
		params := map[string]string{} // ours to theirs
		for name := range c.Arrays {
			if theirs, ok := strings.CutPrefix(name, "p_"); ok {
				params[ours(theirs)] = theirs
			}
		}
		g, err := engine.Build(c.Name, d, func(s *engine.Scope) {
			b.Scope = s
			y := l.apply(b)
			b.expected("y", y)
			gy := b.array("gy")
			b.gradients(b.Apply(dense.Reduce{}, b.Apply(dense.Binary{Kind: dense.Mul}, gy, y)), params)
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := engine.Compile(g, engine.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		b.fill(p.Store(), params, "p_", l.keep)
		b.compare(p, params, l.keep)
	}
}

// gradients declares the gradients of the loss as outputs.
func (b *bench) gradients(loss *kernels.Node, params map[string]string) {
	names := []string{}
	for array := range b.grads {
		names = append(names, array)
	}
	slices.Sort(names)
	var wrt []*kernels.Node
	for _, array := range names {
		wrt = append(wrt, b.grads[array])
	}
	for _, n := range b.Params() {
		theirs, ok := params[n.Name()]
		if !ok {
			b.t.Fatalf("%s: no array for the parameter %q: there are %v", b.c.Name, n.Name(), params)
		}
		names, wrt = append(names, "dp_"+theirs), append(wrt, n)
	}
	if len(b.Params()) != len(params) {
		b.t.Fatalf("%s: %d parameters, the case has %v", b.c.Name, len(b.Params()), params)
	}
	for i, g := range b.Grad(loss, wrt...) {
		b.expected(names[i], g)
	}
}

// turned is the transpose of a matrix.
func turned(a golden.Array) golden.Array { return move(a, 1, 0) }

// fill gives the parameters the values of the case: theirs are [out, in] unless keep says otherwise.
func (b *bench) fill(store *engine.Store, params map[string]string, prefix string, keep bool) {
	for ours, theirs := range params {
		dst, err := store.Tensor(ours)
		if err != nil {
			b.t.Fatal(err)
		}
		a := b.c.Arrays[prefix+theirs]
		if strings.HasSuffix(ours, "W") && !keep {
			a = turned(a)
		}
		if dst.Size() != len(a.Float) {
			b.t.Fatalf("%s: %s is %v, the case has %v", b.c.Name, ours, dst.Shape, a.Shape)
		}
		copy(dst.Memory(), tensorOf(a, dst.DType).Memory())
	}
}

// compare runs the program and compares the outputs with the case.
func (b *bench) compare(p *engine.Program, params map[string]string, keep bool) {
	for _, array := range b.run(p) {
		v, err := p.Value(array)
		if err != nil {
			b.t.Fatal(err)
		}
		got := slices.Clone(wide(v))
		if theirs, ok := strings.CutPrefix(array, "dp_"); ok && strings.HasSuffix(theirs, "weight") && !keep {
			got = turned(golden.Array{Shape: v.Shape, Float: got}).Float
		}
		tol := messages64
		if v.DType == kernels.Float32 {
			tol = messages32
		}
		if array == "dp_gate_nn_bias" {
			// A constant added to all logits of a softmax changes nothing: the gradient is 0 but for rounding, which is
			// that of the terms. Those of the weight are as large.
			tol *= largest(b.c.Arrays["dp_gate_nn_weight"].Float) / largest(b.c.Arrays[array].Float)
		}
		expect(b.t, b.c, v.DType.String(), array, got, tol)
	}
}

// run runs the program and returns the names of its outputs.
func (b *bench) run(p *engine.Program) []string {
	var feeds engine.Feeds
	for name, v := range b.feeds {
		slot, err := p.Slot(name)
		if err == nil {
			feeds = append(feeds, engine.Feed{Slot: slot, Tensor: v})
		}
	}
	if err := p.Run(context.Background(), feeds); err != nil {
		b.t.Fatal(err)
	}
	return b.want
}

// net is the network Linear–ReLU–Linear of the cases.
func (b *bench) net() message.MLP {
	return message.MLP{Widths: []int{b.width("nn_0"), b.width("nn_2")}, F: act.ReLU}
}

// width is the number of rows of a weight of the case, outputs of its linear layer.
func (b *bench) width(name string) int { return b.c.Arrays["p_"+name+"_weight"].Shape[0] }

// has says whether the case has an array.
func (b *bench) has(array string) bool {
	_, ok := b.c.Arrays[array]
	return ok
}

// square declares the edges of a case as they are.
func (b *bench) square() message.Edges {
	n := int(b.c.Number("num_nodes"))
	return b.edges(n, n)
}
