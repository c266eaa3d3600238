package bench

import (
	"context"
	"fmt"

	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/dense"
	"ganglion/kernels/random"
)

// seed of all data and initial values.
const seed = 1

// normal is a tensor of normal numbers; stream tells it from others.
func normal(d kernels.DType, stream uint32, shape ...int) (kernels.Tensor, error) {
	t := kernels.New(kernels.S(d, shape...))
	err := random.Normal{Std: 1}.Fill(t, seed, stream)
	return t, err
}

// openOp makes a runner that calls an op's kernel, without an engine around it, on normal numbers of the given shapes.
// On a device it is a program of that op alone, whose operands stay there.
func openOp(e env, op kernels.CPUOp, work Work, shapes ...[]int) (*runner, error) {
	if e.device != nil {
		return openDeviceOp(e, op, work, shapes)
	}
	c := kernels.NewCall(op, e.path, e.pool)
	var specs []kernels.Spec
	for i, shape := range shapes {
		t, err := normal(e.dtype, uint32(i), shape...)
		if err != nil {
			return nil, err
		}
		c.In, specs = append(c.In, t), append(specs, t.Spec)
	}
	out, err := op.Infer(specs)
	if err != nil {
		return nil, fmt.Errorf("operands: %w", err)
	}
	c.Out = kernels.New(out)
	if s, ok := op.(kernels.Scratcher); ok {
		c.Work = make([]byte, s.Workspace(specs, out, e.pool.Workers()))
	}
	if s, ok := op.(kernels.Reserver); ok {
		c.Reserve = make([]byte, s.Reserve(specs, out, e.pool.Workers()))
	}
	return &runner{step: func() error { op.CPU(c); return nil }, work: func() Work { return work }}, nil
}

func openDeviceOp(e env, op kernels.Op, work Work, shapes [][]int) (*runner, error) {
	g, err := engine.Build("op", e.dtype, func(s *engine.Scope) {
		var in []*kernels.Node
		for i, shape := range shapes {
			in = append(in, s.State(fmt.Sprintf("operand%d", i), kernels.S(e.dtype, shape...), random.Normal{Std: 1}))
		}
		s.Output("y", s.Apply(op, in...))
	})
	if err != nil {
		return nil, err
	}
	return openProgram(e, g, work)
}

// openProgram makes a runner of a program without inputs.
func openProgram(e env, g *engine.Graph, work Work) (*runner, error) {
	p, err := engine.Compile(g, engine.Options{Pool: e.pool, Seed: seed, Device: e.device})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	r := &runner{
		step: func() error { return p.Run(ctx, nil) },
		work: func() Work { return work },
		close: func() {
			p.Close()
			if e.device != nil {
				_ = p.Store().Detach() // the next case says what is wrong with the device
			}
		},
	}
	if e.device != nil {
		r.facts = func() []Fact { return hosted(p) }
	}
	return r, nil
}

// hosted counts the steps of a program that its device has no kernel for.
func hosted(p *engine.Program) []Fact {
	n := 0
	for _, s := range p.Explain().Steps {
		if s.Hosted > 0 {
			n++
		}
	}
	return []Fact{{"steps on the processor", float64(n)}}
}

func gemmWorkload() workload {
	return workload{"gemm", "products of matrices: square, and those of a dense layer's step", "W1", gemmCases}
}

func gemmCases(e env) []bench {
	square := []int{256, 512, 1024, 2048}
	thin := [][3]int{{128, 784, 512}, {784, 128, 512}, {128, 512, 784}}
	if e.quick {
		square, thin = []int{33}, [][3]int{{5, 17, 9}}
	}
	var out []bench
	for _, n := range square {
		out = append(out, gemmCase(Size{{"op", gemmName(e)}, {"n", n}}, n, n, n))
	}
	for _, s := range thin {
		out = append(out, gemmCase(Size{{"op", gemmName(e)}, {"m", s[0]}, {"k", s[1]}, {"n", s[2]}}, s[0], s[1], s[2]))
	}
	return out
}

// gemmName is the routine's name as other programs print it.
func gemmName(e env) string {
	if e.dtype == kernels.Float64 {
		return "dgemm"
	}
	return "sgemm"
}

func gemmCase(size Size, m, k, n int) bench {
	return bench{size, func(e env) (*runner, error) {
		bytes := float64(e.dtype.Size() * (m*k + k*n + m*n))
		work := Work{Flops: 2 * float64(m) * float64(k) * float64(n), Bytes: bytes, Set: bytes}
		return openOp(e, dense.GEMM{}, work, []int{m, k}, []int{k, n})
	}}
}

func elementwiseWorkload() workload {
	return workload{"elementwise", "functions of one variable: tanh, exp, sigmoid, gelu", "", elementwiseCases}
}

func elementwiseCases(e env) []bench {
	sizes := []int{10_000, 1_000_000}
	if e.quick {
		sizes = []int{67}
	}
	var out []bench
	for _, f := range []act.Func{act.Tanh, act.Exp, act.Sigmoid, act.GELU} {
		for _, n := range sizes {
			out = append(out, bench{Size{{"op", act.Name(f)}, {"n", n}}, func(e env) (*runner, error) {
				bytes := float64(2 * n * e.dtype.Size())
				return openOp(e, dense.Unary{F: f}, Work{Bytes: bytes, Set: bytes}, []int{n})
			}})
		}
	}
	return out
}
