package conv

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

var signals = [][]int{{5, 3}, {1, 1}, {2, 3, 7}, {3, 1, 4, 5}, {2, 2, 3, 2, 3}, {4, 0, 3}, {70, 5}, {9, 3, 33, 31},
	{5000, 2}}

func TestMoments(t *testing.T) {
	var cases []optest.Case
	for _, s := range signals {
		cases = append(cases, optest.Case{Name: fmt.Sprint(s), Op: Moments{}, In: []optest.Arg{optest.Normal(s...)},
			NoGrad: volume(s) > 300})
	}
	// A mean far above the spread must not cost digits of the variance, only of x itself.
	cases = append(cases,
		optest.Case{Name: "far", Op: Moments{}, In: []optest.Arg{optest.Uniform(1000, 1001, 6, 2, 50)}, NoGrad: true},
		optest.Case{Name: "nothing", Op: Moments{}, In: []optest.Arg{optest.Normal(0, 3, 4)}},
		optest.Case{Name: "no positions", Op: Moments{}, In: []optest.Arg{optest.Normal(2, 3, 0)}})
	optest.Check(t, cases)
}

func TestMomentsFarFromZero(t *testing.T) {
	x := kernels.New(kernels.S(kernels.Float32, 64, 1, 100))
	for i := range x.F32 {
		x.F32[i] = 4096 + float32(i%2) // variance 1/4, exactly
	}
	got := onCPU(t, Moments{}, x)
	if got.F32[0] != 4096.5 || math.Abs(float64(got.F32[1])-0.25) > 1e-6 {
		t.Errorf("mean %v, variance %v; want 4096.5, 0.25", got.F32[0], got.F32[1])
	}
}

func TestChannelAffine(t *testing.T) {
	var cases []optest.Case
	for _, s := range append(signals, []int{0, 3, 2}) {
		name, x, c, big := fmt.Sprint(s), optest.Normal(s...), optest.Normal(s[1]), volume(s) > 300
		cases = append(cases,
			optest.Case{Name: name, Op: ChannelAffine{}, In: []optest.Arg{x, c, c, c}, NoGrad: big},
			optest.Case{Name: "sums/" + name, Op: ChannelSums{}, In: []optest.Arg{x, c, x}, NoGrad: big})
	}
	optest.Check(t, cases)
}

func TestChannelErrors(t *testing.T) {
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	optest.Errors(t, Moments{}, "2 dimensions at least", f(3))
	optest.Errors(t, Moments{}, "wants 1 inputs", f(3, 2), f(3, 2))
	optest.Errors(t, ChannelAffine{}, "input 2 must be of shape (3)", f(2, 3, 4), f(3), f(2), f(3))
	optest.Errors(t, ChannelSums{}, "differ in shape", f(2, 3, 4), f(3), f(2, 3))
	optest.Errors(t, ChannelSums{}, "must be float32", kernels.S(kernels.Int32, 2, 3), f(3), f(2, 3))
}

// Normalise against its formula.
func TestNormalise(t *testing.T) {
	const eps = 0.5
	g := gorgonia.NewGraph()
	in := []kernels.Tensor{
		kernels.FromSlice([]float64{1, 2, 3, 4, 5, 6, 7, 9}, 2, 2, 2),
		kernels.FromSlice([]float64{3, -1, 2, 0.25}, 2, 2),
		kernels.FromSlice([]float64{2, -3}, 2), kernels.FromSlice([]float64{0.5, 1}, 2),
	}
	given := map[*kernels.Node]kernels.Tensor{}
	var nodes []*kernels.Node
	for i, x := range in {
		n := gorgonia.NewTensor(g, gorgonia.Float64, x.Rank(), gorgonia.WithShape(x.Shape...),
			gorgonia.WithName(fmt.Sprint(i)))
		nodes, given[n] = append(nodes, n), x
	}
	var out *kernels.Node
	if err := kernels.Try(func(b kernels.Builder) {
		out = Normalise(b, nodes[0], nodes[1], nodes[2], nodes[3],
			eps)
	}); err != nil {
		t.Fatal(err)
	}
	got, err := kernels.Eval(given, out)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range in[0].F64 {
		c := i / 2 % 2
		want := (x-in[1].F64[c])/math.Sqrt(in[1].F64[2+c]+eps)*in[2].F64[c] + in[3].F64[c]
		if math.Abs(got[0].F64[i]-want) > 1e-14 {
			t.Errorf("element %d: %v, want %v", i, got[0].F64[i], want)
		}
	}
}

func BenchmarkChannel(b *testing.B) {
	x, c := optest.Normal(4, 64, 56, 56), optest.Normal(64)
	optest.Bench(b, []optest.Case{
		{Name: "moments", Op: Moments{}, In: []optest.Arg{x}},
		{Name: "affine", Op: ChannelAffine{}, In: []optest.Arg{x, c, c, c}},
		{Name: "sums", Op: ChannelSums{}, In: []optest.Arg{x, c, x}},
	})
}
