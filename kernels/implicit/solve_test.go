package implicit

import (
	"math"
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
	// NoGrad with pruned edges: the rule gives derivatives of pruned edges too (TestPrunedGradient).
	return optest.Case{Name: name, Op: op, In: append(in, more...), NoGrad: keep >= 0 && keep < p*(p-1), Tol: 1e-10}
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
		linearCase("newton", Linear{Act: act.Tanh, Transposed: true, Method: Newton}, 18, 23, -1, 2),
		linearCase("anderson", Linear{Act: act.Sigmoid, Transposed: true, Method: Anderson}, 18, 23, -1, 2),
		linearCase("broyden", Linear{Act: act.Sigmoid, Method: Broyden}, 18, 23, -1, 2),
	}
}

func TestLinear(t *testing.T) { optest.Check(t, linearCases()) }
