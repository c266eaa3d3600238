package golden_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/internal/golden"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
)

// The tolerances of message passing in float64 and float32, relative to max|array|.
const (
	messages64 = 1e-10
	messages32 = 2e-5
)

// messageRunners holds what runs the cases of each layer.
var messageRunners = map[string]func(t *testing.T, c golden.Case, d kernels.DType){
	"kernels":                 messageKernels,
	"segment max with ties":   ties,
	"global_add_pool":         pool(sparse.Sum),
	"global_mean_pool":        pool(sparse.Mean),
	"global_max_pool":         pool(sparse.Max),
	"utilities":               utilities,
	"block-diagonal batching": batching,
	"training": func(t *testing.T, c golden.Case, d kernels.DType) {
		if d == kernels.Float64 {
			goldenTraining(t, c)
		}
	},
}

// messages runs a case of message passing in both float types.
func messages(t *testing.T, c golden.Case) {
	name, _, two := strings.Cut(c.String("layer"), " on a bipartite graph")
	run, ok := messageRunners[name]
	if l, found := convolutions[name]; found {
		if ok = true; two {
			l.apply, l.fused = bipartite(name), nil
		}
		run = layerRunner(l)
	}
	if !ok {
		t.Fatalf("%s: no runner for the layer %q", c.Name, c.String("layer"))
	}
	for _, d := range []kernels.DType{kernels.Float64, kernels.Float32} {
		t.Run(d.String(), func(t *testing.T) { run(t, c, d) })
	}
}

// TestMessagePassing runs the cases that ship with the source.
func TestMessagePassing(t *testing.T) {
	cases, err := golden.Read(filepath.Join("testdata", "message_passing"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { messages(t, c) })
	}
}

// tape is a graph of operators that remembers values and order, and computes with the kernels of the CPU.
type tape struct {
	t     *testing.T
	c     golden.Case
	dtype kernels.DType
	graph *gorgonia.ExprGraph
	given map[*kernels.Node]kernels.Tensor
	order []*kernels.Node
}

func newTape(t *testing.T, c golden.Case, d kernels.DType) *tape {
	return &tape{t: t, c: c, dtype: d, graph: gorgonia.NewGraph(), given: map[*kernels.Node]kernels.Tensor{}}
}

// input adds a value.
func (a *tape) input(v kernels.Tensor) *kernels.Node {
	n := gorgonia.NewTensor(a.graph, v.DType.Tensor(), v.Rank(), gorgonia.WithShape(v.Shape...),
		gorgonia.WithName(fmt.Sprint("in", len(a.given))))
	a.given[n] = v
	return n
}

// array adds an array of the case in the type of the run, in a given shape if there is one.
func (a *tape) array(name string, shape ...int) *kernels.Node {
	v, ok := a.c.Arrays[name]
	if !ok {
		a.t.Fatalf("%s: no array %q", a.c.Name, name)
	}
	if len(shape) > 0 {
		v.Shape = shape
	}
	return a.input(tensorOf(v, a.dtype))
}

// ints adds a list of numbers.
func (a *tape) ints(v []int32) *kernels.Node { return a.input(kernels.FromSlice(v, len(v))) }

// structure adds the five inputs of a graph.
func (a *tape) structure(s sparse.Structure) []*kernels.Node {
	if err := s.Check(); err != nil {
		a.t.Fatal(err)
	}
	var list []*kernels.Node
	for _, v := range s.Tensors() {
		list = append(list, a.input(v))
	}
	return list
}

// Apply makes tape a kernels.Builder.
func (a *tape) Apply(op kernels.Op, in ...*kernels.Node) *kernels.Node {
	a.t.Helper()
	n, err := kernels.Apply(op, in...)
	if err != nil {
		a.t.Fatal(err)
	}
	if !slices.Contains(a.order, n) {
		a.order = append(a.order, n)
	}
	return n
}

// Fail ends the test.
func (a *tape) Fail(err error) { a.t.Fatal(err) }

// on applies an operator to values and a structure.
func (a *tape) on(op kernels.Op, s []*kernels.Node, in ...*kernels.Node) *kernels.Node {
	return a.Apply(op, append(in, s...)...)
}

// binary applies an elementwise operator.
func (a *tape) binary(k dense.Kind, x, y *kernels.Node) *kernels.Node {
	return a.Apply(dense.Binary{Kind: k}, x, y)
}

// value computes a node by the kernels.
func (a *tape) value(n *kernels.Node) kernels.Tensor {
	if v, ok := a.given[n]; ok {
		return v
	}
	var in []kernels.Tensor
	for _, c := range kernels.Children(n) {
		in = append(in, a.value(c))
	}
	op, _ := kernels.KernelOf(n)
	v, _ := kernel(a.t, op, in...)
	a.given[n] = v
	return v
}

// check compares the value of a node with an array of the case.
func (a *tape) check(n *kernels.Node, array string) {
	a.t.Helper()
	tol := messages64
	if a.dtype == kernels.Float32 {
		tol = messages32
	}
	expect(a.t, a.c, a.dtype.String(), array, kernels.Convert(a.value(n), kernels.Float64).F64, tol)
}

// largest is the largest absolute value, or the smallest number if there are none.
func largest(v []float64) float64 {
	m := math.SmallestNonzeroFloat64
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}

// backward adds the gradients of Σ dout∘out and compares those that are named with arrays of the case.
func (a *tape) backward(out, dout *kernels.Node, want map[string]*kernels.Node) {
	a.t.Helper()
	sums := map[*kernels.Node]*kernels.Node{out: dout}
	forward := slices.Clone(a.order)
	slices.Reverse(forward)
	for _, n := range forward {
		if sums[n] == nil {
			continue
		}
		op, _ := kernels.KernelOf(n)
		in := kernels.Children(n)
		for k, g := range op.(kernels.Differentiable).Grad(a, in, n, sums[n]) {
			if g == nil {
				continue
			}
			if sum := sums[in[k]]; sum != nil {
				g = a.binary(dense.Add, sum, g)
			}
			sums[in[k]] = g
		}
	}
	for array, n := range want {
		if sums[n] == nil {
			a.t.Errorf("%s: nothing flows to %s", a.c.Name, array)
			continue
		}
		a.check(sums[n], array)
	}
}

// edgesOf returns the edges of the case.
func edgesOf(c golden.Case) (src, dst []int32) {
	v := c.Arrays["edge_index"]
	n := v.Shape[1]
	for e := range n {
		src, dst = append(src, int32(v.Int[e])), append(dst, int32(v.Int[n+e]))
	}
	return src, dst
}

func int32s(v []int64) []int32 {
	list := make([]int32, len(v))
	for i, x := range v {
		list[i] = int32(x)
	}
	return list
}

func build(t *testing.T, rows, cols int, src, dst []int32) (sparse.Structure, []int32) {
	t.Helper()
	s, perm, err := sparse.Build(rows, cols, src, dst)
	if err != nil {
		t.Fatal(err)
	}
	return s, perm
}

// messageKernels compares the structure and every operator with its gradients.
func messageKernels(t *testing.T, c golden.Case, d kernels.DType) {
	n := int(c.Number("num_nodes"))
	src, dst := edgesOf(c)
	s, perm := build(t, n, n, src, dst)
	tperm := make([]int32, len(perm))
	for i, k := range s.TPos {
		tperm[i] = perm[k]
	}
	for name, list := range map[string][]int32{"rowptr": s.Ptr, "col": s.Col, "perm": perm, "t_rowptr": s.TPtr,
		"t_col": s.TCol, "t_perm": tperm} {
		if !slices.Equal(list, int32s(c.Arrays[name].Int)) {
			t.Errorf("%s: %s is %v, want %v", c.Name, name, list, c.Arrays[name].Int)
		}
	}
	for _, form := range []string{"spmm_sum", "spmm_mean", "spmm_max", "sddmm_dot", "sddmm_add", "sddmm_mul",
		"sddmm_sub", "softmax", "softmax_large"} {
		messageKernel(newTape(t, c, d), form, s, perm)
	}
}

// messageKernel compares one operator. Values of edges stand in the order of the list, and are permuted.
func messageKernel(a *tape, form string, structure sparse.Structure, perm []int32) {
	s := a.structure(structure)
	order, inverse := a.ints(perm), a.ints(sparse.Inverse(perm))
	entries := func(list *kernels.Node) *kernels.Node { return a.Apply(sparse.Permute{}, list, order, inverse) }
	listed := func(values *kernels.Node) *kernels.Node { return a.Apply(sparse.Permute{}, values, inverse, order) }
	x, q, v := a.array("x"), a.array("q"), a.array("v")
	dout := a.array(form + "_gy")
	kind := map[string]sparse.Pair{"sddmm_dot": sparse.Dot, "sddmm_add": sparse.Plus, "sddmm_mul": sparse.Multiply,
		"sddmm_sub": sparse.Minus}
	var y *kernels.Node
	want := map[string]*kernels.Node{form + "_dx": x}
	switch {
	case form == "spmm_sum" || form == "spmm_mean":
		op := sparse.SpMM{Kind: map[string]sparse.Kind{"spmm_sum": sparse.Sum, "spmm_mean": sparse.Mean}[form]}
		y = a.Apply(op, append(append([]*kernels.Node{x}, s...), entries(v))...)
		want[form+"_dv"] = v
	case form == "spmm_max": // with weights: the values of edges, then the largest
		e := kernels.SpecOf(v).Shape
		w := a.Apply(dense.Reshape{To: dense.ShapeOf(e[0], e[1], 1)}, entries(v))
		y = a.on(sparse.Segment{Kind: sparse.Max, CountZero: true}, s,
			a.binary(dense.Mul, a.on(sparse.Spread{Source: true}, s, x), w))
		want[form+"_dv"] = v
	case strings.HasPrefix(form, "softmax"):
		in := a.array(form + "_in")
		y = listed(a.on(sparse.Softmax{}, s, entries(in)))
		want = map[string]*kernels.Node{form + "_dv": in}
	default:
		y = listed(a.on(sparse.SDDMM{Kind: kind[form], Heads: form == "sddmm_dot"}, s, q, x))
		want[form+"_dq"] = q
	}
	a.check(y, form+"_y")
	a.backward(y, dout, want)
}

// ties is the largest element of segments, whose gradient is shared by equal ones.
func ties(t *testing.T, c golden.Case, d kernels.DType) { segments(t, c, d, "index", sparse.Max) }

// pool reduces the nodes of each graph of a batch.
func pool(k sparse.Kind) func(t *testing.T, c golden.Case, d kernels.DType) {
	return func(t *testing.T, c golden.Case, d kernels.DType) { segments(t, c, d, "batch", k) }
}

// segments compares SpMM over the structure of an index. The reference counts the zero that an output begins with as an
// entry where the maximum is 0.
func segments(t *testing.T, c golden.Case, d kernels.DType, index string, k sparse.Kind) {
	s, err := sparse.Index(int(c.Number("size")), int32s(c.Arrays[index].Int))
	if err != nil {
		t.Fatal(err)
	}
	a := newTape(t, c, d)
	x, list := a.array("x"), a.structure(s)
	y := a.on(sparse.SpMM{Kind: k, CountZero: k == sparse.Max}, list, x)
	a.check(y, "y")
	a.backward(y, a.array("gy"), map[string]*kernels.Node{"d_x": x})
}
