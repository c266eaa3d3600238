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
