package train

import (
	"fmt"
	"math"
	"slices"

	"ganglion/engine"
	"ganglion/engine/checkpoint"
	"ganglion/engine/checkpoint/safetensors"
	"ganglion/kernels"
)

// bestBlock is the name under which a checkpoint holds the parameters of the best epoch; stores hold no such name.
const bestBlock = "best epoch's parameters"

// bestState stands before the names of the best epoch's states.
const bestState = "best epoch's "

// Snapshot returns the whole state of the run: weights, optimiser, other states, position, sums of the epoch under way,
// best epoch. The tensors are views of the trainer's memory: store them before the next step.
func (t *Trainer) Snapshot() (*checkpoint.State, error) {
	s := &checkpoint.State{
		Step:     t.pos.Step,
		Epoch:    t.pos.Epoch,
		Batch:    t.pos.Batch,
		Seed:     t.Options.Seed,
		Counters: t.counters(),
	}
	for _, name := range t.store.Names() {
		v, err := t.store.Tensor(name)
		if err != nil {
			return nil, err
		}
		s.Tensors = append(s.Tensors, saved(name, v))
	}
	if t.best.Epoch > 0 {
		s.Tensors = append(s.Tensors, saved(bestBlock, t.best.params))
		for i, name := range t.evalNames() {
			s.Tensors = append(s.Tensors, saved(bestState+name, t.best.states[i]))
		}
		s.Best = t.bestOf()
	}
	return s, nil
}

// bestOf is the best epoch as checkpoints have it, nil if its metric is not finite: they hold finite numbers alone.
func (t *Trainer) bestOf() *checkpoint.Best {
	if m := t.best.Valid.Metric; math.IsNaN(m) || math.IsInf(m, 0) {
		return nil
	}
	return &checkpoint.Best{Step: t.best.Step, Metric: t.best.Valid.Metric}
}

// BestSnapshot returns the parameters of the best epoch, and the states that evaluations read, for use after training.
func (t *Trainer) BestSnapshot() (*checkpoint.State, error) {
	if t.best.Epoch == 0 {
		return nil, fmt.Errorf("no epoch has ended yet")
	}
	if err := t.store.Sync(); err != nil { // Params cannot tell
		return nil, fmt.Errorf("best parameters: %w", err)
	}
	last := t.store.Params().Clone()
	defer last.CopyTo(t.store.Params())
	states, err := t.evalStates()
	if err != nil {
		return nil, fmt.Errorf("best parameters: %w", err)
	}
	for i, v := range copies(states) {
		defer v.CopyTo(states[i])
	}
	t.UseBest()
	s := &checkpoint.State{Step: t.best.Step, Epoch: t.best.Epoch, Seed: t.Options.Seed, Best: t.bestOf()}
	read := t.evalNames()
	for _, name := range t.store.Names() {
		if !t.store.IsParam(name) && !slices.Contains(read, name) {
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
	if n := t.StepsPerEpoch(); s.Epoch*n+s.Batch != s.Step || s.Batch >= n {
		return fmt.Errorf(
			"checkpoint stands at step %d, epoch %d, batch %d, which is no position of a run with %d steps an epoch",
			s.Step,
			s.Epoch,
			s.Batch,
			n,
		)
	}
	if err := t.restoreCounters(s.Counters); err != nil {
		return err
	}
	t.pos = Position{Step: s.Step, Epoch: s.Epoch, Batch: s.Batch}
	if t.best.Epoch == 0 {
		return nil
	}
	t.best.params = kernels.New(t.store.Params().Spec)
	states, err := t.evalStates()
	if err != nil {
		return err
	}
	t.best.states = copies(states)
	for i, name := range t.evalNames() {
		if err := load(t.best.states[i], held, bestState+name); err != nil {
			return err
		}
	}
	return load(t.best.params, held, bestBlock)
}

// LoadParams fills the parameters and states of a predictor's store from a checkpoint, whatever else the checkpoint
// holds.
func LoadParams(store *engine.Store, s *checkpoint.State) error {
	held := map[string]safetensors.Tensor{}
	for _, v := range s.Tensors {
		held[v.Name] = v
	}
	for _, name := range store.Names() {
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

// number is a scalar of the run's state: a float or an integer.
type number struct {
	name string
	f    *float64
	i    *int
}

// numbers lists the scalars of the run's state that are not positions, in a fixed order.
func (t *Trainer) numbers() []number {
	s, b := &t.sums, &t.best
	list := []number{
		{
			"epoch.loss",
			&s.loss,
			nil,
		}, {"epoch.hits", &s.hits, nil}, {"epoch.samples", nil, &s.samples}, {"epoch.skipped", nil, &s.skipped},
		{"run.skipped", nil, &t.total.skipped},
		{"best.epoch", nil, &b.Epoch}, {"best.step", nil, &b.Step}, {"best.loss", &b.Valid.Loss, nil},
		{"best.metric", &b.Valid.Metric, nil}, {"best.since", nil, &b.since},
	}
	list = append(list, s.solver.numbers("epoch.solver.")...)
	list = append(list, t.total.solver.numbers("run.solver.")...)
	g := &s.structure
	for _, n := range []struct {
		name string
		i    *int
	}{{"nodes", &g.Nodes}, {"kept", &g.Kept}, {"modules", &g.Modules}, {"cyclic", &g.Cyclic}, {"largest", &g.Largest},
		{"levels", &g.Levels}, {"smallest", &g.Smallest}} {
		list = append(list, number{"epoch.structure." + n.name, nil, n.i})
	}
	return list
}

func (s *Solver) numbers(prefix string) []number {
	return []number{
		{prefix + "samples", nil, &s.Samples},
		{prefix + "failed", nil, &s.Failed},
		{prefix + "worst", &s.Worst, nil},
		{prefix + "mean", &s.Iterations, nil},
		{prefix + "total", nil, &s.total},
		{prefix + "longest", nil, &s.Longest},
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

func (t *Trainer) restoreCounters(counters []checkpoint.Counter) error {
	held := map[string]uint64{}
	for _, c := range counters {
		held[c.Name] = c.Value
	}
	for _, n := range t.numbers() {
		v, ok := held[n.name]
		if !ok {
			return fmt.Errorf("checkpoint has no %q: another version of the program wrote it", n.name)
		}
		if n.f != nil {
			*n.f = math.Float64frombits(v)
		} else {
			*n.i = int(int64(v))
		}
	}
	return nil
}
