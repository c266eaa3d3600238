package implicit

import (
	"testing"

	"ganglion/kernels"
	"ganglion/kernels/act"
)

// Scratch memory is for the blocks that are being worked on: a larger batch needs no more of it.
func TestWorkspaceDoesNotGrowWithTheBatch(t *testing.T) {
	const p, workers = 40, 3
	size := func(op kernels.Scratcher, batch int) int {
		s := kernels.S(kernels.Float32, batch, p)
		return op.Workspace([]kernels.Spec{s}, s, workers)
	}
	for _, m := range []Method{Auto, Newton, FixedPoint, Anderson, Broyden} {
		for _, op := range []kernels.Scratcher{Solve{Method: m}, Linear{Method: m}} {
			small, most := size(op, 2*group+1), size(op, 100000)
			if small != most || size(op, 1) >= small {
				t.Errorf("%+v: %d bytes for a sample, %d for some, %d for many", op, size(op, 1), small, most)
			}
		}
	}
	if s, l := size(Solve{}, 100), size(Linear{}, 100); s >= l {
		t.Errorf("slopes are kept for Solve: %d and %d bytes", s, l)
	}
}

// Edges and dense matrices share their memory, in which there is room for every edge once. A structure that lists edges
// more often, and fits in all else, is refused.
func TestEdgesListedTwice(t *testing.T) {
	const p, batch = 9, 3
	w := kernels.New(kernels.S(kernels.Float64, p, p))
	for j := range p - 1 {
		for i := range p {
			if i != j {
				w.F64[j*p+i] = 0.1
			}
		}
	}
	s := structure(w, -1)
	l := View(s.I32)
	if l.Modules != 2 || l.Size(0) != p-1 || l.Kept != 64 {
		t.Fatalf("%+v", l)
	}
	c := kernels.New(kernels.S(kernels.Float64, batch, p))
	noise(c.F64, 1)
	if x, r := run(t, Solve{Act: act.Tanh}, 2, c, w, s); r.Failed != 0 || x.F64[0] != x.F64[0] {
		t.Fatalf("%+v", r)
	}
	// The module stays dense with 30 edges; the last node lists one of its edges 42 times.
	const inner, kept = 30, 72
	for i := range p - 1 {
		at := int32(min(4*i, inner))
		l.InPtr[i], l.InMid[i], l.OutPtr[i], l.OutMid[i] = at, at, at, at
	}
	l.InPtr[p-1], l.InMid[p-1], l.InPtr[p] = inner, kept, kept
	l.OutPtr[p-1], l.OutMid[p-1], l.OutPtr[p] = inner, kept, kept
	for e := range l.In[inner:kept] {
		l.In[inner+e] = 0
	}
	s.I32[headKept] = kept
	if l = View(s.I32); l.checkNodes() != nil {
		t.Fatal(l.checkNodes())
	}
	for name, op := range map[string]kernels.Op{"solve": Solve{Act: act.Tanh}, "tangent": Linear{Act: act.Tanh}} {
		in := []kernels.Tensor{c, w, s}
		if name == "tangent" {
			in = append(in, c)
		}
		if x, r := run(t, op, 2, in...); r.Failed != batch || x.F64[0] == x.F64[0] || r.Status != kernels.Diverged {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// Newton's matrices of large modules lie in reserve with Auto: it is not touched while no sample resists, and used when
// one does. Where they fit into the scratch memory, or the method is Newton, there is none.
func TestReserveIsForSamplesThatResist(t *testing.T) {
	const p, batch, workers = 150, 40, 2
	spec := kernels.S(kernels.Float32, batch, p)
	size := func(op kernels.Reserver, s kernels.Spec) int { return op.Reserve([]kernels.Spec{s}, s, workers) }
	small := kernels.S(kernels.Float32, batch, 20)
	if size(Solve{}, spec) == 0 || size(Linear{}, spec) == 0 || size(Solve{}, small) != 0 ||
		size(Solve{Method: Newton}, spec) != 0 || size(Solve{Method: Anderson}, spec) != 0 {
		t.Fatalf("%d and %d bytes for %v, %d for %v, %d with Newton", size(Solve{}, spec), size(Linear{}, spec), spec,
			size(Solve{}, small), small, size(Solve{Method: Newton}, spec))
	}
	if a, b := (Solve{}).Workspace([]kernels.Spec{spec}, spec, workers)+size(Solve{}, spec),
		(Solve{Method: Newton}).Workspace([]kernels.Spec{spec}, spec, workers); a < b {
		t.Errorf("%d bytes in all, %d with Newton", a, b)
	}
	for _, c := range []struct {
		size    float64
		touched bool
	}{{0.3, false}, {6, true}} {
		w := weights(3, p, c.size)
		in := kernels.New(kernels.S(kernels.Float64, batch, p))
		noise(in.F64, 1)
		call, done := bind1(Solve{Act: act.Tanh}, workers, in, w, structure(w, -1))
		for i := range call.Reserve {
			call.Reserve[i] = 0xff
		}
		call.Op.(kernels.CPUOp).CPU(call)
		done()
		touched := false
		for _, b := range call.Reserve {
			touched = touched || b != 0xff
		}
		if touched != c.touched || len(call.Reserve) != size(Solve{}, spec) {
			t.Errorf("weights of size %v: touched is %v; %+v", c.size, touched, *call.Report)
		}
		if !c.touched && call.Report.Failed != 0 {
			t.Errorf("weights of size %v: %+v", c.size, *call.Report)
		}
	}
}
