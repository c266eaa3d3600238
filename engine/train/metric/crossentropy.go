package metric

import (
	"fmt"
	"math"
)

// CrossEntropy is the mean over samples of -log softmax(logits)[label], in nats.
type CrossEntropy struct {
	classes int
	total   sum
	n       int64
}

// NewCrossEntropy returns an empty mean; labels are 0 to classes-1.
func NewCrossEntropy(classes int) (*CrossEntropy, error) {
	if classes < 1 {
		return nil, fmt.Errorf("cross-entropy: %d classes, wanted at least 1", classes)
	}
	return &CrossEntropy{classes: classes}, nil
}

// Reset forgets all samples.
func (c *CrossEntropy) Reset() { *c = CrossEntropy{classes: c.classes} }

// AddLogits adds samples by their logits [n, classes] and true classes [n]. A logit of -Inf is probability 0; NaN,
// +Inf, and a sample with nothing but -Inf are errors.
func AddLogits[F Float](c *CrossEntropy, logits []F, truth []int32) error {
	if err := checkScores(logits, truth, c.classes); err != nil {
		return fmt.Errorf("cross-entropy: %w", err)
	}
	for i := range truth {
		if top := float64(logits[i*c.classes+Argmax(logits[i*c.classes:(i+1)*c.classes])]); math.IsInf(top, 0) {
			return fmt.Errorf("cross-entropy: the highest logit of sample %d is %v", i, top)
		}
	}
	for i, t := range truth {
		row := logits[i*c.classes : (i+1)*c.classes]
		top := float64(row[Argmax(row)])
		z := 0.0
		for _, v := range row {
			z += math.Exp(float64(v) - top)
		}
		c.total.add(math.Log(z) - (float64(row[t]) - top))
	}
	c.n += int64(len(truth))
	return nil
}

// Value returns the mean, +Inf if a label had probability 0.
func (c *CrossEntropy) Value() (float64, error) {
	if c.n == 0 {
		return 0, fmt.Errorf("cross-entropy: %w", ErrEmpty)
	}
	return c.total.value() / float64(c.n), nil
}
