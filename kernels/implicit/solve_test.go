package implicit

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"ganglion/internal/optest"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
)

// weights is a random p×p matrix with zero diagonal and entries of the given size over √p.
func weights(seed uint64, p int, size float64) kernels.Tensor {
	w := kernels.New(kernels.S(kernels.Float64, p, p))
	noise(w.F64, seed)
	for i := range w.F64 {
		w.F64[i] *= size / max(1, math.Sqrt(float64(p)))
	}
	for i := range p {
		w.F64[i*p+i] = 0
	}
	return w
}

// noise fills v with standard normal numbers.
func noise(v []float64, seed uint64) {
	r := philox.New(seed, 3, 0)
	for i := range v {
		u := (float64(r.Uint32()) + 1) / (1 << 32)
		v[i] = math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*float64(r.Uint32())/(1<<32))
	}
}

// structure is the reference structure of w.
func structure(w kernels.Tensor, keep int) kernels.Tensor {
	s, err := kernels.RunRef(Structure{Keep: keep}, []kernels.Tensor{w})
	if err != nil {
		panic(err)
	}
	return s
}

func solveCase(name string, op kernels.Op, batch, p, keep int, size float64, more ...optest.Arg) optest.Case {
	w := weights(uint64(p), p, size)
	in := []optest.Arg{optest.Normal(batch, p), optest.Values(w), optest.Values(structure(w, keep))}
	// NoGrad with pruned edges: the rule gives derivatives of pruned edges too (TestGradientOfPrunedEdges). Large cases
	// leave it out as well: the rule and the reference know nothing of sizes and methods, and the small ones check
	// them.
	pruned, large := keep >= 0 && keep < p*(p-1), batch*p > 80
	// Tol: residuals of 1e-12 times the condition of I - G′, of which 1e-11 was seen.
	return optest.Case{Name: name, Op: op, In: append(in, more...), NoGrad: pruned || large, Tol: 1e-10}
}

func solveCases() []optest.Case {
	return []optest.Case{
		solveCase("empty batch", Solve{Act: act.Tanh}, 0, 5, -1, 0.5),
		solveCase("no nodes", Solve{Act: act.Tanh}, 3, 0, -1, 0.5),
		solveCase("one node", Solve{Act: act.Tanh}, 3, 1, -1, 0.5),
		solveCase("one sample", Solve{Act: act.Tanh}, 1, 7, -1, 0.5),
		solveCase("no edges", Solve{Act: act.Tanh}, 4, 6, 0, 0.5),
		solveCase("pruned", Solve{Act: act.Tanh}, 17, 40, 90, 1),
		solveCase("all edges", Solve{Act: act.Sigmoid}, 33, 12, -1, 2),
		solveCase("newton", Solve{Act: act.Tanh, Method: Newton}, 19, 23, 100, 1.5),
		solveCase("fixed point", Solve{Act: act.Tanh, Method: FixedPoint}, 35, 23, -1, 0.5),
		solveCase("anderson", Solve{Act: act.Tanh, Method: Anderson}, 5, 23, -1, 0.5),
		solveCase("broyden", Solve{Act: act.Sigmoid, Method: Broyden}, 65, 23, -1, 1.5),
		solveCase("newton dense", Solve{Act: act.Sigmoid, Method: Newton}, 3, 50, -1, 2),
		solveCase("newton pruned", Solve{Act: act.Tanh, Method: Newton}, 18, 90, 500, 1),
		solveCase("relu", Solve{Act: act.ReLU}, 20, 30, 200, 0.7),
		solveCase("levels", Solve{Act: act.Tanh}, 3, 60, 70, 1), // fewer blocks than workers, many modules a level
		solveCase("damped", Solve{Act: act.Tanh, Method: FixedPoint, Damping: 0.7}, 5, 23, -1, 0.5),
		solveCase("damped anderson", Solve{Act: act.Tanh, Method: Anderson, Damping: 0.7}, 5, 23, -1, 0.5),
		solveCase("gradient", Solve{Act: act.Tanh}, 5, 8, -1, 0.5),
		solveCase("gradient of softplus", Solve{Act: act.Softplus}, 3, 8, -1, 0.5),
		solveCase("start", Solve{Act: act.Tanh}, 4, 9, -1, 0.5, optest.Normal(4, 9)),
	}
}

func TestSolve(t *testing.T) { optest.Check(t, solveCases()) }

func linearCase(name string, op Linear, batch, p, keep int, size float64) optest.Case {
	c := solveCase(name, op, batch, p, keep, size, optest.Normal(batch, p))
	return c
}

func linearCases() []optest.Case {
	return []optest.Case{
		linearCase("empty batch", Linear{Act: act.Tanh}, 0, 5, -1, 0.5),
		linearCase("no nodes", Linear{Act: act.Tanh}, 3, 0, -1, 0.5),
		linearCase("tangent", Linear{Act: act.Tanh}, 3, 7, -1, 0.7),
		linearCase("adjoint", Linear{Act: act.Tanh, Transposed: true}, 3, 7, -1, 0.7),
		linearCase("adjoint pruned", Linear{Act: act.Tanh, Transposed: true}, 18, 40, 90, 2),
		linearCase("tangent pruned", Linear{Act: act.Tanh}, 18, 40, 90, 2),
		linearCase("newton dense", Linear{Act: act.Tanh, Transposed: true, Method: Newton}, 3, 50, -1, 1),
		linearCase("newton tangent", Linear{Act: act.Tanh, Method: Newton}, 3, 90, 500, 1),
		linearCase("levels", Linear{Act: act.Tanh}, 3, 60, 70, 1),
		linearCase("levels adjoint", Linear{Act: act.Tanh, Transposed: true}, 3, 60, 70, 1),
		linearCase("newton", Linear{Act: act.Tanh, Transposed: true, Method: Newton}, 18, 23, -1, 2),
		linearCase("anderson", Linear{Act: act.Sigmoid, Transposed: true, Method: Anderson}, 18, 23, -1, 2),
		linearCase("broyden", Linear{Act: act.Sigmoid, Method: Broyden}, 18, 23, -1, 2),
	}
}

func TestLinear(t *testing.T) { optest.Check(t, linearCases()) }

func TestSmallOps(t *testing.T) {
	w := weights(11, 9, 1)
	s := structure(w, 20)
	older := structure(weights(12, 9, 1), 30)
	step := func(n int32) optest.Arg { return optest.Values(kernels.FromSlice([]int32{n}, 1)) }
	restructure := func(name string, every int, n int32) optest.Case {
		return optest.Case{Name: name, Op: Restructure{Keep: 20, Every: every},
			In: []optest.Arg{optest.Values(w), optest.Values(older), step(n)}}
	}
	cases := []optest.Case{
		{Name: "nodiag", Op: NoDiag{}, In: []optest.Arg{optest.Normal(7, 7)}, Linear: true, Exact: true},
		{Name: "nodiag of nothing", Op: NoDiag{}, In: []optest.Arg{optest.Normal(0, 0)}, Exact: true},
		{Name: "nodiag of one", Op: NoDiag{}, In: []optest.Arg{optest.Normal(1, 1)}, Exact: true},
		{Name: "mask of all", Op: Mask{}, In: []optest.Arg{optest.Values(w), optest.Values(structure(w, -1))},
			Linear: true, Exact: true},
		// NoGrad: the gradient of pruned edges is passed on (TestGradientOfPrunedEdges).
		{Name: "mask", Op: Mask{}, In: []optest.Arg{optest.Values(w), optest.Values(s)}, NoGrad: true, Exact: true},
		restructure("always", 0, 5), restructure("first step", 4, 1),
		restructure("due", 4, 9), restructure("not due", 4, 8),
	}
	for _, p := range []int{0, 1, 31, 32, 33, 200} {
		w := weights(uint64(p), p, 1)
		cases = append(cases, optest.Case{Name: fmt.Sprint("mask of nodes ", p), Op: Mask{}, NoGrad: true, Exact: true,
			In: []optest.Arg{optest.Values(w), optest.Values(structure(w, 3*p))}})
	}
	optest.Check(t, cases)
}

func TestErrors(t *testing.T) {
	f := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float32, shape...) }
	d := func(shape ...int) kernels.Spec { return kernels.S(kernels.Float64, shape...) }
	s := kernels.S(kernels.Int32, StructureLen(4))
	optest.Errors(t, Solve{}, "wants 3 inputs", f(2, 4), f(4, 4))
	optest.Errors(t, Solve{}, "must be square", f(2, 4), f(4, 5), s)
	optest.Errors(t, Solve{}, "has 5 columns", f(2, 5), f(4, 4), s)
	optest.Errors(t, Solve{}, "differ in type", d(2, 4), f(4, 4), s)
	optest.Errors(t, Solve{}, "the structure of 4 nodes", f(2, 4), f(4, 4), kernels.S(kernels.Int32, 7))
	optest.Errors(t, Solve{}, "must be int32", f(2, 4), f(4, 4), f(7))
	optest.Errors(t, Solve{}, "the start must be", f(2, 4), f(4, 4), s, f(3, 4))
	optest.Errors(t, Solve{Method: 9}, "unknown method", f(2, 4), f(4, 4), s)
	optest.Errors(t, Solve{Act: 200}, "unknown activation", f(2, 4), f(4, 4), s)
	optest.Errors(t, Solve{Damping: 1.5}, "Damping", f(2, 4), f(4, 4), s)
	optest.Errors(t, Solve{Tol: math.NaN()}, "Tol", f(2, 4), f(4, 4), s)
	optest.Errors(t, Solve{MaxIter: -1}, "MaxIter", f(2, 4), f(4, 4), s)
	optest.Errors(t, Linear{}, "input 3 must be", f(2, 4), f(4, 4), s, f(2, 5))
	optest.Errors(t, Linear{}, "inputs 1 and 3 differ in type", f(2, 4), f(4, 4), s, d(2, 4))
	optest.Errors(t, Mask{}, "the structure of 4 nodes", f(4, 4), kernels.S(kernels.Int32, 7))
	optest.Errors(t, NoDiag{}, "must be square", f(4, 3))
	optest.Errors(t, Restructure{}, "one step number", f(4, 4), s, kernels.S(kernels.Int32, 2))
	optest.Errors(t, Restructure{Every: -2}, "negative", f(4, 4), s, kernels.S(kernels.Int32, 1))
}

func TestParse(t *testing.T) {
	for i, name := range methodNames {
		if m, err := ParseMethod(strings.ToUpper(name)); err != nil || int(m) != i {
			t.Errorf("ParseMethod(%q) = %v, %v", name, m, err)
		}
	}
	for i, name := range kindNames {
		if k, err := ParseKind(name); err != nil || int(k) != i {
			t.Errorf("ParseKind(%q) = %v, %v", name, k, err)
		}
	}
	for i, name := range scalingNames {
		if s, err := ParseScaling(name); err != nil || int(s) != i {
			t.Errorf("ParseScaling(%q) = %v, %v", name, s, err)
		}
	}
	want := `implicit: unknown method "newtown" (known: auto, newton, fixedpoint, anderson, broyden)`
	if _, err := ParseMethod("newtown"); err == nil || err.Error() != want {
		t.Errorf("ParseMethod: %v, want %s", err, want)
	}
}
