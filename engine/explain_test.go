package engine_test

import (
	"context"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/engine"
	"ganglion/internal/cpu"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

func TestExplain(t *testing.T) {
	g, err := engine.Build("explained", kernels.Float64, func(s *engine.Scope) {
		x := s.Input("x", vec(6))
		w := s.Param("w", quarters{}, 6)
		y := s.In("act").Apply(dense.Unary{F: act.Tanh}, s.In("sum").Apply(dense.Binary{Kind: dense.Add}, w, x))
		s.Output("y", y)
		s.Output("packed", s.Apply(dense.Pack{}, y, x))
		s.Output("plain", s.In("slow").Apply(plain{}, y))
		s.Update(w, s.Apply(blend{}, w, s.Grad(s.Apply(dense.Reduce{Kind: dense.Sum}, y), w)[0]))
	})
	if err != nil {
		t.Fatal(err)
	}
	path := cpu.Go
	p := compile(t, g, engine.Options{Path: &path})
	e := p.Explain()
	byOp := map[string]engine.ExplainStep{}
	for _, s := range e.Steps {
		byOp[s.Op] = s
	}
	if s := byOp["dense.Pack"]; s.Kernel != "copy" || s.BytesMoved != 2*6*8 ||
		!strings.Contains(s.Reason, "1 of 2 parts are not in place") {
		t.Errorf("pack: %+v", s)
	}
	if s := byOp["engine_test.plain"]; s.Kernel != "reference" || s.Path != "slow" || s.Device != "cpu" {
		t.Errorf("plain: %+v", s)
	}
	if s := byOp["engine_test.blend"]; s.Kernel != "cpu/go" || !strings.HasPrefix(s.Place, "store0+0") || s.Over != 0 {
		t.Errorf("blend: %+v", s)
	}
	if e.PersistentBytes != 48 || e.ArenaBytes == 0 || e.UnsharedBytes < e.ArenaBytes || e.Copies != 1 {
		t.Errorf("totals %+v", e)
	}
	text := e.String()
	for _, want := range []string{"∂act", "dense.Unary{F:1 Order:0}", "float64(6)", "(over input 0)", "cpu/go",
		"no CPU kernel", "explained: "} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
}

func TestFromExprGraph(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, gorgonia.Float64, gorgonia.WithShape(2, 3), gorgonia.WithName("x"))
	y := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Tanh(x)), gorgonia.NewConstant(2.0)))
	fg, err := engine.FromExprGraph("foreign", y)
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, fg, engine.Options{})
	v := run(t, p, engine.Feeds{{Slot: slotOf(t, p, "x"), Tensor: kernels.New(kernels.S(kernels.Float64, 2, 3))}},
		fg.Outputs()[0])
	if v.F64[5] != 2 {
		t.Errorf("tanh(0) + 2 = %v", v.F64)
	}
	if _, err := engine.FromExprGraph("none"); err == nil {
		t.Error("a graph without outputs is accepted")
	}
}

// An op that runs through gorgonia's Do is fixed to the sizes it was written with, and says so.
func TestForeignOpIsFixed(t *testing.T) {
	g, err := engine.Build("fixed", kernels.Float64, func(s *engine.Scope) {
		x := s.Input("x", kernels.S(kernels.Float64, 2, 3))
		s.Output("y", must(s)(gorgonia.Sparsemax(x, 0)))
	})
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, g, engine.Options{})
	feed := func(rows int) error {
		x := kernels.New(kernels.S(kernels.Float64, rows, 3))
		return p.Run(context.Background(), engine.Feeds{{Slot: 0, Tensor: x}})
	}
	if err := feed(2); err != nil {
		t.Fatal(err)
	}
	if err := feed(4); err == nil || !strings.Contains(err.Error(),
		"this op of gorgonia is fixed to the sizes it was written with") {
		t.Errorf("got %v", err)
	}
	if err := feed(2); err != nil {
		t.Errorf("after the error: %v", err)
	}
	if e := p.Explain(); !strings.Contains(e.String(), "gorgonia Do") {
		t.Errorf("no fallback is listed:\n%v", e)
	}
}
