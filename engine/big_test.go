package engine_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// recurrence is h ← tanh(w∘h + b), unrolled so often that it has about n nodes together with the gradient of Σ h in w,
// and the times it took to write it and to differentiate it.
func recurrence(t testing.TB, n int) (g *engine.Graph, forward, grad time.Duration) {
	t.Helper()
	g, err := engine.Build("recurrence", kernels.Float32, func(s *engine.Scope) {
		start := time.Now()
		w, b := s.Param("w", normal{0.5}, 8), s.Param("b", normal{0.5}, 8)
		h := s.Input("h", kernels.S(kernels.Float32, 8))
		for range n / 7 {
			h = s.Apply(dense.Binary{Kind: dense.Mul}, h, w)
			h = s.Apply(dense.Binary{Kind: dense.Add}, h, b)
			h = s.Apply(dense.Unary{F: act.Tanh}, h)
		}
		loss := s.Apply(dense.Reduce{}, h)
		s.Output("loss", loss)
		forward = time.Since(start)
		s.Output("grad0", s.Grad(loss, w)[0])
		grad = time.Since(start) - forward
	})
	if err != nil {
		t.Fatal(err)
	}
	return g, forward, grad
}

// What writing, differentiating and compiling a graph costs in memory grows like the graph: sixteen times the nodes
// take less than eighteen times the allocations and bytes. That no search through all nodes hides behind it is the
// matter of kernels' TestApplyWritesGorgoniasNodes; the times are BenchmarkGraph's.
func TestLongGraphsAreLinear(t *testing.T) {
	cost := func(n int) (nodes, mallocs, bytes float64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		g, _, _ := recurrence(t, n)
		compile(t, g, engine.Options{Workers: 1})
		runtime.ReadMemStats(&after)
		return float64(len(g.ExprGraph().AllNodes())), float64(after.Mallocs - before.Mallocs),
			float64(after.TotalAlloc - before.TotalAlloc)
	}
	n, m, b := cost(3500)
	n2, m2, b2 := cost(56000)
	t.Logf("%.0f nodes: %.1f allocations and %.0f bytes a node", n, m/n, b/n)
	t.Logf("%.0f nodes: %.1f allocations and %.0f bytes a node", n2, m2/n2, b2/n2)
	if n2 < 15*n || m2 > 18*m || b2 > 18*b {
		t.Errorf("%.0f nodes take %.0f allocations and %.0f bytes, %.0f nodes %.0f and %.0f", n, m, b, n2, m2, b2)
	}
}

// BenchmarkGraph is the time to write, to differentiate and to compile a long recurrence, each by itself.
func BenchmarkGraph(b *testing.B) {
	for _, n := range []int{1000, 50000, 200000} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			var forward, grad, compiling time.Duration
			for b.Loop() {
				g, f, d := recurrence(b, n)
				start := time.Now()
				p, err := engine.Compile(g, engine.Options{Workers: 1})
				if err != nil {
					b.Fatal(err)
				}
				forward, grad, compiling = forward+f, grad+d, compiling+time.Since(start)
				p.Close()
			}
			for _, m := range []struct {
				d    time.Duration
				name string
			}{{forward, "forward-ms/op"}, {grad, "grad-ms/op"}, {compiling, "compile-ms/op"}} {
				b.ReportMetric(m.d.Seconds()*1000/float64(b.N), m.name)
			}
		})
	}
}

// BenchmarkStep is one step of training of a small network: what the engine costs beside the kernels.
func BenchmarkStep(b *testing.B) {
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprintf("mlp-7-16-9-3/batch=%d", batch), func(b *testing.B) {
			p := compile(b, mlp(b, kernels.Float32, batch, true), engine.Options{})
			feeds := mlpFeeds(b, p, kernels.Float32, batch)
			run(b, p, feeds, "loss")
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				if err := p.Run(b.Context(), feeds); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
