package train

import (
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/engine/checkpoint"
	"ganglion/engine/checkpoint/safetensors"
	"ganglion/kernels"
)

// bestBlock is the name under which a checkpoint holds the parameters of the best epoch; stores hold no such name.
const bestBlock = "best epoch's parameters"

// Snapshot returns the whole state of the run: weights, optimiser, other states, position, sums of the epoch under way, best epoch.
// The tensors are views of the trainer's memory: store them before the next step.
func (t *Trainer) Snapshot() (*checkpoint.State, error) {
	s := &checkpoint.State{Step: t.pos.Step, Epoch: t.pos.Epoch, Batch: t.pos.Batch, Seed: t.Options.Seed, Counters: t.counters()}
	for _, name := range t.store.Names() {
		v, err := t.store.Tensor(name)
		if err != nil {
			return nil, err
		}
		s.Tensors = append(s.Tensors, saved(name, v))
	}
	if t.best.Epoch > 0 {
		s.Tensors = append(s.Tensors, saved(bestBlock, t.best.params))
		s.Best = &checkpoint.Best{Step: t.best.Step, Metric: t.best.Valid.Metric}
	}
	return s, nil
}

// BestSnapshot returns the parameters of the best epoch alone, for use after training.
func (t *Trainer) BestSnapshot() (*checkpoint.State, error) {
	if t.best.Epoch == 0 {
		return nil, fmt.Errorf("no epoch has ended yet")
	}
	last := t.store.Params().Clone()
	defer last.CopyTo(t.store.Params())
	t.UseBest()
	s := &checkpoint.State{Step: t.best.Step, Epoch: t.best.Epoch, Seed: t.Options.Seed,
		Best: &checkpoint.Best{Step: t.best.Step, Metric: t.best.Valid.Metric}}
	for _, name := range t.store.Names() {
		if !t.store.IsParam(name) {
			continue
		}
		v, err := t.store.Tensor(name)
		if err != nil {
			return nil, err
		}
		s.Tensors = append(s.Tensors, saved(name, v.Clone()))
	}
	return s, nil
}

// Restore goes back to a snapshot of a trainer with the same model, set and options.
func (t *Trainer) Restore(s *checkpoint.State) error {
	if s.Seed != t.Options.Seed {
		return fmt.Errorf("checkpoint has seed %d, the run %d", s.Seed, t.Options.Seed)
	}
	held := map[string]safetensors.Tensor{}
	for _, v := range s.Tensors {
		held[v.Name] = v
	}
	for _, name := range t.store.Names() {
		dst, err := t.store.Tensor(name)
		if err != nil {
			return err
		}
		if err := load(dst, held, name); err != nil {
			return err
		}
	}
	t.pos = Position{Step: s.Step, Epoch: s.Epoch, Batch: s.Batch}
	t.restoreCounters(s.Counters)
	if t.best.Epoch == 0 {
		return nil
	}
	t.best.params = kernels.New(t.store.Params().Spec)
	return load(t.best.params, held, bestBlock)
}

// LoadParams fills the parameters of a store from a checkpoint, whatever else the checkpoint holds.
func LoadParams(store *engine.Store, s *checkpoint.State) error {
	held := map[string]safetensors.Tensor{}
	for _, v := range s.Tensors {
		held[v.Name] = v
	}
	for _, name := range store.Names() {
		if !store.IsParam(name) {
			continue
		}
		dst, err := store.Tensor(name)
		if err != nil {
			return err
		}
		if err := load(dst, held, name); err != nil {
			return err
		}
	}
	return nil
}

// numbers lists the scalars of the run's state that are not positions, in a fixed order.
func (t *Trainer) numbers() []struct {
	name string
	f    *float64
	i    *int
} {
	s, b := &t.sums, &t.best
	return []struct {
		name string
		f    *float64
		i    *int
	}{
		{"epoch.loss", &s.loss, nil}, {"epoch.hits", &s.hits, nil}, {"epoch.samples", nil, &s.samples},
		{"epoch.skipped", nil, &s.skipped}, {"solver.samples", nil, &s.solver.Samples}, {"solver.failed", nil, &s.solver.Failed},
		{"solver.worst", &s.solver.Worst, nil}, {"solver.mean", &s.solver.Iterations, nil}, {"solver.total", nil, &s.solver.total},
		{"solver.longest", nil, &s.solver.Longest}, {"best.epoch", nil, &b.Epoch}, {"best.step", nil, &b.Step},
		{"best.loss", &b.Valid.Loss, nil}, {"best.metric", &b.Valid.Metric, nil}, {"best.since", nil, &b.since},
	}
}

func (t *Trainer) counters() []checkpoint.Counter {
	var out []checkpoint.Counter
	for _, n := range t.numbers() {
		v := uint64(0)
		if n.f != nil {
			v = math.Float64bits(*n.f)
		} else {
			v = uint64(int64(*n.i))
		}
		out = append(out, checkpoint.Counter{Name: n.name, Value: v})
	}
	return out
}

func (t *Trainer) restoreCounters(counters []checkpoint.Counter) {
	held := map[string]uint64{}
	for _, c := range counters {
		held[c.Name] = c.Value
	}
	for _, n := range t.numbers() {
		if n.f != nil {
			*n.f = math.Float64frombits(held[n.name])
		} else {
			*n.i = int(int64(held[n.name]))
		}
	}
}
