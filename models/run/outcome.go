package run

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"ganglion/engine"
	"ganglion/engine/train"
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
	r := &Result{Command: "train", Model: s.System.ID, Data: s.Table.Name, Device: o.Device, DType: s.Config.Train.DType,
		Seed: s.Config.Train.Seed, Epochs: t.Position().Epoch, Steps: t.Position().Step, Seconds: out.Seconds,
		Parameters: t.Store().Params().Size(), PeakBytes: t.PeakBytes(), Metric: Metric{Name: s.metricName()},
		Fallbacks: fallbacks(t.Programs()), Run: dir, Stopped: out.Stopped}
	if out.Epochs > 0 {
		r.SecondsPerEpoch = out.Seconds / float64(out.Epochs)
	}
	r.Extra.BestEpoch, r.Extra.SkippedSteps = out.Best.Epoch, out.Skipped
	if out.Solver.Samples > 0 {
		solver := out.Solver
		r.Extra.Solver = &solver
	}
	return r, s.scores(ctx, r)
}

func (s *Session) scores(ctx context.Context, r *Result) error {
	var scores [3]train.Scores
	for i := range scores {
		var err error
		if scores[i], err = s.Trainer.Evaluate(ctx, i); err != nil {
			return err
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

// fallbacks lists the steps of the programs that run without a kernel of their own, each once.
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

// line is one line of metrics.jsonl.
type line struct {
	Step       int           `json:"step"`
	Epoch      int           `json:"epoch"`
	LR         float64       `json:"lr"`
	Loss       number2       `json:"loss"`
	Name       string        `json:"metric_name"`
	Metric     number2       `json:"metric"`
	Best       bool          `json:"best"`
	Skipped    int           `json:"skipped_steps"`
	Solver     *train.Solver `json:"solver,omitempty"`
	Kept       int           `json:"kept_edges,omitempty"`
	Modules    int           `json:"modules,omitempty"`
	Cyclic     int           `json:"cyclic,omitempty"`
	Largest    int           `json:"largest,omitempty"`
	NotNumbers []string      `json:"nonfinite,omitempty"`
}

type number2 struct {
	Train Number `json:"train"`
	Valid Number `json:"valid"`
}

// writeMetrics appends the line of an epoch. It holds nothing that depends on the clock, so that equal runs write equal files.
func writeMetrics(w io.Writer, e train.Epoch, metric string) error {
	l := line{Step: e.Step, Epoch: e.Epoch, LR: e.LR, Name: metric, Best: e.Best, Skipped: e.Skipped,
		Loss:   number2{Number(e.Train.Loss), Number(e.Valid.Loss)},
		Metric: number2{Number(e.Train.Metric), Number(e.Valid.Metric)},
		Kept:   e.Structure.Kept, Modules: e.Structure.Modules, Cyclic: e.Structure.Cyclic, Largest: e.Structure.Largest}
	if e.Solver.Samples > 0 {
		l.Solver = &e.Solver
	}
	for _, v := range []struct {
		name string
		v    float64
	}{{"loss.train", e.Train.Loss}, {"loss.valid", e.Valid.Loss}, {"metric.train", e.Train.Metric}, {"metric.valid", e.Valid.Metric}} {
		if math.IsNaN(v.v) || math.IsInf(v.v, 0) {
			l.NotNumbers = append(l.NotNumbers, v.name)
		}
	}
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("metrics of epoch %d: %w", e.Epoch, err)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
