package engine_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
	"ganglion/engine/plan"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/optim"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// planned are small graphs whose whole plans are kept: what every pass does shows there.
var planned = []struct {
	name  string
	write func(s *engine.Scope)
}{
	{"convolution", writeConvolution},
	{"batch-norm", writeBatchNorm},
	{"cross-entropy", writeCrossEntropy},
	{"low-rank", writeLowRank},
	{"constants", writeConstants},
	{"gru", writeGRU},
	{"attention", writeAttention},
	{"adam", writeAdam},
}

// planText lists the steps of a plan: op, inputs, output, what runs it, over which input, and why. Places and scratch
// memory are left out, since they depend on the kernels.
func planText(p *engine.Program) string {
	var b strings.Builder
	pl := p.Plan()
	how := map[plan.Runner]string{plan.Nothing: "nothing", plan.Kernel: "kernel", plan.Reference: "reference",
		plan.Do: "do", plan.Moves: "moves"}
	for i := range pl.Graph.Nodes {
		switch n := &pl.Graph.Nodes[i]; n.Kind {
		case plan.Input, plan.State, plan.Const:
			fmt.Fprintf(&b, "%%%d = %s %s %v\n", i, n.OpName(), n.Name, n.Spec)
		}
	}
	for i, s := range pl.Steps {
		n := &pl.Graph.Nodes[s.Node]
		fmt.Fprintf(&b, "%2d: %%%d = %s%v %v by %s", i, s.Node, n.OpText(), n.In, pl.Specs[s.Node], how[s.Run])
		if s.Over >= 0 {
			fmt.Fprintf(&b, " over %%%d", n.In[s.Over])
		}
		if s.Group >= 0 {
			fmt.Fprintf(&b, " in group %d", s.Group)
		}
		if notes := strings.Join(n.Notes, "; "); notes != "" {
			fmt.Fprintf(&b, "  # %s", notes)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d saves, %d stores\n", len(pl.Saves), len(pl.Stores))
	return b.String()
}

// The plans are those of the golden files.
func TestPlans(t *testing.T) {
	graphs := map[string]*engine.Graph{"mlp": mlp(t, kernels.Float32, 12, true),
		"recurrent": recurrent(t, kernels.Float32, 6), "elementwise": elementwise(t, kernels.Float32, 8, 8)}
	names := []string{"mlp", "recurrent", "elementwise"}
	for _, c := range planned {
		g, err := engine.Build(c.name, kernels.Float32, c.write)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		graphs[c.name] = g
		names = append(names, c.name)
	}
	for _, name := range names {
		text := planText(compile(t, graphs[name], engine.Options{Workers: 1, Seed: 1}))
		file := filepath.Join("testdata", "plans", name+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v (go test ./engine -update writes it)", err)
		}
		if text != string(want) {
			t.Errorf("differs from %s; go test ./engine -update rewrites it:\n%s", file, text)
		}
	}
}

func apply(s *engine.Scope, k dense.Kind, a, b *engine.Node) *engine.Node {
	return s.Apply(dense.Binary{Kind: k}, a, b)
}

// outputs makes outputs of a loss and its gradients by the parameters.
func outputs(s *engine.Scope, loss *engine.Node) {
	s.Output("loss", loss)
	params := s.Params()
	for i, d := range s.Grad(loss, params...) {
		s.Output("grad/"+params[i].Name(), d)
	}
}

// writeConvolution is a layer as gorgonia writes it: six nodes for a convolution.
func writeConvolution(s *engine.Scope) {
	x, w := s.Input("x", kernels.S(kernels.Float32, 2, 3, 8, 8)), s.Param("w", normal{1}, 4, 3, 3, 3)
	v := s.Param("v", normal{1}, 2, 4, 2, 2)
	y := must(s)(gorgonia.Conv2d(x, w, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
	y = must(s)(gorgonia.MaxPool2D(must(s)(gorgonia.Rectify(y)), tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
	y = must(s)(gorgonia.Conv2d(y, v, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 1}, []int{1, 1}))
	outputs(s, must(s)(gorgonia.Mean(must(s)(gorgonia.Square(y)))))
}

// writeBatchNorm holds ops that keep state of their own: they run through their own Do.
func writeBatchNorm(s *engine.Scope) {
	x, scale := s.Input("x", kernels.S(kernels.Float32, 4, 3)), s.Param("scale", normal{1}, 4, 3)
	y, _, _, _, err := gorgonia.BatchNorm(x, scale, s.Param("shift", normal{1}, 4, 3), 0.9, 1e-5)
	outputs(s, must(s)(gorgonia.Sum(must(s)(gorgonia.Tanh(must(s)(y, err))))))
}

// writeCrossEntropy is the loss that users of gorgonia write.
func writeCrossEntropy(s *engine.Scope) {
	x, w := s.Input("x", kernels.S(kernels.Float32, 6, 5)), s.Param("w", normal{1}, 5, 3)
	y := s.Input("y", kernels.S(kernels.Float32, 6, 3))
	p := must(s)(gorgonia.SoftMax(must(s)(gorgonia.Mul(x, w))))
	likelihood := must(s)(gorgonia.HadamardProd(must(s)(gorgonia.Log(p)), y))
	outputs(s, must(s)(gorgonia.Neg(must(s)(gorgonia.Mean(likelihood)))))
}

// writeLowRank is a product of three matrices in the expensive order.
func writeLowRank(s *engine.Scope) {
	x := s.Input("x", kernels.S(kernels.Float32, 8, 40))
	u, v := s.Param("u", normal{1}, 40, 2), s.Param("v", normal{1}, 2, 40)
	y := s.Apply(dense.GEMM{}, x, s.Apply(dense.GEMM{}, u, v))
	outputs(s, s.Apply(dense.Reduce{}, s.Apply(dense.Unary{F: act.Square}, y)))
}

// writeConstants is what folds away.
func writeConstants(s *engine.Scope) {
	x := s.Input("x", kernels.S(kernels.Float32, 3, 4))
	half := s.Const(kernels.FromSlice([]float32{0.5}))
	two := add(s, half, apply(s, dense.Mul, half, s.Const(kernels.FromSlice([]float32{3}))))
	y := must(s)(gorgonia.Mul(must(s)(gorgonia.Mul(x, gorgonia.NewConstant(float32(1)))), two))
	y = must(s)(gorgonia.Transpose(must(s)(gorgonia.Transpose(y))))
	s.Output("y", must(s)(gorgonia.Mul(y, must(s)(gorgonia.Transpose(x)))))
}

// writeGRU is two steps of a cell.
func writeGRU(s *engine.Scope) {
	const n = 6
	x := s.Input("x", kernels.S(kernels.Float32, 4, 3))
	h := s.Input("h", kernels.S(kernels.Float32, 4, n))
	var w, u, b [3]*engine.Node
	for i, gate := range []string{"reset", "update", "new"} {
		in := s.In(gate)
		w[i], u[i], b[i] = in.Param("w", normal{1}, 3, n), in.Param("u", normal{1}, n, n), in.Param("b", normal{1}, n)
	}
	gate := func(i int, f act.Func, h *engine.Node) *engine.Node {
		own := add(s, s.Apply(dense.GEMM{}, x, w[i]), b[i])
		return s.Apply(dense.Unary{F: f}, add(s, own, s.Apply(dense.GEMM{}, h, u[i])))
	}
	for range 2 {
		r, z := gate(0, act.Sigmoid, h), gate(1, act.Sigmoid, h)
		c := gate(2, act.Tanh, apply(s, dense.Mul, r, h))
		h = add(s, c, apply(s, dense.Mul, z, apply(s, dense.Sub, h, c)))
	}
	outputs(s, s.Apply(dense.Reduce{Kind: dense.Mean}, s.Apply(dense.Unary{F: act.Square}, h)))
}

// writeAttention has products over a batch with transposed operands.
func writeAttention(s *engine.Scope) {
	x := s.Input("x", kernels.S(kernels.Float32, 2, 5, 4))
	scores := s.Apply(dense.BatchedGEMM{}, x, s.Apply(dense.NewTranspose(0, 2, 1), x))
	p := s.Apply(dense.Softmax{}, s.Apply(dense.Scale{Alpha: 0.5}, scores))
	s.Output("y", s.Apply(dense.BatchedGEMM{}, p, x))
}

// writeAdam is a step over the block of all parameters and moments.
func writeAdam(s *engine.Scope) {
	x, y := s.Input("x", kernels.S(kernels.Float32, 6, 5)), s.Input("y", kernels.S(kernels.Float32, 6, 3))
	hyper := s.Input("hyper", kernels.S(kernels.Float32, 3))
	w, b := s.Param("w", normal{1}, 5, 3), s.Param("b", normal{1}, 3)
	moments := kernels.S(kernels.Float32, 18)
	m, v := s.State("m", moments, normal{0}), s.State("v", moments, normal{0})
	loss := s.Apply(dense.MSE{}, add(s, s.Apply(dense.GEMM{}, x, w), b), y)
	g := s.Apply(dense.Pack{}, s.Grad(loss, w, b)...)
	ok := s.Apply(optim.Finite{}, g, loss)
	z := s.Apply(optim.Adam{}, s.Apply(dense.Pack{}, w, b, m, v), g, hyper, ok)
	s.Output("loss", loss)
	s.Update(w, s.Apply(dense.NewView(0, 5, 3), z))
	s.Update(b, s.Apply(dense.NewView(15, 3), z))
	s.Update(m, s.Apply(dense.NewView(18, 18), z))
	s.Update(v, s.Apply(dense.NewView(36, 18), z))
}
