package conv

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// unfolds are the cases of Unfold and Fold, with the shape of the signal.
var unfolds = []struct {
	op Unfold
	x  []int
}{
	{Unfold{Dims: 1, Kernel: three{1}}, []int{1, 1, 1}},
	{Unfold{Dims: 1, Kernel: three{3}, Pad: three{1}}, []int{2, 3, 7}},
	{Unfold{Dims: 2, Kernel: three{2, 3}}, []int{2, 3, 5, 4}},
	{Unfold{Dims: 2, Kernel: three{3, 2}, Stride: three{2, 1}, Pad: three{2, 1}, Dilation: three{1, 2}}, []int{2, 2, 6,
		5}},
	{Unfold{Dims: 2, Kernel: three{2, 2}, Stride: three{3, 3}}, []int{1, 2, 7, 6}},
	{Unfold{Dims: 3, Kernel: three{2, 1, 2}, Pad: three{1, 0, 1}, Stride: three{2, 1, 1}}, []int{2, 2, 3, 2, 4}},
	{Unfold{Dims: 2, Kernel: three{2, 2}}, []int{0, 3, 4, 4}},
	{Unfold{Dims: 2, Kernel: three{2, 2}}, []int{2, 0, 4, 4}},
	{Unfold{Dims: 2, Kernel: three{5, 5}, Pad: three{2, 2}}, []int{9, 4, 17, 19}},
}

func TestUnfold(t *testing.T) {
	var cases []optest.Case
	for _, c := range unfolds {
		s, err := c.op.Infer([]kernels.Spec{kernels.S(kernels.Float64, c.x...)})
		if err != nil {
			t.Fatal(err)
		}
		name, big := fmt.Sprintf("%+v%v", c.op, c.x), volume(c.x) > 1000
		fixed := Fold{Of: c.op}
		for i, n := range c.x[2:] {
			fixed.Extents[i] = int32(n)
		}
		x, y := optest.Normal(c.x...), optest.Normal(s.Shape...)
		cases = append(cases,
			optest.Case{Name: name, Op: c.op, In: []optest.Arg{x}, NoGrad: big, Linear: true, Exact: true},
			optest.Case{Name: "fold/" + name, Op: Fold{Of: c.op}, In: []optest.Arg{y, x}, NoGrad: big, Linear: true})
		if s.Size() > 0 {
			cases = append(cases,
				optest.Case{Name: "extents/" + name, Op: fixed, In: []optest.Arg{y}, NoGrad: big, Linear: true})
		}
	}
	optest.Check(t, cases)
}

// A convolution is the product of Unfold's rows with the kernels.
func TestUnfoldIsConv(t *testing.T) {
	for _, c := range unfolds {
		w := c.op.kernel(c.x)
		w[0] = 3
		in := []kernels.Tensor{kernels.New(kernels.S(kernels.Float64, c.x...)),
			kernels.New(kernels.S(kernels.Float64, w[:c.op.Dims+2]...))}
		for k, t := range in {
			for i := range t.F64 {
				t.F64[i] = float64((i*(7+k))%11) - 5
			}
		}
		cols, err := kernels.RunRef(c.op, in[:1])
		if err != nil {
			t.Fatal(err)
		}
		want, err := kernels.RunRef(c.op.conv(), in)
		if err != nil {
			t.Fatal(err)
		}
		depth := cols.Shape[len(cols.Shape)-1]
		area := volume(want.Shape[2:])
		for i, v := range want.F64 {
			n, o, p := i/(3*area), i/area%3, i%area
			sum := 0.0
			for k := range depth {
				sum += cols.F64[(n*area+p)*depth+k] * in[1].F64[o*depth+k]
			}
			if sum != v {
				t.Fatalf("%+v%v: element %d is %v by Unfold, %v by Conv", c.op, c.x, i, sum, v)
			}
		}
	}
}

func TestUnfoldErrors(t *testing.T) {
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	two := Unfold{Dims: 2, Kernel: three{2, 2}}
	optest.Errors(t, two, "wants 1 inputs, has 2", f(1, 1, 4, 4), f(1))
	optest.Errors(t, Unfold{}, "Dims is 0", f(1, 1, 4, 4))
	optest.Errors(t, two, "Dims is 2", f(1, 4, 4))
	optest.Errors(t, two, "does not fit", f(1, 1, 1, 4))
	optest.Errors(t, Unfold{Dims: 1}, "a kernel of 0", f(1, 1, 4))
	optest.Errors(t, Fold{Of: two}, "wants 1 or 2 inputs", f(1), f(1), f(1))
	optest.Errors(t, Fold{Of: two}, "columns of Dims + 2 dimensions", f(1, 3, 3))
	optest.Errors(t, Fold{Of: two}, "columns of 5 elements for a kernel of 4", f(1, 3, 3, 5))
	optest.Errors(t, Fold{Of: two, Extents: three{-1, 4}}, "are negative", f(1, 3, 3, 4))
	optest.Errors(t, Fold{Of: two, Extents: three{5, 4}}, "Unfold makes", f(1, 3, 3, 4))
	optest.Errors(t, Fold{Of: two}, "Unfold makes", f(1, 3, 3, 4), f(1, 1, 5, 4))
}
