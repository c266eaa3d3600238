package run

import (
	"time"

	"ganglion/engine/train"
	"ganglion/engine/train/log"
)

// redraw is the least time between two pictures of a progress bar.
const redraw = 100 * time.Millisecond

// progress are the hooks that show a run: every epoch, and on a terminal the steps between.
func (s *Session) progress(l log.Logger) train.Hooks {
	h := train.Hooks{
		Epoch: func(e train.Epoch) error { return l.Log(interval(e, s.metricName())) },
		Warn:  func(text string) error { return l.Note("warning: " + text) },
	}
	bar, ok := l.(*log.Bar)
	if !ok {
		return h
	}
	var last time.Time
	h.Step = func(step, total int, loss float64) error {
		if time.Since(last) < redraw {
			return nil
		}
		last = time.Now()
		per := s.Trainer.StepsPerEpoch()
		return bar.Log(log.Interval{Step: step, Steps: total, Epoch: (step-1)/per + 1, Epochs: s.Trainer.Options.Epochs,
			Metric: s.metricName(), TrainLoss: log.Measured(loss)})
	}
	return h
}

// interval is the report on an epoch as loggers take it.
func interval(e train.Epoch, metric string) log.Interval {
	i := log.Interval{
		Step:        e.Step,
		Steps:       e.Steps,
		Epoch:       e.Epoch,
		Epochs:      e.Of,
		Metric:      metric,
		LR:          e.LR,
		Seconds:     e.Elapsed,
		TrainLoss:   log.Measured(e.Train.Loss),
		TrainMetric: log.Measured(e.Train.Metric),
		ValidLoss:   log.Measured(e.Valid.Loss),
		ValidMetric: log.Measured(e.Valid.Metric),
	}
	if s := e.Structure; s.Nodes > 0 {
		i.Extra = append(
			i.Extra,
			log.Int("kept", int64(s.Kept)),
			log.Int("modules", int64(s.Modules)),
			log.Int(
				"cyclic",
				int64(s.Cyclic),
			),
			log.Int("largest", int64(s.Largest)),
			log.Int("levels", int64(s.Levels)),
		)
	}
	if s := e.Solver; s.Samples > 0 {
		i.Extra = append(i.Extra, log.Float("iterations", s.Iterations), log.Float("residual", s.Worst),
			log.Int("failed", int64(s.Failed)))
	}
	if e.Skipped > 0 {
		i.Extra = append(i.Extra, log.Int("skipped", int64(e.Skipped)))
	}
	return i
}
