package metric

import (
	"fmt"
)

// maxClasses keeps the matrix of counts within 512 MiB.
const maxClasses = 8192

// Confusion counts predictions by true and predicted class.
type Confusion struct {
	classes int
	counts  []int64 // [classes, classes], a row for each true class
	n       int64
}

// NewConfusion returns an empty matrix; labels are 0 to classes-1.
func NewConfusion(classes int) (*Confusion, error) {
	if classes < 1 || classes > maxClasses {
		return nil, fmt.Errorf("confusion matrix: %d classes, wanted 1 to %d", classes, maxClasses)
	}
	return &Confusion{classes: classes, counts: make([]int64, classes*classes)}, nil
}

// Reset forgets all samples.
func (c *Confusion) Reset() {
	clear(c.counts)
	c.n = 0
}

// AddLabels adds samples by their predicted and true classes, both [n].
func (c *Confusion) AddLabels(pred, truth []int32) error {
	if len(pred) != len(truth) {
		return fmt.Errorf("confusion matrix: %d predictions for %d labels", len(pred), len(truth))
	}
	if err := checkLabels("prediction", pred, c.classes); err != nil {
		return err
	}
	if err := checkLabels("label", truth, c.classes); err != nil {
		return err
	}
	for i, t := range truth {
		c.counts[int(t)*c.classes+int(pred[i])]++
	}
	c.n += int64(len(truth))
	return nil
}

// AddScores adds samples by their scores [n, classes] (logits or probabilities) and true classes [n]. The class of
// the highest score is the prediction, the first of several; a NaN is an error.
func AddScores[F Float](c *Confusion, scores []F, truth []int32) error {
	if err := checkScores(scores, truth, c.classes); err != nil {
		return fmt.Errorf("confusion matrix: %w", err)
	}
	for i, t := range truth {
		c.counts[int(t)*c.classes+Argmax(scores[i*c.classes:(i+1)*c.classes])]++
	}
	c.n += int64(len(truth))
	return nil
}

// Argmax returns the index of the largest score, the first of several.
func Argmax[F Float](scores []F) int {
	best := 0
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	return best
}

// checkLabels checks the range of labels.
func checkLabels(kind string, labels []int32, classes int) error {
	for i, l := range labels {
		if l < 0 || int(l) >= classes {
			return fmt.Errorf("%s %d is %d, wanted 0 to %d", kind, i, l, classes-1)
		}
	}
	return nil
}

// checkScores checks scores [n, classes] and labels [n].
func checkScores[F Float](scores []F, truth []int32, classes int) error {
	if len(scores) != len(truth)*classes {
		return fmt.Errorf("%d scores for %d labels of %d classes", len(scores), len(truth), classes)
	}
	for i, s := range scores {
		if s != s {
			return fmt.Errorf("score of sample %d for class %d is NaN", i/classes, i%classes)
		}
	}
	return checkLabels("label", truth, classes)
}

// Samples is the number of samples added.
func (c *Confusion) Samples() int64 { return c.n }

// Matrix returns a copy of the counts [classes, classes]: row true class, column prediction.
func (c *Confusion) Matrix() [][]int64 {
	m := make([][]int64, c.classes)
	for i := range m {
		m[i] = append([]int64(nil), c.counts[i*c.classes:(i+1)*c.classes]...)
	}
	return m
}

// Accuracy returns the share of samples whose prediction is right.
func (c *Confusion) Accuracy() (float64, error) {
	if c.n == 0 {
		return 0, fmt.Errorf("accuracy: %w", ErrEmpty)
	}
	return float64(c.right()) / float64(c.n), nil
}

// Error returns the share of samples whose prediction is wrong, 1 - accuracy without its rounding.
func (c *Confusion) Error() (float64, error) {
	if c.n == 0 {
		return 0, fmt.Errorf("error: %w", ErrEmpty)
	}
	return float64(c.n-c.right()) / float64(c.n), nil
}

// right is the trace.
func (c *Confusion) right() int64 {
	n := int64(0)
	for i := range c.classes {
		n += c.counts[i*c.classes+i]
	}
	return n
}

// MacroF1 returns the mean over classes of F1 = 2 TP / (2 TP + FP + FN), over the classes that occur among labels
// or predictions: a class that occurs in neither does not count, one that is never right counts as 0
// (scikit-learn's default).
func (c *Confusion) MacroF1() (float64, error) {
	if c.n == 0 {
		return 0, fmt.Errorf("macro F1: %w", ErrEmpty)
	}
	var total sum
	present := 0
	for k := range c.classes {
		truth, pred := int64(0), int64(0)
		for j := range c.classes {
			truth += c.counts[k*c.classes+j]
			pred += c.counts[j*c.classes+k]
		}
		if truth+pred == 0 {
			continue
		}
		present++
		total.add(2 * float64(c.counts[k*c.classes+k]) / float64(truth+pred))
	}
	return total.value() / float64(present), nil
}
