package golden_test

import (
	"slices"
	"testing"

	"ganglion/internal/golden"
	"ganglion/kernels/diagram/calculus"
)

// TestDiagrams runs the shipped cases of the calculus of diagrams.
func TestDiagrams(t *testing.T) {
	cases, err := golden.Read("testdata/diagrams")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { runners[c.String("op")](t, c) })
	}
}

// listed are the diagrams of an array [D, l+k] with their kinds [D].
func listed(t *testing.T, c golden.Case, array, kind string, l, k int) []calculus.Diagram {
	t.Helper()
	a, kinds := c.Arrays[array], c.Arrays[kind]
	out := make([]calculus.Diagram, a.Shape[0])
	for i := range out {
		var labels []int
		for _, v := range a.Int[i*(l+k) : (i+1)*(l+k)] {
			labels = append(labels, int(v))
		}
		d, err := calculus.New(calculus.Kind(kinds.Int[i]), l, k, labels...)
		if err != nil {
			t.Fatalf("%s: %s %d: %v", c.Name, array, i, err)
		}
		out[i] = d
	}
	return out
}

// groupOf is the group of a case and the length n of an axis.
func groupOf(t *testing.T, c golden.Case) (g calculus.Group, n int) {
	t.Helper()
	g, err := calculus.ParseGroup(c.String("group"))
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	return g, c.Option("n")
}

// enumerated compares the diagrams of a family, their rank, shapes and norms.
func enumerated(t *testing.T, c golden.Case) {
	g, n := groupOf(t, c)
	l, k := c.Option("l"), c.Option("k")
	want := listed(t, c, "diagrams", "kind", l, k)
	got, err := calculus.Enumerate(g, n, l, k)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) || len(got) != c.Option("count") {
		t.Fatalf("%s: %d diagrams, want %d", c.Name, len(got), len(want))
	}
	var shapes, norms []float64
	for i, d := range want {
		if !slices.ContainsFunc(got, d.Equal) {
			t.Errorf("%s: diagram %d, %v, is not listed", c.Name, i, d)
		}
		cross, bottom, top, freeBottom, freeTop := d.Shape()
		for _, v := range []int{cross, bottom, top, freeBottom, freeTop} {
			shapes = append(shapes, float64(v))
		}
		norms = append(norms, d.SquaredNorm(n))
	}
	expect(t, c, "shapes", "shape_cbtff", shapes, 0)
	expect(t, c, "norms", "fro2", norms, 0)
	kept, err := calculus.Reduce(got, n)
	if err != nil {
		t.Fatal(err)
	}
	rank := []float64{float64(len(kept))}
	expect(t, c, "rank", "rank", rank, 0)
	expect(t, c, "dimension", "hom_dim", rank, 0)
}

// composed compares products of diagrams. Those of two of kind H are sums, which the cases do not hold.
func composed(t *testing.T, c golden.Case) {
	_, n := groupOf(t, c)
	l, k, m := c.Option("l"), c.Option("k"), c.Option("m")
	after, before := listed(t, c, "d2", "kind2", m, l), listed(t, c, "d1", "kind1", l, k)
	out := c.Arrays["out"]
	for i := range after {
		terms, err := calculus.Compose(after[i], before[i], n)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		sign, loops := int(c.Arrays["sign"].Int[i]), int(c.Arrays["loops"].Int[i])
		if sign == 0 {
			if len(terms) != 0 {
				t.Errorf("%s: %v ∘ %v = %v, want nothing", c.Name, after[i], before[i], terms)
			}
			continue
		}
		if len(terms) != 1 {
			t.Errorf("%s: %v ∘ %v has %d terms, want one", c.Name, after[i], before[i], len(terms))
			continue
		}
		got := terms[0]
		var labels []int64
		for _, v := range got.Diagram.Labels {
			labels = append(labels, int64(v))
		}
		if got.Sign != sign || got.Loops != loops || !slices.Equal(labels, out.Int[i*(m+k):(i+1)*(m+k)]) {
			t.Errorf("%s: %v ∘ %v = %v, want %d·n^%d·%v", c.Name, after[i], before[i], got, sign, loops,
				out.Int[i*(m+k):(i+1)*(m+k)])
		}
	}
}

// orbits compares the order of partitions and its Möbius function.
func orbits(t *testing.T, c golden.Case) {
	a := c.Arrays["partitions"]
	m := a.Shape[1]
	var ds []calculus.Diagram
	for i := range a.Shape[0] {
		var labels []int
		for _, v := range a.Int[i*m : (i+1)*m] {
			labels = append(labels, int(v))
		}
		d, err := calculus.New(calculus.E, m, 0, labels...)
		if err != nil {
			t.Fatal(err)
		}
		ds = append(ds, d)
	}
	var zeta, moebius []float64
	for _, pi := range ds {
		for _, sigma := range ds {
			z := 0.0
			if calculus.Coarser(sigma, pi) {
				z = 1
			}
			zeta, moebius = append(zeta, z), append(moebius, calculus.Moebius(pi, sigma))
		}
	}
	expect(t, c, "order", "zeta", zeta, 0)
	expect(t, c, "Möbius function", "moebius", moebius, 0)
}
