package train

import (
	"context"
	"fmt"

	"ganglion/engine/train/metric"
	"ganglion/kernels"
)

// Scores is what a part is judged by. Score.Metric is the accuracy of a classification, the root mean squared error of
// a regression. Errors of a regression are in the data's units.
type Scores struct {
	Score
	MacroF1 float64 // classification: mean over the classes of their F1 scores
	MAE     float64 // regression: mean absolute error
	R2      float64 // regression: share of the variance that is explained; 0 with fewer than two samples
	Solver  Solver  // what the iterative kernels reported
}

// judge gathers the outputs of a part.
type judge struct {
	set       Set
	confusion *metric.Confusion
	entropy   *metric.CrossEntropy
	numbers   *metric.Regression // in the data's units
	scaled    *metric.Regression // as the network sees them
	pred      []float64
	truth     []float64
}

func newJudge(set Set) (*judge, error) {
	j := &judge{set: set}
	var err error
	m := set.Task.Outputs
	if set.Task.Kind == Classify {
		if j.entropy, err = metric.NewCrossEntropy(m); err != nil {
			return nil, err
		}
		j.confusion, err = metric.NewConfusion(m)
		return j, err
	}
	j.pred, j.truth = make([]float64, predictBatch*m), make([]float64, predictBatch*m)
	if j.scaled, err = metric.NewRegression(m); err != nil {
		return nil, err
	}
	j.numbers, err = metric.NewRegression(m)
	return j, err
}

// Judge runs the network over a part and scores its outputs. set gives the task and, for a regression, the targets'
// scale. Loss is the mean cross-entropy, or the mean squared error of the standardised targets.
func (p *Predictor) Judge(ctx context.Context, set Set, part Part) (Scores, error) {
	j, err := newJudge(set)
	if err != nil {
		return Scores{}, err
	}
	add := func(lo, hi int, out kernels.Tensor) error {
		if out.DType == kernels.Float32 {
			return addBatch(j, out.F32, part.Y.F32, part.Labels, lo, hi)
		}
		return addBatch(j, out.F64, part.Y.F64, part.Labels, lo, hi)
	}
	if set.Graphs != nil {
		err = p.visitGraphs(ctx, set.Graphs, part.Rows, add)
	} else {
		err = p.visit(ctx, part.X, add)
	}
	if err != nil {
		return Scores{}, err
	}
	s, err := j.scores()
	s.Solver = p.solver
	return s, err
}

// addBatch adds the outputs [hi-lo, Outputs] of the samples lo … hi-1.
func addBatch[T kernels.Float](j *judge, out, y []T, labels []int32, lo, hi int) error {
	if j.confusion != nil {
		if err := metric.AddLogits(j.entropy, out, labels[lo:hi]); err != nil {
			return err
		}
		return metric.AddScores(j.confusion, out, labels[lo:hi])
	}
	m, n := j.set.Task.Outputs, len(out)
	if n > len(j.pred) { // all nodes of a graph come at once
		j.pred, j.truth = make([]float64, n), make([]float64, n)
	}
	for i, v := range out {
		j.pred[i], j.truth[i] = float64(v), float64(y[lo*m+i])
	}
	if err := metric.AddValues(j.scaled, j.pred[:n], j.truth[:n]); err != nil {
		return err
	}
	if j.set.Scale != nil { // the targets' means cancel in every metric
		for i := range n {
			j.pred[i] *= j.set.Scale[i%m]
			j.truth[i] *= j.set.Scale[i%m]
		}
	}
	return metric.AddValues(j.numbers, j.pred[:n], j.truth[:n])
}

// Evaluate judges one part of the trainer's set. The test part is for the end of a run alone.
func (t *Trainer) Evaluate(ctx context.Context, part int) (Scores, error) {
	s, err := t.eval.Judge(ctx, t.Set, t.parts()[part])
	if err != nil {
		return s, fmt.Errorf("%s part after step %d: %w", partNames[part], t.pos.Step, err)
	}
	return s, nil
}

func (t *Trainer) parts() [3]Part { return [3]Part{t.Set.Train, t.Set.Valid, t.Set.Test} }

// The parts of a set, as Evaluate takes them.
const (
	TrainPart = iota
	ValidPart
	TestPart
)

var partNames = [...]string{"training", "validation", "test"}

func (j *judge) scores() (s Scores, err error) {
	if j.confusion != nil {
		if s.Loss, err = j.entropy.Value(); err != nil {
			return s, err
		}
		if s.Metric, err = j.confusion.Accuracy(); err != nil {
			return s, err
		}
		s.MacroF1, err = j.confusion.MacroF1()
		return s, err
	}
	rmse, err := j.scaled.RMSE()
	if err != nil {
		return s, err
	}
	s.Loss = rmse * rmse
	if s.Metric, err = j.numbers.RMSE(); err != nil {
		return s, err
	}
	if s.MAE, err = j.numbers.MAE(); err != nil {
		return s, err
	}
	if j.numbers.Samples() > 1 {
		s.R2, err = j.numbers.R2()
	}
	return s, err
}
