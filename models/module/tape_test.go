package module

import (
	"context"
	"errors"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/models/zoo"
)

// TestTapeMachine runs one whole training step – forward, loss, gradients, optimiser, regulariser – on gorgonia's own
// machine and on the engine: loss, outputs, and the next values of all parameters and moments (the first moment is a
// tenth of the gradient) are equal.
func TestTapeMachine(t *testing.T) {
	for _, c := range []struct {
		name string
		s    zoo.System
		cfg  any
	}{
		{"nm", Modules, ModulesConfig{Nodes: 12, Keep: 40, Every: 1, Activation: "tanh", Solver: "newton", Rho: 0.9,
			Reg: "nm", Alpha: 10,
			Scaling: "size", Eps: 0.1}},
		{"nm l1", Modules, ModulesConfig{Nodes: 12, Keep: 40, Every: 1, Activation: "tanh", Solver: "newton",
			Rho: 0.9, Reg: "l1", Alpha: 0.1,
			Scaling: "size", Eps: 0.1}},
		{"mlp", MLP, MLPConfig{Hidden: 9, Depth: 2, Activation: "relu"}},
		{"deq", DEQ, DEQConfig{Nodes: 9, Activation: "tanh", Solver: "newton", Rho: 0.9}},
	} {
		for dtype, tol := range map[string]float64{"f32": 1e-5, "f64": 1e-10} {
			t.Run(c.name+"/"+dtype, func(t *testing.T) { onTape(t, c.s, c.cfg, dtype, tol) })
		}
	}
}

// wave is a tensor of numbers between -1.5 and 1.5.
func wave(d kernels.DType, shape ...int) kernels.Tensor {
	x := kernels.New(kernels.S(kernels.Float64, shape...))
	for i := range x.F64 {
		x.F64[i] = 1.5 * math.Sin(float64(5*i*i+3*i+1))
	}
	return kernels.Convert(x, d)
}

func onTape(t *testing.T, s zoo.System, cfg any, dtype string, tol float64) {
	const batch = 7
	d := kernels.Float32
	if dtype == "f64" {
		d = kernels.Float64
	}
	labels := kernels.New(kernels.S(kernels.Int32, batch))
	for i := range labels.I32 {
		labels.I32[i] = int32(i % 3)
	}
	part := train.Part{X: wave(d, batch, 4), Labels: labels.I32}
	set := train.Set{Task: train.Task{Inputs: 4, Outputs: 3, Examples: batch}, Train: part, Valid: part, Test: part}
	m, err := s.Build(cfg, set.Task)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := train.New(m, set, train.Options{DType: dtype, Batch: batch, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	step, _ := tr.Programs()
	hyper := kernels.Convert(kernels.FromSlice([]float64{0.01, 1, 10}, 3), d)
	in := map[string]kernels.Tensor{
		"x":     part.X,
		"y":     labels,
		"hyper": hyper,
		"row":   kernels.New(kernels.S(kernels.Int32, batch)),
		"key":   kernels.FromSlice([]int32{3, 0, 1, 0}, 4),
		"step":  kernels.FromSlice([]int32{1}, 1),
	}
	want := tape(t, step, in)
	var feeds engine.Feeds
	for name, v := range in {
		slot, err := step.Slot(name)
		if errors.Is(err, engine.ErrUnused) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		feeds = append(feeds, engine.Feed{Slot: slot, Tensor: v})
	}
	if err := step.Run(context.Background(), feeds); err != nil {
		t.Fatal(err)
	}
	states := 0
	for name, w := range want {
		got, err := step.Value(name)
		if err != nil {
			states++
			if got, err = tr.Store().Tensor(name); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, name, kernels.Convert(got, kernels.Float64).F64, kernels.Convert(w, kernels.Float64).F64, tol)
	}
	if states != len(tr.Store().Names()) || len(want) != states+3 {
		t.Errorf("compared %d states of %d, %d values", states, len(tr.Store().Names()), len(want))
	}
}

// compare checks got against want, relative to the largest of want.
func compare(t *testing.T, name string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, wanted %d", name, len(got), len(want))
	}
	top := 0.0
	for _, v := range want {
		top = max(top, math.Abs(v))
	}
	for i, v := range want {
		if !(math.Abs(got[i]-v) <= tol*max(top, 1e-3)) {
			t.Fatalf("%s: element %d is %v, on gorgonia's machine %v (largest %v)", name, i, got[i], v, top)
		}
	}
}

// tape runs a program's graph on gorgonia's machine, before the program itself has run, and returns the outputs, and
// the next values of parameters and states by their names.
func tape(t *testing.T, p *engine.Program, in map[string]kernels.Tensor) map[string]kernels.Tensor {
	t.Helper()
	g := p.Graph()
	for _, n := range append(append(g.Inputs(), g.Params()...), g.States()...) {
		v, ok := in[g.NameOf(n)]
		if !ok {
			var err error
			if v, err = p.Store().Tensor(g.NameOf(n)); err != nil {
				t.Fatal(err)
			}
		}
		if err := gorgonia.Let(n, kernels.ToValue(v.Clone())); err != nil {
			t.Fatal(err)
		}
	}
	values := map[string]*gorgonia.Value{}
	read := func(name string, n *engine.Node) {
		values[name] = new(gorgonia.Value)
		gorgonia.Read(n, values[name])
	}
	for _, name := range g.Outputs() {
		n, err := g.Output(name)
		if err != nil {
			t.Fatal(err)
		}
		read(name, n)
	}
	for _, n := range append(g.Params(), g.States()...) {
		read(g.NameOf(n), g.Next(n))
	}
	m := gorgonia.NewTapeMachine(g.ExprGraph())
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	out := map[string]kernels.Tensor{}
	for name, v := range values {
		x, err := kernels.FromValue(*v)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = x.Clone()
	}
	return out
}
