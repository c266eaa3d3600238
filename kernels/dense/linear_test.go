package dense

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// linearIn makes the inputs of a product with what comes behind it.
func linearIn(o Linear, m, n, k int) []optest.Arg {
	in := product2(o.product(), m, n, k)
	if o.Bias {
		in = append(in, optest.Normal(n))
	}
	if o.Residual {
		in = append(in, optest.Normal(m, n))
	}
	return in
}

// linears are all combinations of terms and transposes, each with another function.
func linears() []Linear {
	var out []Linear
	for i := range 16 {
		o := Linear{TransA: i&1 > 0, TransB: i&2 > 0, Bias: i&4 > 0, Residual: i&8 > 0}
		out = append(out, o)
		o.F = []act.Func{act.Tanh, act.Sigmoid, act.GELU, act.SiLU, act.Softplus, act.Square}[i%6]
		out = append(out, o)
	}
	return append(out, Linear{Bias: true, F: act.ReLU})
}

func TestLinear(t *testing.T) {
	var cases []optest.Case
	for _, o := range linears() {
		for _, s := range [][3]int{{0, 3, 2}, {3, 0, 2}, {2, 3, 0}, {1, 1, 1}, {1, 17, 5}, {5, 1, 9}, {7, 11, 13}} {
			name := fmt.Sprintf("%+v/%v", o, s)
			cases = append(cases, optest.Case{Name: name, Op: o, In: linearIn(o, s[0], s[1], s[2]),
				Linear: !o.Bias && !o.Residual && o.F == act.Identity})
		}
	}
	// Longer than a vector; cut into blocks: wide, tall, both. Gradients are those of the cases above. Where tanh
	// brings sums of up to 60 down to 1, their rounding is 1.5e-5 of that.
	for _, o := range []Linear{{Residual: true}, {Bias: true, F: act.ReLU}, {TransA: true, Residual: true, F: act.Mish},
		{TransB: true, Bias: true, Residual: true, F: act.Tanh}} {
		for _, s := range [][3]int{{33, 34, 35}, {20, 400, 300}, {400, 20, 300}, {200, 210, 120}} {
			name := fmt.Sprintf("%+v/%v", o, s)
			c := optest.Case{Name: name, Op: o, In: linearIn(o, s[0], s[1], s[2]), NoGrad: true}
			if o.F == act.Tanh {
				c.Tol32 = 3e-5
			}
			cases = append(cases, c)
		}
	}
	optest.Check(t, cases)
}

// TestLinearDecompose compares the op with its parts, by the references.
func TestLinearDecompose(t *testing.T) {
	for _, o := range linears() {
		in := []kernels.Tensor{kernels.FromSlice([]float64{1, -2, 3, 0.5}, 2, 2),
			kernels.FromSlice([]float64{0.3, 1, -1, 2}, 2, 2)}
		if o.Bias {
			in = append(in, kernels.FromSlice([]float64{0.1, -0.7}, 2))
		}
		if o.Residual {
			in = append(in, kernels.FromSlice([]float64{4, 3, -2, 1}, 2, 2))
		}
		want, err := kernels.RunRef(o, in)
		if err != nil {
			t.Fatal(err)
		}
		got := decomposed(t, o, in)
		if msg := optest.Compare(got.F64, want.F64, 1e-15); msg != "" {
			t.Errorf("%+v: %s", o, msg)
		}
	}
}

// decomposed evaluates the ops that a fused op names.
func decomposed(t *testing.T, op kernels.Fused, in []kernels.Tensor) kernels.Tensor {
	t.Helper()
	g := gorgonia.NewGraph()
	given := map[*kernels.Node]kernels.Tensor{}
	var nodes []*kernels.Node
	for i, x := range in {
		n := gorgonia.NewTensor(g, gorgonia.Float64, x.Rank(), gorgonia.WithShape(x.Shape...),
			gorgonia.WithName(fmt.Sprint(i)))
		nodes, given[n] = append(nodes, n), x
	}
	var out *kernels.Node
	if err := kernels.Try(func(b kernels.Builder) { out = op.Decompose(b, nodes) }); err != nil {
		t.Fatal(err)
	}
	got, err := kernels.Eval(given, out)
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func TestLinearErrors(t *testing.T) {
	f := kernels.Float32
	a, b := kernels.S(f, 2, 3), kernels.S(f, 3, 4)
	optest.Errors(t, Linear{}, "wants 2 inputs", a)
	optest.Errors(t, Linear{Bias: true, Residual: true}, "wants 4 inputs", a, b)
	optest.Errors(t, Linear{}, "inner dimensions differ: 3 and 2", a, a)
	optest.Errors(t, Linear{}, "must have 2 dimensions, has 1", a, kernels.S(f, 3))
	optest.Errors(t, Linear{}, "must be float32 or float64", kernels.S(kernels.Int32, 2, 3), b)
	optest.Errors(t, Linear{Bias: true}, "the bias must be float32(4), is float32(3)", a, b, kernels.S(f, 3))
	optest.Errors(t, Linear{Residual: true}, "the residual must be float32(2 4), is float32(4)", a, b, kernels.S(f, 4))
	optest.Errors(t, Linear{F: 200}, "there is no function", a, b)
}

func BenchmarkLinear(b *testing.B) {
	var cases []optest.Case
	for _, o := range []Linear{{}, {Bias: true, F: act.ReLU}, {Residual: true}} {
		for _, s := range [][3]int{{32, 512, 784}, {128, 512, 784}, {1024, 512, 784}} {
			name := fmt.Sprintf("m=%d,n=%d,k=%d/%+v", s[0], s[1], s[2], o)
			cases = append(cases, optest.Case{Name: name, Op: o, In: linearIn(o, s[0], s[1], s[2])})
		}
	}
	optest.Bench(b, cases)
}
