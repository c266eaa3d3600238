package engine_test

import (
	"io"
	"log"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ganglion/engine"
	"ganglion/kernels"
)

type node = *engine.Node

// builtins are functions of gorgonia over positive matrices a [3, 4] and b [3, 4], with how many of the lowered
// graph's steps may run through gorgonia's own Do.
var builtins = []struct {
	name      string
	fallbacks int
	f         func(a, b node) (node, error)
}{
	{"add", 0, func(a, b node) (node, error) { return gorgonia.Add(a, b) }},
	{"sub", 0, func(a, b node) (node, error) { return gorgonia.Sub(a, b) }},
	{"mul", 0, func(a, b node) (node, error) { return gorgonia.HadamardProd(a, b) }},
	{"div", 0, func(a, b node) (node, error) { return gorgonia.HadamardDiv(a, b) }},
	{"pow", 0, func(a, b node) (node, error) { return gorgonia.Pow(a, b) }},
	{"lt", 0, func(a, b node) (node, error) { return gorgonia.Lt(a, b, true) }},
	{"gte", 0, func(a, b node) (node, error) { return gorgonia.Gte(a, b, true) }},
	{"eq", 0, func(a, _ node) (node, error) { return gorgonia.Eq(a, a, true) }},
	{"scalar times matrix", 0, func(a, b node) (node, error) {
		s, err := gorgonia.Sum(b)
		if err != nil {
			return nil, err
		}
		return gorgonia.Mul(s, a)
	}},
	{"matrix minus constant", 0, func(a, _ node) (node, error) { return gorgonia.Sub(a, gorgonia.NewConstant(0.25)) }},
	{"matrix times one", 0, func(a, _ node) (node, error) { return gorgonia.Mul(a, gorgonia.NewConstant(1.0)) }},
	{"abs", 0, func(a, _ node) (node, error) { return gorgonia.Abs(a) }},
	{"sign", 0, func(a, _ node) (node, error) { return gorgonia.Sign(a) }},
	{"ceil", 0, func(a, _ node) (node, error) { return gorgonia.Ceil(a) }},
	{"floor", 0, func(a, _ node) (node, error) { return gorgonia.Floor(a) }},
	{"sin", 0, func(a, _ node) (node, error) { return gorgonia.Sin(a) }},
	{"cos", 0, func(a, _ node) (node, error) { return gorgonia.Cos(a) }},
	{"exp", 0, func(a, _ node) (node, error) { return gorgonia.Exp(a) }},
	{"log", 0, func(a, _ node) (node, error) { return gorgonia.Log(a) }},
	{"log2", 0, func(a, _ node) (node, error) { return gorgonia.Log2(a) }},
	{"neg", 0, func(a, _ node) (node, error) { return gorgonia.Neg(a) }},
	{"square", 0, func(a, _ node) (node, error) { return gorgonia.Square(a) }},
	{"sqrt", 0, func(a, _ node) (node, error) { return gorgonia.Sqrt(a) }},
	{"inverse", 0, func(a, _ node) (node, error) { return gorgonia.Inverse(a) }},
	{"inverse sqrt", 0, func(a, _ node) (node, error) { return gorgonia.InverseSqrt(a) }},
	{"cube", 0, func(a, _ node) (node, error) { return gorgonia.Cube(a) }},
	{"tanh", 0, func(a, _ node) (node, error) { return gorgonia.Tanh(a) }},
	{"sigmoid", 0, func(a, _ node) (node, error) { return gorgonia.Sigmoid(a) }},
	{"log1p", 0, func(a, _ node) (node, error) { return gorgonia.Log1p(a) }},
	{"expm1", 0, func(a, _ node) (node, error) { return gorgonia.Expm1(a) }},
	{"softplus", 0, func(a, _ node) (node, error) { return gorgonia.Softplus(a) }},
	{"rectify", 0, func(a, _ node) (node, error) { return gorgonia.Rectify(a) }},
	{"transpose and product", 0, func(a, b node) (node, error) {
		t, err := gorgonia.Transpose(b)
		if err != nil {
			return nil, err
		}
		return gorgonia.Mul(a, t)
	}},
	{"matrix times vector", 0, func(a, b node) (node, error) {
		v, err := gorgonia.Sum(b, 0)
		if err != nil {
			return nil, err
		}
		return gorgonia.Mul(a, v)
	}},
	{"vector times matrix", 0, func(a, b node) (node, error) {
		v, err := gorgonia.Sum(b, 1)
		if err != nil {
			return nil, err
		}
		return gorgonia.Mul(v, a)
	}},
	{"inner product", 0, func(a, b node) (node, error) {
		v, err := gorgonia.Sum(a, 0)
		if err != nil {
			return nil, err
		}
		w, err := gorgonia.Sum(b, 0)
		if err != nil {
			return nil, err
		}
		return gorgonia.Mul(v, w)
	}},
	{"outer product", 0, func(a, b node) (node, error) {
		v, err := gorgonia.Sum(a, 0)
		if err != nil {
			return nil, err
		}
		w, err := gorgonia.Sum(b, 1)
		if err != nil {
			return nil, err
		}
		return gorgonia.OuterProd(v, w)
	}},
	{"batched product", 0, func(a, b node) (node, error) {
		x, err := gorgonia.Reshape(a, tensor.Shape{2, 2, 3})
		if err != nil {
			return nil, err
		}
		y, err := gorgonia.Reshape(b, tensor.Shape{2, 3, 2})
		if err != nil {
			return nil, err
		}
		return gorgonia.BatchedMatMul(x, y)
	}},
	{"sum", 0, func(a, _ node) (node, error) { return gorgonia.Sum(a, 0) }},
	{"mean", 0, func(a, _ node) (node, error) { return gorgonia.Mean(a, 1) }},
	{"max", 0, func(a, _ node) (node, error) { return gorgonia.Max(a, 1) }},
	{"reshape", 0, func(a, _ node) (node, error) { return gorgonia.Reshape(a, tensor.Shape{6, 2}) }},
	{"softmax", 0, func(a, _ node) (node, error) { return gorgonia.SoftMax(a) }},
	{"logsoftmax", 0, func(a, _ node) (node, error) { return gorgonia.LogSoftMax(a) }},
	{"softmax of a vector", 0, func(a, _ node) (node, error) {
		v, err := gorgonia.Sum(a, 0)
		if err != nil {
			return nil, err
		}
		return gorgonia.SoftMax(v)
	}},
	{"broadcast rows", 0, func(a, b node) (node, error) {
		v, err := gorgonia.Sum(b, 1)
		if err != nil {
			return nil, err
		}
		return gorgonia.BroadcastHadamardProd(a, v, nil, []byte{1})
	}},
	{"broadcast columns", 0, func(a, b node) (node, error) {
		v, err := gorgonia.Sum(b, 0)
		if err != nil {
			return nil, err
		}
		return gorgonia.BroadcastSub(v, a, []byte{0}, nil)
	}},
	{"concat", 0, func(a, b node) (node, error) { return gorgonia.Concat(0, a, b) }},
	{"slice", 0, func(a, _ node) (node, error) { return gorgonia.Slice(a, gorgonia.S(1), gorgonia.S(0, 2)) }},
	{"leaky relu", 0, func(a, _ node) (node, error) { return gorgonia.LeakyRelu(a, 0.1) }},
	{"max pool", 0, func(a, _ node) (node, error) {
		x, err := gorgonia.Reshape(a, tensor.Shape{1, 1, 3, 4})
		if err != nil {
			return nil, err
		}
		return gorgonia.MaxPool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{1, 2})
	}},
	{"convolution", 0, func(a, b node) (node, error) {
		x, err := gorgonia.Reshape(a, tensor.Shape{1, 1, 3, 4})
		if err != nil {
			return nil, err
		}
		w, err := gorgonia.Reshape(b, tensor.Shape{3, 1, 2, 2})
		if err != nil {
			return nil, err
		}
		return gorgonia.Conv2d(x, w, tensor.Shape{2, 2}, []int{0, 0}, []int{1, 1}, []int{1, 1})
	}},
	{"convolution with strides", 0, func(a, b node) (node, error) {
		return convolve(a, b, tensor.Shape{1, 2, 2, 3}, tensor.Shape{3, 2, 2, 1}, []int{1, 0}, []int{1, 2}, []int{2, 1})
	}},
	{"columns", 0, func(a, _ node) (node, error) {
		x, err := gorgonia.Reshape(a, tensor.Shape{1, 2, 3, 2})
		if err != nil {
			return nil, err
		}
		return gorgonia.Im2Col(x, tensor.Shape{2, 2}, tensor.Shape{1, 0}, tensor.Shape{1, 1}, tensor.Shape{2, 1})
	}},
	{"max pool with padding", 0, func(a, _ node) (node, error) {
		x, err := gorgonia.Reshape(a, tensor.Shape{1, 2, 2, 3})
		if err != nil {
			return nil, err
		}
		return gorgonia.MaxPool2D(x, tensor.Shape{2, 2}, []int{0, 1, 1, 0}, []int{1, 2})
	}},
	{"upsample", 0, func(a, _ node) (node, error) {
		x, err := gorgonia.Reshape(a, tensor.Shape{1, 2, 2, 3})
		if err != nil {
			return nil, err
		}
		return gorgonia.Upsample2D(x, 3)
	}},
	{"group norm", 0, func(a, b node) (node, error) {
		x, err := gorgonia.Reshape(a, tensor.Shape{1, 6, 1, 2})
		if err != nil {
			return nil, err
		}
		y, err := gorgonia.Reshape(b, tensor.Shape{1, 6, 1, 2})
		if err != nil {
			return nil, err
		}
		return gorgonia.GroupNorm(x, y, y, 3, 6, 0.01)
	}},
}

// convolve is a convolution of a with kernels b, both of them in other shapes.
func convolve(a, b node, x, w tensor.Shape, pad, stride, dilation []int) (node, error) {
	a, err := gorgonia.Reshape(a, x)
	if err != nil {
		return nil, err
	}
	b, err = gorgonia.Reshape(b, w)
	if err != nil {
		return nil, err
	}
	return gorgonia.Conv2d(a, b, w[2:], pad, stride, dilation)
}

// positive fills with numbers between 0.5 and 1.5 or so, all different.
type positive struct{}

func (positive) Fill(t kernels.Tensor, seed uint64, stream uint32) error {
	fillNormal(t, seed, stream, 0.2)
	for i := range t.F64 {
		t.F64[i] = 1 + max(min(t.F64[i], 0.4), -0.4) + 0.01*float64(i)
	}
	for i := range t.F32 {
		t.F32[i] = 1 + max(min(t.F32[i], 0.4), -0.4) + 0.01*float32(i)
	}
	return nil
}

// Every function gives gorgonia's value, and gradients that agree with central differences.
func TestBuiltins(t *testing.T) {
	defer log.SetOutput(log.Writer())
	log.SetOutput(io.Discard) // gorgonia's group normalisation logs its gradients
	for _, c := range builtins {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			g, err := engine.Build("builtin", kernels.Float64, func(s *engine.Scope) {
				a, b := s.Param("a", positive{}, 3, 4), s.Param("b", positive{}, 3, 4)
				y := must(s)(c.f(a, b))
				s.Output("y", y)
				loss := must(s)(gorgonia.Sum(must(s)(gorgonia.Square(y))))
				if y.IsScalar() {
					loss = must(s)(gorgonia.Square(y))
				}
				s.Output("loss", loss)
				for i, d := range s.Grad(loss, a, b) {
					s.Output([]string{"grad0", "grad1"}[i], d)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			p := compileAndCompare(t, g)
			checkGradients(t, p, nil, "loss", "grad")
			if f := p.Explain().Fallbacks(); len(f) > c.fallbacks {
				t.Errorf("%d fallbacks, want %d at most: %q", len(f), c.fallbacks, f)
			}
		})
	}
}

func compileAndCompare(t *testing.T, g *engine.Graph) *engine.Program {
	t.Helper()
	return compareTape(t, g, nil, 1e-10)
}
