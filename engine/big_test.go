package engine_test

import (
	"fmt"
	"testing"
	"time"

	"gorgonia.org/gorgonia"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// chain is a graph of n cheap ops with a gradient-like second half that reads values of the first in reverse order.
// It is written with nodes of its own making, since gorgonia needs a time for each node that grows with the graph.
func chain(t testing.TB, n int) *engine.Graph {
	t.Helper()
	g := gorgonia.NewGraph()
	x := gorgonia.NewVector(g, gorgonia.Float32, gorgonia.WithShape(8), gorgonia.WithName("x"))
	apply := func(op kernels.Op, in ...*engine.Node) *engine.Node { return rawNode(t, op, in...) }
	var forward []*engine.Node
	y := x
	for i := range n / 3 {
		y = apply(dense.Unary{F: [...]act.Func{act.Tanh, act.ReLU}[i%2]}, y)
		forward = append(forward, y)
	}
	for i := len(forward) - 1; i >= 0; i-- {
		d := apply(dense.Unary{F: act.Sigmoid, Order: 1}, forward[i])
		y = apply(dense.Binary{Kind: dense.Mul}, y, d)
	}
	fg, err := engine.FromExprGraph("chain", y)
	if err != nil {
		t.Fatal(err)
	}
	return fg
}

// rawNode makes a node in a small graph of its own, as kernels.Apply would make it, and puts it on top of in.
func rawNode(t testing.TB, op kernels.Op, in ...*engine.Node) *engine.Node {
	t.Helper()
	pair := gorgonia.NewGraph()
	leaves := make([]*engine.Node, len(in))
	for i, n := range in {
		leaves[i] = gorgonia.NewVector(pair, n.Dtype(), gorgonia.WithShape(n.Shape()...),
			gorgonia.WithName(fmt.Sprint(i)))
	}
	made, err := kernels.Apply(op, leaves...)
	if err != nil {
		t.Fatal(err)
	}
	gorgonia.WithChildren(in)(made)
	return made
}

// The time to compile grows no faster than the graph: twice the nodes take less than four times as long, and 50,000
// nodes take seconds at most on a busy machine.
func TestCompileIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("timing")
	}
	seconds := func(n int) float64 {
		g := chain(t, n)
		best := 1e9
		for range 3 {
			start := time.Now()
			p, err := engine.Compile(g, engine.Options{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(start).Seconds())
			p.Close()
		}
		return best
	}
	small, large := seconds(12500), seconds(50000)
	t.Logf("12,500 nodes: %.3f s, 50,000 nodes: %.3f s", small, large)
	if large > 12*small || large > 5 {
		t.Errorf("12,500 nodes take %.3f s, 50,000 nodes %.3f s", small, large)
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{1000, 50000} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			g := chain(b, n)
			b.ResetTimer()
			for b.Loop() {
				p, err := engine.Compile(g, engine.Options{Workers: 1})
				if err != nil {
					b.Fatal(err)
				}
				p.Close()
			}
		})
	}
}

// BenchmarkStep is one step of training of a small network: what the engine costs beside the kernels.
func BenchmarkStep(b *testing.B) {
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprintf("mlp-7-16-9-3/batch=%d", batch), func(b *testing.B) {
			p := compile(b, mlp(b, kernels.Float32, batch, true), engine.Options{})
			feeds := mlpFeeds(b, p, kernels.Float32, batch)
			run(b, p, feeds, "loss")
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				if err := p.Run(b.Context(), feeds); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
