package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
)

// functional runs a graph as its text says: every op by its reference, every state a value that is replaced after the
// run.
type functional struct {
	g      *engine.Graph
	states map[*engine.Node]kernels.Tensor
	consts map[*engine.Node]kernels.Tensor
	// versions, unless nil, are those of the inputs that are fed with one; memory is then not spoiled between runs.
	versions map[string]uint64
}

// newFunctional takes over the initial states of a program.
func newFunctional(t testing.TB, p *engine.Program) *functional {
	t.Helper()
	g := p.Graph()
	f := &functional{g: g, states: map[*engine.Node]kernels.Tensor{}, consts: g.Consts()}
	for _, n := range append(g.Params(), g.States()...) {
		v, err := p.Store().Tensor(g.NameOf(n))
		if err != nil {
			t.Fatal(err)
		}
		f.states[n] = v.Clone()
	}
	return f
}

// run returns the outputs by name.
func (f *functional) run(t testing.TB, in map[string]kernels.Tensor) map[string]kernels.Tensor {
	t.Helper()
	given := map[*engine.Node]kernels.Tensor{}
	for _, n := range f.g.Inputs() {
		given[n] = in[f.g.NameOf(n)]
	}
	for n, v := range f.consts {
		given[n] = v
	}
	var want, states []*engine.Node
	for n, v := range f.states {
		given[n] = v
		states = append(states, n)
		want = append(want, f.g.Next(n))
	}
	for _, name := range f.g.Outputs() {
		n, err := f.g.Output(name)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, n)
	}
	got, err := kernels.Eval(given, want...)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range states {
		f.states[n] = got[i].Clone()
	}
	out := map[string]kernels.Tensor{}
	for i, name := range f.g.Outputs() {
		out[name] = got[len(states)+i]
	}
	return out
}

// check runs the program and the functional semantics side by side and compares outputs and states within tol, which
// is relative to the largest element; 0 demands equal bits.
func (f *functional) check(t testing.TB, p *engine.Program, in map[string]kernels.Tensor, tol float64) {
	t.Helper()
	if f.versions == nil {
		p.Poison()
	}
	var feeds engine.Feeds
	for name, v := range in {
		if s, err := p.Slot(name); err == nil {
			feeds = append(feeds, engine.Feed{Slot: s, Tensor: v, Version: f.versions[name]})
		}
	}
	if err := p.Run(context.Background(), feeds); err != nil {
		t.Fatal(err)
	}
	for name, want := range f.run(t, in) {
		got, err := p.Value(name)
		if err != nil {
			t.Fatal(err)
		}
		if msg := differ(got, want, tol); msg != "" {
			t.Errorf("output %s: %s", name, msg)
		}
	}
	for n, want := range f.states {
		got, err := p.Store().Tensor(f.g.NameOf(n))
		if err != nil {
			t.Fatal(err)
		}
		if msg := differ(got, want, tol); msg != "" {
			t.Errorf("state %s: %s", f.g.NameOf(n), msg)
		}
	}
}

// differ says how got differs from want by more than tol times the largest element of want.
func differ(got, want kernels.Tensor, tol float64) string {
	if !got.Spec.Equal(want.Spec) {
		return fmt.Sprintf("is %v, want %v", got.Spec, want.Spec)
	}
	if tol == 0 || !want.DType.IsFloat() {
		if !bytes.Equal(got.Memory(), want.Memory()) {
			return fmt.Sprintf("bits differ: %v, want %v", head(got), head(want))
		}
		return ""
	}
	g, w := kernels.Convert(got, kernels.Float64).F64, kernels.Convert(want, kernels.Float64).F64
	scale := 1e-30
	for _, v := range w {
		scale = max(scale, math.Abs(v))
	}
	for i := range w {
		if d := math.Abs(g[i] - w[i]); !(d <= tol*scale) {
			return fmt.Sprintf("element %d is %v, want %v (relative error %.3g)", i, g[i], w[i], d/scale)
		}
	}
	return ""
}

func head(t kernels.Tensor) string {
	return fmt.Sprintf("%.6v", t.Slice(0, min(t.Size(), 8)))
}
