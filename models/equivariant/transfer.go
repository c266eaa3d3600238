package equivariant

import (
	"context"
	"fmt"

	"ganglion/engine/train"
	"ganglion/internal/philox"
	"ganglion/kernels"
)

const transferClaim = "the share of paths of length 2, learnt at 10 nodes, is told at 20 by the same weights: root " +
	"mean squared errors of 0.02 and 0.06 at most, where the shares scatter by 0.2"

// checkTransfer trains on small graphs and scores small and large ones with the same weights.
func checkTransfer(seed uint64) (measured, required string, ok bool, err error) {
	small := paths(10, 3*seed, 1500)
	cfg := Config{Group: "S", N: 10, Orders: "2-1-0", Channels: 16, Inputs: 1, Gate: "auto", Hidden: 16}
	m, err := build(cfg, small.Task)
	if err != nil {
		return "", "", false, err
	}
	t, err := train.New(m, small, train.Options{Epochs: 60, LR: 0.01, Seed: seed})
	if err != nil {
		return "", "", false, err
	}
	defer t.Close()
	if _, err := t.Fit(context.Background(), train.Hooks{}); err != nil {
		return "", "", false, err
	}
	t.UseBest()
	near, err := t.Evaluate(context.Background(), train.TestPart)
	if err != nil {
		return "", "", false, err
	}
	state, err := t.Snapshot()
	if err != nil {
		return "", "", false, err
	}
	large := paths(20, 3*seed+1, 500)
	cfg.N = 20
	if m, err = build(cfg, large.Task); err != nil {
		return "", "", false, err
	}
	p, err := train.NewPredictor(m, large.Task, train.Options{Seed: seed}, nil)
	if err != nil {
		return "", "", false, err
	}
	defer p.Close()
	if err := train.LoadParams(p.Store(), state); err != nil {
		return "", "", false, err
	}
	far, err := p.Judge(context.Background(), large, large.Test)
	return fmt.Sprintf("%.4f at 10 nodes, %.4f at 20", near.Metric, far.Metric), "at most 0.02 and 0.06",
		near.Metric <= 0.02 && far.Metric <= 0.06, err
}

// paths are random graphs of n nodes as adjacency matrices, with the share Σd(d−1)/(n(n−1)(n−2)) of paths of length 2.
func paths(n int, seed uint64, samples int) train.Set {
	part := func(stream uint32) train.Part {
		x := kernels.New(kernels.S(kernels.Float32, samples, n*n))
		y := kernels.New(kernels.S(kernels.Float32, samples, 1))
		for b := range samples {
			random := philox.New(seed, 0x70617468+stream, uint32(b))
			a := x.F32[b*n*n : (b+1)*n*n]
			density := 0.2 + 0.6*random.Uniform()
			degree := make([]int, n)
			for i := range n {
				for j := range i {
					if random.Uniform() < density {
						a[i*n+j], a[j*n+i] = 1, 1
						degree[i]++
						degree[j]++
					}
				}
			}
			for _, d := range degree {
				y.F32[b] += float32(d*(d-1)) / float32(n*(n-1)*(n-2))
			}
		}
		return train.Part{X: x, Y: y}
	}
	task := train.Task{Kind: train.Regress, Inputs: n * n, Outputs: 1, Examples: samples}
	return train.Set{Task: task, Train: part(0), Valid: part(1), Test: part(2)}
}
