package golden_test

import (
	"fmt"
	"slices"
	"testing"

	"ganglion/internal/golden"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/diagram"
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

// ordered returns the case with weights and their gradients in the order of calculus.Enumerate in place of the listed
// one: each array has the diagrams of the listed array along its first axis.
func ordered(t *testing.T, c golden.Case, g calculus.Group, n, l, k int, diagrams, kind string, arrays ...string) {
	t.Helper()
	family, err := calculus.Enumerate(g, n, l, k)
	if err != nil {
		t.Fatal(err)
	}
	have := listed(t, c, diagrams, kind, l, k)
	if len(have) != len(family) {
		t.Fatalf("%s: %d diagrams in %s, the family has %d", c.Name, len(have), diagrams, len(family))
	}
	for _, name := range arrays {
		a := c.Arrays[name]
		row := 1
		for _, e := range a.Shape[1:] {
			row *= e
		}
		sorted := golden.Array{Shape: a.Shape}
		for _, d := range family {
			i := slices.IndexFunc(have, d.Equal)
			sorted.Float = append(sorted.Float, a.Float[i*row:(i+1)*row]...)
		}
		c.Arrays[name] = sorted
	}
}

// axes are 0 … n−1.
func axes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// whole is an input of the graph as the case has it.
func (s *sheet) whole(name string) *kernels.Node {
	return s.array(name, axes(len(s.c.Arrays[name].Shape))...)
}

// is compares a node with an array as the case has it.
func (s *sheet) is(name string, n *kernels.Node) {
	s.want(name, n, axes(len(s.c.Arrays[name].Shape))...)
}

// layerOf is a map with its constant, of the weights λ and μ with the given suffix.
func (s *sheet) layerOf(f diagram.Family, v *kernels.Node, suffix string, bias bool) (*kernels.Node, []*kernels.Node) {
	lambda := s.whole("lambda" + suffix)
	z := s.Apply(diagram.Map{Family: f}, v, lambda)
	weights := []*kernels.Node{lambda}
	if bias {
		mu := s.whole("mu" + suffix)
		weights = append(weights, mu)
		constant := diagram.Constant{Family: diagram.Family{Group: f.Group, N: f.N, L: f.L}}
		z = s.Apply(dense.Binary{Kind: dense.Add}, z, s.Apply(constant, mu))
	}
	return z, weights
}

// diagramTolerance is that of the cases' README.
func diagramTolerance() map[kernels.DType]float64 {
	return map[kernels.DType]float64{kernels.Float64: 1e-10, kernels.Float32: 1e-4}
}

// equivariantLayer compares a layer, its gradients, and what it makes of a transformed input.
func equivariantLayer(t *testing.T, c golden.Case) {
	g, n := groupOf(t, c)
	l, k := c.Option("l"), c.Option("k")
	ordered(t, c, g, n, l, k, "diagrams", "kind", "lambda", "dlambda")
	bias, _ := c.Meta["bias"].(bool)
	if bias {
		ordered(t, c, g, n, l, 0, "bias_diagrams", "bias_kind", "mu", "dmu")
	}
	f := diagram.Family{Group: g, N: n, L: l, K: k}
	graph(t, c, func(s *sheet) {
		s.tol = diagramTolerance()
		v := s.whole("v")
		z, weights := s.layerOf(f, v, "", bias)
		s.is("z", z)
		moved := s.Apply(diagram.Map{Family: f}, s.whole("gv"), weights[0])
		if bias {
			constant := diagram.Constant{Family: diagram.Family{Group: g, N: n, L: l}}
			moved = s.Apply(dense.Binary{Kind: dense.Add}, moved, s.Apply(constant, weights[1]))
		}
		s.is("z_of_gv", moved)
		loss := s.Apply(dense.Reduce{Kind: dense.Sum}, s.Apply(dense.Binary{Kind: dense.Mul}, s.whole("gz"), z))
		d := s.Grad(loss, append([]*kernels.Node{v}, weights...)...)
		s.is("dv", d[0])
		s.is("dlambda", d[1])
		if bias {
			s.is("dmu", d[2])
		}
	})
}

// equivariantNet compares a net of layers, its loss and all gradients.
func equivariantNet(t *testing.T, c golden.Case) {
	g, n := groupOf(t, c)
	var orders []int
	for _, o := range c.Meta["orders"].([]any) {
		orders = append(orders, int(o.(float64)))
	}
	for i := 1; i < len(orders); i++ {
		at := fmt.Sprint(i)
		ordered(t, c, g, n, orders[i], orders[i-1], "diagrams"+at, "kind"+at, "lambda"+at, "dlambda"+at)
		ordered(t, c, g, n, orders[i], 0, "bias_diagrams"+at, "bias_kind"+at, "mu"+at, "dmu"+at)
	}
	graph(t, c, func(s *sheet) {
		s.tol = diagramTolerance()
		mul := dense.Binary{Kind: dense.Mul}
		v := s.whole("v")
		x, all := v, []*kernels.Node{v}
		for i := 1; i < len(orders); i++ {
			f := diagram.Family{Group: g, N: n, L: orders[i], K: orders[i-1]}
			z, weights := s.layerOf(f, x, fmt.Sprint(i), true)
			x, all = z, append(all, weights...)
			switch {
			case i == len(orders)-1:
			case c.String("activation") == "relu":
				x = s.Apply(dense.Unary{F: act.ReLU}, x)
			default:
				x = s.Apply(mul, x, s.gate(x, orders[i]))
			}
		}
		s.is("y", x)
		diff := s.Apply(dense.Binary{Kind: dense.Sub}, x, s.whole("target"))
		loss := s.Apply(dense.Reduce{Kind: dense.Mean}, s.Apply(mul, diff, diff))
		s.is("loss", s.Apply(dense.Reshape{To: dense.ShapeOf(1)}, loss))
		for i, d := range s.Grad(loss, all...) {
			switch {
			case i == 0:
				s.is("dv", d)
			case i%2 == 1:
				s.is(fmt.Sprintf("dlambda%d", (i+1)/2), d)
			default:
				s.is(fmt.Sprintf("dmu%d", i/2), d)
			}
		}
	})
}

// gate is σ(Σ x²) for each sample and channel, over the axes of the tensor.
func (s *sheet) gate(x *kernels.Node, order int) *kernels.Node {
	square := s.Apply(dense.Binary{Kind: dense.Mul}, x, x)
	shape := []int{-1, kernels.SpecOf(x).Shape[1]}
	var over dense.Axes
	for a := range order {
		over |= dense.On(a + 2)
		shape = append(shape, 1)
	}
	sum := s.Apply(dense.Reduce{Kind: dense.Sum, Axes: over}, square)
	return s.Apply(dense.Reshape{To: dense.ShapeOf(shape...)}, s.Apply(dense.Unary{F: act.Sigmoid}, sum))
}

// one is weights of a family, [diagrams, 1, 1], that are value for the diagrams with the given labels and 0 for others.
func one(t *testing.T, c golden.Case, name string, f diagram.Family, value float64, labels ...[]int) {
	t.Helper()
	family, err := calculus.Enumerate(f.Group, f.N, f.L, f.K)
	if err != nil {
		t.Fatal(err)
	}
	w := golden.Array{Shape: []int{len(family), 1, 1}, Float: make([]float64, len(family))}
	if f.K == 0 {
		w.Shape = w.Shape[:2]
	}
	for _, l := range labels {
		d, err := calculus.New(calculus.E, f.L, f.K, l...)
		if err != nil {
			t.Fatal(err)
		}
		w.Float[slices.IndexFunc(family, d.Equal)] = value
	}
	c.Arrays[name] = w
}

// graphTargets computes properties of graphs by networks with weights that are known: triangles by one of order 3,
// those of degrees by row sums, cycles of length 4 as (tr A⁴ − 2Σd² + Σd)/8.
func graphTargets(t *testing.T, c golden.Case) {
	n := c.Arrays["A"].Shape[1]
	of := func(l, k int) diagram.Family { return diagram.Family{Group: calculus.S, N: n, L: l, K: k} }
	one(t, c, "lift", of(3, 2), 1, []int{0, 1, 2, 0, 1}, []int{0, 1, 2, 1, 2}, []int{0, 1, 2, 0, 2})
	one(t, c, "less", of(3, 0), -2, []int{0, 1, 2})
	one(t, c, "count", of(0, 3), 1./6, []int{0, 1, 2})
	one(t, c, "rows", of(1, 2), 1, []int{0, 0, 1})
	one(t, c, "trace", of(0, 1), 1, []int{0})
	graph(t, c, func(s *sheet) {
		s.tol = diagramTolerance()
		weights := map[string]*kernels.Node{}
		for _, name := range []string{"lift", "less", "count", "rows", "trace"} {
			weights[name] = s.whole(name)
		}
		to := func(l, k int, x *kernels.Node, name string) *kernels.Node {
			return s.Apply(diagram.Map{Family: of(l, k)}, x, weights[name])
		}
		apply := func(k dense.Kind) func(x, y *kernels.Node) *kernels.Node {
			return func(x, y *kernels.Node) *kernels.Node { return s.Apply(dense.Binary{Kind: k}, x, y) }
		}
		scale := func(by float64, x *kernels.Node) *kernels.Node { return s.Apply(dense.Scale{Alpha: by}, x) }
		flat := func(x *kernels.Node) *kernels.Node { return s.Apply(dense.Reshape{To: dense.ShapeOf(-1)}, x) }
		add, sub, mul := apply(dense.Add), apply(dense.Sub), apply(dense.Mul)

		a := s.whole("A")
		x := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, 1, n, n)}, a)
		lifted := add(to(3, 2, x, "lift"), s.Apply(diagram.Constant{Family: of(3, 0)}, weights["less"]))
		s.is("triangles", flat(to(0, 3, s.Apply(dense.Unary{F: act.ReLU}, lifted), "count")))

		d := to(1, 2, x, "rows")
		sum, squares := to(0, 1, d, "trace"), to(0, 1, mul(d, d), "trace")
		s.is("paths2", flat(scale(0.5, sub(squares, sum))))
		mean := scale(1/float64(n), sum)
		s.is("degree_variance", flat(sub(scale(1/float64(n), squares), mul(mean, mean))))
		transposed := s.Apply(dense.NewTranspose(0, 1, 3, 2), x)
		s.is("diag_A2", s.Apply(dense.Reshape{To: dense.ShapeOf(-1, n)}, to(1, 2, mul(x, transposed), "rows")))

		a2 := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, 1, n, n)}, s.Apply(dense.BatchedGEMM{}, a, a))
		walks := to(0, 1, to(1, 2, mul(a2, a2), "rows"), "trace")
		s.is("four_cycles", flat(scale(0.125, add(sub(walks, scale(2, squares)), sum))))
	})
}
