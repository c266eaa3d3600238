package graph

import (
	"fmt"
	"math"
	"slices"
)

// Task is what is to be learnt.
type Task string

// The tasks of labels. None is a graph without labels.
const (
	None       Task = ""
	Classify   Task = "classify"   // one class a row
	MultiLabel Task = "multilabel" // several yes-or-no questions a row
	Regress    Task = "regress"    // one or several numbers a row
)

// Labels are what is to be learnt about the rows: the nodes of a graph, or the graphs of a collection.
type Labels struct {
	Task    Task
	Class   []int32   // classify: [rows], from 0; −1 is a row without a label
	Classes []string  // classify: names of the classes
	Value   []float32 // multilabel: 0 and 1, regress: numbers, [rows, len(Names)] row-major; NaN is a missing one
	Names   []string  // multilabel and regress: names of the columns
}

// Rows is the number of rows with or without a label; 0 if there are no labels at all.
func (l Labels) Rows() int {
	if l.Task == Classify {
		return len(l.Class)
	}
	return len(l.Value) / max(1, len(l.Names))
}

// Outputs is the number of numbers that a network has to give for a row: classes, questions or targets.
func (l Labels) Outputs() int {
	if l.Task == Classify {
		return len(l.Classes)
	}
	return len(l.Names)
}

// Known says whether row i has a label: a class, or at least one value.
func (l Labels) Known(i int) bool {
	if l.Task == Classify {
		return l.Class[i] >= 0
	}
	k := len(l.Names)
	return slices.ContainsFunc(l.Value[i*k:(i+1)*k], func(v float32) bool { return v == v })
}

// Counts returns the number of rows of each class, [len(Classes)].
func (l Labels) Counts() []int {
	n := make([]int, len(l.Classes))
	for _, c := range l.Class {
		if c >= 0 {
			n[c]++
		}
	}
	return n
}

// Take returns the labels of the given rows, in their order, in new memory.
func (l Labels) Take(rows []int32) Labels {
	out := Labels{Task: l.Task, Classes: l.Classes, Names: l.Names}
	k := len(l.Names)
	for _, i := range rows {
		switch l.Task {
		case Classify:
			out.Class = append(out.Class, l.Class[i])
		case MultiLabel, Regress:
			out.Value = append(out.Value, l.Value[int(i)*k:(int(i)+1)*k]...)
		}
	}
	return out
}

func (l Labels) check(rows int, what string) error {
	k := len(l.Names)
	switch l.Task {
	case None:
		if len(l.Class)+len(l.Value) > 0 {
			return fmt.Errorf("labels without a task")
		}
		return nil
	case Classify:
		k = 1
	case MultiLabel, Regress:
	default:
		return fmt.Errorf("labels of task %q: want classify, multilabel or regress", l.Task)
	}
	if n := len(l.Class) + len(l.Value); n != rows*k {
		return fmt.Errorf("want %d labels for %d %s, got %d", rows*k, rows, what, n)
	}
	for i, c := range l.Class {
		if c < -1 || int(c) >= len(l.Classes) {
			return fmt.Errorf("label %d: want a class from 0 to %d, or -1 for none, got %d", i, len(l.Classes)-1, c)
		}
	}
	for i, v := range l.Value {
		if math.IsInf(float64(v), 0) || l.Task == MultiLabel && v == v && v != 0 && v != 1 {
			return fmt.Errorf("label %d: want a finite number, 0 or 1 for a yes-or-no question, got %v", i, v)
		}
	}
	return nil
}

// The parts of a split.
const (
	Train  int8 = 0
	Valid  int8 = 1
	Test   int8 = 2
	Unused int8 = -1
)

// Split is one or several divisions of the rows: nodes of a graph, graphs of a collection.
type Split struct {
	Name string   // such as public, geom, random, fold
	Part [][]int8 // [divisions][rows]: Train, Valid, Test or Unused
}

// Rows returns the rows of a part of division k, ascending.
func (s Split) Rows(k int, part int8) []int32 {
	var rows []int32
	for i, p := range s.Part[k] {
		if p == part {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

func (s Split) check(rows int, what string) error {
	for k, part := range s.Part {
		if len(part) != rows {
			return fmt.Errorf("split %q, division %d: want a mark for each of %d %s, got %d", s.Name, k, rows, what,
				len(part))
		}
		for i, p := range part {
			if p < Unused || p > Test {
				return fmt.Errorf("split %q, division %d: want 0, 1, 2 or -1, got %d at %d", s.Name, k, p, i)
			}
		}
	}
	return nil
}
