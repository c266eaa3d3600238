package spectral

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// sheet is a graph whose inputs have values.
type sheet struct {
	t     *testing.T
	g     *gorgonia.ExprGraph
	given map[*kernels.Node]kernels.Tensor
}

func newSheet(t *testing.T) *sheet {
	return &sheet{t: t, g: gorgonia.NewGraph(), given: map[*kernels.Node]kernels.Tensor{}}
}

// input is a node of a shape with values that depend on the number of inputs before it.
func (s *sheet) input(shape ...int) *kernels.Node {
	n := gorgonia.NewTensor(s.g, gorgonia.Float64, len(shape), gorgonia.WithShape(shape...),
		gorgonia.WithName(fmt.Sprintf("in%d", len(s.given))))
	x := kernels.New(kernels.S(kernels.Float64, shape...))
	for i := range x.F64 {
		x.F64[i] = math.Sin(float64(7*i+1) + 13*float64(len(s.given)))
	}
	s.given[n] = x
	return n
}

// value writes nodes and evaluates them.
func (s *sheet) value(write func(b kernels.Builder) *kernels.Node) []float64 {
	s.t.Helper()
	var n *kernels.Node
	if err := kernels.Try(func(b kernels.Builder) { n = write(b) }); err != nil {
		s.t.Fatal(err)
	}
	v, err := kernels.Eval(s.given, n)
	if err != nil {
		s.t.Fatal(err)
	}
	return v[0].F64
}

// same compares two expressions.
func (s *sheet) same(what string, tol float64, x, y func(b kernels.Builder) *kernels.Node) {
	s.t.Helper()
	if msg := optest.Compare(s.value(x), s.value(y), tol); msg != "" {
		s.t.Errorf("%s: %s", what, msg)
	}
}

// algebras are those of every fixed transform for tubes of length c, and one of a given matrix.
func algebras(s *sheet, c int) map[string]Algebra {
	m := s.input(c, c)
	for i := range c {
		s.given[m].F64[i*c+i] += 3
	}
	all := map[string]Algebra{"dft": {}, "gauss": {Gauss: true}, "dct": {Kind: DCT},
		"id": {Kind: None}, "given": {M: m}}
	if powerOfTwo(c) {
		all["haar"] = Algebra{Kind: Haar}
	}
	return all
}

// The identities of specification: associativity, distributivity, the transpose of a product, the identity.
func TestAlgebra(t *testing.T) {
	for _, c := range []int{1, 2, 3, 4, 5, 8, 9, 28} {
		s := newSheet(t)
		x, y, y2, z := s.input(c, 3, 4), s.input(c, 4, 2), s.input(c, 4, 2), s.input(c, 2, 5)
		for name, a := range algebras(s, c) {
			say := func(what string) string { return fmt.Sprintf("%s c=%d: %s", name, c, what) }
			type builder = kernels.Builder
			type node = *kernels.Node
			mul := func(b builder, x, y node) node { return a.Product(b, x, y, false, false) }
			add := func(b builder, x, y node) node { return b.Apply(dense.Binary{Kind: dense.Add}, x, y) }
			s.same(say("associativity"), 1e-10, func(b builder) node { return mul(b, mul(b, x, y), z) },
				func(b builder) node { return mul(b, x, mul(b, y, z)) })
			s.same(say("distributivity"), 1e-10, func(b builder) node { return mul(b, x, add(b, y, y2)) },
				func(b builder) node { return add(b, mul(b, x, y), mul(b, x, y2)) })
			s.same(say("transpose"), 1e-10, func(b builder) node { return a.Transpose(b, mul(b, x, y)) },
				func(b builder) node { return mul(b, a.Transpose(b, y), a.Transpose(b, x)) })
			s.same(say("transposed operands"), 1e-10, func(b builder) node { return a.Transpose(b, mul(b, x, y)) },
				func(b builder) node { return a.Product(b, y, x, true, true) })
			s.same(say("identity"), 1e-10, func(b builder) node {
				return mul(b, a.Identity(b, a.Product(b, x, x, false, true)), x)
			}, func(builder) node { return x })
		}
	}
}

// The product under the DFT is the circulant one: C_i = Σ_j A_{(i−j) mod c} B_j.
func TestCirculant(t *testing.T) {
	for _, c := range []int{1, 2, 3, 4, 5, 8, 9, 28, 67} {
		s := newSheet(t)
		x, y := s.input(c, 2, 3), s.input(c, 3, 2)
		want := make([]float64, c*4)
		for i := range c {
			for j := range c {
				a, b := plane(s.given[x].F64, (i-j+c)%c, 6), plane(s.given[y].F64, j, 6)
				for e := range 12 {
					row, p, col := e/6, e/2%3, e%2
					want[i*4+row*2+col] += a[row*3+p] * b[p*2+col]
				}
			}
		}
		for _, gauss := range []bool{false, true} {
			got := s.value(func(b kernels.Builder) *kernels.Node {
				return Algebra{Gauss: gauss}.Product(b, x, y, false, false)
			})
			if msg := optest.Compare(got, want, 1e-12); msg != "" {
				t.Errorf("c=%d, Gauss %v: %s", c, gauss, msg)
			}
		}
	}
}

// Tube and TubeGrad are the compositions that they name, and Layer is the same for long tubes and for given matrices.
func TestDecompose(t *testing.T) {
	for _, k := range []Kind{DFT, DCT, Haar} {
		for _, bias := range []bool{false, true} {
			s := newSheet(t)
			in := []*kernels.Node{s.input(8, 3, 5), s.input(8, 3, 5), s.input(8, 5)}
			o := Tube{Kind: k, F: act.Tanh, Bias: bias}
			one, two := in[:1:1], in[:2:2]
			if bias {
				one, two = append(one, in[2]), append(two, in[2])
			}
			s.same(fmt.Sprint(o), 1e-13, func(b kernels.Builder) *kernels.Node { return b.Apply(o, one...) },
				func(b kernels.Builder) *kernels.Node { return o.Decompose(b, one) })
			g := TubeGrad(o)
			s.same(fmt.Sprint(g), 1e-13, func(b kernels.Builder) *kernels.Node { return b.Apply(g, two...) },
				func(b kernels.Builder) *kernels.Node { return g.Decompose(b, two) })
		}
	}
	s := newSheet(t)
	x, bias, m := s.input(4, 3, 5), s.input(4, 5), s.input(4, 4)
	s.given[m] = kernels.FromSlice(matrix[float64](Transform{Kind: DCT}, 4), 4, 4)
	layer := func(a Algebra, f act.Func, x, bias *kernels.Node) func(b kernels.Builder) *kernels.Node {
		return func(b kernels.Builder) *kernels.Node { return a.Layer(b, f, x, bias) }
	}
	s.same("given matrix", 1e-12, layer(Algebra{M: m}, act.Tanh, x, bias), layer(Algebra{Kind: DCT}, act.Tanh, x, bias))
	long := s.input(66, 2, 1)
	s.same("long tubes", 1e-12, layer(Algebra{}, act.Identity, long, nil),
		func(kernels.Builder) *kernels.Node { return long })
}

// Wrong shapes abort with an error that says what is wrong.
func TestAlgebraErrors(t *testing.T) {
	s := newSheet(t)
	x, y, m := s.input(4, 2, 3), s.input(5, 3, 2), s.input(5, 5)
	for name, a := range map[string]Algebra{"dft": {}, "dct": {Kind: DCT}, "given": {M: m}} {
		err := kernels.Try(func(b kernels.Builder) { a.Product(b, x, y, false, false) })
		if err == nil {
			t.Errorf("%s: tubes of lengths 4 and 5 are multiplied", name)
		}
	}
}
