package module

import (
	"context"
	"fmt"
	"math"

	"ganglion/engine/train"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/models/zoo"
)

// The acceptance checks of this package's systems (numbers of equations: doc.go).
var (
	checksNM = []zoo.Check{
		{
			Name:  "triangular",
			Claim: "with a strictly triangular W the network is the feed-forward network",
			Run:   checkTriangular,
		},
		{
			Name:  "dense",
			Claim: "with all edges kept, one dense module, training is that of module/deq to the bit",
			Run:   checkDense,
		},
		{
			Name: "evens",
			Claim: "on gas, the repulsion leaves a largest module of at most 2/3 of the size without, at equal " +
				"kept edges",
			Run: func(seed uint64) (string, string, bool, error) { return checkEvens(seed, 4) },
		},
		{Name: "evens-30", Claim: "the same after 30 epochs", Tier: zoo.Full,
			Run: func(seed uint64) (string, string, bool, error) { return checkEvens(seed, 30) }},
	}
	checksDEQ = []zoo.Check{
		{
			Name:  "unrolled",
			Claim: "the layer is the limit of a weight-tied network with ever more layers",
			Run:   checkUnrolled,
		},
	}
	checksMLP = []zoo.Check{
		{Name: "linear", Claim: "without hidden layers the network is x·W + b", Run: checkLinear},
		{
			Name:  "same-size",
			Claim: "with hidden 0 it has as many parameters as module/nm within 5 %",
			Run:   checkSameSize,
		},
	}
)

// instance is a network in float64 with random features for it.
type instance struct {
	*train.Predictor
	task train.Task
	x    kernels.Tensor // [9, Inputs]
}

func newInstance(build zoo.Builder, cfg any, seed uint64) (*instance, error) {
	i := &instance{
		task: train.Task{Inputs: 5, Outputs: 3, Examples: 9},
		x:    kernels.New(kernels.S(kernels.Float64, 9, 5)),
	}
	m, err := build(cfg, i.task)
	if err != nil {
		return nil, err
	}
	if i.Predictor, err = train.NewPredictor(m, i.task, train.Options{DType: "f64", Seed: seed, Threads: 1,
		Strict: true}, nil); err != nil {
		return nil, err
	}
	random := philox.New(seed, 77, 0)
	for k := range i.x.F64 {
		i.x.F64[k] = 4*random.Uniform() - 2
	}
	return i, nil
}

// param is the live memory of a parameter.
func (i *instance) param(name string) ([]float64, error) {
	t, err := i.Store().Tensor(name)
	return t.F64, err
}

// params is the live memory of several parameters.
func (i *instance) params(names ...string) ([][]float64, error) {
	out := make([][]float64, len(names))
	for k, name := range names {
		var err error
		if out[k], err = i.param(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// affine is x·w + b for one sample.
func affine(x, w, b []float64) []float64 {
	out := append([]float64(nil), b...)
	for j := range out {
		for k, v := range x {
			out[j] += v * w[k*len(b)+j]
		}
	}
	return out
}

// worst compares the network's outputs with those that want gives for each sample.
func (i *instance) worst(
	tolerance float64,
	want func(x []float64) []float64,
) (measured, required string, ok bool, err error) {
	got, err := i.Predict(context.Background(), i.x)
	if err != nil {
		return "", "", false, err
	}
	most := 0.0
	for s := range i.x.Shape[0] {
		for j, w := range want(i.x.F64[s*i.task.Inputs : (s+1)*i.task.Inputs]) {
			if d := math.Abs(got.F64[s*i.task.Outputs+j] - w); !(d <= most) {
				most = d
			}
		}
	}
	return fmt.Sprintf("largest difference %.2g", most), fmt.Sprintf("at most %.2g", tolerance), most <= tolerance, nil
}

// checkTriangular solves Eq. (1) node by node, in the order of the triangle.
func checkTriangular(seed uint64) (string, string, bool, error) {
	const p = 12
	i, err := newInstance(
		buildModules,
		ModulesConfig{Nodes: p, Keep: p * (p - 1), Every: 1, Activation: "tanh", Solver: "auto", Rho: 0.9,
			Reg: "none"},
		seed,
	)
	if err != nil {
		return "", "", false, err
	}
	defer i.Close()
	v, err := i.params("input/W", "input/b", weights, "output/W", "output/b")
	if err != nil {
		return "", "", false, err
	}
	w := v[2]
	for from := range p {
		for to := range from + 1 {
			w[from*p+to] = 0
		}
	}
	return i.worst(1e-12, func(x []float64) []float64 {
		h := affine(x, v[0], v[1])
		for to := range p {
			for from := range to {
				h[to] += h[from] * w[from*p+to] // h[from] is f(x) by now
			}
			h[to] = math.Tanh(h[to])
		}
		return affine(h, v[3], v[4])
	})
}

// checkUnrolled applies Eq. (1) 400 times.
func checkUnrolled(seed uint64) (string, string, bool, error) {
	const p = 10
	i, err := newInstance(
		buildDEQ,
		DEQConfig{Nodes: p, Activation: "tanh", Solver: "newton", Tol: 1e-13, Rho: 0.8},
		seed,
	)
	if err != nil {
		return "", "", false, err
	}
	defer i.Close()
	v, err := i.params("input/W", "input/b", weights, "output/W", "output/b")
	if err != nil {
		return "", "", false, err
	}
	return i.worst(1e-10, func(x []float64) []float64 {
		c := affine(x, v[0], v[1])
		h := make([]float64, p)
		for range 400 {
			h = affine(h, v[2], c)
			for k := range h {
				h[k] = math.Tanh(h[k])
			}
		}
		return affine(h, v[3], v[4])
	})
}

func checkLinear(seed uint64) (string, string, bool, error) {
	i, err := newInstance(buildMLP, MLPConfig{Hidden: 1, Depth: 0, Activation: "tanh"}, seed)
	if err != nil {
		return "", "", false, err
	}
	defer i.Close()
	v, err := i.params("output/W", "output/b")
	if err != nil {
		return "", "", false, err
	}
	return i.worst(1e-13, func(x []float64) []float64 { return affine(x, v[0], v[1]) })
}

func checkSameSize(seed uint64) (string, string, bool, error) {
	most := 0.0
	for _, nodes := range []int{10, 60, 300} {
		a, err := newInstance(
			buildModules,
			ModulesConfig{Nodes: nodes, Every: 1, Activation: "tanh", Solver: "auto", Rho: 0.9, Reg: "none"},
			seed,
		)
		if err != nil {
			return "", "", false, err
		}
		b, err := newInstance(buildMLP, MLPConfig{Depth: 2, Nodes: nodes, Activation: "tanh"}, seed)
		if err != nil {
			a.Close()
			return "", "", false, err
		}
		n, m := a.Store().Params().Size()-nodes, b.Store().Params().Size() // W holds its diagonal, which is always 0
		most = max(most, math.Abs(float64(n-m))/float64(n))
		a.Close()
		b.Close()
	}
	return fmt.Sprintf("%.2g %%", 100*most), "at most 5 %", most <= 0.05, nil
}

// checkDense trains both networks on the same data and compares all parameters.
func checkDense(seed uint64) (string, string, bool, error) {
	set, err := zoo.LoadSet("gas", seed)
	if err != nil {
		return "", "", false, err
	}
	const p = 20
	var params [2][]float32
	for k, b := range []struct {
		build zoo.Builder
		cfg   any
	}{
		{buildModules, ModulesConfig{Nodes: p, Keep: p * (p - 1),
			Every: 1, Activation: "tanh", Solver: "auto", Rho: 0.9, Reg: "none"}},
		{buildDEQ, DEQConfig{Nodes: p, Activation: "tanh", Solver: "auto", Rho: 0.9}},
	} {
		t, _, err := b.build.Fit(b.cfg, set, train.Options{Epochs: 1, Seed: seed})
		if err != nil {
			return "", "", false, err
		}
		params[k] = t.Store().Params().F32
	}
	differ := 0
	for k, v := range params[0] {
		if math.Float32bits(v) != math.Float32bits(params[1][k]) {
			differ++
		}
	}
	return fmt.Sprintf(
			"%d of %d parameters differ",
			differ,
			len(params[0]),
		), "none", differ == 0 &&
			len(params[0]) == len(params[1]), nil
}

// checkEvens trains with the repulsion and without.
func checkEvens(seed uint64, epochs int) (string, string, bool, error) {
	set, err := zoo.LoadSet("gas", seed)
	if err != nil {
		return "", "", false, err
	}
	var largest [2]int
	for k, reg := range []string{"nm", "none"} {
		cfg := ModulesConfig{Nodes: 60, Keep: 142, Every: 1, Activation: "tanh", Solver: "auto", Rho: 0.9, Reg: reg,
			Alpha: 10, Scaling: "size", Eps: 0.1}
		t, m, err := zoo.Builder(buildModules).Fit(cfg, set, train.Options{Epochs: epochs, Seed: seed})
		if err != nil {
			return "", "", false, err
		}
		s, err := m.(nm).Snapshot(t.Store().Tensor)
		if err != nil {
			return "", "", false, err
		}
		largest[k] = s.Layout.Largest
	}
	return fmt.Sprintf(
		"largest %d with, %d without",
		largest[0],
		largest[1],
	), "with ≤ 2/3 without", 3*largest[0] <= 2*largest[1], nil
}
