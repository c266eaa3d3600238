package conv

import (
	"fmt"
	"strings"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// shape is a convolution with the shapes of its signal and kernels.
type shape struct {
	name string
	op   Conv
	x, w []int
	big  bool // too large for difference quotients
}

type three = [maxDims]int32

// shapes are the cases of all three ops.
var shapes = []shape{
	{"1d", Conv{Dims: 1}, []int{2, 3, 17}, []int{5, 3, 4}, false},
	{"1d one of all", Conv{Dims: 1}, []int{1, 1, 1}, []int{1, 1, 1}, false},
	{"1d padding, stride", Conv{Dims: 1, Stride: three{3}, Pad: three{2}}, []int{3, 2, 11}, []int{7, 2, 5}, false},
	{"1d end padded", Conv{Dims: 1, Pad: three{1}, Extra: three{2}}, []int{2, 2, 7}, []int{6, 2, 4}, false},
	{"1d start padded", Conv{Dims: 1, Pad: three{2}, Extra: three{-2}}, []int{2, 2, 7}, []int{6, 2, 3}, false},
	{"2d", Conv{Dims: 2}, []int{2, 3, 8, 9}, []int{6, 3, 3, 2}, false},
	{"2d padding", Conv{Dims: 2, Pad: three{1, 2}}, []int{2, 2, 5, 7}, []int{5, 2, 3, 5}, false},
	{"2d asymmetric", Conv{Dims: 2, Pad: three{0, 1}, Extra: three{1, -1}, Stride: three{2, 1}}, []int{2, 2, 6, 5},
		[]int{5, 2, 3, 2}, false},
	{"2d stride above kernel", Conv{Dims: 2, Stride: three{3, 4}}, []int{2, 2, 10, 11}, []int{5, 2, 2, 2}, false},
	{"2d dilation", Conv{Dims: 2, Dilation: three{2, 3}, Pad: three{2, 3}}, []int{2, 2, 7, 9}, []int{5, 2, 3, 3},
		false},
	{"2d all at once", Conv{Dims: 2, Stride: three{2, 3}, Pad: three{3, 1}, Dilation: three{3, 2}, Groups: 2},
		[]int{2, 4, 9, 11}, []int{10, 2, 3, 3}, false},
	{"2d groups", Conv{Dims: 2, Groups: 3, Pad: three{1, 1}}, []int{2, 6, 5, 4}, []int{9, 2, 3, 3}, false},
	{"2d depthwise", Conv{Dims: 2, Groups: 5, Pad: three{1, 1}}, []int{2, 5, 6, 7}, []int{5, 1, 3, 3}, false},
	{"2d depthwise, strided", Conv{Dims: 2, Groups: 3, Stride: three{2, 2}, Pad: three{2, 2}, Dilation: three{1, 2}},
		[]int{2, 3, 9, 8}, []int{6, 1, 5, 3}, false},
	{"2d padding alone", Conv{Dims: 2, Pad: three{4, 4}}, []int{1, 2, 1, 1}, []int{5, 2, 3, 3}, false},
	{"2d pointwise", Conv{Dims: 2}, []int{3, 4, 3, 5}, []int{6, 4, 1, 1}, false},
	{"2d pointwise, groups", Conv{Dims: 2, Groups: 2}, []int{2, 6, 7, 9}, []int{10, 3, 1, 1}, false},
	{"2d pointwise, strided", Conv{Dims: 2, Stride: three{2, 2}}, []int{2, 3, 5, 6}, []int{5, 3, 1, 1}, false},
	{"3d", Conv{Dims: 3, Pad: three{1, 0, 1}, Stride: three{1, 2, 1}}, []int{2, 2, 3, 4, 5}, []int{5, 2, 2, 3, 3},
		false},
	{"3d dilation, groups", Conv{Dims: 3, Dilation: three{2, 1, 2}, Groups: 2}, []int{1, 4, 5, 3, 6}, []int{10, 2, 2, 2,
		3}, false},
	{"no images", Conv{Dims: 2}, []int{0, 2, 5, 5}, []int{6, 2, 3, 3}, false},
	{"no channels", Conv{Dims: 2}, []int{2, 0, 5, 5}, []int{6, 0, 3, 3}, false},
	{"no kernels", Conv{Dims: 2}, []int{2, 2, 5, 5}, []int{0, 2, 3, 3}, false},
	{"no positions", Conv{Dims: 1, Pad: three{2}}, []int{2, 2, 0}, []int{6, 2, 3}, false},
	// Cut into tiles: positions, depth, images, channels, parts.
	{"tiles of positions", Conv{Dims: 2, Pad: three{1, 1}}, []int{2, 16, 21, 19}, []int{10, 16, 3, 3}, true},
	{"tiles of depth", Conv{Dims: 2}, []int{3, 150, 6, 5}, []int{9, 150, 3, 3}, true},
	{"tiles of channels", Conv{Dims: 2, Pad: three{1, 1}}, []int{1, 20, 5, 7}, []int{140, 20, 3, 3}, true},
	{"parts", Conv{Dims: 2, Groups: 1}, []int{5, 4, 34, 27}, []int{5, 4, 5, 5}, true},
	// Frames: strips of lines and of columns, several images, slices, blocks of channels, parts.
	{"frame, lines", Conv{Dims: 2, Pad: three{1, 2}}, []int{2, 3, 45, 41}, []int{7, 3, 3, 3}, true},
	{"frame, columns", Conv{Dims: 1, Pad: three{3}, Dilation: three{2}}, []int{2, 3, 2500}, []int{9, 3, 4}, true},
	{"frame, images", Conv{Dims: 2, Groups: 2}, []int{37, 8, 9, 8}, []int{22, 4, 4, 5}, true},
	{"frame, slices", Conv{Dims: 3, Pad: three{1, 0, 1}, Dilation: three{1, 2, 1}, Groups: 2}, []int{3, 6, 5, 9, 7},
		[]int{10, 3, 3, 2, 3}, true},
	{"frame, blocks", Conv{Dims: 2, Pad: three{1, 1}, Extra: three{-1, 1}}, []int{1, 7, 13, 11}, []int{83, 7, 2, 3},
		true},
	{"frame, deep", Conv{Dims: 2, Pad: three{1, 1}}, []int{2, 300, 9, 13}, []int{17, 300, 3, 3}, true},
	{"frame, parts", Conv{Dims: 2}, []int{21, 5, 19, 17}, []int{31, 5, 5, 5}, true},
	{"frame, parts of strips", Conv{Dims: 2, Pad: three{2, 2}}, []int{2, 12, 57, 50}, []int{11, 12, 5, 5}, true},
	{"pointwise, large", Conv{Dims: 2}, []int{3, 40, 23, 23}, []int{50, 40, 1, 1}, true},
}

// output is the shape of y.
func (s shape) output() []int {
	f := kernels.Float64
	return s.op.output(kernels.S(f, s.x...), kernels.S(f, s.w...)).Shape
}

// testCase is a case of one of the three ops; all are linear in their first input.
func (s shape) testCase(op kernels.Op, in ...[]int) optest.Case {
	c := optest.Case{Name: s.name, Op: op, NoGrad: s.big, Linear: true}
	for _, d := range in {
		c.In = append(c.In, optest.Normal(d...))
	}
	return c
}

func TestConv(t *testing.T) {
	var cases []optest.Case
	for _, s := range shapes {
		cases = append(cases, s.testCase(s.op, s.x, s.w))
	}
	optest.Check(t, cases)
}

func TestBiased(t *testing.T) {
	var cases []optest.Case
	for i, s := range shapes {
		for _, relu := range []bool{false, true} {
			if s.big && (relu == (i%2 == 0) || !strings.HasPrefix(s.name, "frame, ")) {
				continue
			}
			c := s.testCase(Biased{s.op, relu}, s.x, s.w, s.w[:1])
			c.Linear, c.NoGrad = false, c.NoGrad || relu // at kinks
			c.Name = fmt.Sprintf("%s/%v", s.name, relu)
			cases = append(cases, c)
		}
	}
	optest.Check(t, cases)
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	x, w, b := f(2, 4, 5, 5), f(6, 4, 3, 3), f(4)
	for _, relu := range []bool{false, true} {
		decomposed(t, Biased{Conv{Dims: 2, Pad: three{1, 1}, Groups: 2}, relu}, []int{2, 4, 5, 6}, []int{6, 2, 3, 3},
			[]int{6})
	}
	optest.Errors(t, Biased{Of: Conv{Dims: 2}}, "the bias must be float32(6)", x, w, b)
	optest.Errors(t, Biased{Of: Conv{Dims: 2}}, "wants 3 inputs", x, w)
	optest.Errors(t, Biased{Of: Conv{Dims: 1}}, "must have 3 dimensions", x, w, b)
}

func TestConvGradX(t *testing.T) {
	cases := []optest.Case{
		{Name: "transposed", Op: ConvGradX{Of: Conv{Dims: 2}}, In: []optest.Arg{optest.Normal(2, 5, 3, 4),
			optest.Normal(5, 2, 3, 2)}},
		{Name: "transposed, output padding", Op: ConvGradX{
			Of:     Conv{Dims: 2, Stride: three{2, 3}, Pad: three{1, 1}, Dilation: three{2, 1}, Groups: 2},
			OutPad: three{1, 2}}, In: []optest.Arg{optest.Normal(2, 10, 3, 4), optest.Normal(10, 2, 3, 3)}},
	}
	for _, s := range shapes {
		cases = append(cases, s.testCase(ConvGradX{Of: s.op}, s.output(), s.w, s.x))
	}
	optest.Check(t, cases)
}

func TestConvGradW(t *testing.T) {
	var cases []optest.Case
	for _, s := range shapes {
		cases = append(cases, s.testCase(ConvGradW{Of: s.op}, s.x, s.output(), s.w))
	}
	optest.Check(t, cases)
}

// The frame cases must be computed in frames, and cut as their names say.
func TestFrames(t *testing.T) {
	for _, s := range shapes {
		if !strings.HasPrefix(s.name, "frame") {
			continue
		}
		g := s.op.geometry(s.x, s.w)
		if f := g.flipped(); !g.direct() || !f.direct() {
			t.Errorf("%s: not direct: %v, gradient %v", s.name, g.direct(), f.direct())
		}
		c, w := g.cut(), g.shares()
		ok := map[string]bool{
			"frame, lines": c.down > 1 && w.down > 1, "frame, columns": c.across > 1, "frame, slices": c.slices > 1,
			"frame, images": c.images > 1 && w.images > 1 && g.batch%c.images > 0, "frame, blocks": c.blocks > 1,
			"frame, parts": w.parts > 1, "frame, parts of strips": w.parts > 1 && w.down > 1, "frame, deep": true,
		}
		if !ok[s.name] {
			t.Errorf("%s: cut %+v, shares %+v", s.name, c, w)
		}
	}
}

// Values by hand: the kernel is not flipped, padding counts from both ends.
func TestConvValues(t *testing.T) {
	x := kernels.FromSlice([]float64{1, 2, 3, 4}, 1, 1, 4)
	w := kernels.FromSlice([]float64{1, 10}, 1, 1, 2)
	for _, c := range []struct {
		op   kernels.Op
		want []float64
	}{
		{Conv{Dims: 1}, []float64{21, 32, 43}},
		{Conv{Dims: 1, Pad: three{1}}, []float64{10, 21, 32, 43, 4}},
		{Conv{Dims: 1, Extra: three{1}}, []float64{21, 32, 43, 4}},
		{Conv{Dims: 1, Stride: three{2}}, []float64{21, 43}},
		{Conv{Dims: 1, Dilation: three{2}}, []float64{31, 42}},
		{ConvGradX{Of: Conv{Dims: 1}}, []float64{1, 12, 23, 34, 40}},
		{ConvGradX{Of: Conv{Dims: 1, Stride: three{2}}, OutPad: three{1}}, []float64{1, 10, 2, 20, 3, 30, 4, 40, 0}},
	} {
		out, err := kernels.RunRef(c.op, []kernels.Tensor{x, w})
		if err != nil {
			t.Fatal(err)
		}
		if msg := optest.Compare(out.F64, c.want, 0); msg != "" {
			t.Errorf("%+v: %s", c.op, msg)
		}
	}
}

func TestConvErrors(t *testing.T) {
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	x, w := f(2, 4, 5, 5), f(6, 4, 3, 3)
	optest.Errors(t, Conv{Dims: 2}, "wants 2 inputs, has 1", x)
	optest.Errors(t, Conv{Dims: 2}, "must be float32 or float64", kernels.S(kernels.Int32, 2, 4, 5, 5), w)
	optest.Errors(t, Conv{}, "Dims is 0", x, w)
	optest.Errors(t, Conv{Dims: 4}, "Dims is 4", x, w)
	optest.Errors(t, Conv{Dims: 1}, "must have 3 dimensions, have 4 and 4", x, w)
	optest.Errors(t, Conv{Dims: 2, Groups: -1}, "Groups is -1", x, w)
	optest.Errors(t, Conv{Dims: 2, Groups: 4}, "6 channels of the output are not divided by 4 groups", x, w)
	optest.Errors(t, Conv{Dims: 2, Groups: 2}, "for 8 channels, the signal has 4", x, w)
	optest.Errors(t, Conv{Dims: 2, Stride: three{0, -1}}, "axis 1: stride -1", x, w)
	optest.Errors(t, Conv{Dims: 2, Extra: three{-1}}, "-1 behind", x, w)
	optest.Errors(t, Conv{Dims: 2, Dilation: three{1, 3}}, "axis 1: a kernel of 3, spread over 7, does not fit in 5", x,
		w)
	optest.Errors(t, Conv{Dims: 2}, "axis 0: a kernel of 0", x, f(6, 4, 0, 3))
	optest.Errors(t, ConvGradX{Of: Conv{Dims: 2}}, "wants 2 or 3 inputs, has 1", x)
	optest.Errors(t, ConvGradX{Of: Conv{Dims: 2}, OutPad: three{1}}, "has both", f(2, 6, 3, 3), w, x)
	optest.Errors(t, ConvGradX{Of: Conv{Dims: 2}, OutPad: three{1}}, "OutPad 1 is not from 0 to 0", f(2, 6, 3, 3), w)
	optest.Errors(t, ConvGradX{Of: Conv{Dims: 2}}, "the convolution of float32(2 4 5 5) is float32(2 6 3 3)", f(2, 6, 4,
		3), w, x)
	optest.Errors(t, ConvGradX{Of: Conv{Dims: 1, Pad: three{3}}}, "nothing is left", f(2, 6, 1), f(6, 4, 2))
	optest.Errors(t, ConvGradX{}, "wants Dims from 1 to 3", f(2, 6, 1), f(6, 4, 2))
	optest.Errors(t, ConvGradW{Of: Conv{Dims: 2}}, "the convolution is float32(2 6 3 3)", x, f(2, 6, 4, 3), w)
	optest.Errors(t, ConvGradW{Of: Conv{Dims: 2}}, "wants 3 inputs", x, w)
}

// layers are convolutions of known networks.
var layers = []shape{
	{"resnet/64x56x56/n=4", Conv{Dims: 2, Pad: three{1, 1}}, []int{4, 64, 56, 56}, []int{64, 64, 3, 3}, true},
	{"resnet/512x7x7/n=8", Conv{Dims: 2, Pad: three{1, 1}}, []int{8, 512, 7, 7}, []int{512, 512, 3, 3}, true},
	{"resnet/pointwise/n=4", Conv{Dims: 2}, []int{4, 256, 28, 28}, []int{64, 256, 1, 1}, true},
	{"lenet/1/n=64", Conv{Dims: 2}, []int{64, 1, 28, 28}, []int{6, 1, 5, 5}, true},
	{"lenet/2/n=64", Conv{Dims: 2}, []int{64, 6, 12, 12}, []int{16, 6, 5, 5}, true},
	{"depthwise/n=4", Conv{Dims: 2, Pad: three{1, 1}, Groups: 64}, []int{4, 64, 56, 56}, []int{64, 1, 3, 3}, true},
}

func BenchmarkConv(b *testing.B) {
	for _, s := range layers {
		optest.Bench(b, []optest.Case{s.testCase(s.op, s.x, s.w)})
		optest.Bench(b, []optest.Case{{Name: s.name + "/product", Op: dense.GEMM{}, In: s.product()}})
	}
}

// product has the sizes of the matrix product that is the whole convolution.
func (s shape) product() []optest.Arg {
	g := s.op.geometry(s.x, s.w)
	return []optest.Arg{optest.Normal(g.out, g.depth()), optest.Normal(g.depth(), g.batch*g.groups*g.area())}
}

func BenchmarkConvGradX(b *testing.B) {
	for _, s := range layers {
		optest.Bench(b, []optest.Case{s.testCase(ConvGradX{Of: s.op}, s.output(), s.w, s.x)})
	}
}

func BenchmarkConvGradW(b *testing.B) {
	for _, s := range layers {
		optest.Bench(b, []optest.Case{s.testCase(ConvGradW{Of: s.op}, s.x, s.output(), s.w)})
	}
}

// The workspace must not exceed what the tiles are meant to keep in the cache, however large the layer is.
func TestWorkspace(t *testing.T) {
	f := kernels.Float32
	for _, s := range layers {
		x, w, y := kernels.S(f, s.x...), kernels.S(f, s.w...), kernels.S(f, s.output()...)
		const worker = 2 << 20
		if n := s.op.Workspace([]kernels.Spec{x, w}, y, 1); n > worker+w.Bytes() { // the kernels are packed
			t.Errorf("%s: Conv wants %d bytes", s.name, n)
		}
		if n := (ConvGradX{Of: s.op}).Workspace([]kernels.Spec{y, w, x}, x, 1); n > worker+w.Bytes() {
			t.Errorf("%s: ConvGradX wants %d bytes", s.name, n)
		}
		if n := (ConvGradW{Of: s.op}).Workspace([]kernels.Spec{x, y, w}, w, 1); n > worker+16<<20 {
			t.Errorf("%s: ConvGradW wants %d bytes", s.name, n)
		}
	}
}

// randomShape draws a convolution with its shapes: any dimensions, groups, strides, padding and dilation.
func randomShape(s *philox.Stream, i int) shape {
	below := func(n int) int { return int(s.Below(uint32(n))) }
	out := shape{name: fmt.Sprintf("random %d", i), big: true}
	out.op.Dims = 1 + below(3)
	groups, room := 1+below(3)/2, []int{70, 14, 7}[out.op.Dims-1]
	out.op.Groups = int32(groups)
	in, channels := 1+below(5), groups*(1+below(12))
	out.x, out.w = []int{1 + below(4), groups * in}, []int{channels, in}
	for a := range out.op.Dims {
		k := 1 + below(5)
		out.op.Dilation[a], out.op.Pad[a] = int32(1+below(4)/3), int32(below(k+1))
		if below(4) == 0 {
			out.op.Stride[a] = int32(1 + below(3))
		}
		span := int(out.op.Dilation[a])*(k-1) + 1
		out.x, out.w = append(out.x, max(1, span-2*int(out.op.Pad[a]))+below(room)), append(out.w, k)
	}
	return out
}

// Random convolutions: their three ops, and the convolution with bias and ReLU.
func TestRandomConvolutions(t *testing.T) {
	s := philox.New(11, 1, 0)
	var cases []optest.Case
	framed := 0
	for i := range 40 {
		c := randomShape(&s, i)
		if g := c.op.geometry(c.x, c.w); g.direct() {
			framed++
		}
		with := c.testCase(Biased{c.op, i%2 == 0}, c.x, c.w, c.w[:1])
		with.Linear = false
		cases = append(cases, c.testCase(c.op, c.x, c.w), c.testCase(ConvGradX{Of: c.op}, c.output(), c.w, c.x),
			c.testCase(ConvGradW{Of: c.op}, c.x, c.output(), c.w), with)
	}
	if framed < 12 || framed > 34 {
		t.Errorf("%d of 40 convolutions are computed in frames", framed)
	}
	optest.Check(t, cases)
}
