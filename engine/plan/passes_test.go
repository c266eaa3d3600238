package plan

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// reference computes a constant by the op's reference.
func reference(op kernels.Op, in []kernels.Tensor) (kernels.Tensor, bool) {
	t, err := kernels.RunRef(op, in)
	return t, err == nil
}

func text(g *Graph, _ Map) string { return g.String() }

func TestDeadAndMerge(t *testing.T) {
	w := newWriter(t)
	x, unused := w.input("x", 3, 4), w.input("unused", 2)
	a := relu(w, x)
	relu(w, unused)
	one, same := w.constant("one", 1), w.constant("same", 1)
	w.output("y", add(w, add(w, a, one), add(w, a, same)))
	g := w.lower()
	g.Nodes = append(g.Nodes, Node{Kind: Apply, Op: dense.Unary{F: act.Tanh}, In: []int{0}, Spec: g.Nodes[0].Spec})
	dead, _ := Dead(g)
	golden(t, "dead-merge", "lower", g.String(), "dead", dead.String(), "merge", text(Merge(dead)))
}

// Ops with attributes 0 and −0 are equal as Go values, but they are not the same op.
func TestMergeKeepsSignOfZero(t *testing.T) {
	w := newWriter(t)
	x := w.input("x", 3)
	w.output("a", w.apply(dense.Scale{Alpha: 1}, x))
	w.output("b", w.apply(dense.Scale{Alpha: 1, Beta: math.Copysign(0, -1)}, x))
	if m, _ := Merge(w.lower()); len(m.Nodes) != 3 {
		t.Errorf("different ops are merged:\n%v", m)
	}
}

func TestFold(t *testing.T) {
	w := newWriter(t)
	x, p := w.input("x", 2), w.state("p", 2)
	c := w.constant("c", 2, 3)
	d := mul(w, c, w.apply(dense.Scale{Alpha: 2}, c))
	w.output("y", add(w, x, d))
	w.output("big", w.apply(dense.BroadcastTo{}, c, w.constant("like", 5, 6)))
	w.output("state", mul(w, p, p))
	golden(t, "fold", "fold", text(Fold(w.lower(), reference)))
}

// A constant that would be much larger than what it is made of is not folded.
func TestFoldLimit(t *testing.T) {
	for n, want := range map[int]int{1 << 17: 1, 1<<17 + 2: 0} {
		g := &Graph{Nodes: []Node{
			{Kind: Const, Spec: kernels.S(kernels.Float64), Value: kernels.FromSlice([]float64{1})},
			{Kind: Apply, Op: Repeat{Times: n}, In: []int{0}, Spec: kernels.S(kernels.Float64, n)},
		}, Outputs: []Output{{"long", 1}}}
		calls := 0
		Fold(g, func(kernels.Op, []kernels.Tensor) (kernels.Tensor, bool) { calls++; return kernels.Tensor{}, false })
		if calls != want {
			t.Errorf("%d elements: folded %d times, want %d", n, calls, want)
		}
	}
}

func TestSimplify(t *testing.T) {
	w := newWriter(t)
	x, y := w.input("x", 3, 4), w.input("y", 4, 3)
	one, zero := w.constant("one", 1), w.constant("zero", 0)
	tr := w.apply(dense.NewTranspose(1, 0), x)
	bin := func(k dense.Kind, a, b *kernels.Node) *kernels.Node { return w.apply(dense.Binary{Kind: k}, a, b) }
	w.output("units", add(w, zero, bin(dense.Div, bin(dense.Mul, one, bin(dense.Pow, x, one)), one)))
	w.output("not units", bin(dense.Sub, zero, bin(dense.Div, one, x)))
	w.output("shape changes", bin(dense.Mul, w.apply(dense.Reduce{Kind: dense.Sum}, x),
		w.fixed("ones", kernels.FromSlice([]float64{1}, 1))))
	w.output("identity", w.apply(dense.AddN{}, w.apply(dense.Scale{Alpha: 1}, w.apply(dense.Unary{}, x))))
	w.output("transposed twice", w.apply(dense.Transpose{}, tr))
	w.output("absorbed", w.apply(dense.GEMM{TransB: true}, tr, y))
	b := w.input("b", 4)
	w.output("bias", add(w, x, w.apply(dense.BroadcastTo{Insert: 1}, b, x)))
	w.output("not at the front", add(w, x, w.apply(dense.BroadcastTo{Insert: 2}, w.input("c", 3), x)))
	three := w.input("three", 2, 3, 4)
	cycle := w.apply(dense.NewTranspose(1, 2, 0), three)
	w.output("cycled", w.apply(dense.NewTranspose(1, 2, 0), cycle))
	w.output("cycled round", w.apply(dense.NewTranspose(1, 2, 0), w.apply(dense.NewTranspose(1, 2, 0), cycle)))
	swap := w.apply(dense.NewTranspose(0, 2, 1), three)
	w.output("batched", w.apply(dense.BatchedGEMM{}, swap, three))
	g := w.lower()
	s, to := Simplify(g)
	dead, _ := Dead(s)
	golden(t, "simplify", "lower", g.String(), "simplify", dead.String())
	for id, at := range to {
		if !s.Nodes[at].Spec.Equal(g.Nodes[id].Spec) {
			t.Errorf("%%%d was %v and became %v", id, g.Nodes[id].Spec, s.Nodes[at].Spec)
		}
	}
}

// The broadcast of a bias, five nodes in gorgonia, becomes one addition; a mean needs one reduction and one division.
func TestLowerGorgonia(t *testing.T) {
	w := newWriter(t)
	x, m, b := w.input("x", 6, 5), w.state("w", 5, 3), w.state("b", 3)
	y := gorgonia.Must(gorgonia.BroadcastAdd(gorgonia.Must(gorgonia.Mul(x, m)), b, nil, []byte{0}))
	w.output("mean", gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Tanh(y)))))
	w.output("slice", gorgonia.Must(gorgonia.Slice(y, gorgonia.S(1))))
	g := w.lower()
	s, _ := Simplify(g)
	dead, _ := Dead(s)
	golden(t, "gorgonia", "lower", g.String(), "simplify", dead.String())
}

// A graph of one layer with an optimiser's block: the plan computes everything in place and copies nothing.
func TestPlan(t *testing.T) {
	w := newWriter(t)
	x := w.input("x", 8, 4)
	p, b, m := w.state("w", 4, 4), w.state("b", 4), w.state("m", 20)
	h := relu(w, add(w, w.apply(matmul{}, x, p), b))
	dh := mul(w, h, w.apply(dense.Unary{F: act.ReLU, Order: 1}, h))
	grads := w.apply(dense.Pack{}, w.apply(matmul{TransA: true}, x, dh), w.apply(colsum{}, dh))
	z := w.apply(dense.Pack{}, p, b, m)
	next := add(w, z, w.apply(dense.Pack{}, grads, grads))
	w.output("activations", w.apply(colsum{}, h))
	w.update(p, w.apply(dense.NewView(0, 4, 4), next))
	w.update(b, w.apply(dense.NewView(16, 4), next))
	w.update(m, w.apply(dense.NewView(20, 20), next))
	g, _ := Merge(w.lower())
	pl := w.plan(g)
	golden(t, "plan", "graph", g.String(), "plan", pl.String())
}

// matmul and colsum are a product and a sum over rows, with scratch memory of a size that does not depend on the
// machine.
type (
	matmul struct{ TransA bool }
	colsum struct{}
)

func (o matmul) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return dense.GEMM{TransA: o.TransA}.Infer(in)
}
func (o matmul) Ref(out kernels.Tensor, in []kernels.Tensor) {
	dense.GEMM{TransA: o.TransA}.Ref(out, in)
}
func (o matmul) CPU(*kernels.Call)                               {}
func (o matmul) Workspace([]kernels.Spec, kernels.Spec, int) int { return 1000 }
func (o colsum) Infer(in []kernels.Spec) (kernels.Spec, error) {
	return dense.Reduce{Axes: 1}.Infer(in)
}
func (o colsum) Ref(out kernels.Tensor, in []kernels.Tensor) { dense.Reduce{Axes: 1}.Ref(out, in) }
func (o colsum) CPU(*kernels.Call)                           {}
