package bench

import (
	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/diagram"
	"ganglion/kernels/diagram/calculus"
	"ganglion/kernels/random"
)

func diagramWorkload() workload {
	const title = "equivariant maps between tensor powers, by all diagrams of a group: forward, and with both gradients"
	return workload{"diagrams", title, "W4", diagramCases}
}

func diagramCases(e env) []bench {
	batch, lengths, long := 32, []int{10, 20, 30}, 100
	if e.quick {
		batch, lengths, long = 2, []int{4}, 6
	}
	var out []bench
	for _, c := range []struct {
		group calculus.Group
		k, l  int
	}{{calculus.S, 1, 1}, {calculus.S, 2, 1}, {calculus.S, 2, 2}, {calculus.S, 3, 2}, {calculus.S, 3, 3},
		{calculus.O, 2, 2}} {
		for _, n := range lengths {
			for _, channels := range []int{1, 8} {
				f := diagram.Family{Group: c.group, N: n, L: c.l, K: c.k}
				out = append(out, diagramCase(f, batch, channels, false), diagramCase(f, batch, channels, true))
			}
		}
	}
	for _, channels := range []int{1, 8, 16} {
		f := diagram.Family{Group: calculus.S, N: long, L: 2, K: 2}
		out = append(out, diagramCase(f, batch, channels, false))
	}
	return out
}

// diagramCase is the map of a family, and with it, if both is set, its gradients to input and weights. What moves is
// the input and the output, each once a pass.
func diagramCase(f diagram.Family, batch, channels int, both bool) bench {
	op, passes := "forward", 1
	if both {
		op, passes = "forward+backward", 3
	}
	size := Size{{"group", f.Group.String()}, {"k", f.K}, {"l", f.L}, {"n", f.N}, {"batch", batch},
		{"channels", channels}, {"op", op}}
	return bench{size, func(e env) (*runner, error) {
		count := int(calculus.Count(f.Group, f.N, f.L, f.K).Int64())
		v, w := []int{batch, channels}, []int{count, channels, channels}
		z := []int{batch, channels}
		for range f.K {
			v = append(v, f.N)
		}
		for range f.L {
			z = append(z, f.N)
		}
		var work Work
		g, err := engine.Build("map", e.dtype, func(s *engine.Scope) {
			operand := func(name string, shape []int) *kernels.Node {
				return s.State(name, kernels.S(e.dtype, shape...), random.Normal{Std: 1})
			}
			x, lambda, dz := operand("v", v), operand("lambda", w), operand("dz", z)
			m := diagram.Map{Family: f}
			s.Output("z", s.Apply(m, x, lambda))
			in, out := kernels.SpecOf(x), kernels.SpecOf(dz)
			work.Bytes = float64(passes * (in.Bytes() + out.Bytes()))
			work.Flops = float64(passes) * m.Flops([]kernels.Spec{in, kernels.SpecOf(lambda)}, out)
			work.Set = work.Bytes
			if both {
				for i, d := range m.Grad(s, []*kernels.Node{x, lambda}, nil, dz) {
					s.Output([]string{"dv", "dlambda"}[i], d)
				}
			}
		})
		if err != nil {
			return nil, err
		}
		return openProgram(e, g, work)
	}}
}
