package dense

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/kernels"
)

func nan() float64 { return math.NaN() }

// large tells inputs that are there to be cut into chunks. Gradient rules are checked on the others: a difference
// quotient runs the reference for each element.
func large(shape ...int) bool { return product(shape) > 500 }

// gradients evaluates an op's gradient rule for a weight dout that is the same for every element of the output.
func gradients(t *testing.T, op kernels.Op, dout float64, in ...kernels.Tensor) []kernels.Tensor {
	t.Helper()
	g := gorgonia.NewGraph()
	given := map[*kernels.Node]kernels.Tensor{}
	var nodes []*kernels.Node
	for i, x := range in {
		name := gorgonia.WithName(string(rune('a' + i)))
		n := gorgonia.NewScalar(g, x.DType.Tensor(), name)
		if x.Rank() > 0 {
			n = gorgonia.NewTensor(g, x.DType.Tensor(), x.Rank(), gorgonia.WithShape(x.Shape...), name)
		}
		nodes, given[n] = append(nodes, n), x
	}
	var grads []*kernels.Node
	err := kernels.Try(func(b kernels.Builder) {
		out := b.Apply(op, nodes...)
		weight := b.Apply(FillLike{Value: dout}, out)
		grads = op.(kernels.Differentiable).Grad(b, nodes, out, weight)
	})
	if err != nil {
		t.Fatal(err)
	}
	values := make([]kernels.Tensor, len(in))
	for i, n := range grads {
		if n == nil {
			continue
		}
		v, err := kernels.Eval(given, n)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = v[0]
	}
	return values
}
