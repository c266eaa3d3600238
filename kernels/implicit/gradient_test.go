package implicit

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
)

// tape is a gorgonia graph with its values, for tests of gradients of gradients.
type tape struct {
	t     *testing.T
	graph *gorgonia.ExprGraph
	given map[*kernels.Node]kernels.Tensor
	order []*kernels.Node // applied nodes, inputs first
	names int
}

func newTape(t *testing.T) *tape {
	return &tape{t: t, graph: gorgonia.NewGraph(), given: map[*kernels.Node]kernels.Tensor{}}
}

func (a *tape) input(v kernels.Tensor) *kernels.Node {
	a.names++
	n := gorgonia.NewTensor(a.graph, v.DType.Tensor(), v.Rank(), gorgonia.WithShape(v.Shape...),
		gorgonia.WithName(fmt.Sprint("in", a.names)))
	a.given[n] = v
	return n
}

// Apply makes tape a kernels.Builder that remembers the order.
func (a *tape) Apply(op kernels.Op, in ...*kernels.Node) *kernels.Node {
	a.t.Helper()
	n, err := kernels.Apply(op, in...)
	if err != nil {
		a.t.Fatal(err)
	}
	a.order = append(a.order, n)
	return n
}

func (a *tape) Fail(err error) { a.t.Fatal(err) }

func (a *tape) value(n *kernels.Node) []float64 {
	a.t.Helper()
	v, err := kernels.Eval(a.given, n)
	if err != nil {
		a.t.Fatal(err)
	}
	return v[0].F64
}

// grad adds the gradient of Σ seed∘out to the graph by a plain reverse pass.
func (a *tape) grad(out, seed *kernels.Node, wrt ...*kernels.Node) []*kernels.Node {
	a.t.Helper()
	sums := map[*kernels.Node]*kernels.Node{out: seed}
	for i := len(a.order) - 1; i >= 0; i-- {
		n := a.order[i]
		d, ok := sums[n]
		if !ok || i > 0 && contains(a.order[:i], n) {
			continue
		}
		op, _ := kernels.KernelOf(n)
		in := kernels.Children(n)
		for k, g := range op.(kernels.Differentiable).Grad(a, in, n, d) {
			switch {
			case g == nil:
			case sums[in[k]] == nil:
				sums[in[k]] = g
			default:
				sums[in[k]] = a.Apply(dense.Binary{Kind: dense.Add}, sums[in[k]], g)
			}
		}
	}
	grads := make([]*kernels.Node, len(wrt))
	for i, n := range wrt {
		if grads[i] = sums[n]; grads[i] == nil {
			a.t.Fatalf("no gradient reaches %v", n)
		}
	}
	return grads
}

func contains(list []*kernels.Node, n *kernels.Node) bool {
	for _, m := range list {
		if m == n {
			return true
		}
	}
	return false
}

func normal(seed uint64, shape ...int) kernels.Tensor {
	v := kernels.New(kernels.S(kernels.Float64, shape...))
	noise(v.F64, seed)
	return v
}

// masked is W_m.
func masked(w, s kernels.Tensor) kernels.Tensor {
	return kernels.FromSlice(refMasked(w.F64, View(s.I32), w.Shape[0]), w.Shape...)
}

// full is the structure of p nodes in which all edges are kept.
func full(p int) kernels.Tensor {
	ones := kernels.New(kernels.S(kernels.Float64, p, p))
	for i := range ones.F64 {
		ones.F64[i] = 1
	}
	return structure(ones, -1)
}

// TestGradientOfPrunedEdges: the gradient with respect to W, taken at the pruned graph, is the derivative with respect
// to W_m for all off-diagonal entries, kept or not: it equals differences of the solve in which all edges are kept and
// the pruned weights are zero.
func TestGradientOfPrunedEdges(t *testing.T) {
	const p, batch, keep, h = 9, 3, 25, 1e-5
	w := weights(30, p, 1.2)
	s := structure(w, keep)
	c, dout := normal(31, batch, p), normal(32, batch, p)
	a := newTape(t)
	cn, wn, sn, dn := a.input(c), a.input(w), a.input(s), a.input(dout)
	x := a.Apply(Solve{Act: act.Tanh}, cn, wn, sn)
	grads := a.grad(x, dn, cn, wn)
	got := a.value(grads[1])
	free := masked(w, s)
	loss := func() float64 {
		x, err := kernels.RunRef(Solve{Act: act.Tanh}, []kernels.Tensor{c, free, full(p)})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, v := range x.F64 {
			sum += v * dout.F64[i]
		}
		return sum
	}
	pruned := 0
	for at, v := range free.F64 {
		want := 0.0
		if at/p != at%p {
			free.F64[at] = v + h
			up := loss()
			free.F64[at] = v - h
			want = (up - loss()) / (2 * h)
			free.F64[at] = v
			if v == 0 && math.Abs(want) > 1e-3 {
				pruned++
			}
		}
		if math.Abs(got[at]-want) > 1e-7*(1+math.Abs(want)) {
			t.Errorf("∂L/∂W[%d,%d] = %v, differences say %v", at/p, at%p, got[at], want)
		}
	}
	if pruned < 20 {
		t.Errorf("only %d pruned edges have a gradient to speak of", pruned)
	}
}

// TestSecondDerivatives compares the gradient of a scalar of first gradients, Σ R∘∂L/∂c + Σ Q∘∂L/∂W, with differences.
func TestSecondDerivatives(t *testing.T) {
	const p, batch, h = 6, 2, 1e-5
	for _, f := range []act.Func{act.Tanh, act.Sigmoid, act.Softplus} {
		w, c := weights(33, p, 0.9), normal(34, batch, p)
		in := []kernels.Tensor{c, w, full(p), normal(35, batch, p), normal(36, batch, p), normal(37, p, p)}
		build := func(a *tape) (scalar []*kernels.Node, wrt []*kernels.Node) {
			n := make([]*kernels.Node, len(in))
			for i, v := range in {
				n[i] = a.input(v)
			}
			x := a.Apply(Solve{Act: f}, n[0], n[1], n[2])
			d := a.grad(x, n[3], n[0], n[1])
			mul := dense.Binary{Kind: dense.Mul}
			scalar = []*kernels.Node{a.Apply(mul, d[0], n[4]), a.Apply(mul, d[1], n[5])}
			return scalar, []*kernels.Node{n[0], n[1], n[3]}
		}
		value := func() float64 {
			a := newTape(t)
			scalar, _ := build(a)
			sum := 0.0
			for _, n := range scalar {
				for _, v := range a.value(n) {
					sum += v
				}
			}
			return sum
		}
		a := newTape(t)
		scalar, wrt := build(a)
		first := a.grad(scalar[0], a.Apply(dense.FillLike{Value: 1}, scalar[0]), wrt...)
		second := a.grad(scalar[1], a.Apply(dense.FillLike{Value: 1}, scalar[1]), wrt...)
		for k, of := range []kernels.Tensor{c, w, in[3]} {
			g1, g2 := a.value(first[k]), a.value(second[k])
			for at, v := range of.F64 {
				if k == 1 && at/p == at%p {
					continue // the diagonal takes no part
				}
				of.F64[at] = v + h
				up := value()
				of.F64[at] = v - h
				want := (up - value()) / (2 * h)
				of.F64[at] = v
				if got := g1[at] + g2[at]; math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
					t.Errorf("%s: second derivative to input %d, element %d: %v, differences say %v",
						act.Name(f), k, at, got, want)
				}
			}
		}
	}
}

// TestGradientEveryMethod: value, adjoint and gradient of W by the CPU kernels of every method are those of the
// references, for a pruned cyclic graph, and for relu away from its kink.
func TestGradientEveryMethod(t *testing.T) {
	const p, batch = 20, 17
	for _, f := range []act.Func{act.Tanh, act.Sigmoid, act.ReLU} {
		w, c, dout := weights(40, p, 0.9), normal(41, batch, p), normal(42, batch, p)
		s := structure(w, 100)
		wantX, _ := kernels.RunRef(Solve{Act: f}, []kernels.Tensor{c, w, s})
		wantL, _ := kernels.RunRef(Linear{Act: f, Transposed: true}, []kernels.Tensor{wantX, w, s, dout})
		for m := range Method(len(methodNames)) {
			x, one := run(t, Solve{Act: f, Method: m}, 2, c, w, s)
			lambda, two := run(t, Linear{Act: f, Method: m, Transposed: true}, 2, x, w, s, dout)
			if one.Failed+two.Failed > 0 {
				t.Errorf("%s %s: %+v %+v", act.Name(f), methodNames[m], one, two)
			}
			for i := range x.F64 {
				if math.Abs(x.F64[i]-wantX.F64[i]) > 1e-10 || math.Abs(lambda.F64[i]-wantL.F64[i]) > 1e-9 {
					t.Fatalf("%s %s: element %d: %v and %v, want %v and %v", act.Name(f), methodNames[m], i,
						x.F64[i], lambda.F64[i], wantX.F64[i], wantL.F64[i])
				}
			}
		}
	}
}
