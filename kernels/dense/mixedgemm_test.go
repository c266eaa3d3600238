package dense

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// operandFormats are those of products.
var operandFormats = []Format{TF32, BF16}

// Sizes around a lane, a warp and a tile of either size; odd lines, which cannot be copied in runs; k of many slices.
var mixedSizes = [][3]int{
	{0, 3, 2},
	{3, 0, 2},
	{2, 3, 0},
	{1, 1, 1},
	{1, 31, 32},
	{7, 11, 13},
	{32, 33, 31},
	{64, 67, 15},
	{129, 132, 17},
	{8, 1000, 36},
}

// largeTiles are products of more than one large tile, which a device of one multiprocessor takes for them.
var largeTiles = [][3]int{{1, 200, 9}, {31, 200, 9}, {32, 200, 9}, {33, 200, 9}, {130, 131, 0}, {1000, 110, 5}}

func TestMixedGEMM(t *testing.T) {
	var cases []optest.Case
	add := func(o Linear, f Format, m, n, k int) {
		op := mixed(o, f)
		// Tensor cores add up k products in one chain of float32 numbers: 1.15e-5 was seen with k = 1000 in one part.
		cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/%d-%d-%d", op, m, n, k), Op: op, Tol32: 2e-5,
			In: linearIn(o, m, n, k)})
	}
	for _, f := range operandFormats {
		for _, g := range transposes {
			for _, s := range slices.Concat(mixedSizes, largeTiles) {
				add(g.linear(), f, s[0], s[1], s[2])
			}
		}
		for _, o := range linears() {
			add(o, f, 7, 11, 13)
		}
		add(Linear{Bias: true, Residual: true, F: act.ReLU}, f, 67, 70, 40)
		add(Linear{Bias: true, F: act.ReLU}, f, 2, 3, 0)
		// k is cut; large tiles.
		add(Linear{Bias: true, Residual: true, TransA: true}, f, 20, 17, 1000)
		add(Linear{Residual: true, TransB: true}, f, 130, 65, 1030)
		add(Linear{Bias: true, F: act.ReLU}, f, 260, 300, 33)
		add(Linear{Bias: true, TransA: true, TransB: true}, f, 258, 390, 36)
	}
	optest.Check(t, cases)
}

// stored16 makes an operand as Narrow stores it.
func stored16(t *testing.T, stream uint32, shape []int) optest.Arg {
	t.Helper()
	b, err := kernels.RunRef(Narrow{To: BF16}, []kernels.Tensor{normal32(stream, shape[0], shape[1])})
	if err != nil {
		t.Fatal(err)
	}
	return optest.Values(b)
}

func TestMixedStored(t *testing.T) {
	var cases []optest.Case
	for which := 1; which < 4; which++ {
		for i, g := range transposes {
			few := [][3]int{{0, 3, 2}, {3, 0, 2}, {2, 3, 0}, {1, 1, 1}, {33, 31, 32}, {7, 11, 13}, {65, 72, 40},
				{64, 67, 15}, {129, 136, 17}, {24, 16, 1000}}
			if which == 3 { // large tiles once
				few = append(slices.Concat(few, largeTiles), [3]int{264, 392, 33 + 7*(i%2)})
			}
			for _, s := range few {
				o := mixed(g.linear(), BF16)
				o.StoredA, o.StoredB = which&1 > 0, which&2 > 0
				o.Bias, o.F = true, act.ReLU // the bias tells the type of the output
				in := linearIn(o.linear(), s[0], s[1], s[2])
				shapes := product2Shapes(g, s[0], s[1], s[2])
				for k, stored := range o.stored() {
					if stored {
						in[k] = stored16(t, uint32(k), shapes[k])
					}
				}
				cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/%v", o, s), Op: o, In: in})
			}
		}
	}
	optest.Check(t, cases)
	u := kernels.S(kernels.Byte, 3, 3, 2)
	out, err := MixedGEMM{Operands: BF16, StoredA: true, StoredB: true}.Infer([]kernels.Spec{u, u})
	if err != nil || !out.Equal(kernels.S(kernels.Float32, 3, 3)) {
		t.Errorf("both stored, nothing else: %v, %v", out, err)
	}
}

func TestMixedBatchedGEMM(t *testing.T) {
	var cases []optest.Case
	add := func(o BatchedGEMM, f Format, lead []int, m, n, k int) {
		op := MixedBatchedGEMM{TransA: o.TransA, TransB: o.TransB, Operands: f}
		cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/%v/%d-%d-%d", op, lead, m, n, k), Op: op,
			In: batch(o, lead, m, n, k)})
	}
	for _, f := range operandFormats {
		for _, g := range transposes {
			for _, lead := range [][]int{{0}, {1}, {5}, {2, 3}} {
				add(BatchedGEMM(g), f, lead, 3, 5, 7)
				add(BatchedGEMM(g), f, lead, 33, 31, 12)
			}
			add(BatchedGEMM(g), f, []int{9}, 65, 66, 20)
		}
		add(BatchedGEMM{TransB: true}, f, []int{2}, 230, 200, 190) // shared by the workers
	}
	optest.Check(t, cases)
}

func TestMixedErrors(t *testing.T) {
	f := kernels.Float32
	a, b := kernels.S(f, 2, 3), kernels.S(f, 3, 4)
	optest.Errors(t, MixedGEMM{Operands: F16}, "operands are tf32 or bf16, not f16", a, b)
	optest.Errors(t, MixedGEMM{StoredA: true}, "that are stored are bf16, not tf32", a, b)
	optest.Errors(t, MixedGEMM{StoredA: true, Operands: BF16}, "input 0 must be byte [..., 2], is float32(2 3)", a, b)
	optest.Errors(t, MixedGEMM{StoredA: true, Operands: BF16}, "wants 2 inputs", a)
	optest.Errors(t, Narrow{}, "only bf16 and f16 are stored in 16 bits, not tf32", a)
	optest.Errors(t, Widen{From: BF16, To: f}, "must be byte [..., 2], is float32(2 3)", a)
	optest.Errors(t, Widen{From: BF16}, "to float32 or float64, not invalid", kernels.S(kernels.Byte, 3, 2))
	optest.Errors(t, MixedGEMM{}, "inner dimensions differ: 3 and 2", a, a)
	optest.Errors(t, MixedBatchedGEMM{Operands: 9}, "not unknown", a, b)
	optest.Errors(t, MixedBatchedGEMM{}, "same rank, 3 at least", a, b)
	optest.Errors(t, Round{To: 7}, "there is no format 7", a)
}

// TestMixedDecompose compares with the parts that the ops name, by the references.
func TestMixedDecompose(t *testing.T) {
	x := []float64{1.001, -2.3, 3.14159, 0.57, 9.999, 1e-3, 7.7, -0.1}
	for _, f := range operandFormats {
		for _, c := range []struct {
			op    kernels.Fused
			shape []int
		}{
			{MixedGEMM{F: act.Tanh, TransB: true, Operands: f}, []int{2, 4}},
			{MixedBatchedGEMM{Operands: f}, []int{2, 2, 2}},
		} {
			in := []kernels.Tensor{kernels.FromSlice(x, c.shape...), kernels.FromSlice(x, c.shape...)}
			want, err := kernels.RunRef(c.op, in)
			if err != nil {
				t.Fatal(err)
			}
			if msg := optest.Compare(decomposed(t, c.op, in).F64, want.F64, 1e-15); msg != "" {
				t.Errorf("%+v: %s", c.op, msg)
			}
		}
	}
}

// TestMixedBound compares products in mixed precision with exact ones: the difference of an element is at most
// (2u + u²)·Σ|a||b|, and what the sum in float32 adds to that. The bound must also be worth something: the largest
// error comes within a factor of 100 of it.
func TestMixedBound(t *testing.T) {
	dev := optest.OpenDevice(t)
	for _, f := range operandFormats {
		for _, s := range [][3]int{{1, 1, 1}, {31, 33, 32}, {40, 50, 1000}, {65, 70, 129}} {
			m, n, k := s[0], s[1], s[2]
			op := MixedGEMM{Operands: f}
			in := []kernels.Tensor{normal32(1, m, k), normal32(2, k, n)}
			wide := []kernels.Tensor{kernels.Convert(in[0], kernels.Float64), kernels.Convert(in[1], kernels.Float64)}
			exact, err := kernels.RunRef(GEMM{}, wide)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range wide {
				for i, v := range x.F64 {
					x.F64[i] = math.Abs(v)
				}
			}
			sizes, err := kernels.RunRef(GEMM{}, wide)
			if err != nil {
				t.Fatal(err)
			}
			got, err := kernels.RunRef(op, in)
			if err != nil {
				t.Fatal(err)
			}
			u := f.Unit()
			within(t, fmt.Sprint(op, s, " by the reference"), got, exact, sizes, 2*u+u*u+math.Ldexp(1, -24))
			if dev != nil {
				got, _ = dev.Run(t, op, in...)
				within(t, fmt.Sprint(op, s, " on the device"), got, exact, sizes, 2*u+u*u+float64(k)*math.Ldexp(1, -24))
			}
		}
	}
}

// within checks that got is within bound·sizes of exact, element by element.
func within(t *testing.T, what string, got, exact, sizes kernels.Tensor, bound float64) {
	t.Helper()
	worst := 0.0
	for i, v := range got.F32 {
		worst = max(worst, math.Abs(float64(v)-exact.F64[i])/(bound*sizes.F64[i]))
	}
	if worst > 1 || worst < 0.01 {
		t.Errorf("%s: the largest error is %.3g of the bound", what, worst)
	}
}

// normal32 is a matrix of standard normal numbers.
func normal32(stream uint32, m, n int) kernels.Tensor {
	x := kernels.New(kernels.S(kernels.Float32, m, n))
	for i := range x.F32 {
		u := philox.Block([2]uint32{3, 5}, [4]uint32{uint32(i), stream, 0, 0})
		r := math.Sqrt(-2 * math.Log((float64(u[0])+1)/(1<<32)))
		x.F32[i] = float32(r * math.Cos(2*math.Pi*float64(u[1])/(1<<32)))
	}
	return x
}

func BenchmarkMixedGEMM(b *testing.B) {
	var cases []optest.Case
	for _, op := range []kernels.Op{GEMM{}, MixedGEMM{}, MixedGEMM{Operands: BF16}} {
		cases = append(cases, optest.Case{Name: fmt.Sprintf("512x512x512/%+v", op), Op: op,
			In: product2(GEMM{}, 512, 512, 512)})
	}
	optest.Bench(b, cases)
}
