package bench

import (
	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels"
	"ganglion/kernels/dense"
	"ganglion/kernels/recurrent"
	"ganglion/models/layer"
)

func recurrentWorkload() workload {
	const title = "LSTM and GRU over sequences: kernels alone, and training steps with a linear layer on the last state"
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
		{"lstm", recurrent.LSTM{}, recurrent.LSTMGrad{Hidden: true}, 4, 6, 2},
		{"gru", recurrent.GRU{}, recurrent.GRUGrad{Hidden: true}, 3, 5, 1},
	} {
		state, w := []int{batch, hidden}, []int{c.gates * hidden, hidden}
		forward := [][]int{{steps, batch, c.gates * hidden}}
		for range c.states {
			forward = append(forward, state)
		}
		all := []int{c.kept, steps, batch, hidden}
		size := Size{{"op", c.op}, {"steps", steps}, {"batch", batch}, {"hidden", hidden}}
		back := Size{{"op", c.op + "-grad"}, {"steps", steps}, {"batch", batch}, {"hidden", hidden}}
		out = append(out, countedCase(size, c.kernel, append(forward, w, []int{4 * hidden})...),
			countedCase(back, c.grad, all, all[1:], state, w))
	}
	return append(out, sequenceCases(e)...)
}

// sequence is a layer over time with a linear layer on its last state. A sample's features are its steps, one behind
// another.
type sequence struct {
	op                           string
	steps, batch, inputs, hidden int
	gates, outputs               int
}

func sequenceCases(e env) []bench {
	sizes := [][4]int{{64, 128, 256, 256}, {64, 32, 128, 256}} // steps, batch, inputs, hidden
	if e.quick {
		sizes = [][4]int{{3, 5, 4, 7}}
	}
	var out []bench
	for _, q := range []sequence{{op: "gru", gates: 3, outputs: 10}, {op: "lstm", gates: 4, outputs: 10}} {
		for _, n := range sizes {
			q.steps, q.batch, q.inputs, q.hidden = n[0], n[1], n[2], n[3]
			size := Size{{"op", q.op + "-step"}, {"steps", q.steps}, {"batch", q.batch}, {"inputs", q.inputs},
				{"hidden", q.hidden}}
			out = append(out, bench{size, q.open})
		}
	}
	return out
}

// Forward writes the layers.
func (q sequence) Forward(s *engine.Scope, in train.Inputs) train.Net {
	x := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, q.steps, q.inputs)}, in.X)
	x = s.Apply(dense.NewTranspose(1, 0, 2), x)
	var h *layer.Node
	if q.op == "gru" {
		h = layer.GRU{Hidden: q.hidden}.Apply(s.In(q.op), x, nil)
	} else {
		h, _ = layer.LSTM{Hidden: q.hidden}.Apply(s.In(q.op), x, nil, nil)
	}
	last := s.Apply(recurrent.Part{Index: q.steps - 1}, h)
	return train.Net{Output: layer.Linear{Out: q.outputs}.Apply(s.In("head"), last)}
}

// open makes a runner of training steps. Two products with the inputs and three with the hidden units are counted, and
// the update.
func (q sequence) open(e env) (*runner, error) {
	task := train.Task{Kind: train.Classify, Inputs: q.steps * q.inputs, Outputs: q.outputs}
	r, t, err := openStep(e, q, task, q.batch, 1e-3)
	if err != nil {
		return nil, err
	}
	flops := 2 * float64(q.steps*q.batch*q.gates*q.hidden) * float64(2*q.inputs+3*q.hidden)
	w := Work{Flops: flops, Bytes: updateBytes(e, t), Set: updateBytes(e, t)}
	r.work = func() Work { return w }
	return r, nil
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
