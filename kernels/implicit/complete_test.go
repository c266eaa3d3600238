package implicit

import (
	"fmt"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// weak has small weights where the bounds on candidates are estimated: the upper one is too low.
func weak(p int) kernels.Tensor {
	w := kernels.New(kernels.S(kernels.Float64, p, p))
	noise(w.F64, 9)
	for at := 0; at < p*p; at += p*p/samples | 1 {
		w.F64[at] *= 0.01
	}
	return w
}

// oneZero is a matrix without zeros off the diagonal but for one.
func oneZero(p, row, column int) kernels.Tensor {
	w := kernels.New(kernels.S(kernels.Float64, p, p))
	for i := range w.F64 {
		w.F64[i] = 1 + float64(i%7)
	}
	w.F64[row*p+column] = 0
	return w
}

func TestStructureOfCompleteGraphs(t *testing.T) {
	var cases []optest.Case
	for _, p := range []int{2, 3, 17, 64, 101} {
		for _, keep := range []int{-1, p * (p - 1), p*(p-1) - 1} {
			cases = append(cases, optest.Case{Name: fmt.Sprintf("p=%d,keep=%d", p, keep), Op: Structure{Keep: keep},
				In: []optest.Arg{optest.Normal(p, p)}})
		}
		for _, at := range [][2]int{{0, 0}, {0, 1}, {p - 1, 0}, {p - 1, p - 1}} {
			cases = append(cases, optest.Case{Name: fmt.Sprintf("p=%d,zero at %v", p, at), Op: Structure{Keep: -1},
				In: []optest.Arg{optest.Values(oneZero(p, at[0], at[1]))}})
		}
	}
	for _, keep := range []int{300, 1000, 2900} {
		cases = append(cases,
			optest.Case{Name: fmt.Sprintf("weak sample, keep=%d", keep), Op: Structure{Keep: keep},
				In: []optest.Arg{optest.Values(weak(64))}},
			optest.Case{Name: fmt.Sprintf("bounds, keep=%d", keep), Op: Structure{Keep: keep},
				In: []optest.Arg{optest.Normal(70, 70)}},
			optest.Case{Name: fmt.Sprintf("ties, keep=%d", keep), Op: Structure{Keep: keep},
				In: []optest.Arg{optest.Values(quantised(70, 40))}})
	}
	optest.Check(t, cases)
}

// A complete graph is solved as any other: lists of edges in another order are taken edge by edge, and lead to the same
// bits; a list with a wrong node is refused.
func TestSolveCompleteGraph(t *testing.T) {
	const p, batch = 37, 5
	f64 := func(stream uint64, shape ...int) kernels.Tensor {
		x := kernels.New(kernels.S(kernels.Float64, shape...))
		noise(x.F64, stream)
		return x
	}
	c, w := f64(1, batch, p), f64(2, p, p)
	for i := range w.F64 {
		w.F64[i] *= 0.5 / p
	}
	s, _ := run(t, Structure{Keep: -1}, 2, w)
	if kept := View(s.I32).Kept; kept != p*(p-1) {
		t.Fatalf("%d edges are kept", kept)
	}
	turned, broken := s, s
	turned.I32, broken.I32 = slices.Clone(s.I32), slices.Clone(s.I32)
	l := View(turned.I32)
	for i := range p {
		slices.Reverse(l.Sources(i))
		slices.Reverse(l.Destinations(i))
	}
	b := View(broken.I32)
	b.Sources(p - 1)[3], b.Destinations(p - 1)[3] = p, p
	for name, op := range map[string]func(s kernels.Tensor) (kernels.Tensor, kernels.Report){
		"solve": func(s kernels.Tensor) (kernels.Tensor, kernels.Report) {
			return run(t, Solve{Act: act.Tanh}, 2, c, w, s)
		},
		"adjoint": func(s kernels.Tensor) (kernels.Tensor, kernels.Report) {
			return run(t, Linear{Act: act.Tanh, Transposed: true}, 2, c, w, s, c)
		},
		"tangent": func(s kernels.Tensor) (kernels.Tensor, kernels.Report) {
			return run(t, Linear{Act: act.Tanh}, 2, c, w, s, c)
		},
	} {
		x, report := op(s)
		if report.Failed != 0 || report.Samples != batch {
			t.Errorf("%s: %+v", name, report)
		}
		if y, _ := op(turned); !slices.Equal(x.F64, y.F64) {
			t.Errorf("%s: the order of the edges changes the solution", name)
		}
		if _, report := op(broken); report.Failed != batch {
			t.Errorf("%s: a wrong edge is taken: %+v", name, report)
		}
	}
}
