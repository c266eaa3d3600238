package vec

import (
	"fmt"
	"math"

	"ganglion/internal/cpu"
)

// SelfCheck runs every primitive of the given path and of the Go path on a few elements, and returns an error that
// names the first one that differs by more than a few ulp. It takes some microseconds.
func SelfCheck(path cpu.Path) error {
	var words, want [2 * selfCheckLength]uint32
	Words(path, words[:], [2]uint32{1, 2}, [4]uint32{3, 4, 5, 6})
	Words(cpu.Go, want[:], [2]uint32{1, 2}, [4]uint32{3, 4, 5, 6})
	if words != want {
		return fmt.Errorf("vec: self-check of path %s: Words: %x, want %x", path, words, want)
	}
	x, y := checkedArguments()
	dropped, wanted := convert[float32](y), convert[float32](y)
	Drop(path, dropped, dropped, [2]uint32{1, 2}, [4]uint32{3, 4, 5, 6}, 1<<23, 2)
	Drop(cpu.Go, wanted, wanted, [2]uint32{1, 2}, [4]uint32{3, 4, 5, 6}, 1<<23, 2)
	for i, v := range dropped {
		if v != wanted[i] {
			return fmt.Errorf("vec: self-check of path %s: Drop: element %d is %v, want %v", path, i, v, wanted[i])
		}
	}
	return checkBoth(path, convert[float32](x), convert[float32](y), x, y)
}

// checkedArguments returns the operands of SelfCheck.
func checkedArguments() (x, y []float64) {
	x, y = make([]float64, selfCheckLength), make([]float64, selfCheckLength)
	for i := range x {
		x[i], y[i] = float64(i%41)/4-5, float64(i%13)/8+1
	}
	x[5], x[82] = math.NaN(), math.Inf(1)
	return x, y
}

// DeepCheck compares as SelfCheck does, at a quarter of a million arguments spread over all numbers. It takes a second.
func DeepCheck(path cpu.Path) error {
	const run, runs = 1 << 7, 1 << 11
	x32, y32, x64, y64 := make([]float32, run), make([]float32, run), make([]float64, run), make([]float64, run)
	for r := range uint64(runs) {
		for i := range x32 {
			at := r*run + uint64(i)
			x32[i] = math.Float32frombits(uint32(at * 16411))
			x64[i] = math.Float64frombits(at * (1<<46 + 12345))
			y64[i] = float64(i%13)/8 + 1
			y32[i] = float32(y64[i])
		}
		if err := checkBoth(path, x32, y32, x64, y64); err != nil {
			return err
		}
	}
	return nil
}

// convert returns x in another type.
func convert[T float](x []float64) []T {
	out := make([]T, len(x))
	for i, v := range x {
		out[i] = T(v)
	}
	return out
}

func checkBoth(path cpu.Path, x32, y32 []float32, x64, y64 []float64) error {
	if err := selfCheck(F32(path), F32(cpu.Go), x32, y32, 0x1p-20, math.SmallestNonzeroFloat32); err != nil {
		return fmt.Errorf("vec: self-check of path %s: float32: %w", path, err)
	}
	if err := selfCheck(F64(path), F64(cpu.Go), x64, y64, 0x1p-49, math.SmallestNonzeroFloat64); err != nil {
		return fmt.Errorf("vec: self-check of path %s: float64: %w", path, err)
	}
	return nil
}

// selfCheckLength has a pass of every main loop, a single vector and a rest.
const selfCheckLength = 83

// selfCheck compares two tables to a relative tolerance, and a few of the smallest numbers.
func selfCheck[T float](table, twin *Table[T], x, y []T, tolerance, smallest float64) error {
	got, want := results(table, x, y), results(twin, x, y)
	for k, g := range got {
		for i, v := range g.values {
			w := want[k].values[i]
			if v == w || v != v && w != w {
				continue
			}
			if !(math.Abs(float64(v)-float64(w)) <= tolerance*math.Abs(float64(w))+4*smallest) {
				return fmt.Errorf("%s of x=%v, y=%v: %v, want %v", g.name, x[i], y[i], v, w)
			}
		}
	}
	return nil
}

// result is what a primitive made of the operands.
type result[T float] struct {
	name   string
	values []T
}

// results runs all primitives of a table. Sums are of positive numbers, so that they are well conditioned.
func results[T float](t *Table[T], x, y []T) []result[T] {
	var list []result[T]
	run := func(name string, f func(dst []T)) {
		dst := append([]T(nil), y...)
		f(dst)
		list = append(list, result[T]{name, dst})
	}
	run("Add", func(d []T) { t.Add(d, x, y) })
	run("Sub", func(d []T) { t.Sub(d, x, y) })
	run("Mul", func(d []T) { t.Mul(d, x, y) })
	run("Div", func(d []T) { t.Div(d, x, y) })
	run("Scale", func(d []T) { t.Scale(d, 3, x) })
	run("Shift", func(d []T) { t.Shift(d, 3, x) })
	run("Axpy", func(d []T) { t.Axpy(d, 3, y) })
	run("MulAdd", func(d []T) { t.MulAdd(d, y, y) })
	run("Larger", func(d []T) { t.Larger(d, x, y) })
	run("Smaller", func(d []T) { t.Smaller(d, x, y) })
	run("ReLU", func(d []T) { t.ReLU(d, x) })
	run("Exp", func(d []T) { t.Exp(d, x) })
	run("Tanh", func(d []T) { t.Tanh(d, x) })
	run("Sigmoid", func(d []T) { t.Sigmoid(d, x) })
	run("Log", func(d []T) { t.Log(d, x) })
	run("Expm1", func(d []T) { t.Expm1(d, x) })
	run("Log1p", func(d []T) { t.Log1p(d, y) })
	run("Softplus", func(d []T) { t.Softplus(d, x) })
	run("SiLU", func(d []T) { t.SiLU(d, x) })
	run("SiLUSlope", func(d []T) { t.SiLUSlope(d, x) })
	run("Erf", func(d []T) { t.Erf(d, x) })
	run("GELU", func(d []T) { t.GELU(d, x) })
	run("GELUSlope", func(d []T) { t.GELUSlope(d, x) })
	run("Sin", func(d []T) { t.Sin(d, x) })
	run("Cos", func(d []T) { t.Cos(d, x) })
	run("TanhGrad", func(d []T) { t.TanhGrad(d, x, y) })
	run("SigmoidGrad", func(d []T) { t.SigmoidGrad(d, x, y) })
	run("ReLUGrad", func(d []T) { t.ReLUGrad(d, x, y) })
	run("ExpSum", func(d []T) { t.ExpSum(d, y, 2) })
	run("ExpSum", func(d []T) { d[0] = t.ExpSum(make([]T, len(y)), y, 2) })
	run("SumSquares", func(d []T) { d[0] = T(t.SumSquares(y)) })
	for part := range 3 {
		run("Adam", func(d []T) {
			to := AdamState[T]{make([]T, len(y)), make([]T, len(y)), make([]T, len(y))}
			*[]*[]T{&to.P, &to.M, &to.V}[part] = d
			c := AdamConstants[T]{
				Beta1: 0.9,
				Rest1: 0.1,
				Beta2: 0.99,
				Rest2: 0.01,
				Keep:  0.999,
				Step:  0.01,
				Scale: 1.1,
				Eps:   1e-8,
			}
			t.Adam(c, to, AdamState[T]{y, y, y}, y)
		})
	}
	run("Sum", func(d []T) { d[0] = t.Sum(y) })
	run("Dot", func(d []T) { d[0] = t.Dot(y, y) })
	run("Max", func(d []T) { d[0], d[1] = t.Max(y), t.Max(x) })
	return list
}
