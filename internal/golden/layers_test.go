package golden_test

import (
	"testing"

	"ganglion/internal/golden"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
)

// option returns a true or false option of a case.
func option(c golden.Case, name string, otherwise bool) bool {
	options, _ := c.Meta["options"].(map[string]any)
	if v, ok := options[name].(bool); ok {
		return v
	}
	return otherwise
}

// number returns a number among the options of a case.
func number(c golden.Case, name string, otherwise float64) float64 {
	options, _ := c.Meta["options"].(map[string]any)
	if v, ok := options[name].(float64); ok {
		return v
	}
	return otherwise
}

// looped is the graph of a case, with loops if asked for, the edge of the list that each entry was (-1 for a new loop),
// and the order in which the list with loops became entries.
func looped(t *testing.T, c golden.Case, loops bool) (s sparse.Structure, from, perm []int32) {
	t.Helper()
	n := int(c.Number("num_nodes"))
	src, dst := edgesOf(c)
	for e := range src {
		from = append(from, int32(e))
	}
	if loops {
		var err error
		if src, dst, from, err = sparse.WithLoops(n, src, dst); err != nil {
			t.Fatal(err)
		}
	}
	s, perm = build(t, n, n, src, dst)
	entry := make([]int32, len(perm))
	for k, e := range perm {
		entry[k] = from[e]
	}
	return s, entry, perm
}

// ones is a list of ones.
func ones(n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = 1
	}
	return list
}

// gcn is y = Â·(xΘᵀ) + b with Â of the options.
func gcn(t *testing.T, c golden.Case, d kernels.DType) {
	a := newTape(t, c, d)
	normalise := option(c, "normalize", true)
	s, from, perm := looped(t, c, option(c, "add_self_loops", true) && normalise)
	list := a.structure(s)
	// The weights are those of the list with the weight of new loops behind them.
	_, weighted := c.Arrays["edge_weight"]
	fill := 1.0
	if weighted && option(c, "improved", false) {
		fill = 2
	}
	count := c.Arrays["edge_index"].Shape[1]
	weights := a.input(kernels.Convert(kernels.FromSlice(ones(count), count), d).Clone())
	if weighted {
		weights = a.array("edge_weight")
	}
	for k, e := range from {
		if e < 0 {
			from[k] = int32(count)
		}
	}
	last := a.input(kernels.Convert(kernels.FromSlice([]float64{fill}, 1), d).Clone())
	w := a.Apply(dense.Gather{}, a.Apply(dense.Concat{}, weights, last), a.ints(from))
	if normalise {
		w = sparse.Normalise(a, w, list...)
	}
	inverse := a.ints(sparse.Inverse(perm))
	if _, ok := c.Arrays["norm_weight"]; ok {
		a.check(a.Apply(sparse.Permute{}, w, inverse, a.ints(perm)), "norm_weight")
	}
	x, theta, bias := a.array("x"), a.array("p_lin_weight"), a.array("p_bias")
	h := a.Apply(dense.GEMM{TransB: true}, x, theta)
	y := a.Apply(sparse.SpMM{}, append(append([]*kernels.Node{h}, list...), w)...)
	y = a.binary(dense.Add, y, bias)
	a.check(y, "y")
	want := map[string]*kernels.Node{"d_x": x, "dp_lin_weight": theta, "dp_bias": bias}
	if weighted {
		want["d_edge_weight"] = weights
	}
	a.backward(y, a.array("gy"), want)
}

// gat is graph attention without attributes of edges: logits of both ends, softmax over the edges of a node, and the
// weighted sum; heads side by side or averaged.
func gat(t *testing.T, c golden.Case, d kernels.DType) {
	if _, ok := c.Arrays["edge_attr"]; ok {
		t.Skip("attributes of edges wait for the layer")
	}
	a := newTape(t, c, d)
	s, _, perm := looped(t, c, option(c, "add_self_loops", true))
	list := a.structure(s)
	n, att := int(c.Number("num_nodes")), c.Arrays["p_att_src"].Shape
	heads, channels := att[1], att[2]
	x, theta := a.array("x"), a.array("p_lin_weight")
	want := map[string]*kernels.Node{"d_x": x, "dp_lin_weight": theta}
	h := a.Apply(dense.GEMM{TransB: true}, x, theta)
	h = a.Apply(dense.Reshape{To: dense.ShapeOf(n, heads, channels)}, h)
	logit := func(name string) *kernels.Node {
		p := a.array("p_" + name)
		want["dp_"+name] = p
		return a.Apply(dense.Reduce{Axes: dense.On(2)}, a.binary(dense.Mul, h, p))
	}
	z := a.on(sparse.SDDMM{Kind: sparse.Plus}, list, logit("att_dst"), logit("att_src"))
	z = a.binary(dense.Max, z, a.Apply(dense.Scale{Alpha: number(c, "negative_slope", 0.2)}, z))
	alpha := a.on(sparse.Softmax{}, list, z)
	a.check(a.Apply(sparse.Permute{}, alpha, a.ints(sparse.Inverse(perm)), a.ints(perm)), "alpha")
	y := a.Apply(sparse.SpMM{}, append(append([]*kernels.Node{h}, list...), alpha)...)
	if option(c, "concat", true) {
		y = a.Apply(dense.Reshape{To: dense.ShapeOf(n, heads*channels)}, y)
	} else {
		y = a.Apply(dense.Reduce{Kind: dense.Mean, Axes: dense.On(1)}, y)
	}
	if _, ok := c.Arrays["p_res_weight"]; ok {
		res := a.array("p_res_weight")
		want["dp_res_weight"] = res
		y = a.binary(dense.Add, y, a.Apply(dense.GEMM{TransB: true}, x, res))
	}
	if _, ok := c.Arrays["p_bias"]; ok {
		bias := a.array("p_bias")
		want["dp_bias"] = bias
		y = a.binary(dense.Add, y, bias)
	}
	a.check(y, "y")
	a.backward(y, a.array("gy"), want)
}
