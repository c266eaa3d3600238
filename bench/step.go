package bench

import (
	"context"
	"fmt"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/models/layer"
)

// batches is the number of mini-batches of a training part: a step gathers the next one from it.
const batches = 8

// still is a learning rate so small that no weight changes: every repetition solves the same equations.
const still = 1e-30

// trainingSet draws a set for a task: normal features; labels, or normal targets, at random.
func trainingSet(d kernels.DType, task train.Task) (train.Set, error) {
	set := train.Set{Task: task}
	for i, p := range []struct {
		part *train.Part
		n    int
	}{{&set.Train, task.Examples}, {&set.Valid, 1}, {&set.Test, 1}} {
		var err error
		if p.part.X, err = normal(d, uint32(2*i), p.n, task.Inputs); err != nil {
			return set, err
		}
		if task.Kind == train.Regress {
			if p.part.Y, err = normal(d, uint32(2*i+1), p.n, task.Outputs); err != nil {
				return set, err
			}
			continue
		}
		s := philox.New(seed, uint32(2*i+1), 0)
		p.part.Labels = make([]int32, p.n)
		for j := range p.part.Labels {
			p.part.Labels[j] = int32(s.Below(uint32(task.Outputs)))
		}
	}
	return set, nil
}

// openStep makes a runner of whole training steps: the mini-batch is gathered, forward, backward, Adam.
func openStep(e env, m train.Model, task train.Task, batch int, rate float64) (*runner, *train.Trainer, error) {
	task.Examples = batches * batch
	set, err := trainingSet(e.dtype, task)
	if err != nil {
		return nil, nil, err
	}
	o := train.Defaults()
	o.Batch, o.LR, o.Schedule, o.DType, o.Threads, o.Seed = batch, rate, "constant", e.word(), e.threads, seed
	o.Device = e.device
	t, err := train.New(m, set, o)
	if err != nil {
		return nil, nil, err
	}
	ctx := context.Background()
	step := func() error {
		r, err := t.Step(ctx)
		if err == nil && !r.Applied {
			err = fmt.Errorf("step %d was not applied", t.Position().Step)
		}
		return err
	}
	r := &runner{step: step, close: t.Close}
	if e.device != nil {
		p, _ := t.Programs()
		r.facts = func() []Fact { return hosted(p) }
	}
	return r, t, nil
}

// mlp is a network of dense layers with ReLU between them.
type mlp struct{ hidden []int }

// Forward writes the layers.
func (m mlp) Forward(s *engine.Scope, in train.Inputs) train.Net {
	x := in.X
	for i, n := range m.hidden {
		h := s.In(fmt.Sprintf("hidden%d", i+1))
		x = layer.Linear{Out: n}.Apply(h, x)
		if i < len(m.hidden)-1 {
			x = layer.Activation(h, act.ReLU, x)
		}
	}
	return train.Net{Output: x}
}

func mlpWorkload() workload {
	const title = "training steps of dense layers 784-512-256-10 with ReLU, cross-entropy and Adam"
	return workload{"mlp", title, "W1", mlpCases}
}

func mlpCases(e env) []bench {
	widths, sizes := []int{784, 512, 256, 10}, []int{32, 128, 1024}
	if e.quick {
		widths, sizes = []int{12, 8, 3}, []int{5}
	}
	name := fmt.Sprint(widths[0])
	for _, w := range widths[1:] {
		name += fmt.Sprintf("-%d", w)
	}
	var out []bench
	for _, batch := range sizes {
		out = append(out, bench{Size{{"net", name}, {"batch", batch}}, func(e env) (*runner, error) {
			task := train.Task{Kind: train.Classify, Inputs: widths[0], Outputs: widths[len(widths)-1]}
			r, t, err := openStep(e, mlp{widths[1:]}, task, batch, 1e-3)
			if err != nil {
				return nil, err
			}
			w := stepWork(e, t, widths, batch)
			r.work = func() Work { return w }
			return r, nil
		}})
	}
	return out
}

// stepWork counts three products a layer, but two of the first, whose inputs need no gradient; and each parameter,
// gradient and moment once through the update.
func stepWork(e env, t *train.Trainer, widths []int, batch int) Work {
	var flops float64
	for i := 1; i < len(widths); i++ {
		products := 3.0
		if i == 1 {
			products = 2
		}
		flops += products * 2 * float64(batch*widths[i-1]*widths[i])
	}
	return Work{Flops: flops, Bytes: updateBytes(e, t), Set: updateBytes(e, t)}
}

// updateBytes is what Adam moves: four numbers read and three written for each parameter.
func updateBytes(e env, t *train.Trainer) float64 {
	return float64(7 * e.dtype.Size() * t.Store().Params().Size())
}
