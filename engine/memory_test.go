package engine_test

import (
	"testing"

	"ganglion/engine"
	"ganglion/kernels"
)

// What MemoryAt foretells for a size of batch is what Memory tells after a run of that size, and nothing is taken
// before a run.
func TestMemoryAtIsWhatARunTakes(t *testing.T) {
	p := compile(t, mlp(t, kernels.Float32, 8, true), engine.Options{})
	if n := p.ArenaTaken(); n != 0 {
		t.Errorf("%d bytes are taken before the first run", n)
	}
	at := func(batch int) engine.Memory {
		t.Helper()
		m, err := p.MemoryAt(func(_ string, s kernels.Spec) kernels.Spec {
			if s.Rank() > 0 && s.Shape[0] == 8 {
				s = kernels.S(s.DType, append([]int{batch}, s.Shape[1:]...)...)
			}
			return s
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := p.Memory(); m != at(8) {
		t.Errorf("Memory %+v, MemoryAt %+v", m, at(8))
	}
	before := 0
	for _, batch := range []int{1, 8, 100, 1000} {
		want := at(batch)
		run(t, p, mlpFeeds(t, p, kernels.Float32, batch), "loss")
		if got := p.Memory(); got != want {
			t.Errorf("batch %d: takes %+v, was to take %+v", batch, got, want)
		}
		if n := p.ArenaTaken(); n != want.Arena {
			t.Errorf("batch %d: an arena of %d bytes, was to be %d", batch, n, want.Arena)
		}
		if want.Arena <= before || want.Live > want.Arena || want.Crest < 0 {
			t.Errorf("batch %d: %+v after an arena of %d bytes", batch, want, before)
		}
		before = want.Arena
	}
	if m, s := p.Memory(), p.Store(); m.Parameters != s.Params().Bytes() || m.Parameters+m.States != s.Bytes() {
		t.Errorf("%+v in a store of %d bytes", m, s.Bytes())
	}
}

// Programs that share an arena give the results of programs that do not, and take the memory of the larger once.
func TestSharedArena(t *testing.T) {
	var arena engine.Arena
	small, large := mlp(t, kernels.Float64, 4, false), mlp(t, kernels.Float64, 300, false)
	a, b := compile(t, small, engine.Options{}), compile(t, large, engine.Options{})
	want := compile(t, small, engine.Options{})
	a.Share(&arena)
	b.Share(&arena)
	arena.AtLeast(b.Memory().Arena)
	for range 3 {
		expect := run(t, want, mlpFeeds(t, want, kernels.Float64, 4), "grad/l1/w")
		if msg := differ(run(t, a, mlpFeeds(t, a, kernels.Float64, 4), "grad/l1/w"), expect, 0); msg != "" {
			t.Error(msg)
		}
		run(t, b, mlpFeeds(t, b, kernels.Float64, 300), "loss")
		if n, m := a.ArenaTaken(), b.Memory().Arena; n != m || b.ArenaTaken() != m {
			t.Errorf("an arena of %d bytes, the larger program needs %d", n, m)
		}
	}
	run(t, b, mlpFeeds(t, b, kernels.Float64, 900), "loss") // it grows
	expect := run(t, want, mlpFeeds(t, want, kernels.Float64, 4), "loss")
	if msg := differ(run(t, a, mlpFeeds(t, a, kernels.Float64, 4), "loss"), expect, 0); msg != "" {
		t.Error(msg)
	}
}
