package golden_test

import (
	"context"
	"errors"
	"testing"

	"ganglion/engine"
	"ganglion/internal/golden"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/spectral"
)

// TestTensorAlgebra runs the shipped cases of the tensor algebra.
func TestTensorAlgebra(t *testing.T) {
	cases, err := golden.Read("testdata/tproduct")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { runners[c.String("op")](t, c) })
	}
}

// move permutes the axes of an array: axis i of the result is axis perm[i].
func move(a golden.Array, perm ...int) golden.Array {
	out := golden.Array{Shape: make([]int, len(perm)), Float: make([]float64, len(a.Float))}
	stride := make([]int, len(perm))
	size := 1
	for i := len(perm) - 1; i >= 0; i-- {
		stride[i], size = size, size*a.Shape[i]
	}
	for i, p := range perm {
		out.Shape[i] = a.Shape[p]
	}
	for i := range out.Float {
		from, rest := 0, i
		for k := len(perm) - 1; k >= 0; k-- {
			from += rest % out.Shape[k] * stride[perm[k]]
			rest /= out.Shape[k]
		}
		out.Float[i] = a.Float[from]
	}
	return out
}

// sheet is a graph of a case: its inputs are arrays of the case with the tube first, its results are compared with
// arrays that are laid out in the same way.
type sheet struct {
	*engine.Scope
	c      golden.Case
	feeds  map[string]kernels.Tensor
	names  []string
	wanted []string
	perm   map[string][]int
	tol    map[kernels.DType]float64 // of the case's family; nil: those of tensor algebra
}

// array is an input of the graph: an array of the case, permuted.
func (s *sheet) array(name string, perm ...int) *kernels.Node {
	x := tensorOf(move(s.c.Arrays[name], perm...), s.DType())
	s.names, s.feeds[name] = append(s.names, name), x
	return s.Input(name, x.Spec)
}

// want compares a node with an array of the case, permuted.
func (s *sheet) want(name string, n *kernels.Node, perm ...int) {
	s.Output(name, s.Apply(dense.Scale{Alpha: 1}, n)) // a node may be wanted under two names
	s.wanted, s.perm[name] = append(s.wanted, name), perm
}

// gradients compares the gradients of Σ G∘y by the inputs with the arrays dX.
func (s *sheet) gradients(y *kernels.Node, wrt map[string]*kernels.Node, perm map[string][]int) {
	first := []int{2, 0, 1}
	if p, ok := perm["G"]; ok {
		first = p
	}
	g := s.array("G", first...)
	loss := s.Apply(dense.Reduce{Kind: dense.Sum}, s.Apply(dense.Binary{Kind: dense.Mul}, g, y))
	for _, name := range s.names {
		n, ok := wrt[name]
		if !ok {
			continue
		}
		p := perm[name]
		if p == nil {
			p = []int{2, 0, 1}
		}
		s.want("d"+name, s.Grad(loss, n)[0], p...)
	}
}

// graph writes, runs and compares a graph in both types.
func graph(t *testing.T, c golden.Case, write func(s *sheet)) {
	t.Helper()
	for _, d := range []kernels.DType{kernels.Float64, kernels.Float32} {
		s := &sheet{c: c, feeds: map[string]kernels.Tensor{}, perm: map[string][]int{}}
		g, err := engine.Build(c.Name, d, func(scope *engine.Scope) {
			s.Scope = scope
			write(s)
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := engine.Compile(g, engine.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		var feeds engine.Feeds
		for _, name := range s.names {
			switch slot, err := p.Slot(name); {
			case err == nil:
				feeds = append(feeds, engine.Feed{Slot: slot, Tensor: s.feeds[name]})
			case !errors.Is(err, engine.ErrUnused):
				t.Fatal(err)
			}
		}
		if err := p.Run(context.Background(), feeds); err != nil {
			t.Fatal(err)
		}
		s.compare(t, p, d)
	}
}

// compare compares the results of a run.
func (s *sheet) compare(t *testing.T, p *engine.Program, d kernels.DType) {
	t.Helper()
	tol := tol64
	if d == kernels.Float32 {
		tol = tol32
	}
	if own, ok := s.tol[d]; ok {
		tol = own
	}
	for _, name := range s.wanted {
		v, err := p.Value(name)
		if err != nil {
			t.Fatal(err)
		}
		array, ok := s.c.Arrays[name]
		if !ok {
			t.Errorf("%s: no array %q", s.c.Name, name)
			continue
		}
		moved := s.c
		moved.Arrays = map[string]golden.Array{name: move(array, s.perm[name]...)}
		expect(t, moved, d.String(), name, kernels.Convert(v, kernels.Float64).F64, tol)
	}
}

// algebra is that of the case; given says that its matrix is to be an input.
func algebra(t *testing.T, s *sheet, given bool) spectral.Algebra {
	if given {
		return spectral.Algebra{M: s.array("M", 0, 1)}
	}
	k, err := spectral.ParseKind(s.c.String("transform"))
	if err != nil {
		t.Fatal(err)
	}
	return spectral.Algebra{Kind: k}
}

// forms says in which forms a case is run: by the fixed transform, if it is one, and by its matrix, if there is one.
func forms(c golden.Case) (given []bool) {
	if _, err := spectral.ParseKind(c.String("transform")); err == nil {
		given = append(given, false)
	}
	if _, ok := c.Arrays["M"]; ok {
		given = append(given, true)
	}
	return given
}

// tubeFirst is the order of axes in which a t-matrix is slice-major.
var tubeFirst = []int{2, 0, 1}

func tensorProduct(t *testing.T, c golden.Case) {
	for _, given := range forms(c) {
		graph(t, c, func(s *sheet) {
			g := algebra(t, s, given)
			a, b := s.array("A", tubeFirst...), s.array("B", tubeFirst...)
			y := g.Product(s, a, b, false, false)
			s.want("C", y, tubeFirst...)
			s.want("At", g.Transpose(s, a), tubeFirst...)
			s.want("I", g.Identity(s, s.Apply(dense.FillLike{}, g.Product(s, b, b, false, true))), tubeFirst...)
			wrt, perm := map[string]*kernels.Node{"A": a, "B": b}, map[string][]int{}
			if given {
				wrt["M"], perm["M"] = g.M, []int{0, 1}
			}
			s.gradients(y, wrt, perm)
		})
	}
}

// tensorLinear runs a layer with samples as rows: the slices of W are transposed.
func tensorLinear(t *testing.T, c golden.Case) {
	f := activation(t, c)
	for _, given := range forms(c) {
		graph(t, c, func(s *sheet) {
			g := algebra(t, s, given)
			rows := []int{2, 1, 0}
			x, w := s.array("X", rows...), s.array("W", rows...)
			b := s.array("b", rows...)
			bias := s.Apply(dense.Reshape{To: dense.ShapeOf(b.Shape()[0], b.Shape()[2])}, b)
			y := g.From(s, g.Layer(s, f, g.Faces(s, g.To(s, x), g.To(s, w), false, false), bias))
			s.want("Y", y, rows...)
			s.gradients(y, map[string]*kernels.Node{"X": x, "W": w, "b": b},
				map[string][]int{"X": rows, "W": rows, "b": rows, "G": rows})
		})
	}
}

func tensorLowRank(t *testing.T, c golden.Case) {
	for _, given := range forms(c) {
		graph(t, c, func(s *sheet) {
			g := algebra(t, s, given)
			p, q, x := s.array("P", tubeFirst...), s.array("Q", tubeFirst...), s.array("X", tubeFirst...)
			y := g.Product(s, p, g.Product(s, q, x, true, false), false, false)
			s.want("W", g.Product(s, p, q, false, true), tubeFirst...)
			s.want("Y", y, tubeFirst...)
			s.gradients(y, map[string]*kernels.Node{"P": p, "Q": q, "X": x}, nil)
		})
	}
}

// tensorLeapfrog is Z −= h·f(W_jᵀ*Y + b_j); Y += h·f(W_j*Z + b_j), with Z = 0 before.
func tensorLeapfrog(t *testing.T, c golden.Case) {
	f := activation(t, c)
	for _, given := range forms(c) {
		graph(t, c, func(s *sheet) {
			g := algebra(t, s, given)
			y := s.array("Y0", tubeFirst...)
			z := s.Apply(dense.FillLike{}, y)
			wrt := map[string]*kernels.Node{"Y0": y}
			half := func(w, b, x *kernels.Node, trans bool, step float64) *kernels.Node {
				sum := s.Apply(dense.Binary{Kind: dense.Add}, g.Product(s, w, x, trans, false), b)
				return s.Apply(dense.Scale{Alpha: step}, s.Apply(dense.Unary{F: f}, sum))
			}
			h := c.Number("h")
			for j := 1; ; j++ {
				name := string(rune('0' + j))
				if _, ok := c.Arrays["W"+name]; !ok {
					break
				}
				w, b := s.array("W"+name, tubeFirst...), s.array("b"+name, tubeFirst...)
				wrt["W"+name], wrt["b"+name] = w, b
				z = s.Apply(dense.Binary{Kind: dense.Add}, z, half(w, b, y, true, -h))
				y = s.Apply(dense.Binary{Kind: dense.Add}, y, half(w, b, z, false, h))
			}
			s.want("Y", y, tubeFirst...)
			s.want("Z", z, tubeFirst...)
			s.gradients(y, wrt, nil)
		})
	}
}
