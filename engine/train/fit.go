package train

import (
	"context"
	"fmt"
	"math"
	"time"

	"ganglion/engine"
	"ganglion/kernels"
)

// Hooks are called by Fit. Each may be nil.
type Hooks struct {
	// Step is called after every step.
	Step func(step, total int, loss float64) error
	// Epoch is called at the end of every epoch.
	Epoch func(Epoch) error
	// Save is called when a checkpoint is due; it must have stored Snapshot durably when it returns.
	Save func() error
	// Warn is told what went wrong without ending the run, once for each kind of trouble and epoch.
	Warn func(text string) error
	// Span is called when a part of the run has ended: step, validation, save or epoch. Spans nest.
	Span func(kind string, start time.Time)
	// Op is called for every op of the first OpSteps steps that Fit runs; those steps allocate.
	Op      func(engine.Timing)
	OpSteps int
}

func (h Hooks) span(kind string, start time.Time) {
	if h.Span != nil {
		h.Span(kind, start)
	}
}

// save calls Save, if there is one.
func (h Hooks) save() error {
	if h.Save == nil {
		return nil
	}
	defer h.span("save", time.Now())
	return h.Save()
}

// Epoch is the report on one epoch.
type Epoch struct {
	Epoch, Of   int // number of the epoch from 1, and of the whole run
	Step, Steps int // steps done, and of the whole run
	LR          float64
	Train       Score // mean loss over the epoch's mini-batches as they were met; metric likewise
	Valid       Score
	Seconds     float64 // spent in this epoch's training steps
	Elapsed     float64 // spent in training steps by this call of Fit, up to here
	Skipped     int     // steps that were not applied
	Solver      Solver
	Structure   kernels.Structure
	Best        bool // the best validation loss so far
}

// Solver sums up what iterative kernels reported.
type Solver struct {
	Samples    int     // problems solved
	Failed     int     // of those, the ones that missed the tolerance
	Worst      float64 // largest residual, relative to 1+max|x|; may be NaN
	Iterations float64 // mean over the problems
	Longest    int     // iterations of the longest
	total      int
}

func (s *Solver) add(r *kernels.Report) {
	if r.Samples == 0 {
		return
	}
	s.Samples += r.Samples
	s.Failed += r.Failed
	s.total += r.Total
	s.Longest = max(s.Longest, r.Iterations)
	if r.Worst > s.Worst || math.IsNaN(r.Worst) {
		s.Worst = r.Worst
	}
	s.Iterations = float64(s.total) / float64(s.Samples)
}

// Trouble says how many solves failed, or is empty when none did.
func (s Solver) Trouble() string {
	if s.Failed == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d solves did not reach the tolerance (worst residual %.3g, longest %d iterations)",
		s.Failed, s.Samples, s.Worst, s.Longest)
}

func (s *Solver) merge(o Solver) {
	s.add(&kernels.Report{Samples: o.Samples, Failed: o.Failed, Worst: o.Worst, Iterations: o.Longest, Total: o.total})
}

// Best is the best epoch so far by validation loss.
type Best struct {
	Epoch, Step int
	Valid       Score
	params      kernels.Tensor   // copy of the parameter block
	states      []kernels.Tensor // copies of the states that evaluations read, such as running moments
	since       int              // epochs since
}

// Outcome says how a run ended.
type Outcome struct {
	Best    Best
	Stopped string  // why the run ended before its last epoch; empty if it did not
	Epochs  int     // that this call ran to their ends
	Seconds float64 // spent in training steps by this call
	Skipped int     // steps of the whole run that were not applied
	Solver  Solver  // of all training steps of the whole run together
}

// saveEvery is the least time between two checkpoints at ends of epochs.
const saveEvery = time.Second

// Fit runs the remaining epochs. The parameters are those of the last step when it returns; UseBest goes back to the
// best. A cancelled context ends it after the step under way, with the context's error, and with the position saved.
func (t *Trainer) Fit(ctx context.Context, h Hooks) (Outcome, error) {
	var out Outcome
	saved := time.Now()
	for t.pos.Epoch < t.Options.Epochs && !t.patienceGone() {
		e, err := t.epoch(ctx, h)
		out.Seconds += e.Seconds
		if err != nil {
			return t.outcomeOf(out), err
		}
		e.Elapsed = out.Seconds
		out.Epochs++
		if h.Epoch != nil {
			if err := h.Epoch(e); err != nil {
				return t.outcomeOf(out), err
			}
		}
		// The report comes first: a run that is resumed from here does not repeat it.
		if t.due(saved) {
			if err := h.save(); err != nil {
				return t.outcomeOf(out), err
			}
			saved = time.Now()
		}
	}
	if t.patienceGone() && t.pos.Epoch < t.Options.Epochs {
		out.Stopped = fmt.Sprintf("validation loss has not improved for %d epochs", t.Options.Patience)
	}
	return t.outcomeOf(out), h.save()
}

func (t *Trainer) patienceGone() bool {
	return t.Options.Patience > 0 && t.best.since >= t.Options.Patience
}

// due reports whether a checkpoint is to be saved at the end of an epoch.
func (t *Trainer) due(saved time.Time) bool {
	if k := t.Options.Save; k > 0 {
		return t.pos.Step%k == 0
	}
	return time.Since(saved) > saveEvery
}

// outcomeOf completes an outcome by what the trainer keeps.
func (t *Trainer) outcomeOf(out Outcome) Outcome {
	out.Best, out.Skipped, out.Solver = t.best, t.total.skipped, t.total.solver
	return out
}

// epoch runs the rest of the epoch under way and judges it on the validation part.
func (t *Trainer) epoch(ctx context.Context, h Hooks) (Epoch, error) {
	start := time.Now()
	defer h.span("epoch", start)
	number := t.pos.Epoch + 1
	var lr float64
	for t.pos.Epoch+1 == number {
		if err := ctx.Err(); err != nil {
			return Epoch{Seconds: time.Since(start).Seconds()}, t.interrupted(h, err)
		}
		r, err := t.stepOf(ctx, h)
		if err != nil {
			return Epoch{Seconds: time.Since(start).Seconds()}, err
		}
		lr = r.LR
		if k := t.Options.Save; k > 0 && t.pos.Step%k == 0 && t.pos.Epoch+1 == number {
			if err := h.save(); err != nil {
				return Epoch{}, err
			}
		}
	}
	e := Epoch{
		Epoch:     number,
		Of:        t.Options.Epochs,
		Step:      t.pos.Step,
		Steps:     t.TotalSteps(),
		LR:        lr,
		Seconds:   time.Since(start).Seconds(),
		Train:     t.sums.score(t.Set),
		Skipped:   t.sums.skipped,
		Solver:    t.sums.solver,
		Structure: t.sums.structure,
	}
	return e, t.endEpoch(ctx, h, &e)
}

// stepOf runs one step and tells the hooks. A step is never cut short: the context is looked at between steps.
func (t *Trainer) stepOf(ctx context.Context, h Hooks) (StepResult, error) {
	start := time.Now()
	t.timing = nil
	if h.Op != nil && t.timed < h.OpSteps {
		t.timing = h.Op
		t.timed++
	}
	r, err := t.Step(context.WithoutCancel(ctx))
	if err != nil {
		return r, err
	}
	h.span("step", start)
	t.sums.add(t, r)
	if h.Step != nil {
		return r, h.Step(t.pos.Step, t.TotalSteps(), r.Loss)
	}
	return r, nil
}

// endEpoch judges the epoch. Its work is not cut short either, so that a run stands at the end of an epoch or before
// it.
func (t *Trainer) endEpoch(ctx context.Context, h Hooks, e *Epoch) error {
	t.total.skipped += t.sums.skipped
	t.total.solver.merge(t.sums.solver)
	t.sums.reset()
	start := time.Now()
	valid, err := t.Evaluate(context.WithoutCancel(ctx), ValidPart)
	if err != nil {
		return err
	}
	h.span("validation", start)
	e.Valid = valid.Score
	if err := t.keepBest(e); err != nil {
		return fmt.Errorf("best parameters after step %d: %w", t.pos.Step, err)
	}
	if h.Warn == nil {
		return nil
	}
	return e.warn(h.Warn, valid.Solver)
}

func (t *Trainer) interrupted(h Hooks, err error) error {
	if failed := h.save(); failed != nil {
		return fmt.Errorf("%w; saving failed: %w", err, failed)
	}
	return err
}

// warn reports what must not pass in silence.
func (e *Epoch) warn(f func(string) error, valid Solver) error {
	if e.Skipped > 0 {
		if err := f(fmt.Sprintf("epoch %d: %d steps were not applied: loss or gradient was not finite", e.Epoch,
			e.Skipped)); err != nil {
			return err
		}
	}
	for _, s := range []struct {
		part string
		Solver
	}{{"", e.Solver}, {" of the validation part", valid}} {
		if s.Failed == 0 {
			continue
		}
		if err := f(fmt.Sprintf("epoch %d: %s%s", e.Epoch, s.Trouble(), s.part)); err != nil {
			return err
		}
	}
	return nil
}

// keepBest keeps a copy of the parameters when the validation loss is the best so far.
func (t *Trainer) keepBest(e *Epoch) error {
	if t.best.Epoch > 0 && !better(e.Valid.Loss, t.best.Valid.Loss) {
		t.best.since++
		return nil
	}
	if err := t.store.Sync(); err != nil { // Params cannot tell
		return err
	}
	e.Best = true
	block := t.store.Params()
	if t.best.params.DType == kernels.Invalid {
		t.best.params = kernels.New(block.Spec)
	}
	block.CopyTo(t.best.params)
	states, err := t.evalStates()
	if err != nil {
		return err
	}
	t.best.states = copies(states)
	t.best.Epoch, t.best.Step, t.best.Valid, t.best.since = e.Epoch, e.Step, e.Valid, 0
	return nil
}

// evalNames lists the states that evaluations read.
func (t *Trainer) evalNames() []string {
	g := t.eval.program.Graph()
	var names []string
	for _, n := range g.States() {
		names = append(names, g.NameOf(n))
	}
	return names
}

// evalStates are the states that evaluations read.
func (t *Trainer) evalStates() ([]kernels.Tensor, error) {
	var out []kernels.Tensor
	for _, name := range t.evalNames() {
		v, err := t.store.Tensor(name)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func copies(list []kernels.Tensor) []kernels.Tensor {
	var out []kernels.Tensor
	for _, v := range list {
		out = append(out, v.Clone())
	}
	return out
}

// UseBest puts the parameters of the best epoch, and the states that evaluations read, in place of the last ones. It
// does nothing before the first epoch has ended.
func (t *Trainer) UseBest() {
	if t.best.Epoch > 0 {
		t.best.params.CopyTo(t.store.Params())
		states, _ := t.evalStates() // an error is kept for those who read the store
		for i, v := range states {
			t.best.states[i].CopyTo(v)
		}
	}
}
