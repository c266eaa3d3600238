// Package metric measures predictions over a pass, batch by batch. Counts are integers; sums are compensated
// float64 sums in the order of the samples, so a result does not depend on how the samples were cut into batches.
// Adding a batch allocates nothing. A batch with a bad label or score is refused whole: it changes nothing.
package metric

import (
	"errors"
	"fmt"
	"math"
)

// ErrEmpty is returned for a metric of no samples.
var ErrEmpty = errors.New("no samples were added")

// Float is an element type of scores and targets.
type Float interface{ float32 | float64 }

// sum is a Neumaier sum: s + c is the total, with an error of a few ulps of it whatever the number of terms.
type sum struct{ s, c float64 }

// add adds one term.
func (a *sum) add(x float64) {
	t := a.s + x
	switch {
	case math.IsInf(t, 0) || math.IsNaN(t): // no error term: it would be NaN
	case math.Abs(a.s) >= math.Abs(x):
		a.c += (a.s - t) + x
	default:
		a.c += (x - t) + a.s
	}
	a.s = t
}

// value is the total.
func (a *sum) value() float64 { return a.s + a.c }

// Mean is a mean with weights, for example of the losses of batches by their sizes. The zero value is ready.
type Mean struct {
	total  sum
	weight sum
}

// Add adds a value with a weight, which must be positive and finite. A value that is not finite makes the mean so.
func (m *Mean) Add(value, weight float64) error {
	if !(weight > 0) || math.IsInf(weight, 1) {
		return fmt.Errorf("mean: weight %v is not positive and finite", weight)
	}
	m.total.add(value * weight)
	m.weight.add(weight)
	return nil
}

// Reset forgets all values.
func (m *Mean) Reset() { *m = Mean{} }

// Value returns Σ w v / Σ w.
func (m *Mean) Value() (float64, error) {
	if m.weight.value() == 0 {
		return 0, fmt.Errorf("mean: %w", ErrEmpty)
	}
	return m.total.value() / m.weight.value(), nil
}

// HigherIsBetter says which of two values of a metric is to be preferred, by the names that this package's methods
// go by in logs: accuracy, macro_f1 and r2 rise, error, cross_entropy, rmse and mae fall.
func HigherIsBetter(name string) (bool, error) {
	switch name {
	case "accuracy", "macro_f1", "r2":
		return true, nil
	case "error", "cross_entropy", "rmse", "mae":
		return false, nil
	}
	return false, fmt.Errorf("metric %q is not one of accuracy, cross_entropy, error, macro_f1, mae, r2, rmse", name)
}
