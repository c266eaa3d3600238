package metric

import (
	"fmt"
	"math"
)

// Regression measures numeric predictions [n, outputs].
type Regression struct {
	outputs  int
	squared  []sum     // Σ (y - ŷ)², one per output
	absolute []sum     // Σ |y - ŷ|
	mean     []float64 // running mean of y
	spread   []float64 // Σ (y - mean)², kept up by Welford's rule
	n        int64
}

// NewRegression returns an empty measure of samples with the given number of outputs.
func NewRegression(outputs int) (*Regression, error) {
	if outputs < 1 {
		return nil, fmt.Errorf("regression: %d outputs, wanted at least 1", outputs)
	}
	return &Regression{outputs: outputs, squared: make([]sum, outputs), absolute: make([]sum, outputs),
		mean: make([]float64, outputs), spread: make([]float64, outputs)}, nil
}

// Reset forgets all samples.
func (r *Regression) Reset() {
	clear(r.squared)
	clear(r.absolute)
	clear(r.mean)
	clear(r.spread)
	r.n = 0
}

// AddValues adds samples by their predictions and targets, both [n, outputs]. A value that is not finite is an error.
func AddValues[F Float](r *Regression, pred, truth []F) error {
	if len(pred) != len(truth) || len(pred)%r.outputs != 0 {
		return fmt.Errorf("regression: %d predictions and %d targets of %d outputs", len(pred), len(truth), r.outputs)
	}
	for i := range pred {
		if p, t := float64(pred[i]), float64(truth[i]); math.IsNaN(p-p) || math.IsNaN(t-t) {
			return fmt.Errorf("regression: sample %d, output %d: prediction %v, target %v", i/r.outputs, i%r.outputs,
				p, t)
		}
	}
	for i := range pred {
		k := i % r.outputs
		if k == 0 {
			r.n++
		}
		y := float64(truth[i])
		d := y - float64(pred[i])
		r.squared[k].add(d * d)
		r.absolute[k].add(math.Abs(d))
		step := y - r.mean[k]
		r.mean[k] += step / float64(r.n)
		r.spread[k] += step * (y - r.mean[k])
	}
	return nil
}

// Samples is the number of samples added.
func (r *Regression) Samples() int64 { return r.n }

// RMSE returns the root of the mean of (y - ŷ)² over all samples and outputs.
func (r *Regression) RMSE() (float64, error) {
	if r.n == 0 {
		return 0, fmt.Errorf("RMSE: %w", ErrEmpty)
	}
	return math.Sqrt(r.average(r.squared)), nil
}

// MAE returns the mean of |y - ŷ| over all samples and outputs.
func (r *Regression) MAE() (float64, error) {
	if r.n == 0 {
		return 0, fmt.Errorf("MAE: %w", ErrEmpty)
	}
	return r.average(r.absolute), nil
}

// average is the mean over samples and outputs of sums by output.
func (r *Regression) average(sums []sum) float64 {
	var total sum
	for _, s := range sums {
		total.add(s.value())
	}
	return total.value() / (float64(r.n) * float64(r.outputs))
}

// R2 returns the mean over outputs of 1 - Σ (y - ŷ)² / Σ (y - mean of y)², which needs two samples. An output whose
// target is constant counts as 1 if every prediction is exact and as 0 otherwise (scikit-learn's default).
func (r *Regression) R2() (float64, error) {
	if r.n < 2 {
		return 0, fmt.Errorf("explained variance R²: %d samples, needs 2: %w", r.n, ErrEmpty)
	}
	var total sum
	for k := range r.outputs {
		left := r.squared[k].value()
		switch {
		case r.spread[k] > 0:
			total.add(1 - left/r.spread[k])
		case left == 0:
			total.add(1)
		}
	}
	return total.value() / float64(r.outputs), nil
}
