package message_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"ganglion/engine"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/sparse"
	"ganglion/models/layer/message"
)

// list is a graph: edges src → dst among n nodes.
type list struct {
	name     string
	n        int
	src, dst []int32
}

// lists are the graphs on which every layer is tried: edge cases, and one that is drawn.
func lists() []list {
	drawn := list{name: "drawn", n: 23}
	draw := philox.New(7, 1, 1)
	for range 60 {
		drawn.src, drawn.dst = append(drawn.src, int32(draw.Below(23))), append(drawn.dst, int32(draw.Below(23)))
	}
	hub := list{name: "hub", n: 9}
	for i := range int32(8) {
		hub.src, hub.dst = append(hub.src, i+1), append(hub.dst, 0)
	}
	return []list{drawn, hub, {name: "one node", n: 1}, {name: "no edges", n: 5},
		{name: "loop", n: 1, src: []int32{0}, dst: []int32{0}},
		{name: "twice", n: 3, src: []int32{0, 0, 1}, dst: []int32{1, 1, 1}}}
}

const (
	width = 5
	attrs = 3
)

// form writes a layer over features, edges with weights and attributes.
type form func(s *engine.Scope, x *message.Node, e message.Edges) *message.Node

// plain keeps the structure alone.
func plain(e message.Edges) message.Edges { return message.Edges{Structure: e.Structure} }

// weighted keeps structure and weights.
func weighted(e message.Edges) message.Edges {
	return message.Edges{Structure: e.Structure, Weight: e.Weight}
}

// net is the network of layers that have one.
func net() message.MLP { return message.MLP{Widths: []int{6, 4}, F: act.Tanh} }

func forms() map[string]form {
	on := func(f func(s *engine.Scope, x message.Features, e message.Edges) *message.Node,
		keep func(message.Edges) message.Edges) form {
		return func(s *engine.Scope, x *message.Node, e message.Edges) *message.Node {
			return f(s, message.Dense(x), keep(e))
		}
	}
	all := func(e message.Edges) message.Edges { return e }
	out := map[string]form{
		"gcn":                 on(message.GCN{Out: 3}.Apply, weighted),
		"gcn wide":            on(message.GCN{Out: 9, NoBias: true}.Apply, plain),
		"sgc":                 on(message.SGC{Out: 3, Hops: 2}.Apply, weighted),
		"sgc wide":            on(message.SGC{Out: 8, Hops: 2}.Apply, plain),
		"gin":                 on(message.GIN{Net: net(), Eps: 0.1, Learn: true}.Apply, plain),
		"gat":                 on(message.GAT{Heads: 2, Out: 3}.Apply, plain),
		"gat edges":           on(message.GAT{Heads: 2, Out: 3, Residual: true}.Apply, all),
		"gat average":         on(message.GAT{Heads: 3, Out: 2, Average: true}.Apply, plain),
		"gatv2":               on(message.GATv2{GAT: message.GAT{Heads: 2, Out: 3}}.Apply, plain),
		"gatv2 edges":         on(message.GATv2{GAT: message.GAT{Heads: 2, Out: 3}}.Apply, all),
		"sage project":        on(message.SAGE{Out: 7, Kind: message.Mean, Project: true}.Apply, plain),
		"sage unit":           on(message.SAGE{Out: 3, Kind: message.Sum, Normalise: true}.Apply, plain),
		"appnp":               spread,
		"transformer":         on(message.Transformer{Heads: 2, Out: 3}.Apply, plain),
		"transformer average": on(message.Transformer{Heads: 2, Out: 3, Average: true, NoRoot: true}.Apply, plain),
		"jump":                jump(message.Jump{}),
		"jump largest":        jump(message.Jump{Largest: true}),
		"tag":                 tag,
		"gine":                gine,
		"cheb plain":          cheb(message.Plain),
		"cheb walk":           cheb(message.RandomWalk),
		"cheb":                cheb(message.Symmetric),
		"edge":                edge,
		"graphconv max":       conv(message.Max),
		"graphconv":           conv(message.Mean),
	}
	return out
}

func spread(s *engine.Scope, x *message.Node, e message.Edges) *message.Node {
	w := s.Param("w", normal{}, 1)
	y := message.APPNP{Hops: 3, Alpha: 0.2}.Apply(s, x, weighted(e))
	return s.Apply(dense.Binary{Kind: dense.Mul}, y, w)
}

func jump(l message.Jump) form {
	return func(s *engine.Scope, x *message.Node, e message.Edges) *message.Node {
		a := message.SAGE{Out: 3}.Apply(s.In("a"), message.Dense(x), plain(e))
		b := message.SAGE{Out: 3}.Apply(s.In("b"), message.Dense(a), plain(e))
		return l.Apply(s, a, b)
	}
}

func tag(s *engine.Scope, x *message.Node, e message.Edges) *message.Node {
	return message.TAG{Out: 3, Hops: 2}.Apply(s, x, weighted(e))
}

func gine(s *engine.Scope, x *message.Node, e message.Edges) *message.Node {
	return message.GINE{GIN: message.GIN{Net: net()}}.Apply(s, x, e)
}

func cheb(k message.Laplacian) form {
	return func(s *engine.Scope, x *message.Node, e message.Edges) *message.Node {
		return message.Cheb{Out: 3, Terms: 3, Kind: k, Lambda: 3}.Apply(s, x, weighted(e))
	}
}

func edge(s *engine.Scope, x *message.Node, e message.Edges) *message.Node {
	return message.EdgeConv{Net: net(), Kind: message.Max}.Apply(s, x, plain(e))
}

func conv(k message.Aggregate) form {
	return func(s *engine.Scope, x *message.Node, e message.Edges) *message.Node {
		return message.GraphConv{Out: 3, Kind: k}.Apply(s, x, weighted(e))
	}
}

// normal draws parameters.
type normal struct{}

// Fill implements engine.Init.
func (normal) Fill(t kernels.Tensor, _ uint64, _ uint32) error {
	for i := range t.F64 {
		t.F64[i] = 0.7 * math.Sin(float64(3*i+2))
	}
	return nil
}

func waves(seed float64, shape ...int) kernels.Tensor {
	x := kernels.New(kernels.S(kernels.Float64, shape...))
	for i := range x.F64 {
		x.F64[i] = math.Sin(seed+1.7*float64(i)) + math.Cos(0.3*float64(i*i)+seed)
	}
	return x
}

// trial is a layer on a graph.
type trial struct {
	t     *testing.T
	p     *engine.Program
	feeds engine.Feeds
	perm  []int32
}

// newTrial compiles a layer with the gradient of Σ y·weight by features and parameters.
func newTrial(t *testing.T, g list, f form, store *engine.Store) *trial {
	t.Helper()
	st, perm, err := sparse.Build(g.n, g.n, g.src, g.dst)
	if err != nil {
		t.Fatal(err)
	}
	tensors := append(st.Tensors(), waves(1, g.n, width), positive(len(perm)), waves(3, len(perm), attrs))
	graph, err := engine.Build("trial", kernels.Float64, func(s *engine.Scope) {
		var in []*message.Node
		for i, v := range tensors {
			in = append(in, s.Input(fmt.Sprint("in", i), v.Spec))
		}
		y := f(s.In("layer"), in[5], message.Edges{Structure: in[:5], Weight: in[6], Attr: in[7]})
		s.Output("y", y)
		weight := s.Const(waves(4, kernels.SpecOf(y).Shape...))
		loss := s.Apply(dense.Reduce{}, s.Apply(dense.Binary{Kind: dense.Mul}, y, weight))
		s.Output("loss", loss)
		for i, d := range s.Grad(loss, append(s.Params(), in[5])...) {
			s.Output(fmt.Sprint("d", i), d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := engine.Compile(graph, engine.Options{Seed: 3, Workers: 2, Store: store, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	a := &trial{t: t, p: p, perm: perm}
	for i, v := range tensors {
		if slot, err := p.Slot(fmt.Sprint("in", i)); err == nil {
			a.feeds = append(a.feeds, engine.Feed{Slot: slot, Tensor: v})
		}
	}
	return a
}

// positive are weights of edges.
func positive(n int) kernels.Tensor {
	w := waves(2, n)
	for i := range w.F64 {
		w.F64[i] = 0.3 + math.Abs(w.F64[i])
	}
	return w
}

// value runs the program and copies an output.
func (a *trial) value(name string) kernels.Tensor {
	a.t.Helper()
	if err := a.p.Run(context.Background(), a.feeds); err != nil {
		a.t.Fatal(err)
	}
	v, err := a.p.Value(name)
	if err != nil {
		a.t.Fatal(err)
	}
	return v.Clone()
}

// differences compares the gradient by every element with central differences, relative to the largest.
func (a *trial) differences(at, grad []float64) {
	a.t.Helper()
	const h, tolerance = 1e-6, 1e-7
	top := 1.0
	for _, v := range grad {
		top = max(top, math.Abs(v))
	}
	for i, x := range at {
		var loss [2]float64
		for k, d := range []float64{h, -h} {
			at[i] = x + d
			loss[k] = a.value("loss").F64[0]
		}
		at[i] = x
		if d := (loss[0] - loss[1]) / (2 * h); math.Abs(d-grad[i]) > tolerance*top {
			a.t.Errorf("element %d: gradient %v, central difference %v", i, grad[i], d)
			return
		}
	}
}

// Gradients of every layer, by parameters and features, are those of its values, on all graphs.
func TestGradients(t *testing.T) {
	for name, f := range forms() {
		for _, g := range lists() {
			t.Run(name+"/"+g.name, func(t *testing.T) {
				a := newTrial(t, g, f, nil)
				var at [][]float64
				for _, p := range a.p.Store().Names() {
					v, err := a.p.Store().Tensor(p)
					if err != nil {
						t.Fatal(err)
					}
					at = append(at, v.F64)
				}
				for _, in := range a.feeds {
					if in.Tensor.Rank() == 2 && in.Tensor.Shape[1] == width {
						at = append(at, in.Tensor.F64)
					}
				}
				for i, v := range at {
					a.differences(v, a.value(fmt.Sprint("d", i)).F64)
				}
			})
		}
	}
}

// With the nodes in another order, every layer gives its rows in that order.
func TestEquivariance(t *testing.T) {
	for name, f := range forms() {
		t.Run(name, func(t *testing.T) {
			g := lists()[0]
			order := make([]int32, g.n)
			for i := range order {
				order[i] = int32(i)
			}
			draw := philox.New(11, 2, 3)
			draw.Shuffle(order)
			moved := list{name: "moved", n: g.n}
			for e := range g.src {
				moved.src, moved.dst = append(moved.src, order[g.src[e]]), append(moved.dst, order[g.dst[e]])
			}
			a := newTrial(t, g, f, nil)
			b := newTrial(t, moved, f, a.p.Store())
			relabel(a, b, order)
			want, got := a.value("y"), b.value("y")
			d, top := want.Shape[1], 0.0
			for _, v := range want.F64 {
				top = max(top, math.Abs(v))
			}
			for i, j := range order {
				for c := range d {
					if x, y := want.F64[i*d+c], got.F64[int(j)*d+c]; math.Abs(x-y) > 1e-12*top {
						t.Fatalf("node %d: %v, and %v where it is node %d", i, x, y, j)
					}
				}
			}
		})
	}
}

// relabel gives trial b the data of trial a, nodes and edges in its own order. a's values of edges are made those of
// the list.
func relabel(a, b *trial, order []int32) {
	for k := range a.feeds {
		x, y := a.feeds[k].Tensor, b.feeds[k].Tensor
		switch {
		case x.Rank() == 2 && x.Shape[1] == width:
			for i, j := range order {
				copy(y.F64[int(j)*width:int(j+1)*width], x.F64[i*width:(i+1)*width])
			}
		case x.DType == kernels.Float64:
			d := x.Size() / len(a.perm)
			values := make([]float64, x.Size()) // of the list
			for e, p := range a.perm {
				copy(values[int(p)*d:int(p+1)*d], x.F64[e*d:(e+1)*d])
			}
			for e, p := range b.perm {
				copy(y.F64[e*d:(e+1)*d], values[int(p)*d:int(p+1)*d])
			}
		}
	}
}
