// Package baseline holds the textbook networks for signals, images and series, with which others are compared: a small
// convolutional network and gated recurrent ones.
package baseline

import (
	"fmt"
	"strconv"
	"strings"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/kernels/dense"
	"ganglion/models/layer"
)

// signal is the shape of a sample: channels, and one or two extents.
type signal struct {
	channels int
	extents  []int
}

// shapeOf is the shape that a setting like 1x28x28 gives, or, when that is empty, the one of the data.
func shapeOf(setting string, task train.Task) (signal, error) {
	dims := task.Shape[:]
	if setting != "" {
		dims = nil
		for word := range strings.SplitSeq(setting, "x") {
			n, err := strconv.Atoi(word)
			if err != nil || n < 1 || n > task.Inputs {
				return signal{}, fmt.Errorf("shape: %q is not channels and extents like 1x28x28 or 6x100", setting)
			}
			dims = append(dims, n)
		}
	}
	n := 1
	var kept []int
	for _, d := range dims {
		if d > 0 {
			kept = append(kept, d)
			n *= d
		}
	}
	switch {
	case len(kept) == 0:
		return signal{}, fmt.Errorf("the data are plain features: give them a shape, such as --set shape=1x%d for a "+
			"series", task.Inputs)
	case len(kept) < 2 || len(kept) > 3:
		return signal{}, fmt.Errorf("shape: %q is not channels and one or two extents", setting)
	case n != task.Inputs:
		return signal{}, fmt.Errorf("shape: %v has %d elements, the data have %d features", kept, n, task.Inputs)
	}
	return signal{kept[0], kept[1:]}, nil
}

// fold makes x [batch, features] signals [batch, channels, extents…].
func (g signal) fold(s *engine.Scope, x *layer.Node) *layer.Node {
	return s.Apply(dense.Reshape{To: dense.ShapeOf(append([]int{-1, g.channels}, g.extents...)...)}, x)
}

// flat makes signals rows of features again.
func flat(s *engine.Scope, x *layer.Node, features int) *layer.Node {
	return s.Apply(dense.Reshape{To: dense.ShapeOf(-1, features)}, x)
}

// dropout drops units in training graphs.
func dropout(s *engine.Scope, rate float64, in train.Inputs, x *layer.Node) *layer.Node {
	if in.Key == nil {
		return x
	}
	return layer.Dropout{Rate: rate, Key: in.Key}.Apply(s, x)
}

// checkRate returns an error unless rate is one of dropout.
func checkRate(rate float64) error {
	if !(rate >= 0 && rate < 1) {
		return fmt.Errorf("dropout: %v is not in [0, 1)", rate)
	}
	return nil
}
