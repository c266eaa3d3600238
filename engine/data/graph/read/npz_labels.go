package read

import (
	"fmt"
	"math"
	"slices"

	"ganglion/engine/data/graph"
)

// labels reads classes [n], or several columns [n, k] of yes-or-no questions or numbers.
func (r *archive) labels(key string, n int) error {
	if !r.Has(key) {
		r.g.Notes = append(r.g.Notes, "the nodes have no labels")
		return nil
	}
	v, shape, err := r.Floats(key)
	if err != nil {
		return err
	}
	if len(shape) == 0 || len(shape) > 2 || shape[0] != n {
		return r.bad(key, fmt.Sprintf("a label for each of %d nodes", n), fmt.Sprintf("the shape %v", shape))
	}
	cols := 1
	if len(shape) == 2 {
		cols = shape[1]
	}
	l, err := makeLabels(v, cols, key)
	if err != nil {
		return &graph.Error{File: r.Name, Column: key, Err: err, Remedy: "save the array again"}
	}
	r.g.Labels = l
	return nil
}

// maxClasses is the most classes that whole numbers may stand for.
const maxClasses = 1 << 16

// makeLabels decides what the labels are: one column of whole numbers from 0, or −1 for none, are classes; columns of
// 0 and 1 are yes-or-no questions, or classes if each row has a single 1; others are numbers.
func makeLabels(v []float64, cols int, name string) (graph.Labels, error) {
	whole, binary, top := true, true, -1.0
	for k, x := range v {
		if math.IsInf(x, 0) {
			return graph.Labels{}, fmt.Errorf("want finite labels, got %v at %d", x, k)
		}
		whole = whole && x == math.Trunc(x) && x >= -1
		binary = binary && (x == 0 || x == 1 || math.IsNaN(x))
		top = max(top, x)
	}
	switch {
	case cols == 1 && whole && top < maxClasses:
		l := graph.Labels{Task: graph.Classify, Classes: numbered(int(top) + 1), Class: make([]int32, len(v))}
		for k, x := range v {
			l.Class[k] = int32(x)
		}
		return l, nil
	case cols > 1 && binary && oneHot(v, cols):
		return fromOneHot(v, cols), nil
	}
	l := graph.Labels{Task: graph.Regress, Names: []string{name}, Value: make([]float32, len(v))}
	if binary {
		l.Task = graph.MultiLabel
	}
	if cols > 1 {
		l.Names = numbered(cols)
	}
	for k, x := range v {
		l.Value[k] = float32(x)
	}
	return l, nil
}

// oneHot says whether each row has a single 1, or none in at most a tenth of the rows.
func oneHot(v []float64, cols int) bool {
	empty := 0
	for i := 0; i < len(v); i += cols {
		sum := 0.0
		for _, x := range v[i : i+cols] {
			sum += x
		}
		if sum == 0 {
			empty++
		}
		if !(sum <= 1) {
			return false
		}
	}
	return 10*empty*cols <= len(v)
}

func fromOneHot(v []float64, cols int) graph.Labels {
	l := graph.Labels{Task: graph.Classify, Classes: numbered(cols)}
	for i := 0; i < len(v); i += cols {
		l.Class = append(l.Class, int32(slices.Index(v[i:i+cols], 1)))
	}
	return l
}

// numbered names classes and types by their numbers.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	return names
}
