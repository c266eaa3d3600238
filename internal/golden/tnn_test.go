package golden_test

import (
	"context"
	"fmt"
	"testing"

	"ganglion/engine"
	"ganglion/internal/golden"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/spectral"
	"ganglion/models/tnn"
)

// tensorHeads compares the losses of a head of tubes with their gradients.
func tensorHeads(t *testing.T, c golden.Case) {
	graph(t, c, func(s *sheet) {
		g := spectral.Algebra{M: s.array("M", 0, 1)}
		rows := []int{2, 1, 0}
		x := s.array("X", rows...)
		shape := kernels.SpecOf(x).Shape
		labels := make([]int32, 0, shape[0]*shape[1])
		for range shape[0] {
			for _, v := range c.Arrays["labels"].Float {
				labels = append(labels, int32(v))
			}
		}
		spectra := g.To(s, x)
		s.want("Phat", s.Apply(dense.Softmax{}, spectra), rows...)
		s.want("P", g.From(s, s.Apply(dense.Softmax{}, spectra)), rows...)
		one := func(loss *kernels.Node) *kernels.Node { return s.Apply(dense.Reshape{To: dense.ShapeOf(1)}, loss) }
		tubal := tnn.TubalLoss(s, spectra, s.Const(kernels.FromSlice(labels, len(labels))))
		sums := s.Apply(dense.SoftmaxCrossEntropy{}, s.Apply(dense.Reduce{Kind: dense.Sum, Axes: dense.On(0)}, x),
			s.Const(kernels.FromSlice(labels[:shape[1]], shape[1])))
		for name, loss := range map[string]*kernels.Node{"tubal": tubal, "tubesum": sums} {
			s.want("loss_"+name, one(loss), 0)
			s.want("dX_"+name, s.Grad(loss, x)[0], rows...)
		}
	})
}

// binary is the network without bias for two classes: f = wᵀvec, mean log(1 + exp(−y·f)), in float64.
type binary struct {
	c      golden.Case
	p      *engine.Program
	inputs map[string]kernels.Tensor // by name: X [c, N, d], W1 … [c, in, out], w [d, c]
	names  []string
}

func newBinary(t *testing.T, c golden.Case, suffix string) *binary {
	t.Helper()
	b := &binary{c: c, inputs: map[string]kernels.Tensor{}}
	put := func(name, array string, perm ...int) {
		b.inputs[name], b.names = tensorOf(move(c.Arrays[array], perm...), kernels.Float64), append(b.names, name)
	}
	put("X", "X", 2, 1, 0)
	for j := 1; len(c.Arrays[fmt.Sprintf("W%d%s", j, suffix)].Shape) > 0; j++ {
		put(fmt.Sprintf("W%d", j), fmt.Sprintf("W%d%s", j, suffix), 2, 1, 0)
	}
	put("w", "w"+suffix, 0)
	k, err := spectral.ParseKind(c.String("transform"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := engine.Build(c.Name, kernels.Float64, func(s *engine.Scope) { b.write(s, spectral.Algebra{Kind: k}) })
	if err != nil {
		t.Fatal(err)
	}
	if b.p, err = engine.Compile(g, engine.Options{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.p.Close)
	return b
}

func (b *binary) write(s *engine.Scope, g spectral.Algebra) {
	var in []*kernels.Node
	for _, name := range b.names {
		in = append(in, s.Input(name, b.inputs[name].Spec))
	}
	last := len(in) - 1
	x := g.To(s, in[0])
	for _, w := range in[1:last] {
		x = g.Layer(s, act.ReLU, g.Faces(s, x, g.To(s, w), false, false), nil)
	}
	x = s.Apply(dense.NewTranspose(1, 2, 0), g.From(s, x)) // [N, d, c]
	n := b.inputs["w"].Shape[0]
	rows := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, n)}, x)
	f := s.Apply(dense.GEMM{}, rows, s.Apply(dense.Reshape{To: dense.ShapeOf(n, 1)}, in[last]))
	y := s.Const(tensorOf(b.c.Arrays["y"], kernels.Float64))
	f = s.Apply(dense.Reshape{}, f, y)
	margin := s.Apply(dense.Scale{Alpha: -1}, s.Apply(dense.Binary{Kind: dense.Mul}, y, f))
	loss := s.Apply(dense.Reduce{Kind: dense.Mean}, s.Apply(dense.Unary{F: act.Softplus}, margin))
	s.Output("f", f)
	s.Output("loss", loss)
	for i, d := range s.Grad(loss, in...) {
		s.Output("d"+b.names[i], d)
	}
}

// run computes everything for given inputs.
func (b *binary) run(x []float64) error {
	copy(b.inputs["X"].F64, x)
	var feeds engine.Feeds
	for _, name := range b.names {
		slot, err := b.p.Slot(name)
		if err != nil {
			return err
		}
		feeds = append(feeds, engine.Feed{Slot: slot, Tensor: b.inputs[name]})
	}
	return b.p.Run(context.Background(), feeds)
}

// value is a result of the last run.
func (b *binary) value(t *testing.T, name string) kernels.Tensor {
	t.Helper()
	v, err := b.p.Value(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// attack is a perturbation of x for the weights as they are.
func (b *binary) attack(t *testing.T, a tnn.Attack, x []float64) []float64 {
	t.Helper()
	shape := b.inputs["X"].Shape
	delta, err := a.Perturb(x, shape[1], shape[2], func(at []float64) ([]float64, error) {
		if err := b.run(at); err != nil {
			return nil, err
		}
		v, err := b.p.Value("dX")
		return append([]float64(nil), v.F64...), err
	})
	if err != nil {
		t.Fatal(err)
	}
	return delta
}

// expectMoved compares a tensor [c, a, b] with an array [b, a, c] of the case.
func expectMoved(t *testing.T, c golden.Case, name string, x kernels.Tensor, tol float64) {
	t.Helper()
	expect(t, c, "float64", name, move(golden.Array{Shape: x.Shape, Float: x.F64}, 2, 1, 0).Float, tol)
}

func sumOf(x, delta []float64) []float64 {
	out := append([]float64(nil), x...)
	for i, v := range delta {
		out[i] += v
	}
	return out
}

func tensorNetwork(t *testing.T, c golden.Case) {
	b := newBinary(t, c, "")
	x := append([]float64(nil), b.inputs["X"].F64...)
	for _, tag := range []string{"clean", "fgm2", "fgsm", "pgd2", "pgdinf"} {
		var delta []float64
		if tag != "clean" {
			delta = b.attack(t, tnn.Attack{Kind: tag, Xi: c.Number("xi"), Steps: int(c.Number("pgd_steps")),
				Step: c.Number("pgd_step")}, x)
			moved := kernels.FromSlice(delta, b.inputs["X"].Shape...)
			expectMoved(t, c, "delta_"+tag, moved, tol64)
		}
		if err := b.run(sumOf(x, delta)); err != nil {
			t.Fatal(err)
		}
		if tag == "clean" {
			expect(t, c, "float64", "f", b.value(t, "f").F64, tol64)
		}
		expect(t, c, "float64", "loss_"+tag, b.value(t, "loss").F64, tol64)
		for _, name := range b.names[1:] {
			if name == "w" {
				expect(t, c, "float64", "dw_"+tag, b.value(t, "dw").F64, tol64)
			} else {
				expectMoved(t, c, "d"+name+"_"+tag, b.value(t, "d"+name), tol64)
			}
		}
	}
}

// tensorTraining is full-batch gradient descent, perhaps at attacked inputs.
func tensorTraining(t *testing.T, c golden.Case) {
	b := newBinary(t, c, "_init")
	x := append([]float64(nil), b.inputs["X"].F64...)
	var losses []float64
	for range int(c.Number("steps")) {
		var delta []float64
		if xi := c.Number("xi"); xi > 0 {
			delta = b.attack(t, tnn.Attack{Kind: "fgm2", Xi: xi}, x)
		}
		if err := b.run(sumOf(x, delta)); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, b.value(t, "loss").F64[0])
		for _, name := range b.names[1:] {
			for i, v := range b.value(t, "d"+name).F64 {
				b.inputs[name].F64[i] -= c.Number("lr") * v
			}
		}
	}
	expect(t, c, "float64", "losses", losses, tol64)
	for _, name := range b.names[1:] {
		if name == "w" {
			expect(t, c, "float64", "w_final", b.inputs["w"].F64, tol64)
		} else {
			expectMoved(t, c, name+"_final", b.inputs[name], tol64)
		}
	}
}
