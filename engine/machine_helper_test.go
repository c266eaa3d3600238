package engine_test

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
	"ganglion/engine/exec"
	"ganglion/kernels"
)

// example is a program that somebody wrote with gorgonia: what it builds, trains and looks at.
type example struct {
	g     *gorgonia.ExprGraph
	learn gorgonia.Nodes            // BindDualValues is given these
	reads []*gorgonia.Value         // of Read statements, compared after each run
	look  gorgonia.Nodes            // roots, compared after each run
	feed  func(step int) error      // binds what changes from step to step; nil for nothing
	then  func(m gorgonia.VM) error // after each step; nil for nothing
}

// read is gorgonia.Read into a new place that is compared.
func (e *example) read(n *gorgonia.Node) {
	if n == nil {
		return // an error is underway
	}
	v := new(gorgonia.Value)
	gorgonia.Read(n, v)
	e.reads = append(e.reads, v)
}

// dense is a tensor of normal numbers times scale.
func dense64(seed uint64, scale float64, shape ...int) kernels.Tensor {
	t := normalTensor(seed, kernels.S(kernels.Float64, shape...))
	for i := range t.F64 {
		t.F64[i] *= scale
	}
	return t
}

// val is such a tensor as a value of type d.
func val(d tensor.Dtype, seed uint64, scale float64, shape ...int) gorgonia.Value {
	return kernels.ToValue(kernels.Convert(dense64(seed, scale, shape...), kernels.DTypeOf(d)))
}

// in is an input node with a value of normal numbers.
func in(g *gorgonia.ExprGraph, d tensor.Dtype, name string, seed uint64, scale float64, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, d, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name),
		gorgonia.WithValue(val(d, seed, scale, shape...)))
}

// flat is the elements of a value as float64.
func flat(t *testing.T, v gorgonia.Value) []float64 {
	t.Helper()
	if v == nil {
		t.Fatal("no value")
	}
	x, err := exec.FromValue(v)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, 0, x.Size())
	switch x.DType {
	case kernels.Int32:
		for _, e := range x.I32 {
			out = append(out, float64(e))
		}
	case kernels.Byte:
		for _, e := range x.U8 {
			out = append(out, float64(e))
		}
	default:
		out = append(out, kernels.Convert(x, kernels.Float64).F64...)
	}
	return out
}

// record is what was seen in one step: name and numbers.
type record struct {
	what string
	at   []float64
}

// train runs a program for some steps on a machine, and records what is compared.
func train(t *testing.T, e *example, m gorgonia.VM, s gorgonia.Solver, steps int) []record {
	t.Helper()
	var out []record
	add := func(step int, what string, v gorgonia.Value) {
		out = append(out, record{fmt.Sprintf("step %d, %s", step, what), flat(t, v)})
	}
	for step := range steps {
		if e.feed != nil {
			if err := e.feed(step); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.RunAll(); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		for i, v := range e.reads {
			add(step, fmt.Sprint("read ", i), *v)
		}
		for _, n := range e.look {
			add(step, "value of "+n.Name(), n.Value())
		}
		for _, n := range e.learn {
			g, err := n.Grad()
			if err != nil {
				t.Fatal(err)
			}
			add(step, "gradient of "+n.Name(), g)
		}
		if s != nil {
			if err := s.Step(gorgonia.NodesToValueGrads(e.learn)); err != nil {
				t.Fatal(err)
			}
		}
		if e.then != nil {
			if err := e.then(m); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range e.learn {
			add(step, n.Name(), n.Value())
		}
		m.Reset()
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

// same compares two records, relative to the largest number of each.
func same(t *testing.T, got, want []record, tol float64) {
	t.Helper()
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, w := range want {
		if d := distance(got[i].at, w.at); !(d <= tol) {
			t.Errorf("%s: off by %.3g:\n%.12g\nwant\n%.12g", w.what, d, front(got[i].at), front(w.at))
			return
		}
	}
}

func front(list []float64) []float64 { return list[:min(len(list), 12)] }

// distance is the largest difference, relative to the largest number where that exceeds 1. NaN equals NaN, and an
// infinity itself.
func distance(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	worst, scale := 0.0, 1.0
	for i := range b {
		if !math.IsInf(b[i], 0) && !math.IsNaN(b[i]) {
			scale = max(scale, math.Abs(b[i]))
		}
		if a[i] == b[i] || math.IsNaN(a[i]) && math.IsNaN(b[i]) {
			continue
		}
		d := math.Abs(a[i] - b[i])
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst / scale
}

// conform runs a program twice, on gorgonia's tape machine and on ours, and compares every number.
func conform(t *testing.T, build func(d tensor.Dtype) (*example, error), solver func() gorgonia.Solver, steps int) {
	t.Helper()
	for _, d := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		t.Run(d.String(), func(t *testing.T) {
			var s gorgonia.Solver
			var records [2][]record
			for i := range records {
				e, err := build(d)
				if err != nil {
					t.Fatal(err)
				}
				if solver != nil {
					s = solver()
				}
				records[i] = train(t, e, machine(e, i == 1), s, steps)
			}
			same(t, records[1], records[0], tolerance(kernels.DTypeOf(d)))
		})
	}
}

// machine is one of the two that are compared: gorgonia's tape machine, or ours.
func machine(e *example, ours bool) gorgonia.VM {
	switch {
	case ours:
		return engine.NewMachine(e.g, engine.BindDualValues(e.learn...))
	case len(e.learn) == 0:
		return gorgonia.NewTapeMachine(e.g)
	}
	return gorgonia.NewTapeMachine(e.g, gorgonia.BindDualValues(e.learn...))
}

// steps takes the errors out of a program: after the first, all further calls return nothing.
type steps struct{ err error }

func (s *steps) ok(n *gorgonia.Node, err error) *gorgonia.Node {
	if s.err == nil {
		s.err = err
	}
	return n
}

func (s *steps) add(a, b *gorgonia.Node) *gorgonia.Node {
	if s.err != nil {
		return nil
	}
	return s.ok(gorgonia.Add(a, b))
}

func (s *steps) mul(a, b *gorgonia.Node) *gorgonia.Node {
	if s.err != nil {
		return nil
	}
	return s.ok(gorgonia.Mul(a, b))
}

func (s *steps) had(a, b *gorgonia.Node) *gorgonia.Node {
	if s.err != nil {
		return nil
	}
	return s.ok(gorgonia.HadamardProd(a, b))
}

// do applies a function of one node.
func (s *steps) do(f func(*gorgonia.Node) (*gorgonia.Node, error), a *gorgonia.Node) *gorgonia.Node {
	if s.err != nil {
		return nil
	}
	return s.ok(f(a))
}

func (s *steps) mean(a *gorgonia.Node) *gorgonia.Node {
	if s.err != nil {
		return nil
	}
	return s.ok(gorgonia.Mean(a))
}

func (s *steps) grad(cost *gorgonia.Node, wrt ...*gorgonia.Node) {
	if s.err == nil {
		_, s.err = gorgonia.Grad(cost, wrt...)
	}
}
