package train

import (
	"math"

	"ganglion/engine/train/metric"
	"ganglion/kernels"
)

// sums gathers what the steps of the epoch under way report. It is part of a checkpoint, so that a resumed epoch
// reports the same.
type sums struct {
	loss float64 // Σ loss·samples over the applied steps
	// classification: samples whose class was right; regression: Σ squared error, mean over the targets
	hits      float64
	samples   int
	skipped   int
	solver    Solver
	structure kernels.Structure
}

func (s *sums) reset() { *s = sums{} }

func (s *sums) add(t *Trainer, r StepResult) {
	for _, rep := range t.step.Reports() {
		s.solver.add(rep.Report)
		if rep.Report.Structure.Nodes > 0 {
			s.structure = rep.Report.Structure
		}
	}
	if !r.Applied {
		s.skipped++
		return
	}
	n := len(r.Rows)
	s.samples += n
	s.loss += r.Loss * float64(n)
	if t.Set.Task.Kind == Regress {
		s.hits += squares(r.Output, t.Set.Train.Y, r.Rows, t.Set.Scale)
		return
	}
	s.hits += float64(hits(r.Output, t.Set.Train.Labels, r.Rows))
}

// score is the mean loss and the accuracy, or the root mean squared error over samples and targets in the data's units.
func (s *sums) score(set Set) Score {
	n := float64(s.samples)
	if set.Task.Kind == Regress {
		return Score{Loss: s.loss / n, Metric: math.Sqrt(s.hits / n)}
	}
	return Score{Loss: s.loss / n, Metric: s.hits / n}
}

// hits counts the rows of out [n, classes] whose largest element (the first, of equals) is the row's label.
func hits(out kernels.Tensor, labels, rows []int32) int {
	if out.DType == kernels.Float32 {
		return countHits(out.F32, out.Shape[1], labels, rows)
	}
	return countHits(out.F64, out.Shape[1], labels, rows)
}

func countHits[T kernels.Float](out []T, classes int, labels, rows []int32) int {
	n := 0
	for i, r := range rows {
		if metric.Argmax(out[i*classes:(i+1)*classes]) == int(labels[r]) {
			n++
		}
	}
	return n
}

// squares is Σ over the rows of out [n, targets] of the mean over the targets of the squared error in the data's units.
func squares(out, y kernels.Tensor, rows []int32, scale []float64) float64 {
	if out.DType == kernels.Float32 {
		return sumSquares(out.F32, y.F32, out.Shape[1], rows, scale)
	}
	return sumSquares(out.F64, y.F64, out.Shape[1], rows, scale)
}

func sumSquares[T kernels.Float](out, y []T, m int, rows []int32, scale []float64) float64 {
	sum := 0.0
	for i, r := range rows {
		for j := range m {
			e := float64(out[i*m+j]) - float64(y[int(r)*m+j])
			if scale != nil {
				e *= scale[j]
			}
			sum += e * e
		}
	}
	return sum / float64(m)
}
