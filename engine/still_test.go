package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// counted is y = x, and counts how often it is run.
type counted struct{}

var runsOfCounted atomic.Int64

func (counted) Infer(in []kernels.Spec) (kernels.Spec, error) { return in[0], nil }
func (counted) Ref(out kernels.Tensor, in []kernels.Tensor)   { in[0].CopyTo(out) }
func (counted) CPU(c *kernels.Call) {
	runsOfCounted.Add(1)
	c.In[0].CopyTo(c.Out)
}

// structured is a graph in which y = (one-hot(i)·W)·x with an index i that seldom changes; W is fixed data, x moves,
// and a parameter is trained.
func structured(t *testing.T) *engine.Graph {
	t.Helper()
	g, err := engine.Build("structured", kernels.Float64, func(s *engine.Scope) {
		i, w := s.Input("i", kernels.S(kernels.Int32, 3)), s.Input("w", kernels.S(kernels.Float64, 4, 3))
		x := s.Input("x", kernels.S(kernels.Float64, 3, 3))
		p := s.Param("p", quarters{}, 3, 3)
		a := s.Apply(counted{}, s.Apply(dense.GEMM{}, s.Apply(dense.OneHot{N: 4, DType: kernels.Float64}, i), w))
		y := s.Apply(dense.Unary{F: act.Neg}, s.Apply(dense.GEMM{}, a, s.Apply(dense.Binary{Kind: dense.Add}, x, p)))
		s.Output("y", y)
		s.Output("a", a)
		s.Update(p, s.Apply(dense.Scale{Alpha: 0.5}, s.Apply(dense.Binary{Kind: dense.Max}, y, p)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What depends on inputs of unchanged versions only is not run again, and everything else is as if it were: when a
// version changes, sizes change, another program uses the arena, or a run fails, is timed or is diagnosed in between.
func TestStillStepsAreRunOnce(t *testing.T) {
	g := structured(t)
	var arena engine.Arena
	p := compile(t, g, engine.Options{Workers: 1})
	other := compile(t, mlp(t, kernels.Float64, 4, false), engine.Options{})
	p.Share(&arena)
	other.Share(&arena)
	f := newFunctional(t, p)
	f.versions = map[string]uint64{"i": 1, "w": 1}
	in := map[string]kernels.Tensor{"i": kernels.FromSlice([]int32{0, 3, 1}, 3), "w": dense64(1, 1, 4, 3)}
	step := uint64(0)
	expect := func(what string, want int64) {
		t.Helper()
		step++
		in["x"] = dense64(100+step, 1, 3, 3)
		before := runsOfCounted.Load()
		f.check(t, p, in, 1e-12)
		if got := runsOfCounted.Load() - before; got != want {
			t.Errorf("%s: run %d times, want %d", what, got, want)
		}
	}
	feeds := func() (list engine.Feeds) {
		for _, name := range []string{"i", "w", "x"} {
			list = append(list, engine.Feed{Slot: slotOf(t, p, name), Tensor: in[name], Version: f.versions[name]})
		}
		return list
	}
	expect("first run", 1)
	expect("the same", 0)
	in["i"], f.versions["i"] = kernels.FromSlice([]int32{2, 2, 1}, 3), 2
	expect("another index", 1)
	expect("the same again", 0)
	in["i"].I32[0] = 1
	f.versions["i"] = 3
	expect("changed in place", 1)
	delete(f.versions, "w")
	expect("an input without a version", 1)
	expect("an input without a version, again", 1)
	f.versions["w"] = 1
	expect("with a version again", 1)
	run(t, other, mlpFeeds(t, other, kernels.Float64, 4), "loss")
	expect("after another program in the arena", 1)
	expect("then the same", 0)
	if _, err := p.Diagnose(context.Background(), feeds()); err != nil {
		t.Fatal(err)
	}
	expect("after a diagnosis", 1)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	f.versions["i"] = 4
	if err := p.Run(over, feeds()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	f.versions["i"] = 3
	expect("after a run that was stopped", 1)
	expect("then the same again", 0)
	p.Poison() // all of the arena is written to: nothing of it holds
	expect("after all memory was overwritten", 1)
	a := run(t, p, feeds(), "a").Clone()
	f.run(t, in)
	if msg := differ(run(t, p, feeds(), "a"), a, 0); msg != "" {
		t.Errorf("an output that is not computed again: %s", msg)
	}
}

// A timed run computes everything, and leaves nothing behind that a later run takes for its own.
func TestStillStepsAfterTimedRuns(t *testing.T) {
	p := compile(t, structured(t), engine.Options{Workers: 1})
	in := map[string]kernels.Tensor{"w": dense64(1, 1, 4, 3), "x": dense64(2, 1, 3, 3)}
	feeds := func(version uint64, i ...int32) (list engine.Feeds) {
		in["i"] = kernels.FromSlice(i, 3)
		for _, name := range []string{"i", "w", "x"} {
			list = append(list, engine.Feed{Slot: slotOf(t, p, name), Tensor: in[name], Version: version})
		}
		return list
	}
	want := run(t, p, feeds(1, 0, 1, 2), "a").Clone()
	if err := p.RunTimed(context.Background(), feeds(2, 3, 3, 3), func(engine.Timing) {}); err != nil {
		t.Fatal(err)
	}
	if msg := differ(run(t, p, feeds(1, 0, 1, 2), "a"), want, 0); msg != "" {
		t.Error(msg)
	}
	list := feeds(1, 0, 1, 2)
	if n := testing.AllocsPerRun(10, func() {
		if err := p.Run(context.Background(), list); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}

// Random graphs of which some inputs are still: every run gives the bits of the functional semantics.
func TestRandomGraphsWithStillInputs(t *testing.T) {
	graphs := 300
	if testing.Short() {
		graphs = 60
	}
	left := 0
	for seed := range uint64(graphs) {
		g, err := engine.Build("random", kernels.Float64, func(s *engine.Scope) {
			d := newDice(seed)
			grow(s, d, 5+d.below(60))
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := engine.Compile(g, engine.Options{Workers: 1 + int(seed%3), Seed: seed})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		f, d := newFunctional(t, p), newDice(seed+1000)
		f.versions = map[string]uint64{}
		in := map[string]kernels.Tensor{}
		for step := range uint64(7) {
			for i, n := range g.Inputs() {
				name := g.NameOf(n)
				if still := i != int(seed%4); step > 0 && still && d.below(3) > 0 {
					continue
				} else if still {
					f.versions[name]++
				}
				in[name] = shake(seed<<8+step<<4+uint64(i), kernels.SpecOf(n))
			}
			f.check(t, p, in, 0)
		}
		for _, s := range p.Plan().Steps {
			if s.Still {
				left++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d\n%v\n%v", seed, p.Plan().Graph, p.Plan())
		}
		p.Close()
	}
	if left < graphs {
		t.Errorf("only %d still steps in %d graphs", left, graphs)
	}
}

// Memory of still values is theirs alone, and a plan without still inputs is what it was.
func TestStillValuesHaveMemoryOfTheirOwn(t *testing.T) {
	g := structured(t)
	p := compile(t, g, engine.Options{Workers: 1})
	feed := func(version uint64) {
		t.Helper()
		run(t, p, engine.Feeds{{Slot: slotOf(t, p, "i"), Tensor: kernels.New(kernels.S(kernels.Int32, 3)),
			Version: version}, {Slot: slotOf(t, p, "w"), Tensor: dense64(1, 1, 4, 3), Version: version},
			{Slot: slotOf(t, p, "x"), Tensor: dense64(2, 1, 3, 3)}}, "y")
	}
	feed(0)
	plain := p.Plan().String()
	feed(1)
	still := p.Plan()
	var names []string
	for _, s := range still.Steps {
		if s.Still {
			names = append(names, kernels.Name(still.Graph.Nodes[s.Node].Op))
		}
	}
	if !slices.Equal(names, []string{"dense.OneHot", "dense.GEMM", "engine_test.counted"}) {
		t.Errorf("still steps %v", names)
	}
	feed(0)
	if p.Plan().String() != plain || p.Cached() != 2 {
		t.Errorf("%d plans; was\n%v\nis\n%v", p.Cached(), plain, p.Plan())
	}
}
