package train

import (
	"context"
	"fmt"
	"math"
	"time"

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
	Samples    int     `json:"samples"`        // problems solved
	Failed     int     `json:"failed"`         // of those, the ones that missed the tolerance
	Worst      float64 `json:"worst_residual"` // relative to 1+max|x|
	Iterations float64 `json:"iterations"`     // mean over the problems
	Longest    int     `json:"longest"`        // iterations of the longest
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

func (s *Solver) merge(o Solver) {
	s.add(&kernels.Report{Samples: o.Samples, Failed: o.Failed, Worst: o.Worst, Iterations: o.Longest, Total: o.total})
}

// Best is the best epoch so far by validation loss.
type Best struct {
	Epoch, Step int
	Valid       Score
	params      kernels.Tensor // copy of the parameter block
	since       int            // epochs since
}

// Outcome says how a run ended.
type Outcome struct {
	Best    Best
	Stopped string  // why the run ended before its last epoch; empty if it did not
	Epochs  int     // that this call ran to their ends
	Seconds float64 // spent in training steps by this call
	Skipped int     // steps that were not applied, in those epochs
	Solver  Solver  // of all those epochs together
}

// saveEvery is the least time between two checkpoints at ends of epochs.
const saveEvery = time.Second

// Fit runs the remaining epochs. The parameters are those of the last step when it returns; UseBest goes back to the best. A cancelled
// context ends it after the step under way, with the context's error, and with the position saved.
func (t *Trainer) Fit(ctx context.Context, h Hooks) (Outcome, error) {
	out := Outcome{}
	saved := time.Now()
	for t.pos.Epoch < t.Options.Epochs {
		e, err := t.epoch(ctx, h)
		out.Seconds += e.Seconds
		if err != nil {
			out.Best = t.best
			return out, err
		}
		e.Elapsed = out.Seconds
		out.Epochs++
		out.Skipped += e.Skipped
		out.Solver.merge(e.Solver)
		if h.Epoch != nil {
			if err := h.Epoch(e); err != nil {
				return out, err
			}
		}
		if h.Save != nil && t.Options.Save == 0 && time.Since(saved) > saveEvery {
			if err := h.Save(); err != nil {
				return out, err
			}
			saved = time.Now()
		}
		if p := t.Options.Patience; p > 0 && t.best.since >= p {
			out.Stopped = fmt.Sprintf("validation loss has not improved for %d epochs", p)
			break
		}
	}
	out.Best = t.best
	if h.Save != nil {
		return out, h.Save()
	}
	return out, nil
}

// epoch runs the rest of the epoch under way and judges it on the validation part.
func (t *Trainer) epoch(ctx context.Context, h Hooks) (Epoch, error) {
	start := time.Now()
	number := t.pos.Epoch + 1
	var lr float64
	for t.pos.Epoch+1 == number {
		if err := ctx.Err(); err != nil {
			return Epoch{Seconds: time.Since(start).Seconds()}, t.interrupted(h, err)
		}
		r, err := t.Step(context.WithoutCancel(ctx))
		if err != nil {
			return Epoch{}, err
		}
		lr = r.LR
		t.sums.add(t, r)
		if h.Step != nil {
			if err := h.Step(t.pos.Step, t.TotalSteps(), r.Loss); err != nil {
				return Epoch{}, err
			}
		}
		if k := t.Options.Save; k > 0 && t.pos.Step%k == 0 && h.Save != nil && t.pos.Epoch+1 == number {
			if err := h.Save(); err != nil {
				return Epoch{}, err
			}
		}
	}
	e := Epoch{Epoch: number, Of: t.Options.Epochs, Step: t.pos.Step, Steps: t.TotalSteps(), LR: lr, Seconds: time.Since(start).Seconds(),
		Train: t.sums.score(t.Set), Skipped: t.sums.skipped, Solver: t.sums.solver, Structure: t.sums.structure}
	t.sums.reset()
	if h.Warn != nil {
		if err := e.warn(h.Warn); err != nil {
			return e, err
		}
	}
	valid, err := t.Evaluate(ctx, ValidPart)
	if err != nil {
		return e, err
	}
	e.Valid = valid.Score
	t.keepBest(&e)
	if k := t.Options.Save; k > 0 && t.pos.Step%k == 0 && h.Save != nil {
		return e, h.Save()
	}
	return e, nil
}

func (t *Trainer) interrupted(h Hooks, err error) error {
	if h.Save == nil {
		return err
	}
	if failed := h.Save(); failed != nil {
		return fmt.Errorf("%w; saving failed: %w", err, failed)
	}
	return err
}

// warn reports what must not pass in silence.
func (e Epoch) warn(f func(string) error) error {
	if e.Skipped > 0 {
		if err := f(fmt.Sprintf("epoch %d: %d steps were not applied: loss or gradient was not finite", e.Epoch, e.Skipped)); err != nil {
			return err
		}
	}
	if s := e.Solver; s.Failed > 0 {
		return f(fmt.Sprintf("epoch %d: %d of %d solves did not reach the tolerance; worst residual %.3g, longest %d iterations",
			e.Epoch, s.Failed, s.Samples, s.Worst, s.Longest))
	}
	return nil
}

// keepBest keeps a copy of the parameters when the validation loss is the best so far.
func (t *Trainer) keepBest(e *Epoch) {
	if t.best.params.Size() > 0 && t.best.Epoch > 0 && !better(e.Valid.Loss, t.best.Valid.Loss) {
		t.best.since++
		return
	}
	e.Best = true
	block := t.store.Params()
	if t.best.params.DType == kernels.Invalid {
		t.best.params = kernels.New(block.Spec)
	}
	block.CopyTo(t.best.params)
	t.best.Epoch, t.best.Step, t.best.Valid, t.best.since = e.Epoch, e.Step, e.Valid, 0
}

// UseBest puts the parameters of the best epoch in place of the last ones. It does nothing before the first epoch has ended.
func (t *Trainer) UseBest() {
	if t.best.Epoch > 0 {
		t.best.params.CopyTo(t.store.Params())
	}
}
