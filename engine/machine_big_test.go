package engine_test

import (
	"testing"
	"time"

	"gorgonia.org/gorgonia"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// A long recurrence h ← tanh(w∘h + b), unrolled, with the gradient of Σ h in w. Compile takes less than a second. Grad
// takes about as long as gorgonia does to make its nodes, which is not linear: gorgonia looks through the list of all
// nodes for each edge. That time is measured by writing as many nodes once more, beside, into what is by then a larger
// graph.
func TestUnrolledRecurrence(t *testing.T) {
	if testing.Short() {
		t.Skip("timing")
	}
	steps := 600
	if *full {
		steps = 7143
	}
	var grad time.Duration
	g, err := engine.Build("recurrence", kernels.Float32, func(s *engine.Scope) {
		w, b := s.Param("w", normal{0.5}, 8), s.Param("b", normal{0.5}, 8)
		h := s.Input("h", kernels.S(kernels.Float32, 8))
		for range steps {
			h = s.Apply(dense.Binary{Kind: dense.Mul}, h, w)
			h = s.Apply(dense.Binary{Kind: dense.Add}, h, b)
			h = s.Apply(dense.Unary{F: act.Tanh}, h)
		}
		loss := s.Apply(dense.Reduce{}, h)
		s.Output("loss", loss)
		start := time.Now()
		d := s.Grad(loss, w)[0]
		grad = time.Since(start)
		s.Output("grad0", d)
	})
	if err != nil {
		t.Fatal(err)
	}
	nodes := len(g.ExprGraph().AllNodes())
	written := nodes - 3*steps
	start := time.Now()
	expr := g.ExprGraph()
	x := gorgonia.NewVector(expr, gorgonia.Float32, gorgonia.WithShape(8), gorgonia.WithName("beside"))
	for range written {
		if x, err = kernels.Apply(dense.Binary{Kind: dense.Mul}, x, g.Params()[0]); err != nil {
			t.Fatal(err)
		}
	}
	making := time.Since(start)
	start = time.Now()
	compile(t, g, engine.Options{Workers: 1})
	compiling := time.Since(start)
	t.Logf("%d nodes: gradient %v, writing as many nodes beside %v; compiling %v", nodes, grad, making, compiling)
	if compiling > 2*time.Second || grad > making+time.Second {
		t.Errorf("%d nodes: compiling %v, gradient %v, making its nodes %v", nodes, compiling, grad, making)
	}
}
