package recurrent

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// lengths are steps, batch and hidden units.
var lengths = [][3]int{{1, 1, 1}, {3, 2, 5}, {2, 1, 3}, {4, 9, 2}, {2, 0, 3}, {3, 37, 17}, {5, 130, 20}}

// layer makes the inputs of a layer, with weights that keep the units away from saturation.
func layer(s [3]int, gates, vectors int) []optest.Arg {
	in := []optest.Arg{optest.Normal(s[0], s[1], gates*s[2])}
	for range vectors {
		in = append(in, optest.Normal(s[1], s[2]))
	}
	return append(in, optest.Uniform(-0.5, 0.5, gates*s[2], s[2]), optest.Normal(4*s[2]))
}

// backward makes the inputs of a gradient: gates between 0 and 1, as the layer makes them. What comes in is that of h
// alone if alone is set.
func backward(s [3]int, gates, states int, alone bool) []optest.Arg {
	d := optest.Normal(states, s[0], s[1], s[2])
	if alone {
		d = optest.Normal(s[0], s[1], s[2])
	}
	return []optest.Arg{optest.Uniform(0.1, 0.9, states, s[0], s[1], s[2]), d, optest.Normal(s[1], s[2]),
		optest.Uniform(-0.5, 0.5, gates*s[2], s[2])}
}

// weights makes the inputs of Weights.
func weights(s [3]int, gates, states int) []optest.Arg {
	return []optest.Arg{optest.Normal(sequence{steps: s[0], batch: s[1], hidden: s[2], gates: gates}.gradient()),
		optest.Normal(states, s[0], s[1], s[2]), optest.Normal(s[1], s[2])}
}

// table is the cases of a layer. Gradients of large ones are those of the small ones.
func table(forward kernels.Op, grad func(alone bool) kernels.Op, gates, states int) []optest.Case {
	var cases []optest.Case
	for _, s := range lengths {
		name, big := fmt.Sprint(s), s[0]*s[1]*s[2] > 200
		cases = append(cases, optest.Case{Name: name, Op: forward, In: layer(s, gates, states-4), NoGrad: big})
		for _, alone := range []bool{false, true} {
			cases = append(cases, optest.Case{Name: fmt.Sprintf("grad/%s/alone=%v", name, alone), Op: grad(alone),
				In: backward(s, gates, states, alone)})
		}
	}
	for _, s := range append(lengths, [3]int{9, 130, 20}, [3]int{300, 7, 3}) {
		cases = append(cases, optest.Case{Name: "weights/" + fmt.Sprint(s), Op: Weights{gates},
			In: weights(s, gates, states)})
	}
	return cases
}

func TestGRU(t *testing.T) {
	optest.Check(t, table(GRU{}, func(alone bool) kernels.Op { return GRUGrad{alone} }, gruGates, gruStates))
}

func TestLSTM(t *testing.T) {
	optest.Check(t, table(LSTM{}, func(alone bool) kernels.Op { return LSTMGrad{alone} }, lstmGates, lstmStates))
}

func TestSection(t *testing.T) {
	x, first, second := optest.Normal(20), optest.Normal(3, 2), optest.Normal(2, 1, 5)
	optest.Check(t, []optest.Case{
		{Name: "front", Op: Section{}, In: []optest.Arg{x, first}, Exact: true},
		{Name: "middle", Op: Section{}, In: []optest.Arg{x, first, second}, Exact: true},
		{Name: "end", Op: Section{}, In: []optest.Arg{x, first, second, optest.Normal(4)}, Exact: true},
		{Name: "nothing", Op: Section{}, In: []optest.Arg{x, first, second, optest.Normal(0, 3)}, Exact: true},
		{Name: "empty", Op: Section{}, In: []optest.Arg{optest.Normal(0), optest.Normal(0)}, Exact: true},
	})
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	optest.Errors(t, Section{}, "ends at element 11 of 10", f(10), f(5), f(2, 3))
	optest.Errors(t, Section{}, "wants an input of one dimension", f(10))
	optest.Errors(t, Section{}, "wants an input of one dimension", f(5, 2), f(1))
}

func TestSteps(t *testing.T) {
	optest.Check(t, []optest.Case{
		{Op: Steps{}, In: []optest.Arg{optest.Normal(6, 5), optest.Normal(3, 2, 7)}, Exact: true, Linear: true},
		{Op: Steps{}, In: []optest.Arg{optest.Normal(6, 1), optest.Ints(0, 9, 2, 3)}, Exact: true, Linear: true},
		{Op: Steps{}, In: []optest.Arg{optest.Normal(0, 5), optest.Normal(3, 0, 7)}, Exact: true},
		{Op: Steps{}, In: []optest.Arg{optest.Ints(-9, 9, 4, 0), optest.Normal(2, 2)}, Exact: true},
	})
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	optest.Errors(t, Steps{}, "the rows of input 0 must be as many", f(6, 5), f(3, 3))
	optest.Errors(t, Steps{}, "the rows of input 0 must be as many", f(6, 5), f(6))
}

func TestPlace(t *testing.T) {
	optest.Check(t, []optest.Case{
		{Op: Place{1}, In: []optest.Arg{optest.Normal(2, 5), optest.Normal(3, 2, 5)}, Linear: true, Exact: true},
		{Op: Place{}, In: []optest.Arg{optest.Normal(70000), optest.Normal(2, 70000)}, NoGrad: true, Exact: true},
		{Op: Place{}, In: []optest.Arg{optest.Normal(), optest.Normal(1)}, Linear: true, Exact: true},
		{Op: Place{2}, In: []optest.Arg{optest.Normal(0), optest.Ints(0, 3, 3, 0)}, Exact: true},
	})
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	optest.Errors(t, Place{3}, "no entry 3", f(2), f(3, 2))
	optest.Errors(t, Place{-1}, "no entry -1", f(2), f(3, 2))
	optest.Errors(t, Place{}, "of the shape of input 0 behind another", f(2), f(2))
}

func TestPart(t *testing.T) {
	optest.Check(t, []optest.Case{
		{Op: Part{1}, In: []optest.Arg{optest.Normal(3, 2, 5)}, Linear: true, Exact: true},
		{Op: Part{}, In: []optest.Arg{optest.Normal(1)}, Linear: true, Exact: true},
		{Op: Part{2}, In: []optest.Arg{optest.Normal(3, 0)}, Exact: true},
		{Op: Part{2}, In: []optest.Arg{optest.Ints(-9, 9, 4, 3)}, Exact: true},
	})
	optest.Errors(t, Part{3}, "no entry 3", kernels.S(kernels.Float32, 3, 2))
	optest.Errors(t, Part{-1}, "no entry -1", kernels.S(kernels.Float32, 3, 2))
	optest.Errors(t, Part{}, "no entry 0", kernels.S(kernels.Float32))
}

// One unit with weights of one gate each, by hand.
func TestValues(t *testing.T) {
	one := func(v ...float64) kernels.Tensor { return kernels.FromSlice(v, len(v)) }
	shaped := func(t kernels.Tensor, shape ...int) kernels.Tensor { t.Shape = shape; return t }
	s := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	h0, c0 := 0.5, -0.25
	gru, err := kernels.RunRef(GRU{}, []kernels.Tensor{shaped(one(1, 2, 3), 1, 1, 3), shaped(one(h0), 1, 1),
		shaped(one(0.1, 0.2, 0.3), 3, 1), one(0.4, 0.5, 0.6, 0.7)})
	if err != nil {
		t.Fatal(err)
	}
	r, z, q := s(1.4+0.1*h0), s(2.5+0.2*h0), 0.7+0.3*h0
	n := math.Tanh(3.6 + r*q)
	if msg := optest.Compare(gru.F64, []float64{(1-z)*n + z*h0, r, z, n, q}, 1e-15); msg != "" {
		t.Error(msg)
	}
	lstm, err := kernels.RunRef(LSTM{}, []kernels.Tensor{shaped(one(1, 2, 3, 4), 1, 1, 4), shaped(one(h0), 1, 1),
		shaped(one(c0), 1, 1),
		shaped(one(0.1, 0.2, 0.3, 0.4), 4, 1), one(0.5, 0.6, 0.7, 0.8)})
	if err != nil {
		t.Fatal(err)
	}
	i, f, g, o := s(1.5+0.1*h0), s(2.6+0.2*h0), math.Tanh(3.7+0.3*h0), s(4.8+0.4*h0)
	c := f*c0 + i*g
	if msg := optest.Compare(lstm.F64, []float64{o * math.Tanh(c), c, i, f, g, o}, 1e-15); msg != "" {
		t.Error(msg)
	}
}

func TestErrors(t *testing.T) {
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	gx, h, w, b := f(4, 2, 9), f(2, 3), f(9, 3), f(12)
	optest.Errors(t, GRU{}, "wants 4 inputs, has 3", gx, h, w)
	optest.Errors(t, GRU{}, "the weights must be [3·hidden, hidden]", gx, h, f(8, 3), b)
	optest.Errors(t, GRU{}, "the bias must be of shape (12)", gx, h, w, f(9))
	optest.Errors(t, GRU{}, "input 0 must be [steps, batch, 9]", f(4, 2, 8), h, w, b)
	optest.Errors(t, GRU{}, "one step at least", f(0, 2, 9), h, w, b)
	optest.Errors(t, GRU{}, "input 1 must be of shape (2 3)", gx, f(3, 3), w, b)
	optest.Errors(t, GRU{}, "must be float32 or float64", kernels.S(kernels.Int32, 4, 2, 9), h, w, b)
	optest.Errors(t, LSTM{}, "wants 5 inputs, has 4", gx, h, w, b)
	p := f(5, 4, 2, 3)
	optest.Errors(t, GRUGrad{}, "wants 4 inputs", p, p, h)
	optest.Errors(t, GRUGrad{}, "input 0 must be [5, steps,", f(6, 4, 2, 3), p, h, w)
	optest.Errors(t, GRUGrad{}, "input 1 must be of shape [5 4 2 3]", p, f(4, 2, 3), h, w)
	optest.Errors(t, GRUGrad{Hidden: true}, "input 1 must be of shape [4 2 3]", p, p, h, w)
	optest.Errors(t, GRUGrad{}, "input 2 must be of shape (2 3)", p, p, f(2, 4), w)
	optest.Errors(t, LSTMGrad{}, "the weights must be of shape (12 3)", f(6, 4, 2, 3), f(6, 4, 2, 3), h, w)
	optest.Errors(t, Weights{2}, "has 2 gates", f(114), p, h)
	optest.Errors(t, Weights{3}, "input 0 must be of shape (114)", f(113), p, h)
	optest.Errors(t, Weights{4}, "input 1 must be [6,", f(114), p, h)
	optest.Errors(t, Weights{3}, "input 2 must be of shape (2 3)", f(114), p, f(3, 2))
}

// The product that is the whole layer's work, were the steps independent, is the measure.
func BenchmarkSequence(b *testing.B) {
	s := [3]int{64, 128, 256}
	for _, l := range []struct {
		name                   string
		forward, grad, weights kernels.Op
		gates, states          int
	}{
		{"gru", GRU{}, GRUGrad{true}, Weights{gruGates}, gruGates, gruStates},
		{"lstm", LSTM{}, LSTMGrad{true}, Weights{lstmGates}, lstmGates, lstmStates},
	} {
		name := l.name + "/steps=64,batch=128,hidden=256"
		optest.Bench(b, []optest.Case{
			{Name: name, Op: l.forward, In: layer(s, l.gates, l.states-4)},
			{Name: name + "/grad", Op: l.grad, In: backward(s, l.gates, l.states, true)},
			{Name: name + "/weights", Op: l.weights, In: weights(s, l.gates, l.states)},
			{Name: name + "/product", Op: dense.GEMM{TransB: true},
				In: []optest.Arg{optest.Normal(s[0]*s[1], s[2]), optest.Normal(l.gates*s[2], s[2])}},
		})
	}
}
