package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// elementwise is a graph of two chains over x [rows, cols]: one with a bias and a number, one with a matrix.
func elementwise(t testing.TB, d kernels.DType, shape ...int) *engine.Graph {
	t.Helper()
	g, err := engine.Build("elementwise", d, func(s *engine.Scope) {
		x, y := s.Input("x", kernels.S(d, shape...)), s.Input("y", kernels.S(d, shape...))
		bias := s.Param("bias", normal{1}, shape[len(shape)-1])
		number := s.Param("number", normal{1}, 1)
		bin := func(k dense.Kind, a, b *engine.Node) *engine.Node { return s.Apply(dense.Binary{Kind: k}, a, b) }
		h := s.Apply(dense.Unary{F: act.Tanh}, bin(dense.Add, s.Apply(dense.Scale{Alpha: 0.5, Beta: 0.1}, x), bias))
		h = bin(dense.Max, s.Apply(dense.Unary{F: act.GELU}, bin(dense.Mul, h, number)),
			s.Apply(dense.Scale{Alpha: 1}, y))
		s.Output("one", h)
		s.Output("two", bin(dense.Div, y, s.Apply(dense.Unary{F: act.Softplus, Order: 1}, bin(dense.Sub, bias, x))))
		s.Output("three", s.Apply(dense.Reduce{}, s.Apply(dense.Unary{F: act.Square},
			s.Apply(dense.Unary{F: act.Exp}, bin(dense.Lt, x, y)))))
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Fused chains give the bits of the same kernels run one by one over everything, for any number of workers.
func TestFusionKeepsBits(t *testing.T) {
	for _, d := range []kernels.DType{kernels.Float32, kernels.Float64} {
		for _, shape := range [][]int{{5}, {1, 1}, {7, 3}, {64, 100}, {300, 257}, {3, 5000}, {2, 9, 31}, {4, 50, 600}} {
			g := elementwise(t, d, shape...)
			feeds := engine.Feeds{{Slot: 0, Tensor: normalTensor(1, kernels.S(d, shape...))},
				{Slot: 1, Tensor: normalTensor(2, kernels.S(d, shape...))}}
			plain := compile(t, g, engine.Options{KeepAll: true, Seed: 1})
			for _, workers := range []int{1, 2, 3} {
				p := compile(t, g, engine.Options{Workers: workers, Seed: 1})
				if n := len(p.Plan().Groups); n != 1 {
					t.Fatalf("%v: %d groups\n%v", shape, n, p.Plan())
				}
				for _, name := range g.Outputs() {
					if msg := differ(run(t, p, feeds, name), run(t, plain, feeds, name), 0); msg != "" {
						t.Errorf("%v %v, %d workers: output %s: %s", d, shape, workers, name, msg)
					}
				}
			}
		}
	}
}

// Chains whose inputs are repeated over rows of two lengths are two groups.
func TestRowsOfTwoLengths(t *testing.T) {
	g, err := engine.Build("rows", kernels.Float64, func(s *engine.Scope) {
		y := s.Input("x", kernels.S(kernels.Float64, 20, 9, 31))
		for i, shape := range [][]int{{31}, {1, 31}, {9, 31}, {1, 9, 31}, {31}} {
			y = add(s, y, s.Param(fmt.Sprint("p", i), normal{1}, shape...))
		}
		s.Output("y", y)
	})
	if err != nil {
		t.Fatal(err)
	}
	p, keep := compile(t, g, engine.Options{Seed: 1}), compile(t, g, engine.Options{Seed: 1, KeepAll: true})
	if n := len(p.Plan().Groups); n != 2 {
		t.Errorf("%d groups\n%v", n, p.Plan())
	}
	feeds := engine.Feeds{{Slot: 0, Tensor: normalTensor(1, kernels.S(kernels.Float64, 20, 9, 31))}}
	if msg := differ(run(t, p, feeds, "y"), run(t, keep, feeds, "y"), 0); msg != "" {
		t.Error(msg)
	}
}

func TestFusionIsExplained(t *testing.T) {
	p := compile(t, elementwise(t, kernels.Float32, 8, 8), engine.Options{})
	if text := p.Explain().String(); strings.Count(text, "fused into step") != 11 {
		t.Errorf("%d steps are fused into others\n%s", strings.Count(text, "fused into step"), text)
	}
}

func TestFusedRunAllocatesNothing(t *testing.T) {
	p := compile(t, elementwise(t, kernels.Float32, 200, 100), engine.Options{Workers: 2})
	x := normalTensor(1, kernels.S(kernels.Float32, 200, 100))
	feeds := engine.Feeds{{Slot: 0, Tensor: x}, {Slot: 1, Tensor: x}}
	if n := testing.AllocsPerRun(10, func() {
		if err := p.Run(t.Context(), feeds); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkFusion compares chains that are run block by block with the same steps one after the other.
func BenchmarkFusion(b *testing.B) {
	for _, shape := range [][]int{{64, 16}, {64, 100}, {1024, 256}, {4096, 1024}} {
		for _, split := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dx%d/split=%v", shape[0], shape[1], split), func(b *testing.B) {
				g, err := engine.Build("chain", kernels.Float32, func(s *engine.Scope) {
					x := s.Input("x", kernels.S(kernels.Float32, shape...))
					h := s.Apply(dense.Binary{Kind: dense.Add}, x, s.Param("b", normal{1}, shape[1]))
					h = s.Apply(dense.Unary{F: act.ReLU}, s.Apply(dense.Scale{Alpha: 0.5}, h))
					s.Output("y", s.Apply(dense.Binary{Kind: dense.Mul}, h, x))
				})
				if err != nil {
					b.Fatal(err)
				}
				p := compile(b, g, engine.Options{})
				if split {
					if err := p.Split(); err != nil {
						b.Fatal(err)
					}
				}
				feeds := engine.Feeds{{Slot: 0, Tensor: normalTensor(1, kernels.S(kernels.Float32, shape...))}}
				run(b, p, feeds, "y")
				b.SetBytes(int64(8 * shape[0] * shape[1]))
				b.ResetTimer()
				for b.Loop() {
					if err := p.Run(b.Context(), feeds); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
