package golden_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ganglion/engine"
	graphs "ganglion/engine/data/graph"
	training "ganglion/engine/train"
	"ganglion/internal/golden"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/models/layer"
	"ganglion/models/layer/message"
)

// twoLayers is the network of a training case. Its features are a constant, since those of a graph are float32.
type twoLayers struct {
	c         golden.Case
	attention bool
}

// Forward writes two layers with an activation between them.
func (m twoLayers) Forward(s *engine.Scope, in training.Inputs) training.Net {
	x := s.Const(tensorOf(m.c.Arrays["x"], s.DType()))
	e := message.Edges{Structure: in.Graph.Looped.Structure}
	y := m.layer(s.In("l1"), message.Dense(x), e, "l1")
	f := act.ReLU
	if m.attention {
		f = act.ELU
	}
	y = m.layer(s.In("l2"), message.Dense(layer.Activation(s, f, y)), e, "l2")
	return training.Net{Output: s.Apply(dense.Gather{}, y, in.Graph.Sample)}
}

func (m twoLayers) layer(s *engine.Scope, x message.Features, e message.Edges, name string) *kernels.Node {
	if !m.attention {
		return message.GCN{Out: m.c.Arrays["init_"+name+"_lin_weight"].Shape[0]}.Apply(s, x, e)
	}
	shape := m.c.Arrays["init_"+name+"_att_src"].Shape
	return message.GAT{Heads: shape[1], Out: shape[2]}.Apply(s, x, e)
}

// trainingSet is the set of a training case: the nodes of the mask.
func trainingSet(t *testing.T, c golden.Case) training.Set {
	g := &graphs.Graph{N: int(c.Number("num_nodes"))}
	g.Source, g.Target = edgesOf(c)
	width := c.Arrays["x"].Shape[1]
	g.Features = graphs.Matrix{Rows: g.N, Cols: width, Data: make([]float32, g.N*width)}
	if err := g.Check(); err != nil {
		t.Fatal(err)
	}
	var p training.Part
	for i, v := range c.Arrays["mask"].Int {
		if v != 0 {
			p.Rows = append(p.Rows, int32(i))
			p.Labels = append(p.Labels, int32(c.Arrays["labels"].Int[i]))
		}
	}
	task := training.Task{
		Level:    training.Nodes,
		Inputs:   width,
		Outputs:  c.Arrays["logits0"].Shape[1],
		Examples: len(p.Rows),
	}
	return training.Set{Task: task, Train: p, Valid: p, Test: p, Graphs: &training.GraphData{One: g}}
}

// goldenTraining repeats a training by the trainer: logits and gradients at the start, losses, and final parameters.
func goldenTraining(t *testing.T, c golden.Case) {
	const tol = 1e-8
	set, m := trainingSet(t, c), twoLayers{c, strings.Contains(c.Name, "gat")}
	for name, want := range map[string]float64{"beta1": 0.9, "beta2": 0.999, "adam_eps": 1e-8} {
		if c.Number(name) != want {
			t.Fatalf("%s: %s is %v, ours %v", c.Name, name, c.Number(name), want)
		}
	}
	tr, err := training.New(m, set, training.Options{DType: "f64", LR: c.Number("lr"), Decay: c.Number("weight_decay"),
		Schedule: "constant", Epochs: whole(c, "steps", 0), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	b := &bench{t: t, c: c}
	params := b.trained(tr.Store())
	b.fill(tr.Store(), params, "init_", false)
	firstStep(b, m, set, tr.Store(), params)
	var losses []float64
	for range whole(c, "steps", 0) {
		r, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, r.Loss)
	}
	expect(t, c, "trainer", "losses", losses, tol)
	for ours, theirs := range params {
		v, err := tr.Store().Tensor(ours)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c, "trainer", "final_"+theirs, theirOrder(ours, v), tol)
	}
}

// trained translates the names of the parameters of a training case, ours to theirs.
func (b *bench) trained(store *engine.Store) map[string]string {
	ours := naming("l1_", "l1/", "l2_", "l2/", "lin_weight", "W", "att_", "", "bias", "b")
	params := map[string]string{}
	for name := range b.c.Arrays {
		if theirs, ok := strings.CutPrefix(name, "init_"); ok {
			params[ours(theirs)] = theirs
		}
	}
	for _, name := range store.Names() {
		if store.IsParam(name) && params[name] == "" {
			b.t.Fatalf("%s: no array for the parameter %q: there are %v", b.c.Name, name, params)
		}
	}
	return params
}

// theirOrder is a parameter or its gradient with weights as [out, in].
func theirOrder(ours string, v kernels.Tensor) []float64 {
	got := slices.Clone(wide(v))
	if strings.HasSuffix(ours, "W") {
		return turned(golden.Array{Shape: v.Shape, Float: got}).Float
	}
	return got
}

// firstStep compares logits of all nodes and gradients before the training.
func firstStep(b *bench, m training.Model, set training.Set, store *engine.Store, params map[string]string) {
	all := set
	all.Train.Rows = make([]int32, set.Graphs.One.N)
	for i := range all.Train.Rows {
		all.Train.Rows[i] = int32(i)
	}
	one := func(s *engine.Scope, y *kernels.Node) { s.Output("logits", y) }
	p := b.program(m, all, store, one)
	defer p.Close()
	logits, err := p.Value("logits")
	if err != nil {
		b.t.Fatal(err)
	}
	expect(b.t, b.c, "trainer", "logits0", wide(logits), 1e-8)
	var names []string
	q := b.program(m, set, store, func(s *engine.Scope, y *kernels.Node) {
		labels := s.Const(kernels.FromSlice(set.Train.Labels, set.Train.Len()))
		loss := s.Apply(dense.SoftmaxCrossEntropy{}, y, labels)
		for i, d := range s.Grad(loss, s.Params()...) {
			names = append(names, s.Params()[i].Name())
			s.Output(fmt.Sprint("grad", i), d)
		}
	})
	defer q.Close()
	for i, name := range names {
		v, err := q.Value(fmt.Sprint("grad", i))
		if err != nil {
			b.t.Fatal(err)
		}
		expect(b.t, b.c, "trainer", "grad0_"+params[name], theirOrder(name, v), 1e-8)
	}
}

// program runs a network once on the training part of a set; f writes what is wanted of its output.
func (b *bench) program(m training.Model, set training.Set, store *engine.Store,
	f func(s *engine.Scope, y *kernels.Node)) *engine.Program {
	var feeds []training.Fed
	g, err := engine.Build("first step", kernels.Float64, func(s *engine.Scope) {
		in, fed, err := set.Declare(s, set.Train.Len())
		if err != nil {
			s.Fail(err)
		}
		feeds = fed
		f(s, m.Forward(s, in).Output)
	})
	if err != nil {
		b.t.Fatal(err)
	}
	p, err := engine.Compile(g, engine.Options{Store: store, Workers: 1})
	if err != nil {
		b.t.Fatal(err)
	}
	b.feeds = map[string]kernels.Tensor{}
	for _, x := range feeds {
		b.feeds[x.Name] = x.Tensor
	}
	b.run(p)
	return p
}
