package zoo

import (
	"context"

	"ganglion/engine/data"
	"ganglion/engine/train"
	"ganglion/kernels"
)

// LoadSet is a data set of the binary, split by the seed and standardised, in float32: what the checks of systems train
// on.
func LoadSet(name string, seed uint64) (train.Set, error) {
	t, err := data.Load(context.Background(), name, data.Options{Task: data.Classify})
	if err != nil {
		return train.Set{}, err
	}
	split, err := t.Split("", seed)
	if err != nil {
		return train.Set{}, err
	}
	z, err := data.FitStandardizer(t, split.Train)
	if err != nil {
		return train.Set{}, err
	}
	part := func(rows []int32) train.Part {
		p := train.Part{X: kernels.New(kernels.S(kernels.Float32, len(rows), t.D)), Labels: make([]int32, len(rows))}
		data.Transform(p.X.F32, z, t, rows)
		for i, r := range rows {
			p.Labels[i] = t.Labels[r]
		}
		return p
	}
	task := train.Task{Kind: train.Classify, Inputs: t.D, Outputs: t.Outputs(), Examples: len(split.Train)}
	copy(task.Shape[:], t.Shape)
	return train.Set{Task: task, Train: part(split.Train), Valid: part(split.Valid), Test: part(split.Test)}, nil
}

// Builder is the Build of a system. Checks name it instead of the system, which names them.
type Builder func(cfg any, task train.Task) (train.Model, error)

// Fit trains a network; the trainer's threads have ended when it comes back.
func (b Builder) Fit(cfg any, set train.Set, o train.Options) (*train.Trainer, train.Model, error) {
	m, err := b(cfg, set.Task)
	if err != nil {
		return nil, nil, err
	}
	t, err := train.New(m, set, o)
	if err != nil {
		return nil, nil, err
	}
	defer t.Close()
	_, err = t.Fit(context.Background(), train.Hooks{})
	return t, m, err
}

// Score trains a network and returns the metric of the test part: accuracy or root mean squared error, for the
// parameters of the best epoch.
func (b Builder) Score(cfg any, set train.Set, o train.Options) (float64, error) {
	m, err := b(cfg, set.Task)
	if err != nil {
		return 0, err
	}
	t, err := train.New(m, set, o)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	if _, err := t.Fit(context.Background(), train.Hooks{}); err != nil {
		return 0, err
	}
	t.UseBest()
	scores, err := t.Evaluate(context.Background(), train.TestPart)
	return scores.Metric, err
}
