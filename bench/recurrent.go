package bench

import (
	"ganglion/kernels"
	"ganglion/kernels/recurrent"
)

func recurrentWorkload() workload {
	const title = "LSTM and GRU over 128 steps of 256 units with their gradients, without the product of the inputs"
	return workload{"recurrent", title, "", recurrentCases}
}

// countedOp is a kernel that counts its operations.
type countedOp interface {
	kernels.CPUOp
	Flops(in []kernels.Spec, out kernels.Spec) float64
}

func recurrentCases(e env) []bench {
	steps, batch, hidden := 128, 32, 256
	if e.quick {
		steps, batch, hidden = 3, 5, 7
	}
	var out []bench
	for _, c := range []struct {
		op           string
		kernel, grad countedOp
		gates, kept  int // gates of a unit, and arrays of the output
		states       int // of a unit: hidden, and perhaps cell
	}{
		{"lstm", recurrent.LSTM{}, recurrent.LSTMGrad{}, 4, 6, 2},
		{"gru", recurrent.GRU{}, recurrent.GRUGrad{}, 3, 5, 1},
	} {
		state, w := []int{batch, hidden}, []int{c.gates * hidden, hidden}
		forward := [][]int{{steps, batch, c.gates * hidden}}
		for range c.states {
			forward = append(forward, state)
		}
		all := []int{c.kept, steps, batch, hidden}
		size := Size{{"op", c.op}, {"steps", steps}, {"batch", batch}, {"hidden", hidden}}
		back := Size{{"op", c.op + "-grad"}, {"steps", steps}, {"batch", batch}, {"hidden", hidden}}
		out = append(out, countedCase(size, c.kernel, append(forward, w, []int{c.gates * hidden})...),
			countedCase(back, c.grad, all, all, state, w))
	}
	return out
}

// countedCase is an op on normal numbers whose arrays move once.
func countedCase(size Size, op countedOp, shapes ...[]int) bench {
	return bench{size, func(e env) (*runner, error) {
		var specs []kernels.Spec
		bytes := 0
		for _, s := range shapes {
			specs = append(specs, kernels.S(e.dtype, s...))
			bytes += specs[len(specs)-1].Bytes()
		}
		out, err := op.Infer(specs)
		if err != nil {
			return nil, err
		}
		total := float64(bytes + out.Bytes())
		return openOp(e, op, Work{Flops: op.Flops(specs, out), Bytes: total, Set: total}, shapes...)
	}}
}
