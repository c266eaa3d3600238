package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"ganglion/engine"
	"ganglion/engine/data"
	"ganglion/internal/par"
	"ganglion/kernels"
)

// ErrNonFinite is returned when a loss or gradient is not finite and the policy is stop.
var ErrNonFinite = errors.New("loss or gradient is not finite")

// Trainer holds a model's programs and the position of the run: which step comes next, and of which epoch.
type Trainer struct {
	Options Options
	Set     Set

	store      *engine.Store
	pool       *par.Pool
	step       *engine.Program
	eval       *Predictor
	full, last feeds // of a full mini-batch, and of the last, shorter one of an epoch
	batches    *data.Batches
	strength   float64
	pos        Position
	sums       sums // of the epoch under way
	total      struct {
		skipped int
		solver  Solver
	} // of the epochs that have ended
	best   Best
	timing func(engine.Timing) // told about every op of the step, when not nil
	timed  int                 // steps that were timed
}

// Position is the place in a run, exact to the step.
type Position struct {
	Step  int `json:"step"`  // steps done
	Epoch int `json:"epoch"` // epochs done
	Batch int `json:"batch"` // mini-batches done of the epoch under way
}

// feeds is one set of bound inputs. hyper, key and step are shared by the sets of a trainer.
type feeds struct {
	batch
	hyper, key, step kernels.Tensor
	list             engine.Feeds
	graphs           graphFeeds
	samples          []int32 // the nodes or graphs of the mini-batch
}

// New builds and compiles the programs of a model for a set, and fills the parameters from the seed.
func New(m Model, set Set, o Options) (*Trainer, error) {
	o.fill()
	if err := o.Check(); err != nil {
		return nil, err
	}
	d := dtype(o.DType)
	for _, p := range []struct {
		name string
		part Part
	}{{"training", set.Train}, {"validation", set.Valid}, {"test", set.Test}} {
		if err := p.part.check(p.name, set.Task, d); err != nil {
			return nil, err
		}
	}
	o.Batch = min(o.Batch, set.Train.Len())
	if set.Task.Level == Nodes {
		o.Batch = set.Train.Len() // the network sees the whole graph at every step
	}
	t := &Trainer{Options: o, Set: set}
	if err := set.checkGraphs(); err != nil {
		return nil, err
	}
	sample, err := set.sample(o.Batch, d)
	if err != nil {
		return nil, err
	}
	g, strength, err := stepGraph(m, set.Task, sample, o)
	if err != nil {
		return nil, err
	}
	t.strength = strength
	t.pool = newPool(o.Threads)
	if t.step, err = o.compile(g, t.pool, nil); err != nil {
		t.Close()
		return nil, fmt.Errorf("training program: %w", err)
	}
	t.store = t.step.Store()
	if t.eval, err = newPredictor(m, set.Task, sample, o, t.store, t.pool); err != nil {
		t.Close()
		return nil, err
	}
	if err := errors.Join(t.bind(), t.share()); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// newPool makes the threads of a trainer or predictor; 0 stands for all cores.
func newPool(threads int) *par.Pool {
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return par.New(threads)
}

// Close ends the trainer's threads and frees what it holds on a device. It cannot be used afterwards; the parameters in
// its Store can be read.
func (t *Trainer) Close() {
	if t.eval != nil {
		t.eval.Close()
	}
	if t.step != nil {
		t.step.Close()
		_ = t.step.Store().Detach() // an error is kept for those who read the store
	}
	t.pool.Close()
}

// bind makes the memory of all mini-batches that can occur.
func (t *Trainer) bind() error {
	n, b := t.Set.Train.Len(), t.Options.Batch
	var err error
	if t.full, err = t.stepFeeds(b, nil); err != nil {
		return err
	}
	if rest := n % b; rest > 0 {
		if t.last, err = t.stepFeeds(rest, &t.full); err != nil {
			return err
		}
	}
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	t.batches, err = data.NewBatches(rows, b, t.Options.Seed)
	return err
}

func (t *Trainer) stepFeeds(n int, shared *feeds) (feeds, error) {
	d := dtype(t.Options.DType)
	f := feeds{batch: newBatch(t.Set.Task, d, n)}
	if shared != nil {
		f.hyper, f.key, f.step = shared.hyper, shared.key, shared.step
	} else {
		f.hyper = kernels.New(kernels.S(d, 3))
		f.key = kernels.New(kernels.S(kernels.Int32, 4))
		f.step = kernels.New(kernels.S(kernels.Int32, 1))
	}
	names := []string{inputY, inputRow, inputKey, inputStep, inputHyper}
	tensors := []kernels.Tensor{f.y, f.row, f.key, f.step, f.hyper}
	if t.Set.Graphs == nil {
		names, tensors = append(names, inputX), append(tensors, f.x)
	}
	if err := f.bind(t.step, names, tensors); err != nil {
		return f, err
	}
	var err error
	f.graphs, err = bindGraphs(t.step, t.Set.Task)
	return f, err
}

// bind lists the tensors under the program's slots. Inputs that the program does not read are left out.
func (f *feeds) bind(p *engine.Program, names []string, tensors []kernels.Tensor) error {
	for i, name := range names {
		slot, err := p.Slot(name)
		if errors.Is(err, engine.ErrUnused) {
			continue
		}
		if err != nil {
			return err
		}
		f.list = append(f.list, engine.Feed{Slot: slot, Tensor: tensors[i]})
	}
	return nil
}

// Store is the memory of the parameters and of all that goes with them.
func (t *Trainer) Store() *engine.Store { return t.store }

// Programs returns the training and the evaluation program.
func (t *Trainer) Programs() (step, eval *engine.Program) { return t.step, t.eval.program }

// Position tells where the run is.
func (t *Trainer) Position() Position { return t.pos }

// StepsPerEpoch is the number of mini-batches of an epoch; the last may be smaller than the others.
func (t *Trainer) StepsPerEpoch() int {
	return (t.Set.Train.Len() + t.Options.Batch - 1) / t.Options.Batch
}

// TotalSteps is the number of steps of a run that does not stop early.
func (t *Trainer) TotalSteps() int { return t.Options.Epochs * t.StepsPerEpoch() }

// StepResult is what one training step has to say. Output is valid until the next step.
type StepResult struct {
	Loss    float64
	LR      float64
	Applied bool           // false when loss or gradient were not finite and the parameters stayed as they were
	Rows    []int32        // the samples of the mini-batch, as rows of the training part
	Output  kernels.Tensor // [batch, Outputs]
}

// Step runs the next mini-batch: forward, backward, update. Within an epoch it allocates nothing. With the policy stop,
// a loss or gradient that is not finite is an error wrapping ErrNonFinite that names the op where it arose, and the
// parameters are as before the step. After the last step of the last epoch there is no next one: it goes on into a
// further epoch at the schedule's last rate.
func (t *Trainer) Step(ctx context.Context) (StepResult, error) {
	r := StepResult{Rows: t.batches.At(t.pos.Epoch, t.pos.Batch), LR: t.rate()}
	f := &t.full
	if len(r.Rows) < t.Options.Batch {
		f = &t.last
	}
	f.fill(t.Set.Train, r.Rows)
	if err := f.fillGraphs(t, r.Rows); err != nil {
		return r, fmt.Errorf("step %d: %w", t.pos.Step+1, err)
	}
	f.set(t.Options.Seed, t.pos.Step+1, r.LR, t.strength)
	if err := t.run(ctx, f.list); err != nil {
		return r, fmt.Errorf("step %d: %w", t.pos.Step+1, err)
	}
	var err error
	if r.Loss, r.Applied, r.Output, err = t.outcome(); err != nil {
		return r, err
	}
	if !r.Applied && t.Options.NonFinite == "stop" {
		return r, t.blame(ctx, f, r.Loss)
	}
	t.advance()
	return r, nil
}

// fillGraphs feeds the nodes or graphs that the samples of a mini-batch are.
func (f *feeds) fillGraphs(t *Trainer, rows []int32) error {
	if t.Set.Graphs == nil {
		return nil
	}
	if f.samples == nil {
		f.samples = make([]int32, f.row.Size())
	}
	for i, r := range rows {
		f.samples[i] = t.Set.Train.Rows[r]
	}
	var err error
	f.list, err = f.graphs.feed(f.list, t.Set.Graphs, t.Set.Task, f.samples, dtype(t.Options.DType))
	return err
}

func (t *Trainer) run(ctx context.Context, feeds engine.Feeds) error {
	if t.timing != nil {
		return t.step.RunTimed(ctx, feeds, t.timing)
	}
	return t.step.Run(ctx, feeds)
}

func (t *Trainer) rate() float64 {
	return Rate(t.Options.Schedule, t.Options.LR, t.pos.Step, t.Options.Warmup, t.TotalSteps())
}

func (t *Trainer) advance() {
	t.pos.Step++
	t.pos.Batch++
	if t.pos.Batch == t.StepsPerEpoch() {
		t.pos.Batch = 0
		t.pos.Epoch++
	}
}

// set writes the numbers that change from step to step.
func (f *feeds) set(seed uint64, step int, lr, strength float64) {
	for i, v := range [3]float64{lr, float64(step), strength} {
		if f.hyper.DType == kernels.Float32 {
			f.hyper.F32[i] = float32(v)
		} else {
			f.hyper.F64[i] = v
		}
	}
	f.step.I32[0] = int32(step)
	f.key.I32[0], f.key.I32[1] = int32(uint32(seed)), int32(uint32(seed>>32))
	f.key.I32[2], f.key.I32[3] = int32(uint32(step)), int32(uint32(uint64(step)>>32))
}

// outcome reads the results of the step that just ran.
func (t *Trainer) outcome() (loss float64, ok bool, out kernels.Tensor, err error) {
	l, err := t.step.Value(outputLoss)
	if err != nil {
		return 0, false, out, err
	}
	flag, err := t.step.Value(outputOK)
	if err != nil {
		return 0, false, out, err
	}
	out, err = t.step.Value(outputNet)
	return scalar(l), scalar(flag) != 0, out, err
}

func scalar(t kernels.Tensor) float64 {
	if t.DType == kernels.Float32 {
		return float64(t.F32[0])
	}
	return t.F64[0]
}

// blame runs the step once more, op by op, to name the op that produced the first value that is not finite.
func (t *Trainer) blame(ctx context.Context, f *feeds, loss float64) error {
	found, err := t.step.Diagnose(ctx, f.list)
	if err != nil {
		return fmt.Errorf("step %d: %w: loss %v; looking for the op failed: %w", t.pos.Step+1, ErrNonFinite, loss, err)
	}
	if found == nil {
		return fmt.Errorf(
			"step %d: %w: loss %v; it did not happen again when the step was repeated",
			t.pos.Step+1,
			ErrNonFinite,
			loss,
		)
	}
	return fmt.Errorf("step %d: %w: loss %v; the first such value: %v; the step was not applied. "+
		"Try a smaller lr, --set train.clip=1, or --set train.non_finite=skip", t.pos.Step+1, ErrNonFinite, loss, found)
}

// Score is the loss and the metric of one part.
type Score struct {
	Loss   float64 `json:"loss"`
	Metric float64 `json:"metric"`
}

// better reports whether loss a is lower than b; a number is lower than NaN.
func better(a, b float64) bool { return a < b || math.IsNaN(b) && !math.IsNaN(a) }
