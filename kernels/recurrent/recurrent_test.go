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
	return append(in, optest.Uniform(-0.5, 0.5, gates*s[2], s[2]), optest.Normal(gates*s[2]))
}

// back makes the inputs of a gradient: gates between 0 and 1, as the layer makes them.
func back(s [3]int, gates, states int) []optest.Arg {
	return []optest.Arg{optest.Uniform(0.1, 0.9, states, s[0], s[1], s[2]), optest.Normal(states, s[0], s[1], s[2]),
		optest.Normal(s[1], s[2]), optest.Uniform(-0.5, 0.5, gates*s[2], s[2])}
}

func TestGRU(t *testing.T) {
	var cases []optest.Case
	for _, s := range lengths {
		big := s[0]*s[1]*s[2] > 200
		cases = append(cases, optest.Case{Name: fmt.Sprint(s), Op: GRU{}, In: layer(s, gruGates, 1), NoGrad: big},
			optest.Case{Name: "grad/" + fmt.Sprint(s), Op: GRUGrad{}, In: back(s, gruGates, gruStates)})
	}
	optest.Check(t, cases)
}

func TestLSTM(t *testing.T) {
	var cases []optest.Case
	for _, s := range lengths {
		big := s[0]*s[1]*s[2] > 200
		cases = append(cases, optest.Case{Name: fmt.Sprint(s), Op: LSTM{}, In: layer(s, lstmGates, 2), NoGrad: big},
			optest.Case{Name: "grad/" + fmt.Sprint(s), Op: LSTMGrad{}, In: back(s, lstmGates, lstmStates)})
	}
	optest.Check(t, cases)
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
		shaped(one(0.1, 0.2, 0.3), 3, 1), one(0.4, 0.5, 0.6)})
	if err != nil {
		t.Fatal(err)
	}
	r, z, q := s(1.4+0.1*h0), s(2.5+0.2*h0), 0.6+0.3*h0
	n := math.Tanh(3 + r*q)
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
	gx, h, w, b := f(4, 2, 9), f(2, 3), f(9, 3), f(9)
	optest.Errors(t, GRU{}, "wants 4 inputs, has 3", gx, h, w)
	optest.Errors(t, GRU{}, "the weights must be [3·hidden, hidden]", gx, h, f(8, 3), b)
	optest.Errors(t, GRU{}, "the bias must be of shape (9)", gx, h, w, f(3))
	optest.Errors(t, GRU{}, "input 0 must be [steps, batch, 9]", f(4, 2, 8), h, w, b)
	optest.Errors(t, GRU{}, "one step at least", f(0, 2, 9), h, w, b)
	optest.Errors(t, GRU{}, "input 1 must be of shape (2 3)", gx, f(3, 3), w, b)
	optest.Errors(t, GRU{}, "must be float32 or float64", kernels.S(kernels.Int32, 4, 2, 9), h, w, b)
	optest.Errors(t, LSTM{}, "wants 5 inputs, has 4", gx, h, w, b)
	p := f(5, 4, 2, 3)
	optest.Errors(t, GRUGrad{}, "wants 4 inputs", p, p, h)
	optest.Errors(t, GRUGrad{}, "must be alike, [5,", p, f(6, 4, 2, 3), h, w)
	optest.Errors(t, GRUGrad{}, "input 2 must be of shape (2 3)", p, p, f(2, 4), w)
	optest.Errors(t, LSTMGrad{}, "the weights must be of shape (12 3)", f(6, 4, 2, 3), f(6, 4, 2, 3), h, w)
}

// The product that is the whole layer's work, were the steps independent, is the measure.
func BenchmarkSequence(b *testing.B) {
	s := [3]int{64, 128, 256}
	for _, l := range []struct {
		name          string
		forward, grad kernels.Op
		gates, states int
	}{{"gru", GRU{}, GRUGrad{}, gruGates, gruStates}, {"lstm", LSTM{}, LSTMGrad{}, lstmGates, lstmStates}} {
		name := l.name + "/steps=64,batch=128,hidden=256"
		optest.Bench(b, []optest.Case{
			{Name: name, Op: l.forward, In: layer(s, l.gates, l.gates-2)},
			{Name: name + "/grad", Op: l.grad, In: back(s, l.gates, l.states)},
			{Name: name + "/product", Op: dense.GEMM{TransB: true},
				In: []optest.Arg{optest.Normal(s[0]*s[1], s[2]), optest.Normal(l.gates*s[2], s[2])}},
		})
	}
}
