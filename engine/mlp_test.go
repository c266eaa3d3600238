package engine_test

import (
	"context"
	"math"
	"testing"

	"ganglion/engine"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// normal fills with standard normal numbers that depend on the stream alone.
type normal struct{ scale float64 }

func (n normal) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	fillNormal(t, seed, stream, n.scale)
	return nil
}

func fillNormal(t kernels.Tensor, seed uint64, stream uint32, scale float64) {
	for i := range t.Size() {
		w := philox.Block([2]uint32{uint32(seed), uint32(seed >> 32)}, [4]uint32{uint32(i), 0, 0, stream})
		v := scale * math.Sqrt(-2*math.Log((float64(w[0])+1)/(1<<32))) * math.Cos(2*math.Pi*float64(w[1])/(1<<32))
		switch t.DType {
		case kernels.Float32:
			t.F32[i] = float32(v)
		case kernels.Float64:
			t.F64[i] = v
		}
	}
}

func normalTensor(seed uint64, s kernels.Spec) kernels.Tensor {
	t := kernels.New(s)
	fillNormal(t, seed, 99, 1)
	return t
}

// layer is act(x·w + b).
func layer(s *engine.Scope, x *engine.Node, out int, f act.Func) *engine.Node {
	in := x.Shape()[1]
	w := s.Param("w", normal{1 / math.Sqrt(float64(in))}, in, out)
	b := s.Param("b", normal{0.1}, out)
	y := s.Apply(dense.Binary{Kind: dense.Add}, s.Apply(dense.GEMM{}, x, w), b)
	if f == act.Identity {
		return y
	}
	return s.Apply(dense.Unary{F: f}, y)
}

// mlp is a network with a cross-entropy loss, its gradients as outputs, and plain gradient descent as updates.
func mlp(t testing.TB, d kernels.DType, batch int, descend bool) *engine.Graph {
	t.Helper()
	g, err := engine.Build("mlp", d, func(s *engine.Scope) {
		x := s.Input("x", kernels.S(d, batch, 7))
		y := s.Input("y", kernels.S(kernels.Int32, batch))
		h := layer(s.In("l1"), x, 16, act.Tanh)
		h = layer(s.In("l2"), h, 9, act.ReLU)
		logits := layer(s.In("out"), h, 3, act.Identity)
		loss := s.Apply(dense.SoftmaxCrossEntropy{}, logits, y)
		s.Output("loss", loss)
		s.Output("logits", logits)
		params := s.Params()
		for i, d := range s.Grad(loss, params...) {
			s.Output("grad/"+params[i].Name(), d)
			if descend {
				s.Update(params[i], s.Apply(dense.Binary{Kind: dense.Sub}, params[i],
					s.Apply(dense.Scale{Alpha: 0.1}, d)))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func mlpFeeds(t testing.TB, p *engine.Program, d kernels.DType, batch int) engine.Feeds {
	t.Helper()
	labels := kernels.New(kernels.S(kernels.Int32, batch))
	for i := range labels.I32 {
		labels.I32[i] = int32(i % 3)
	}
	return engine.Feeds{
		{Slot: slotOf(t, p, "x"), Tensor: normalTensor(1, kernels.S(d, batch, 7))},
		{Slot: slotOf(t, p, "y"), Tensor: labels},
	}
}

func slotOf(t testing.TB, p *engine.Program, name string) engine.Slot {
	t.Helper()
	s, err := p.Slot(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compile(t testing.TB, g *engine.Graph, o engine.Options) *engine.Program {
	t.Helper()
	p, err := engine.Compile(g, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestMLPLearns(t *testing.T) {
	g := mlp(t, kernels.Float32, 32, true)
	p := compile(t, g, engine.Options{Seed: 1})
	feeds := mlpFeeds(t, p, kernels.Float32, 32)
	var losses []float32
	for range 200 {
		if err := p.Run(context.Background(), feeds); err != nil {
			t.Fatal(err)
		}
		v, err := p.Value("loss")
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, v.F32[0])
	}
	if first, last := losses[0], losses[len(losses)-1]; !(last < 0.7*first) {
		t.Errorf("the loss went from %v to %v", first, last)
	}
}
