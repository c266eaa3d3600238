package random

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
)

var key = kernels.FromSlice([]int32{12345, -7, 3, 0}, 4)

// ops are the random ops with the gradient rules that can be checked by differences: Dropout's too, for its mask does
// not move.
var ops = []kernels.Op{
	Uniform{Lo: -1, Hi: 3, Stream: 1}, Uniform{}, Normal{Mean: 1, Std: 2, Stream: 2}, Normal{},
	Bernoulli{P: 0.3, Stream: 3},
	Dropout{Rate: 0.25, Stream: 4}, Dropout{},
}

func TestOps(t *testing.T) {
	var cases []optest.Case
	for _, op := range ops {
		_, linear := op.(Dropout)
		for _, shape := range [][]int{{}, {0}, {1}, {17}, {3, 5, 7}, {chunkSize}, {2*chunkSize + 3},
			{2*dropChunk + 5}} {
			cases = append(cases, optest.Case{Name: fmt.Sprint(kernels.Identity(op), shape), Op: op,
				In: []optest.Arg{optest.Normal(shape...), optest.Values(key)}, Linear: linear})
		}
	}
	optest.Check(t, cases)
}

func TestErrors(t *testing.T) {
	x, k := kernels.S(kernels.Float32, 3), key.Spec
	for _, op := range ops {
		optest.Errors(t, op, "the key wants 4 elements", x, kernels.S(kernels.Int32, 2))
		optest.Errors(t, op, "input 1 must be int32", x, kernels.S(kernels.Float32, 4))
		optest.Errors(t, op, "input 0 must be float32 or float64", k, k)
		optest.Errors(t, op, "wants 2 inputs", x)
	}
	optest.Errors(t, Uniform{Lo: 1}, "no range: 1 to 0", x, k)
	optest.Errors(t, Normal{Std: -1}, "std -1 not negative", x, k)
	optest.Errors(t, Bernoulli{P: 1.5}, "1.5 is not between 0 and 1", x, k)
	optest.Errors(t, Dropout{Rate: 1}, "the rate 1 is not in [0, 1)", x, k)
	optest.Errors(t, Dropout{Rate: math.NaN()}, "the rate NaN", x, k)
}

// draw runs an op on n ones.
func draw(t *testing.T, op kernels.Op, n int, key kernels.Tensor) []float64 {
	t.Helper()
	x := kernels.New(kernels.S(kernels.Float64, n))
	for i := range x.F64 {
		x.F64[i] = 1
	}
	out, err := kernels.RunRef(op, []kernels.Tensor{x, key})
	if err != nil {
		t.Fatal(err)
	}
	return out.F64
}

// The documented layout of key and counter, written out.
func TestLayout(t *testing.T) {
	k := kernels.FromSlice([]int32{11, 22, 33, 44}, 4)
	got := draw(t, Uniform{Hi: 1, Stream: 55}, 10, k)
	for i, v := range got {
		w := philox.Block([2]uint32{11, 22}, [4]uint32{uint32(i / 4), 55, 33, 44})[i%4]
		if want := float64(w/256) / 16777216; v != want {
			t.Errorf("element %d is %v, want %v", i, v, want)
		}
	}
	normal := draw(t, Normal{Std: 1, Stream: 55}, 10, k)
	for i, v := range normal {
		w := philox.Block([2]uint32{11, 22}, [4]uint32{uint32(i / 4), 55, 33, 44})
		r := math.Sqrt(-2 * math.Log((float64(w[i%4/2*2])+0.5)/4294967296))
		phi := 2 * math.Pi * float64(w[i%4/2*2+1]) / 4294967296
		want := r * math.Cos(phi)
		if i%2 == 1 {
			want = r * math.Sin(phi)
		}
		if math.Abs(v-want) > 1e-12 {
			t.Errorf("element %d is %v, want %v", i, v, want)
		}
	}
}

// Every part of the key and the stream makes other numbers.
func TestStreamsDiffer(t *testing.T) {
	base := draw(t, Uniform{Hi: 1}, 8, kernels.FromSlice([]int32{1, 2, 3, 4}, 4))
	for i := range 4 {
		k := []int32{1, 2, 3, 4}
		k[i]++
		if slices.Equal(base, draw(t, Uniform{Hi: 1}, 8, kernels.FromSlice(k, 4))) {
			t.Errorf("word %d of the key changes nothing", i)
		}
	}
	if slices.Equal(base, draw(t, Uniform{Hi: 1, Stream: 1}, 8, kernels.FromSlice([]int32{1, 2, 3, 4}, 4))) {
		t.Error("the stream changes nothing")
	}
}

// moments returns mean, variance and the fourth central moment.
func moments(x []float64) (mean, variance, fourth float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		d := v - mean
		variance += d * d / n
		fourth += d * d * d * d / n
	}
	return mean, variance, fourth
}

// Bounds are five standard errors at the number of draws.
func TestMoments(t *testing.T) {
	const n = 200000
	for _, c := range []struct {
		op                     kernels.Op
		mean, variance, fourth float64
	}{
		{Uniform{Lo: -1, Hi: 3}, 1, 16.0 / 12, 256.0 / 80},
		{Normal{Mean: 2, Std: 3}, 2, 9, 243},
		{Bernoulli{P: 0.3}, 0.3, 0.21, 0.3*math.Pow(0.7, 4) + 0.7*math.Pow(0.3, 4)},
		{Dropout{Rate: 0.25}, 1, 1.0 / 3, 0},
	} {
		mean, variance, fourth := moments(draw(t, c.op, n, key))
		if e := 5 * math.Sqrt(c.variance/n); math.Abs(mean-c.mean) > e {
			t.Errorf("%+v: mean %v, want %v ± %v", c.op, mean, c.mean, e)
		}
		if c.fourth == 0 {
			c.fourth = fourth
		}
		if e := 5 * math.Sqrt((c.fourth-c.variance*c.variance)/n); math.Abs(variance-c.variance) > e {
			t.Errorf("%+v: variance %v, want %v ± %v", c.op, variance, c.variance, e)
		}
		if math.Abs(fourth/c.fourth-1) > 0.05 {
			t.Errorf("%+v: fourth moment %v, want %v", c.op, fourth, c.fourth)
		}
	}
}

// Neighbours in a block, and elements a block apart, are uncorrelated.
func TestNormalIsUncorrelated(t *testing.T) {
	const n = 200000
	x := draw(t, Normal{Std: 1}, n, key)
	for _, lag := range []int{1, 2, 3, 4} {
		s := 0.0
		for i := lag; i < n; i++ {
			s += x[i] * x[i-lag]
		}
		if r := s / n; math.Abs(r) > 5/math.Sqrt(n) {
			t.Errorf("correlation at distance %d is %v", lag, r)
		}
	}
}

func TestUniformRange(t *testing.T) {
	for _, v := range draw(t, Uniform{Hi: 1}, 100000, key) {
		if v < 0 || v >= 1 || float64(float32(v)) != v {
			t.Fatalf("%v is not in [0, 1), or not a float32", v)
		}
	}
}

// What is dropped is 0 even where the input is not a number, and with rate 0 nothing is.
func TestDropoutValues(t *testing.T) {
	nan := kernels.FromSlice([]float64{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(),
		math.NaN(), math.NaN()}, 8)
	out, err := kernels.RunRef(Dropout{Rate: 0.5}, []kernels.Tensor{nan, key})
	if err != nil {
		t.Fatal(err)
	}
	zeros := 0
	for _, v := range out.F64 {
		if v == 0 {
			zeros++
		}
	}
	if zeros == 0 || zeros == 8 {
		t.Errorf("%d of 8 elements dropped", zeros)
	}
	for _, v := range draw(t, Dropout{}, 100, key) {
		if v != 1 {
			t.Fatalf("rate 0 changed 1 to %v", v)
		}
	}
	for _, v := range draw(t, Dropout{Rate: 0.75}, 100, key) {
		if v != 0 && v != 4 {
			t.Fatalf("rate 0.75 made %v of 1", v)
		}
	}
}

func BenchmarkOps(b *testing.B) {
	var cases []optest.Case
	for _, op := range ops {
		cases = append(cases, optest.Case{Name: kernels.Identity(op) + "/128x512", Op: op,
			In: []optest.Arg{optest.Normal(128, 512), optest.Values(key)}})
	}
	optest.Bench(b, cases)
}
