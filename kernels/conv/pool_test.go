package conv

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// windows are the cases of pooling.
var windows = []struct {
	w Window
	x []int
}{
	{Window{Dims: 1, Kernel: three{2}}, []int{2, 3, 7}},
	{Window{Dims: 1, Kernel: three{1}}, []int{1, 1, 1}},
	{Window{Dims: 1, Kernel: three{3}, Stride: three{1}, Pad: three{1}}, []int{2, 3, 8}},
	{Window{Dims: 1, Kernel: three{2}, Stride: three{4}}, []int{3, 2, 13}},
	{Window{Dims: 2, Kernel: three{2, 2}}, []int{2, 3, 6, 8}},
	{Window{Dims: 2, Kernel: three{3, 2}, Stride: three{2, 1}, Pad: three{1, 1}}, []int{2, 3, 7, 5}},
	{Window{Dims: 2, Kernel: three{3, 3}, Stride: three{2, 2}, Pad: three{1, 0}, Extra: three{-1, 2}}, []int{2, 2, 6,
		7}},
	{Window{Dims: 2, Kernel: three{5, 5}, Stride: three{1, 1}, Pad: three{4, 4}}, []int{1, 2, 1, 2}},
	{Window{Dims: 3, Kernel: three{2, 1, 3}, Stride: three{1, 2, 2}, Pad: three{1, 0, 1}}, []int{2, 2, 3, 4, 5}},
	{Window{Dims: 2, Kernel: three{2, 2}}, []int{3, 2, 7, 6}},
	{Window{Dims: 2, Kernel: three{2, 2}}, []int{2, 3, 4, 37}},
	{Window{Dims: 2, Kernel: three{2, 2}}, []int{1, 2, 2, 3}},
	{Window{Dims: 2, Kernel: three{2, 2}, Stride: three{2, 1}}, []int{2, 2, 4, 5}},
	{Window{Dims: 2, Kernel: three{2, 2}, Extra: three{1, 1}}, []int{2, 2, 5, 7}},
	{Window{Dims: 2, Kernel: three{2, 2}}, []int{0, 3, 6, 8}},
	{Window{Dims: 2, Kernel: three{2, 2}}, []int{3, 0, 6, 8}},
	{Window{Dims: 2, Kernel: three{2, 2}}, []int{40, 6, 12, 12}},
}

// pooled is the shape of the output.
func pooled(t *testing.T, w Window, x []int) []int {
	t.Helper()
	s, err := MaxPool{w}.Infer([]kernels.Spec{kernels.S(kernels.Float64, x...)})
	if err != nil {
		t.Fatal(err)
	}
	return s.Shape
}

// distinct holds numbers that differ by 0.01 at least, in an order without a pattern: no difference quotient meets a
// kink.
func distinct(shape ...int) optest.Arg {
	return optest.Filled(kernels.Float64, func(x kernels.Tensor) {
		n := len(x.F64)
		for i := range x.F64 {
			x.F64[i] = float64(i*7919%max(n, 1))/100 + float64(i)*1e-9
		}
	}, shape...)
}

// centred is distinct around 0, so that some windows have nothing above it; nothing is closer to 0 than 0.004.
func centred(shape ...int) optest.Arg {
	return optest.Filled(kernels.Float64, func(x kernels.Tensor) {
		n := len(x.F64)
		for i := range x.F64 {
			x.F64[i] = float64(i*7919%max(n, 1)-3*n/4)/100 + 0.005 + float64(i)*1e-9
		}
	}, shape...)
}

func TestMaxPool(t *testing.T) {
	var cases []optest.Case
	for _, c := range windows {
		name, big := fmt.Sprintf("%+v%v", c.w, c.x), volume(c.x) > 1000
		x, y := distinct(c.x...), optest.Normal(pooled(t, c.w, c.x)...)
		cases = append(cases,
			optest.Case{Name: name, Op: MaxPool{c.w}, In: []optest.Arg{x}, NoGrad: big, Exact: true},
			optest.Case{Name: "grad/" + name, Op: MaxPoolGrad{c.w}, In: []optest.Arg{x, y}, NoGrad: big},
			optest.Case{Name: "relu/" + name, Op: ReLUPoolGrad{c.w}, In: []optest.Arg{centred(c.x...), y}, NoGrad: big},
			optest.Case{Name: "at/" + name, Op: MaxPoolAt{c.w}, In: []optest.Arg{x, optest.Normal(c.x...)}, NoGrad: big,
				Exact: true})
	}
	optest.Check(t, cases)
	decomposed(t, ReLUPoolGrad{Window{Dims: 2, Kernel: three{2, 2}}}, []int{2, 3, 8, 7}, []int{2, 3, 4, 3})
	y := kernels.S(kernels.Float32, 2, 3, 6)
	optest.Errors(t, ReLUPoolGrad{Window{Dims: 1, Kernel: three{2}}}, "the windows give float32(2 3 3)", y, y)
}

func TestAvgPool(t *testing.T) {
	var cases []optest.Case
	for _, c := range windows {
		for _, pad := range []bool{false, true} {
			name, big := fmt.Sprintf("%+v%v/%v", c.w, c.x, pad), volume(c.x) > 1000
			x, y := optest.Normal(c.x...), optest.Normal(pooled(t, c.w, c.x)...)
			cases = append(cases,
				optest.Case{Name: name, Op: AvgPool{c.w, pad}, In: []optest.Arg{x}, NoGrad: big, Linear: true},
				optest.Case{Name: "grad/" + name, Op: AvgPoolGrad{c.w, pad}, In: []optest.Arg{y, x}, NoGrad: big,
					Linear: true})
		}
	}
	optest.Check(t, cases)
}

// Values by hand: the first of equal maxima, NaN, and what padding counts for.
func TestPoolValues(t *testing.T) {
	nan := math.NaN()
	x := kernels.FromSlice([]float64{1, 3, 3, -5, nan, 2, 7}, 1, 1, 7)
	wide := Window{Dims: 1, Kernel: three{2}, Stride: three{2}, Pad: three{1}}
	ones := kernels.FromSlice([]float64{1, 1, 1, 1}, 1, 1, 4)
	for _, c := range []struct {
		op   kernels.Op
		in   []kernels.Tensor
		want []float64
	}{
		{MaxPool{wide}, []kernels.Tensor{x}, []float64{1, 3, nan, 7}},
		{MaxPoolGrad{wide}, []kernels.Tensor{x, ones}, []float64{1, 1, 0, 0, 1, 0, 1}},
		{AvgPool{wide, false}, []kernels.Tensor{x}, []float64{1, 3, nan, 4.5}},
		{AvgPool{wide, true}, []kernels.Tensor{x}, []float64{0.5, 3, nan, 4.5}},
		{AvgPoolGrad{wide, true}, []kernels.Tensor{ones, x}, []float64{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
	} {
		out, err := kernels.RunRef(c.op, c.in)
		if err != nil {
			t.Fatal(err)
		}
		if msg := optest.Compare(out.F64, c.want, 0); msg != "" {
			t.Errorf("%+v: %s", c.op, msg)
		}
	}
	square := Window{Dims: 2, Kernel: three{2, 2}}
	special := kernels.FromSlice([]float64{
		1, 1, nan, 3, -1, -2, 0, math.Copysign(0, -1), math.Inf(-1), math.Inf(-1), 5,
		1, 1, nan, 4, -3, nan, math.Copysign(0, -1), 0, math.Inf(-1), math.Inf(-1), 6,
	}, 1, 1, 2, 11)
	five := kernels.FromSlice([]float64{1, 2, 3, 4, 5}, 1, 1, 1, 5)
	optest.Check(t, []optest.Case{
		{Name: "2×2", Op: MaxPool{square}, In: []optest.Arg{optest.Values(special)}, NoGrad: true, Exact: true},
		{Name: "2×2 grad", Op: MaxPoolGrad{square}, In: []optest.Arg{optest.Values(special), optest.Values(five)},
			NoGrad: true, Exact: true},
		{Name: "2×2 relu", Op: ReLUPoolGrad{square}, In: []optest.Arg{optest.Values(special), optest.Values(five)},
			NoGrad: true, Exact: true},
		{Name: "relu", Op: ReLUPoolGrad{wide}, In: []optest.Arg{optest.Values(x), optest.Values(ones)}, NoGrad: true,
			Exact: true},
		{Name: "max", Op: MaxPool{wide}, In: []optest.Arg{optest.Values(x)}, NoGrad: true, Exact: true},
		{Name: "grad", Op: MaxPoolGrad{wide}, In: []optest.Arg{optest.Values(x), optest.Values(ones)}, NoGrad: true,
			Exact: true},
	})
}

func TestPoolErrors(t *testing.T) {
	x := kernels.S(kernels.Float32, 2, 3, 6)
	k := Window{Dims: 1, Kernel: three{2}}
	optest.Errors(t, MaxPool{}, "Dims is 0", x)
	optest.Errors(t, MaxPool{Window{Dims: 2, Kernel: three{2, 2}}}, "must have 4 dimensions, have 3", x)
	optest.Errors(t, MaxPool{Window{Dims: 1}}, "a kernel of 0", x)
	optest.Errors(t, MaxPool{Window{Dims: 1, Kernel: three{2}, Pad: three{2}}}, "lies in the padding", x)
	optest.Errors(t, AvgPool{Window: Window{Dims: 1, Kernel: three{2}, Extra: three{2}}}, "lies in the padding", x)
	optest.Errors(t, AvgPool{Window: Window{Dims: 1, Kernel: three{7}}}, "does not fit in 6", x)
	optest.Errors(t, MaxPool{k}, "has no positions", kernels.S(kernels.Float32, 2, 3, 0))
	optest.Errors(t, MaxPoolGrad{k}, "the windows give float32(2 3 3)", x, x)
	optest.Errors(t, MaxPoolAt{k}, "differ in shape", x, kernels.S(kernels.Float32, 2, 3, 3))
	optest.Errors(t, AvgPoolGrad{Window: k}, "the windows give float32(2 3 3)", x, x)
	optest.Errors(t, AvgPool{Window: k}, "wants 1 inputs", x, x)
}

func TestUpsample(t *testing.T) {
	var cases []optest.Case
	for _, c := range []struct {
		o           Upsample
		large, unit []int
	}{
		{Upsample{Dims: 1, Factor: three{3}}, []int{2, 3, 15}, []int{2, 3, 5}},
		{Upsample{Dims: 1}, []int{2, 1, 1}, []int{2, 1, 1}},
		{Upsample{Dims: 2, Factor: three{2, 3}}, []int{2, 3, 8, 15}, []int{2, 3, 4, 5}},
		{Upsample{Dims: 3, Factor: three{2, 1, 3}}, []int{2, 2, 6, 2, 6}, []int{2, 2, 3, 2, 2}},
		{Upsample{Dims: 2, Factor: three{2, 2}}, []int{0, 3, 8, 8}, []int{0, 3, 4, 4}},
		{Upsample{Dims: 2, Factor: three{2, 2}}, []int{2, 3, 0, 8}, []int{2, 3, 0, 4}},
		{Upsample{Dims: 2, Factor: three{2, 2}}, []int{7, 20, 16, 18}, []int{7, 20, 8, 9}},
	} {
		name, big := fmt.Sprintf("%+v%v", c.o, c.large), volume(c.large) > 1000
		cases = append(cases,
			optest.Case{Name: name, Op: c.o, In: []optest.Arg{optest.Normal(c.unit...)}, NoGrad: big, Linear: true,
				Exact: true},
			optest.Case{Name: "grad/" + name, Op: UpsampleGrad(c.o), In: []optest.Arg{optest.Normal(c.large...)},
				NoGrad: big, Linear: true})
	}
	optest.Check(t, cases)
	x := kernels.S(kernels.Float32, 2, 3, 7)
	optest.Errors(t, Upsample{}, "Dims is 0", x)
	optest.Errors(t, Upsample{Dims: 2}, "must have 4 dimensions", x)
	optest.Errors(t, Upsample{Dims: 1, Factor: three{-1}}, "negative", x)
	optest.Errors(t, UpsampleGrad{Dims: 1, Factor: three{2}}, "7 is no multiple of 2", x)
}

func BenchmarkPool(b *testing.B) {
	w := Window{Dims: 2, Kernel: three{2, 2}}
	wide := Window{Dims: 2, Kernel: three{3, 3}, Stride: three{2, 2}, Pad: three{1, 1}}
	lenet, resnet := optest.Normal(64, 6, 24, 24), optest.Normal(4, 64, 112, 112)
	optest.Bench(b, []optest.Case{
		{Name: "max/lenet", Op: MaxPool{w}, In: []optest.Arg{lenet}},
		{Name: "max grad/lenet", Op: MaxPoolGrad{w}, In: []optest.Arg{lenet, optest.Normal(64, 6, 12, 12)}},
		{Name: "max/resnet", Op: MaxPool{wide}, In: []optest.Arg{resnet}},
		{Name: "avg/resnet", Op: AvgPool{Window: wide}, In: []optest.Arg{resnet}},
		{Name: "upsample", Op: Upsample{Dims: 2, Factor: three{2, 2}}, In: []optest.Arg{optest.Normal(4, 64, 28, 28)}},
	})
}
