package engine_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// tape runs the graph on gorgonia's own machine with the inputs, parameters and states of a program, and returns the
// outputs by name.
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
	for _, name := range g.Outputs() {
		n, err := g.Output(name)
		if err != nil {
			t.Fatal(err)
		}
		values[name] = new(gorgonia.Value)
		gorgonia.Read(n, values[name])
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

// compareTape checks a program's outputs against gorgonia's machine.
func compareTape(t *testing.T, g *engine.Graph, in map[string]kernels.Tensor, tol float64) *engine.Program {
	t.Helper()
	p := compile(t, g, engine.Options{Seed: 7})
	var feeds engine.Feeds
	for name, v := range in {
		feeds = append(feeds, engine.Feed{Slot: slotOf(t, p, name), Tensor: v})
	}
	want := tape(t, p, in)
	p.Poison()
	if err := p.Run(context.Background(), feeds); err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		got, err := p.Value(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Shape = got.Shape
		if msg := differ(got, w, tol); msg != "" {
			t.Errorf("%s: %s", name, msg)
		}
	}
	return p
}

func tolerance(d kernels.DType) float64 {
	if d == kernels.Float32 {
		return 1e-5
	}
	return 1e-10
}

func TestOwnMLPOnTapeMachine(t *testing.T) {
	for _, d := range []kernels.DType{kernels.Float32, kernels.Float64} {
		t.Run(d.String(), func(t *testing.T) {
			labels := kernels.New(kernels.S(kernels.Int32, 12))
			for i := range labels.I32 {
				labels.I32[i] = int32(i % 3)
			}
			compareTape(t, mlp(t, d, 12, false), map[string]kernels.Tensor{
				"x": normalTensor(1, kernels.S(d, 12, 7)), "y": labels}, tolerance(d))
		})
	}
}

// must takes the error out of gorgonia's calls inside a Build.
func must(s *engine.Scope) func(n *engine.Node, err error) *engine.Node {
	return func(n *engine.Node, err error) *engine.Node {
		if err != nil {
			s.Fail(err)
		}
		return n
	}
}

// foreignMLP is a network written with gorgonia's own functions: y = softmax(tanh(x·w1 + b1)·w2 + b2), cross-entropy
// against one-hot labels, with the gradients of all parameters.
func foreignMLP(t *testing.T, d kernels.DType, batch int) *engine.Graph {
	t.Helper()
	g, err := engine.Build("foreign", d, func(s *engine.Scope) {
		ok := must(s)
		x := s.Input("x", kernels.S(d, batch, 5))
		y := s.Input("y", kernels.S(d, batch, 3))
		w1, b1 := s.Param("w1", normal{0.5}, 5, 8), s.Param("b1", normal{0.1}, 8)
		w2, b2 := s.Param("w2", normal{0.5}, 8, 3), s.Param("b2", normal{0.1}, 3)
		h := ok(gorgonia.Tanh(ok(gorgonia.BroadcastAdd(ok(gorgonia.Mul(x, w1)), b1, nil, []byte{0}))))
		logits := ok(gorgonia.BroadcastAdd(ok(gorgonia.Mul(h, w2)), b2, nil, []byte{0}))
		logp := ok(gorgonia.LogSoftMax(logits))
		loss := ok(gorgonia.Neg(ok(gorgonia.Mean(ok(gorgonia.Sum(ok(gorgonia.HadamardProd(y, logp)), 1))))))
		s.Output("loss", loss)
		s.Output("logp", logp)
		for i, g := range s.Grad(loss, s.Params()...) {
			s.Output(fmt.Sprint("grad", i), g)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func foreignFeeds(d kernels.DType, batch int) map[string]kernels.Tensor {
	y := kernels.New(kernels.S(kernels.Float64, batch, 3))
	for i := range batch {
		y.F64[3*i+i%3] = 1
	}
	return map[string]kernels.Tensor{"x": normalTensor(1, kernels.S(d, batch, 5)), "y": kernels.Convert(y, d)}
}

func TestForeignMLPOnTapeMachine(t *testing.T) {
	for _, d := range []kernels.DType{kernels.Float32, kernels.Float64} {
		t.Run(d.String(), func(t *testing.T) {
			p := compareTape(t, foreignMLP(t, d, 6), foreignFeeds(d, 6), tolerance(d))
			if f := p.Explain().Fallbacks(); len(f) > 0 {
				t.Errorf("fallbacks: %q\n%v", f, p.Explain())
			}
			for _, s := range p.Explain().Steps {
				if s.Op == "plan.Repeat" {
					t.Errorf("a repetition is left: %+v", s)
				}
			}
		})
	}
}

// The gradients of gorgonia's own ops agree with central differences of the engine's loss.
func TestForeignGradients(t *testing.T) {
	p := compile(t, foreignMLP(t, kernels.Float64, 6), engine.Options{Seed: 7})
	var feeds engine.Feeds
	for name, v := range foreignFeeds(kernels.Float64, 6) {
		feeds = append(feeds, engine.Feed{Slot: slotOf(t, p, name), Tensor: v})
	}
	checkGradients(t, p, feeds, "loss", "grad")
}

// checkGradients compares the outputs grad0, grad1, … with central differences of loss in the parameters.
func checkGradients(t *testing.T, p *engine.Program, feeds engine.Feeds, loss, grad string) {
	t.Helper()
	value := func(name string) kernels.Tensor {
		if err := p.Run(context.Background(), feeds); err != nil {
			t.Fatal(err)
		}
		v, err := p.Value(name)
		if err != nil {
			t.Fatal(err)
		}
		return v.Clone()
	}
	const eps = 1e-5
	for i, n := range p.Graph().Params() {
		got := value(fmt.Sprint(grad, i))
		w, err := p.Store().Tensor(p.Graph().NameOf(n))
		if err != nil {
			t.Fatal(err)
		}
		for k, old := range w.F64 {
			w.F64[k] = old + eps
			up := value(loss).F64[0]
			w.F64[k] = old - eps
			down := value(loss).F64[0]
			w.F64[k] = old
			want := (up - down) / (2 * eps)
			if d := math.Abs(got.F64[k] - want); !(d <= 1e-7*(1+math.Abs(want))) {
				t.Errorf("gradient %d of parameter %s: %v, want %v", k, p.Graph().NameOf(n), got.F64[k], want)
			}
		}
	}
}

// Gradients of gradients: the gradient of |∂L/∂w|² for a network of our ops.
func TestSecondOrder(t *testing.T) {
	g, err := engine.Build("second", kernels.Float64, func(s *engine.Scope) {
		x := s.Input("x", kernels.S(kernels.Float64, 4, 3))
		h := layer(s.In("a"), x, 5, act.Tanh)
		h = layer(s.In("b"), h, 2, act.Sigmoid)
		loss := s.Apply(dense.Reduce{Kind: dense.Sum}, s.Apply(dense.Unary{F: act.Square}, h))
		var penalty *engine.Node
		for _, g := range s.Grad(loss, s.Params()...) {
			square := s.Apply(dense.Reduce{Kind: dense.Sum}, s.Apply(dense.Unary{F: act.Square}, g))
			if penalty == nil {
				penalty = square
				continue
			}
			penalty = s.Apply(dense.Binary{Kind: dense.Add}, penalty, square)
		}
		s.Output("penalty", penalty)
		for i, g := range s.Grad(penalty, s.Params()...) {
			s.Output(fmt.Sprint("second", i), g)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{Seed: 2})
	feeds := engine.Feeds{{Slot: slotOf(t, p, "x"), Tensor: normalTensor(4, kernels.S(kernels.Float64, 4, 3))}}
	checkGradients(t, p, feeds, "penalty", "second")
}
