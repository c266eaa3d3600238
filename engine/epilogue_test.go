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

// recurrent is a cell of shared weights that runs three times, with the gradients of all weights: sums of products.
func recurrent(t testing.TB, d kernels.DType, batch int) *engine.Graph {
	t.Helper()
	g, err := engine.Build("recurrent", d, func(s *engine.Scope) {
		const width = 9
		x := s.Input("x", kernels.S(d, batch, 5))
		u, b := s.Param("u", normal{0.5}, 5, width), s.Param("b", normal{0.5}, width)
		w := s.Param("w", normal{0.3}, width, width)
		drive := add(s, s.Apply(dense.GEMM{}, x, u), b)
		h := s.Apply(dense.Unary{F: act.Sigmoid}, drive)
		for _, f := range []act.Func{act.Tanh, act.ReLU, act.SiLU} {
			h = s.Apply(dense.Unary{F: f}, add(s, s.Apply(dense.GEMM{}, h, w), drive))
		}
		s.Output("h", h)
		loss := s.Apply(dense.Reduce{}, s.Apply(dense.Unary{F: act.Square}, h))
		for i, d := range s.Grad(loss, u, b, w) {
			s.Output(fmt.Sprint("grad", i), d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Products with bias, residual and function give the values of the separate ops up to rounding, and the same bits with
// any number of workers, at the batch for which the graph was written and at others.
func TestEpiloguesKeepValues(t *testing.T) {
	for _, d := range []kernels.DType{kernels.Float64, kernels.Float32} {
		tol := map[kernels.DType]float64{kernels.Float64: 1e-14, kernels.Float32: 3e-6}[d]
		g := recurrent(t, d, 6)
		plain := compile(t, g, engine.Options{Seed: 3, KeepAll: true})
		one := compile(t, g, engine.Options{Seed: 3, Workers: 1})
		three := compile(t, g, engine.Options{Seed: 3, Workers: 3})
		if n := strings.Count(one.Plan().String(), "dense.Linear"); n != 6 {
			t.Errorf("%d products have epilogues\n%v", n, one.Plan())
		}
		for _, batch := range []int{6, 1, 2, 33, 200} {
			feeds := engine.Feeds{{Slot: 0, Tensor: normalTensor(uint64(batch), kernels.S(d, batch, 5))}}
			for _, name := range g.Outputs() {
				want, got := run(t, plain, feeds, name), run(t, one, feeds, name)
				if msg := differ(got, want, tol); msg != "" {
					t.Errorf("%v, batch %d: %s: %s", d, batch, name, msg)
				}
				if msg := differ(run(t, three, feeds, name), got, 0); msg != "" {
					t.Errorf("%v, batch %d, 3 workers: %s: %s", d, batch, name, msg)
				}
			}
		}
	}
}
