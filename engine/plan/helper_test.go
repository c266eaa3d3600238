package plan

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// writer writes gorgonia graphs for tests.
type writer struct {
	t   *testing.T
	g   *gorgonia.ExprGraph
	src Source
	in  int
	st  int
}

func newWriter(t *testing.T) *writer {
	return &writer{t: t, g: gorgonia.NewGraph(), src: Source{
		Leaves: map[*kernels.Node]Leaf{},
		Path:   func(*kernels.Node) string { return "" },
	}}
}

func (w *writer) node(name string, s kernels.Spec) *kernels.Node {
	return gorgonia.NewTensor(w.g, s.DType.Tensor(), s.Rank(), gorgonia.WithShape(s.Shape...), gorgonia.WithName(name))
}

func (w *writer) input(name string, shape ...int) *kernels.Node {
	n := w.node(name, kernels.S(kernels.Float64, shape...))
	w.src.Leaves[n] = Leaf{Kind: Input, Name: name, Slot: w.in}
	w.in++
	return n
}

func (w *writer) state(name string, shape ...int) *kernels.Node {
	n := w.node(name, kernels.S(kernels.Float64, shape...))
	w.src.Leaves[n] = Leaf{Kind: State, Name: name, Slot: w.st}
	w.st++
	return n
}

func (w *writer) constant(name string, v ...float64) *kernels.Node {
	t := kernels.FromSlice(v, len(v))
	if len(v) == 1 {
		t = kernels.FromSlice(v)
	}
	return w.fixed(name, t)
}

func (w *writer) fixed(name string, t kernels.Tensor) *kernels.Node {
	n := w.node(name, t.Spec)
	w.src.Leaves[n] = Leaf{Kind: Const, Value: t}
	return n
}

func (w *writer) apply(op kernels.Op, in ...*kernels.Node) *kernels.Node {
	w.t.Helper()
	n, err := kernels.Apply(op, in...)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *writer) output(name string, n *kernels.Node) {
	w.src.Outputs = append(w.src.Outputs, SourceOutput{name, n})
}

func (w *writer) update(state, next *kernels.Node) {
	w.src.Updates = append(w.src.Updates, SourceUpdate{state, next})
}

func (w *writer) lower() *Graph {
	w.t.Helper()
	g, _, err := Lower(w.src)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

// homes lays the states of the graph one behind another in one block.
func (w *writer) homes() []Home {
	homes := make([]Home, w.st)
	for _, l := range w.src.Leaves {
		for n, k := range w.src.Leaves {
			if l.Kind == State && k.Kind == State && k.Slot < l.Slot {
				homes[l.Slot].Offset += kernels.SpecOf(n).Bytes()
			}
		}
	}
	return homes
}

func (w *writer) plan(g *Graph) *Plan {
	w.t.Helper()
	inputs := make([]kernels.Spec, w.in)
	for n, l := range w.src.Leaves {
		if l.Kind == Input {
			inputs[l.Slot] = kernels.SpecOf(n)
		}
	}
	specs, err := Infer(g, inputs)
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := Make(g, specs, Options{Homes: w.homes(), Workers: 2})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// golden compares sections of text with testdata/name.txt.
func golden(t *testing.T, name string, sections ...string) {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(sections); i += 2 {
		b.WriteString("== " + sections[i] + "\n" + sections[i+1] + "\n")
	}
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./engine/plan -update writes it)", err)
	}
	if b.String() != string(want) {
		t.Errorf("differs from %s; go test ./engine/plan -update rewrites it:\n%s", file, b.String())
	}
}

func relu(w *writer, x *kernels.Node) *kernels.Node { return w.apply(dense.Unary{F: act.ReLU}, x) }

func add(w *writer, x, y *kernels.Node) *kernels.Node {
	return w.apply(dense.Binary{Kind: dense.Add}, x, y)
}

func mul(w *writer, x, y *kernels.Node) *kernels.Node {
	return w.apply(dense.Binary{Kind: dense.Mul}, x, y)
}

// specs are those that the graph was written with.
func (g *Graph) specs() []kernels.Spec {
	out := make([]kernels.Spec, len(g.Nodes))
	for i, n := range g.Nodes {
		out[i] = n.Spec
	}
	return out
}
