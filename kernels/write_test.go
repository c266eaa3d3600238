package kernels_test

import (
	"fmt"
	"slices"
	"testing"

	"gonum.org/v1/gonum/graph"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// gorgoniaApply is the node that gorgonia's own constructor makes of n's op, over inputs like n's in a graph of its
// own.
func gorgoniaApply(n *kernels.Node) (*kernels.Node, error) {
	g := gorgonia.NewGraph()
	var in []*kernels.Node
	for i, c := range kernels.Children(n) {
		in = append(in, gorgonia.NewTensor(g, c.Dtype(), c.Dims(), gorgonia.WithShape(c.Shape()...),
			gorgonia.WithName(fmt.Sprint("leaf", i))))
	}
	return gorgonia.ApplyOp(n.Op(), in...)
}

// A node that Apply writes is the node that gorgonia's own constructor would have made: type, shape, inputs and
// users.
func TestApplyWritesGorgoniasNodes(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(3, 5), gorgonia.WithName("x"))
	y := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(5, 4), gorgonia.WithName("y"))
	v := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithShape(5), gorgonia.WithName("v"))
	for _, c := range []struct {
		op kernels.Op
		in []*kernels.Node
	}{
		{dense.GEMM{}, []*kernels.Node{x, y}},
		{dense.Binary{Kind: dense.Mul}, []*kernels.Node{x, x}},
		{dense.Unary{F: act.Tanh}, []*kernels.Node{v}},
		{dense.Reduce{Kind: dense.Sum, Axes: dense.On(0) | dense.On(1)}, []*kernels.Node{x}},
		{dense.BroadcastTo{}, []*kernels.Node{v, x}},
		{dense.Reshape{To: dense.ShapeOf(-1, 1)}, []*kernels.Node{v}},
	} {
		name := kernels.Identity(c.op)
		n, err := kernels.Apply(c.op, c.in...)
		if err != nil {
			t.Fatal(err)
		}
		again, err := kernels.Apply(c.op, c.in...)
		if err != nil || again != n {
			t.Errorf("%s: applied twice gives two nodes (%v)", name, err)
		}
		want, err := gorgoniaApply(n)
		if err != nil {
			t.Fatal(err)
		}
		if !n.Type().Eq(want.Type()) || !n.Shape().Eq(want.Shape()) || n.IsScalar() != want.IsScalar() {
			t.Errorf("%s: %v %v, gorgonia makes %v %v", name, n.Type(), n.Shape(), want.Type(), want.Shape())
		}
		if !slices.Equal(kernels.Children(n), c.in) || g.Node(n.ID()) != graph.Node(n) {
			t.Errorf("%s: has inputs %v and number %d", name, kernels.Children(n), n.ID())
		}
		for _, in := range c.in {
			if users := graph.NodesOf(g.To(in.ID())); !slices.Contains(users, graph.Node(n)) {
				t.Errorf("%s: gorgonia does not know it as a user of %v", name, in)
			}
		}
	}
}

// Two graphs of 300 random ops, one written by Apply and one by gorgonia.ApplyOp with the same adapters, agree in the
// nodes, their order, hashes, inputs and roots.
func TestApplyOnRandomGraphs(t *testing.T) {
	const inputs, ops = 3, 300
	for seed := range uint32(4) {
		a, b := gorgonia.NewGraph(), gorgonia.NewGraph()
		var left, right []*kernels.Node
		for i := range inputs {
			for _, side := range []struct {
				g    *gorgonia.ExprGraph
				list *[]*kernels.Node
			}{{a, &left}, {b, &right}} {
				*side.list = append(*side.list, gorgonia.NewMatrix(side.g, tensor.Float64, gorgonia.WithShape(4, 4),
					gorgonia.WithName(fmt.Sprint("x", i))))
			}
		}
		for i := range uint32(ops) {
			r := philox.Block([2]uint32{seed, 7}, [4]uint32{i})
			op := []kernels.Op{dense.GEMM{TransA: true}, dense.Binary{Kind: dense.Add}, dense.Unary{F: act.Tanh},
				dense.Unary{F: act.Sigmoid}}[r[0]%4]
			arity := 2
			if _, ok := op.(dense.Unary); ok {
				arity = 1
			}
			var l, m []*kernels.Node
			for k := range arity {
				at := int(r[1+k]) % len(left)
				l, m = append(l, left[at]), append(m, right[at])
			}
			n, err := kernels.Apply(op, l...)
			if err != nil {
				t.Fatal(err)
			}
			twin, err := gorgonia.ApplyOp(n.Op(), m...)
			if err != nil {
				t.Fatal(err)
			}
			if n.Hashcode() != twin.Hashcode() || n.ID() != twin.ID() {
				t.Fatalf("seed %d, op %d: %x number %d, gorgonia has %x number %d", seed, i, n.Hashcode(), n.ID(),
					twin.Hashcode(), twin.ID())
			}
			left, right = append(left, n), append(right, twin)
		}
		if l, r := len(a.AllNodes()), len(b.AllNodes()); l != r {
			t.Errorf("seed %d: %d nodes, gorgonia has %d", seed, l, r)
		}
		if l, r := len(a.Roots()), len(b.Roots()); l != r {
			t.Errorf("seed %d: %d roots, gorgonia has %d", seed, l, r)
		}
	}
}
