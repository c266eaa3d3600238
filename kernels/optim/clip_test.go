package optim

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestFinite(t *testing.T) {
	var cases []optest.Case
	scalar := optest.Values(kernels.FromSlice([]float64{2}))
	for _, n := range []int{0, 1, 17, finiteBlock + 5} {
		cases = append(cases, optest.Case{Name: fmt.Sprint("all/", n), Op: Finite{},
			In: []optest.Arg{optest.Normal(n), scalar}, Exact: true})
	}
	const n = 2*finiteBlock + 77
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, at := range []int{0, 5, finiteBlock - 1, finiteBlock, n - 2, n - 1} {
			x := kernels.New(kernels.S(kernels.Float64, n))
			x.F64[at] = bad
			cases = append(cases, optest.Case{Name: fmt.Sprintf("%v/%d", bad, at), Op: Finite{},
				In: []optest.Arg{optest.Values(x), scalar}, Exact: true})
		}
		loss := optest.Values(kernels.FromSlice([]float64{bad}))
		cases = append(cases, optest.Case{Name: fmt.Sprint("loss/", bad), Op: Finite{},
			In: []optest.Arg{optest.Normal(9), loss}, Exact: true})
	}
	huge := kernels.FromSlice([]float64{3e38, 3e38, -3e38, 1e-45}, 4)
	cases = append(cases, optest.Case{Name: "the sum overflows", Op: Finite{}, In: []optest.Arg{optest.Values(huge)},
		Exact: true})
	optest.Check(t, cases)
	optest.Errors(t, Finite{}, "wants one input")
	optest.Errors(t, Finite{}, "must be float32 or float64", kernels.S(kernels.Int32, 2))
}

// The flag itself, not just its agreement with the reference.
func TestFiniteValue(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want float64
	}{{nil, 1}, {[]float64{1, -1e308, 0}, 1}, {[]float64{1, math.NaN()}, 0}, {[]float64{math.Inf(-1)}, 0}} {
		out, err := kernels.RunRef(Finite{}, []kernels.Tensor{kernels.FromSlice(c.x, len(c.x))})
		if err != nil || out.F64[0] != c.want {
			t.Errorf("%v: flag %v, %v; want %v", c.x, out.F64, err, c.want)
		}
	}
}

func TestClip(t *testing.T) {
	var cases []optest.Case
	for _, op := range []kernels.Op{ClipNorm{Max: 1}, ClipNorm{Max: 1e6}, ClipValue{Max: 0.5}} {
		for _, shape := range [][]int{{0}, {1}, {17}, {3, 5}, {2*clipBlock + 3}} {
			cases = append(cases, optest.Case{Name: fmt.Sprint(kernels.Identity(op), shape), Op: op,
				In: []optest.Arg{optest.Normal(shape...)}})
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			x := optest.Values(kernels.FromSlice([]float64{1, bad, -3}, 3))
			cases = append(cases, optest.Case{Name: fmt.Sprint(kernels.Identity(op), bad), Op: op, In: []optest.Arg{x}})
		}
		large := optest.Values(kernels.FromSlice([]float64{3e30, -4e30}, 2)) // the squares overflow in float32
		cases = append(cases, optest.Case{Name: kernels.Identity(op) + "/large", Op: op, In: []optest.Arg{large}})
	}
	small := optest.Values(kernels.FromSlice([]float64{3e-30, -4e-30}, 2)) // the squares vanish in float32
	cases = append(cases, optest.Case{Name: "small", Op: ClipNorm{Max: 1e-30}, In: []optest.Arg{small}})
	optest.Check(t, cases)
	x := kernels.S(kernels.Float32, 3)
	optest.Errors(t, ClipNorm{}, "the limit 0 must be above 0", x)
	optest.Errors(t, ClipNorm{Max: math.NaN()}, "must be above 0", x)
	optest.Errors(t, ClipValue{Max: -1}, "must be above 0", x)
	optest.Errors(t, ClipValue{Max: 1}, "must be float32 or float64", kernels.S(kernels.Int32, 3))
}

func TestClipValues(t *testing.T) {
	for _, c := range []struct {
		op      kernels.Op
		x, want []float64
	}{
		{ClipNorm{Max: 1}, []float64{3, -4}, []float64{0.6, -0.8}},
		{ClipNorm{Max: 5}, []float64{3, -4}, []float64{3, -4}},
		{ClipNorm{Max: 1}, []float64{0, 0}, []float64{0, 0}},
		{ClipValue{Max: 2}, []float64{3, -4, 1}, []float64{2, -2, 1}},
	} {
		out, err := kernels.RunRef(c.op, []kernels.Tensor{kernels.FromSlice(c.x, len(c.x))})
		if err != nil {
			t.Fatal(err)
		}
		if msg := optest.Compare(out.F64, c.want, 1e-15); msg != "" {
			t.Errorf("%+v%v: %s", c.op, c.x, msg)
		}
	}
}

func BenchmarkClip(b *testing.B) {
	in := []optest.Arg{optest.Normal(535818)}
	optest.Bench(b, []optest.Case{
		{Name: "finite/n=535k", Op: Finite{}, In: in},
		{Name: "norm/n=535k", Op: ClipNorm{Max: 1}, In: in},
		{Name: "value/n=535k", Op: ClipValue{Max: 1}, In: in},
	})
}
