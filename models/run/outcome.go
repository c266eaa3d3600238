package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/engine/train/log"
	"ganglion/kernels"
)

// metricName is the metric by which a task is judged.
func (s *Session) metricName() string {
	if s.Set.Task.Kind == train.Regress {
		return "rmse"
	}
	return "accuracy"
}

// result evaluates the best epoch's parameters on all parts; it is the only place where the test part is looked at.
func (s *Session) result(ctx context.Context, dir string, out train.Outcome, o TrainOptions) (*Result, error) {
	t := s.Trainer
	t.UseBest()
	_, peak := resident()
	r := &Result{
		Command:    "train",
		Model:      s.System.ID,
		Data:       s.DataName(),
		Device:     s.Config.deviceName(),
		DType:      s.Config.Train.DType,
		Precision:  s.Config.precision(),
		Storage:    s.Config.storage(),
		Seed:       s.Config.Train.Seed,
		Epochs:     t.Position().Epoch,
		Steps:      t.Position().Step,
		Seconds:    out.Seconds,
		Parameters: t.Store().Params().Size(),
		PeakBytes:  peak,
		Metric:     Metric{Name: s.metricName()},
		Fallbacks:  fallbacks(t.Programs()),
		Run:        dir,
	}
	if out.Epochs > 0 {
		r.SecondsPerEpoch = out.Seconds / float64(out.Epochs)
	}
	r.Extra.Predicted = o.Forecast
	r.Extra.BestEpoch, r.Extra.SkippedSteps, r.Extra.Stopped = out.Best.Epoch, out.Skipped, out.Stopped
	r.Extra.Solver = solverOf(out.Solver)
	return r, s.scores(ctx, r, o.Log)
}

// scores judges all parts, and warns of those that the solvers did not solve.
func (s *Session) scores(ctx context.Context, r *Result, l log.Logger) error {
	var scores [3]train.Scores
	for i := range scores {
		var err error
		if scores[i], err = s.Trainer.Evaluate(ctx, i); err != nil {
			return err
		}
		if text := scores[i].Solver.Trouble(); text != "" {
			if err := l.Note(fmt.Sprintf("warning: at the end, %s part: %s", [...]string{"training", "validation",
				"test"}[i], text)); err != nil {
				return err
			}
		}
	}
	pick := func(f func(train.Scores) float64) Parts {
		return Parts{Number(f(scores[0])), Number(f(scores[1])), Number(f(scores[2]))}
	}
	r.Loss = pick(func(v train.Scores) float64 { return v.Loss })
	r.Metric.Parts = pick(func(v train.Scores) float64 { return v.Metric })
	if s.Set.Task.Kind == train.Classify {
		e := pick(func(v train.Scores) float64 { return 1 - v.Metric })
		f := pick(func(v train.Scores) float64 { return v.MacroF1 })
		r.Extra.Error, r.Extra.MacroF1 = &e, &f
		return nil
	}
	a := pick(func(v train.Scores) float64 { return v.MAE })
	q := pick(func(v train.Scores) float64 { return v.R2 })
	r.Extra.MAE, r.Extra.R2 = &a, &q
	return nil
}

// refuseFallbacks is, for strict runs on a device, an error that lists the steps that would not run there.
func (s *Session) refuseFallbacks() error {
	if !s.Config.Train.Strict || s.Config.Train.Device == nil {
		return nil
	}
	if list := fallbacks(s.Trainer.Programs()); len(list) > 0 {
		return fmt.Errorf("strict: %d steps would not run on %s: %w:\n  %s", len(list), s.Config.deviceName(),
			kernels.ErrNoKernel, strings.Join(list, "\n  "))
	}
	return nil
}

// fallbacks lists the steps of the programs that run without a kernel of their own, or on the processor in programs
// with a device, each once.
func fallbacks(programs ...*engine.Program) []string {
	out := []string{}
	for _, p := range programs {
		for _, f := range p.Explain().Fallbacks() {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}
