package optest

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
)

// maxProbes bounds the number of elements of an input whose derivative is compared with a difference quotient.
const maxProbes = 200

// graph is the case's op in a gorgonia graph, with an input node for each tensor.
type graph struct {
	g   *gorgonia.ExprGraph
	in  []*kernels.Node
	out *kernels.Node
}

func (c Case) graph(t *testing.T, in []kernels.Tensor) graph {
	t.Helper()
	g := graph{g: gorgonia.NewGraph()}
	for i, a := range in {
		g.in = append(g.in, inputNode(g.g, fmt.Sprintf("in%d", i), a.Spec))
	}
	out, err := kernels.Apply(c.Op, g.in...)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	g.out = out
	return g
}

func inputNode(g *gorgonia.ExprGraph, name string, s kernels.Spec) *kernels.Node {
	if s.Rank() == 0 {
		return gorgonia.NewScalar(g, s.DType.Tensor(), gorgonia.WithName(name))
	}
	return gorgonia.NewTensor(g, s.DType.Tensor(), s.Rank(), gorgonia.WithShape(s.Shape...), gorgonia.WithName(name))
}

// grads evaluates the op's gradient rule by the references, for the given weight dout of the output's elements.
func (c Case) grads(t *testing.T, in []kernels.Tensor, dout kernels.Tensor) []kernels.Tensor {
	t.Helper()
	g := c.graph(t, in)
	op := g.out.Op().(*kernels.Adapter)
	d := inputNode(g.g, "dout", dout.Spec)
	nodes, err := op.SymDiff(g.in, g.out, d)
	if err != nil {
		t.Fatalf("gradient rule: %v", err)
	}
	given := map[*kernels.Node]kernels.Tensor{d: dout}
	for i, n := range g.in {
		given[n] = in[i]
	}
	out := make([]kernels.Tensor, len(in))
	for i, n := range nodes {
		if n == nil {
			continue
		}
		v, err := kernels.Eval(given, n)
		if err != nil {
			t.Fatalf("gradient of input %d: %v", i, err)
		}
		if !v[0].Spec.Equal(in[i].Spec) {
			t.Fatalf("gradient of input %d is %v, the input %v", i, v[0].Spec, in[i].Spec)
		}
		out[i] = v[0]
	}
	return out
}

// checkGrad compares the gradient rule with central differences of the reference in float64: L = Σ dout·out with random
// dout.
func (c Case) checkGrad(t *testing.T, in []kernels.Tensor) {
	out := c.wide(t, in)
	if !out.DType.IsFloat() || out.Size() == 0 || !nonEmpty(in) {
		return
	}
	dout := kernels.New(out.Spec)
	Normal(out.Shape...).make(dout, 99)
	grads := c.grads(t, in, dout)
	tol := c.GradTol
	if tol == 0 {
		tol = 1e-6
	}
	for i, a := range in {
		if !a.DType.IsFloat() {
			continue
		}
		scale := 1.0
		for _, v := range grads[i].F64 {
			scale = max(scale, math.Abs(v))
		}
		for k := 0; k < a.Size(); k += 1 + a.Size()/maxProbes {
			want := c.difference(t, in, dout, i, k)
			if got := grads[i].F64[k]; !(math.Abs(got-want) <= tol*scale) {
				t.Errorf("∂/∂in%d[%d] = %v, central difference %v (allowed %.3g)", i, k, got, want, tol*scale)
				break
			}
		}
	}
}

// difference is the fourth-order central difference of L in element k of input i.
func (c Case) difference(t *testing.T, in []kernels.Tensor, dout kernels.Tensor, i, k int) float64 {
	t.Helper()
	x := in[i].F64[k]
	h := 1e-4 * max(1, math.Abs(x))
	at := func(step float64) float64 {
		in[i].F64[k] = x + step*h
		out := c.wide(t, in)
		sum := 0.0
		for j, v := range out.F64 {
			sum += v * dout.F64[j]
		}
		return sum
	}
	d := (8*(at(1)-at(-1)) - (at(2) - at(-2))) / (12 * h)
	in[i].F64[k] = x
	return d
}

// checkAdjoint checks ⟨Ax, y⟩ = ⟨x, Aᵀy⟩ for an op linear in input 0.
func (c Case) checkAdjoint(t *testing.T, in []kernels.Tensor) {
	out := c.wide(t, in)
	if out.Size() == 0 || !nonEmpty(in) {
		return
	}
	y := kernels.New(out.Spec)
	Normal(out.Shape...).make(y, 98)
	grad := c.grads(t, in, y)[0]
	left, right, scale := 0.0, 0.0, 1e-300
	for i, v := range out.F64 {
		left += v * y.F64[i]
		scale += math.Abs(v * y.F64[i])
	}
	for i, v := range grad.F64 {
		right += v * in[0].F64[i]
	}
	if math.Abs(left-right) > 1e-12*scale {
		t.Errorf("⟨Ax, y⟩ = %v, ⟨x, Aᵀy⟩ = %v", left, right)
	}
}

// checkMachine runs the op in a gorgonia graph on gorgonia's own machine, in float32.
func (c Case) checkMachine(t *testing.T, in []kernels.Tensor) {
	in = convert(in, kernels.Float32)
	g := c.graph(t, in)
	for i, n := range g.in {
		if err := gorgonia.Let(n, kernels.ToValue(in[i].Clone())); err != nil {
			t.Fatalf("input %d: %v", i, err)
		}
	}
	var got gorgonia.Value
	gorgonia.Read(g.out, &got)
	m := gorgonia.NewTapeMachine(g.g)
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatalf("TapeMachine: %v", err)
	}
	value, err := kernels.FromValue(got)
	if err != nil {
		t.Fatal(err)
	}
	want, err := kernels.RunRef(c.Op, in)
	if err != nil {
		t.Fatal(err)
	}
	if msg := differ(value, want); msg != "" {
		t.Errorf("TapeMachine differs from the reference: %s", msg)
	}
}

// checkViews checks that View and Part tell the truth about where the output's elements lie.
func (c Case) checkViews(t *testing.T, in []kernels.Tensor, out kernels.Spec) {
	if v, ok := c.Op.(kernels.Viewer); ok {
		want, err := kernels.RunRef(c.Op, in)
		if err != nil {
			t.Fatal(err)
		}
		at := v.View(inSpecs(in))
		if at >= 0 {
			part := in[0].Slice(at, out.Size())
			part.Shape = want.Shape
			if msg := differ(part, want); msg != "" {
				t.Errorf("View: %s", msg)
			}
		}
	}
	if p, ok := c.Op.(kernels.Packer); ok {
		want, err := kernels.RunRef(c.Op, in)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range in {
			part := want.Slice(p.Part(inSpecs(in), i), a.Size())
			part.Shape = a.Shape
			if msg := differ(part, a); msg != "" {
				t.Errorf("Part %d: %s", i, msg)
			}
		}
	}
}
