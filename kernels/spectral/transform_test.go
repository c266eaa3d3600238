package spectral

import (
	"fmt"
	"math"
	"testing"

	"ganglion/internal/cpu"
	"ganglion/internal/optest"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// directions are M, M⁻¹, Mᵀ and M⁻ᵀ.
func directions(k Kind) []Transform {
	return []Transform{{Kind: k}, {Kind: k, Inverse: true}, {Kind: k, Transposed: true},
		{Kind: k, Inverse: true, Transposed: true}}
}

func TestTransform(t *testing.T) {
	lengths := map[Kind][]int{
		DFT:  {0, 1, 2, 3, 4, 5, 7, 8, 28, 31, 64, 65, 66, 67, 96, 121, 128, 143, 210},
		DCT:  {0, 1, 2, 3, 5, 8, 28, 64, 65, 67, 96, 142, 143},
		Haar: {1, 2, 4, 8, 64, 128, 256},
		None: {0, 1, 5, 70},
	}
	var cases []optest.Case
	for _, k := range []Kind{DFT, DCT, Haar, None} {
		for _, o := range directions(k) {
			for _, c := range lengths[k] {
				for _, rest := range [][]int{{}, {0}, {3, 5}, {67}} {
					// The gradients of many columns are those of few.
					cases = append(cases, optest.Case{Name: fmt.Sprintf("%s-%v-%v/%d/%v", kindNames[k], o.Inverse,
						o.Transposed, c, rest), Op: o, In: []optest.Arg{optest.Normal(append([]int{c}, rest...)...)},
						Linear: true, NoGrad: c > 31 && len(rest) > 0})
				}
			}
		}
	}
	// Rows so far apart that they are copied first.
	cases = append(cases, optest.Case{Name: "staged", Op: Transform{}, In: []optest.Arg{optest.Normal(28, 9500)},
		Linear: true, NoGrad: true})
	optest.Check(t, cases)
}

func TestTransformErrors(t *testing.T) {
	f := kernels.Float32
	optest.Errors(t, Transform{Kind: Haar}, "power of two, has 6", kernels.S(f, 6, 2))
	optest.Errors(t, Transform{}, "has a scalar", kernels.S(f))
	optest.Errors(t, Transform{Kind: 9}, "no transform 9", kernels.S(f, 6))
	optest.Errors(t, Transform{}, "must be float32 or float64", kernels.S(kernels.Int32, 2))
	optest.Errors(t, Transform{}, "at most", kernels.S(f, maxLength+1, 0))
}

// cpuRun runs the kernel of an op on the best path.
func cpuRun(t testing.TB, op kernels.CPUOp, in ...kernels.Tensor) kernels.Tensor {
	t.Helper()
	specs := make([]kernels.Spec, len(in))
	for i := range in {
		specs[i] = in[i].Spec
	}
	out, err := op.Infer(specs)
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(2)
	defer pool.Close()
	c := kernels.NewCall(op, cpu.Best(), pool)
	c.In, c.Out = in, kernels.New(out)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, out, 2))
	}
	op.CPU(c)
	return c.Out
}

// TestLong transforms tubes too long for the reference: a pure tone has one frequency, and the inverse gives back what
// was there.
func TestLong(t *testing.T) {
	for _, c := range []int{1 << 10, 1<<12 - 1, 4099, 2 * 3 * 5 * 7 * 11 * 13, 1<<17 + 29, 1 << 20} {
		for _, k := range []Kind{DFT, DCT, Haar} {
			if k == Haar && !powerOfTwo(c) {
				continue
			}
			x := kernels.New(kernels.S(kernels.Float64, c))
			const tone = 37
			for i := range x.F64 {
				x.F64[i] = cosine(i*tone%c, c)
			}
			y := cpuRun(t, Transform{Kind: k}, x)
			if k == DFT {
				r, _ := planes(c)
				want := make([]float64, c)
				want[r+tone-1] = float64(c) / 2
				if msg := optest.Compare(y.F64, want, 1e-12); msg != "" {
					t.Errorf("dft of %d: %s", c, msg)
				}
			}
			back := cpuRun(t, Transform{Kind: k, Inverse: true}, y)
			if msg := optest.Compare(back.F64, x.F64, 1e-12); msg != "" {
				t.Errorf("%s of %d: there and back: %s", kindNames[k], c, msg)
			}
			if e := energy(y.F64)/energy(x.F64) - 1; k != DFT && math.Abs(e) > 1e-12 {
				t.Errorf("%s of %d: the square of the norm changes by %.3g", kindNames[k], c, e)
			}
		}
	}
}

func energy(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v * v
	}
	return s
}

// The matrices are inverses of each other for every length.
func TestMatrices(t *testing.T) {
	for _, k := range []Kind{DFT, DCT, Haar, None} {
		for c := 1; c <= 40; c++ {
			if k == Haar && !powerOfTwo(c) {
				continue
			}
			e := entriesOf(k, c)
			for i := range c {
				for j := range c {
					sum, want := 0.0, 0.0
					for p := range c {
						sum += e.entry(Transform{Kind: k}, i, p) * e.entry(Transform{Kind: k, Inverse: true}, p, j)
					}
					if i == j {
						want = 1
					}
					if math.Abs(sum-want) > 1e-14 {
						t.Fatalf("%s %d: entry %d %d of M·M⁻¹ is %v", kindNames[k], c, i, j, sum)
					}
				}
			}
		}
	}
}

func TestParseKind(t *testing.T) {
	for k, name := range kindNames {
		if got, err := ParseKind(name); err != nil || got != Kind(k) {
			t.Errorf("ParseKind(%q) = %v, %v", name, got, err)
		}
	}
	if _, err := ParseKind("wavelet"); err == nil {
		t.Error("ParseKind(wavelet) gives no error")
	}
}

func BenchmarkTransform(b *testing.B) {
	var cases []optest.Case
	for _, k := range []Kind{DFT, DCT, Haar} {
		for _, s := range [][]int{{28, 2800}, {32, 16384}, {64, 16384}, {128, 4096}, {256, 4096}, {1024, 256},
			{4099, 64}, {1 << 20}} {
			if k != Haar || powerOfTwo(s[0]) {
				cases = append(cases, optest.Case{Name: fmt.Sprint(kindNames[k], s), Op: Transform{Kind: k},
					In: []optest.Arg{optest.Normal(s...)}})
			}
		}
	}
	optest.Bench(b, cases)
}
